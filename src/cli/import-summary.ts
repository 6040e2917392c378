/** What an import tells people. */

import { channelLabel } from '../labels.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { countOf, formatCount } from '../output/counts.ts';
import { errorLines, headline, messageCounts, statusWords } from './result.ts';
import { renderTable } from './table.ts';
import type { WorkspaceResult } from './workspace-run.ts';

/** Conversations that are listed one by one. */
const listedConversations = 20;

export function importSummary(result: WorkspaceResult): string {
  const { extra, messages, status, run_id, remaining } = result;
  const dryRun = run_id === null && status !== 'failed' ? ' (dry run, nothing written)' : '';
  const found = objectIn(extra['found']);
  const lines = [`${headline(result, statusWords[status])}${dryRun}`];
  if (found !== null) {
    const replies = numberAt(found, 'replies');
    const stored = messageCounts(messages, {
      'found more than once': numberAt(found, 'repeated'),
      'that the database cannot hold': numberAt(found, 'refused'),
    });
    lines.push(
      `  found     ${countOf(numberAt(found, 'messages'), 'message')} in ${countOf(numberAt(found, 'channels'), 'conversation')}, ${countOf(numberAt(found, 'users'), 'user')}`,
      `  of them   ${countOf(numberAt(found, 'threads'), 'thread')} with ${formatCount(replies)} ${replies === 1 ? 'reply' : 'replies'}, ${countOf(numberAt(found, 'reactions'), 'reaction')}, ${countOf(numberAt(found, 'files'), 'file')}`,
      `  stored    ${stored}`,
      ...mendedLine(extra),
      ...spanLine(extra),
      ...conversationLines(extra),
      ...leftOutLines(extra),
    );
  }
  lines.push(...errorLines(result));
  const more =
    numberAt(extra, 'quarantined_total') - (Array.isArray(extra['quarantined']) ? extra['quarantined'].length : 0);
  if (more > 0) lines.push(`  ! and ${formatCount(more)} more that are only counted`);
  const newest = textAt(objectIn(extra['export']) ?? {}, 'newest_at').slice(0, 10);
  // A first ingest reaches back 30 days only.
  if (messages.inserted > 0 && run_id !== null && remaining === null && newest > '1970-01-01') {
    lines.push(`  next      "slackingest ingest --backfill-from ${newest}" reads what was written since`);
  }
  if (remaining !== null) lines.push('  remaining: the rest of the day files; import again to go on');
  return lines.join('\n');
}

function mendedLine(extra: JsonObject): string[] {
  const mended = numberAt(extra, 'mended_timestamps');
  if (mended === 0) return [];
  return [
    `  mended    the timestamps of ${countOf(mended, 'message')}, written as numbers or cut short, to Slack's own form`,
  ];
}

function spanLine(extra: JsonObject): string[] {
  const conversations = objectsIn(extra['conversations']);
  const first = conversations.flatMap(({ first_at }) => (typeof first_at === 'string' ? [first_at] : [])).sort()[0];
  const last = conversations
    .flatMap(({ last_at }) => (typeof last_at === 'string' ? [last_at] : []))
    .sort()
    .at(-1);
  return first === undefined || last === undefined ? [] : [`  span      ${minute(first)} to ${minute(last)} UTC`];
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

const columns = [
  { title: '  conversation', isFlexible: true },
  { title: 'messages', align: 'right' },
  { title: 'replies', align: 'right' },
  { title: 'first' },
  { title: 'last' },
] as const;

/** The largest first; where a folder could not be named, that is worth a word. */
function conversationLines(extra: JsonObject): string[] {
  const all = objectsIn(extra['conversations']);
  const largest = all
    .filter((one) => numberAt(one, 'messages') > 0)
    .sort((a, b) => numberAt(b, 'messages') - numberAt(a, 'messages'));
  const rows = largest
    .slice(0, listedConversations)
    .map((one) => [
      `  ${channelLabel(textAt(one, 'name'), textAt(one, 'channel_id'), textAt(one, 'kind'))}`,
      formatCount(numberAt(one, 'messages')),
      formatCount(numberAt(one, 'replies')),
      textAt(one, 'first_at').slice(0, 10),
      textAt(one, 'last_at').slice(0, 10),
    ]);
  const empty = all.length - largest.length;
  return [
    ...(rows.length === 0 ? [] : renderTable(columns, rows, 78)),
    ...(largest.length > rows.length
      ? [`  and ${formatCount(largest.length - rows.length)} more; --json lists them all`]
      : []),
    ...(empty > 0 ? [`  and ${formatCount(empty)} without messages`] : []),
    ...unnamedLines(all),
  ];
}

function unnamedLines(conversations: readonly JsonObject[]): string[] {
  const by = (how: string) => conversations.filter((one) => one['found_by'] === how);
  const names = (some: readonly JsonObject[]) =>
    `${some
      .slice(0, 5)
      .map((one) => textAt(one, 'folder'))
      .join(', ')}${some.length > 5 ? ', ...' : ''}`;
  const former = by('former_name');
  const local = by('local');
  return [
    ...(former.length > 0
      ? [
          `  ${countOf(former.length, 'folder')} that no list names went to the stored channel of that name: ${names(former)}`,
        ]
      : []),
    ...(local.length > 0
      ? [
          `  ${countOf(local.length, 'folder')} that nothing names got an id of our own (LOCAL-...) and ${local.length === 1 ? 'is' : 'are'} treated as private: ${names(local)}`,
        ]
      : []),
  ];
}

function leftOutLines(extra: JsonObject): string[] {
  const out = objectIn(extra['left_out']) ?? {};
  const days = objectIn(extra['day_files']) ?? {};
  const threads = objectIn(extra['threads']) ?? {};
  const lists = Array.isArray(out['lists']) ? out['lists'] : [];
  const counted: [number, string][] = [
    [numberAt(out, 'messages_out_of_range'), 'message out of range'],
    [numberAt(out, 'channels_not_selected'), 'conversation not selected'],
    [Array.isArray(out['file_conversations']) ? out['file_conversations'].length : 0, 'conversation about a file'],
    [numberAt(out, 'canvases'), 'canvas'],
    [numberAt(out, 'attachments'), 'attached file'],
  ];
  const told = counted.flatMap(([n, what]) => (n === 0 ? [] : [`${formatCount(n)} ${n === 1 ? what : plural(what)}`]));
  const before = numberAt(days, 'imported_before');
  const incomplete = numberAt(threads, 'incomplete');
  const others = textsIn(out['other_files']);
  if (others.length > 0) told.push(`${countOf(others.length, 'other file')} (${firstOf(others)})`);
  const byOtherNames = textsIn(extra['message_files_by_other_names']);
  const wanting = objectIn(extra['needs_token']) ?? {};
  const names = numberAt(wanting, 'author_names');
  const roots = numberAt(wanting, 'thread_roots');
  const onlySlack = [
    ...(names > 0 ? [`the names of ${countOf(names, 'author')}`] : []),
    ...(roots > 0 ? [`the first messages of ${countOf(roots, 'thread')}`] : []),
  ];
  return [
    ...(byOtherNames.length > 0
      ? [`  read too  ${countOf(byOtherNames.length, 'file')} by other names than Slack's: ${firstOf(byOtherNames)}`]
      : []),
    ...(told.length + lists.length > 0 ? [`  left out  ${[...told, ...lists].join(', ')}`] : []),
    ...(before > 0
      ? [`  ${formatCount(before)} of ${countOf(numberAt(days, 'total'), 'day file')} had been imported before`]
      : []),
    ...(incomplete > 0
      ? [
          `  ${countOf(incomplete, 'thread')} tell${incomplete === 1 ? 's' : ''} of replies that are not in the export; ingest reads them`,
        ]
      : []),
    ...(onlySlack.length > 0 ? [`  not in the export: ${onlySlack.join(', ')}; ingest asks Slack, with a token`] : []),
  ];
}

/** Paths that a line names; --json has all. */
const namedPaths = 5;

function firstOf(paths: readonly string[]): string {
  const more = paths.length - namedPaths;
  return `${paths.slice(0, namedPaths).join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`;
}

function textsIn(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

function plural(what: string): string {
  const [first = '', ...rest] = what.split(' ');
  const many: Record<string, string> = { canvas: 'canvases', attached: 'attached' };
  const head = many[first] ?? `${first}s`;
  return [head, ...rest.map((word) => (word === 'file' && first !== 'conversation' ? 'files' : word))].join(' ');
}

function numberAt(object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' ? value : 0;
}

function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : '';
}

function objectIn(value: JsonValue | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(objectIn).filter((object) => object !== null) : [];
}
