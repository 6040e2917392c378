/** The result on stdout: one JSON object with `--json`, else a few lines for people. */
import { formatDuration } from '../config/duration.ts';
import { InterruptedError, sentences } from '../errors.ts';
import { channelLabel } from '../labels.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { countOf, formatCount } from '../output/counts.ts';
import { printable, printableJson } from '../secrets.ts';
import { describe } from '../sync/context.ts';
import { noMessages } from '../sync/counts.ts';
import type { Outcome } from '../sync/outcome.ts';
import type { CommandContext } from './context.ts';
import type { WorkspaceResult } from './workspace-run.ts';

/** Prints the run: the object of the one workspace, or the sum of all with each one's object in `workspaces`. */
export function printResults(
  context: CommandContext,
  results: readonly WorkspaceResult[],
  outcome: Outcome,
  summarize: (result: WorkspaceResult) => string = summaryOf,
): void {
  if (context.flags.json === true) {
    const [only, ...others] = results;
    const object = only !== undefined && others.length === 0 ? objectOf(only) : sumOf(results, outcome);
    context.print(printableJson(object));
    return;
  }
  if (context.flags.quiet === true && outcome.exitCode === 0) return;
  for (const result of toldApart(results)) context.print(printable(summarize(result)));
}

/** Two workspaces that Slack calls the same are told with their ids. */
function toldApart(results: readonly WorkspaceResult[]): WorkspaceResult[] {
  const isTwin = ({ label, workspace }: WorkspaceResult) =>
    workspace !== label && results.some((other) => other.label === label && other.workspace !== workspace);
  return results.map((result) =>
    isTwin(result) ? { ...result, label: `${result.label} (${result.workspace})` } : result,
  );
}

/** The JSON object of a run that could not even begin (no token, database out of reach, locked). */
export function printFailure(stdout: { write(text: string): unknown }, command: string, error: unknown): void {
  const at = new Date().toISOString();
  const object = {
    run_id: null,
    command,
    status: error instanceof InterruptedError ? 'interrupted' : 'failed',
    workspace: null,
    started_at: at,
    finished_at: at,
    duration_ms: 0,
    requests: {},
    rate_limited: 0,
    channels: { total: 0, ok: 0, failed: 0, skipped: 0 },
    messages: noMessages(),
    errors: [{ channel_id: null, channel: null, ...describe(error) }],
    remaining: null,
  };
  stdout.write(`${printableJson(object)}\n`);
}

function objectOf({ exitCode: _, lines: __, label: ___, extra, ...result }: WorkspaceResult): object {
  return { ...result, ...extra };
}

function sumOf(results: readonly WorkspaceResult[], outcome: Outcome): object {
  const sum = (pick: (result: WorkspaceResult) => Record<string, number>) => {
    const total: Record<string, number> = {};
    for (const result of results) {
      for (const [key, n] of Object.entries(pick(result))) total[key] = (total[key] ?? 0) + n;
    }
    return total;
  };
  const starts = results.map(({ started_at }) => started_at).sort();
  const ends = results.map(({ finished_at }) => finished_at).sort();
  return {
    run_id: null,
    command: results[0]?.command ?? null,
    status: outcome.status,
    workspace: null,
    started_at: starts[0] ?? null,
    finished_at: ends.at(-1) ?? null,
    duration_ms: results.reduce((total, { duration_ms }) => total + duration_ms, 0),
    requests: sum(({ requests }) => requests),
    rate_limited: results.reduce((total, { rate_limited }) => total + rate_limited, 0),
    channels: sum(({ channels }) => channels),
    messages: { ...noMessages(), ...sum(({ messages }) => ({ ...messages })) },
    errors: results.flatMap(({ errors, workspace }) => errors.map((error) => ({ workspace, ...error }))),
    remaining: results.some(({ remaining }) => remaining !== null)
      ? { workspaces: results.map(({ workspace, remaining }) => ({ workspace, remaining })) }
      : null,
    workspaces: results.map(objectOf),
  };
}

/** The first line for people: whose run it was, how it ended, what it took. */
export function headline({ command, label, requests, duration_ms }: WorkspaceResult, ended: string): string {
  const calls = Object.values(requests).reduce((sum, n) => sum + n, 0);
  const asked = command === 'import' ? '' : ` with ${countOf(calls, 'request')}`;
  return `${label}: ${ended} in ${formatDuration(duration_ms)}${asked}`;
}

/** What failed, one line each. */
export function errorLines({ errors }: WorkspaceResult): string[] {
  const lines = errors.slice(0, 20).map((error) => `  ! ${placeOf(error)}${sentences(error.message, error.hint)}`);
  return errors.length > 20 ? [...lines, `  ! and ${errors.length - 20} more; --json lists them all`] : lines;
}

function placeOf({ channel, channel_id }: WorkspaceResult['errors'][number]): string {
  return channel_id === null ? '' : `${channelLabel(channel, channel_id)}: `;
}

export const statusWords: Record<Outcome['status'], string> = {
  completed: 'done',
  partial: 'partly done',
  failed: 'failed',
  interrupted: 'interrupted',
};

function summaryOf(result: WorkspaceResult): string {
  const dryRun = result.run_id === null ? ' (dry run, nothing written)' : '';
  const lines = [
    `${headline(result, statusWords[result.status])}${dryRun}`,
    ...(result.lines ?? (result.command === 'sync-users' ? directoryLines(result.extra) : ingestLines(result))),
    ...errorLines(result),
  ];
  // After a failure its hint says what to do first; running again may not help.
  const advice = result.status === 'failed' ? '' : '; run again to go on';
  if (result.remaining !== null) lines.push(`  remaining: ${remainingText(result.remaining)}${advice}`);
  return lines.join('\n');
}

/**
 * What became of messages: each is in one of these counts, so that they add up to what was found. Of what rarely happens only
 * what did is told.
 */
export function messageCounts(messages: WorkspaceResult['messages'], others: Record<string, number> = {}): string {
  const { inserted, updated, deleted, unchanged, stale, discarded } = messages;
  const always = { new: inserted, changed: updated, deleted, unchanged };
  const rare = { 'older than what is stored': stale, discarded, ...others };
  const told = [...Object.entries(always), ...Object.entries(rare).filter(([, n]) => n > 0)];
  return told.map(([word, n]) => `${formatCount(n)} ${word}`).join(', ');
}

function ingestLines({ channels, messages, extra }: WorkspaceResult): string[] {
  const threads = objectIn(extra['threads']);
  const pending =
    typeof threads?.['pending'] === 'number' && threads['pending'] > 0
      ? `, ${formatCount(threads['pending'])} waiting`
      : '';
  const limited = Array.isArray(extra['history_limited']) ? extra['history_limited'].length : 0;
  return [
    `  channels  ${channelCounts(channels)}`,
    `  messages  ${messageCounts(messages)}`,
    `  threads   ${numberText(threads?.['read'])} read${pending}`,
    ...(limited > 0 ? [`  history limited: the plan hides older messages in ${countOf(limited, 'channel')}`] : []),
  ];
}

/** Those that a run did not come to are what is left of the total. */
function channelCounts({ ok, failed, skipped, total }: WorkspaceResult['channels']): string {
  const left = total - ok - failed - skipped;
  const counts = [`${ok} read`, `${failed} failed`, `${skipped} skipped`, ...(left > 0 ? [`${left} not reached`] : [])];
  return `${counts.join(', ')} of ${total}`;
}

/** The words of the other summaries. Who was deactivated is among those that changed. */
function directoryLines(extra: JsonObject): string[] {
  return ['users', 'usergroups', 'channels_listed'].flatMap((key) => {
    const counts = objectIn(extra[key]);
    if (counts === null) return [];
    const deactivated = typeof counts['deactivated'] === 'number' ? counts['deactivated'] : 0;
    const changed = `${numberText(counts['updated'])} changed${deactivated > 0 ? ` (${formatCount(deactivated)} deactivated)` : ''}`;
    const told = [`${numberText(counts['inserted'])} new`, changed, `${numberText(counts['unchanged'])} unchanged`];
    return [`  ${key.replace('_listed', '').padEnd(11)} ${told.join(', ')}`];
  });
}

/** `12 channels, 340 threads; about 352 requests, 8 min`. */
function remainingText({ channels, threads, holes, requests, seconds }: JsonObject): string {
  if (channels === null) return 'all channels; the run ended before it had listed them';
  const parts = [
    [channels, 'channel'],
    [holes, 'hole'],
    [threads, 'thread'],
  ] as const;
  const left = parts.flatMap(([n, noun]) => (typeof n === 'number' && n > 0 ? [countOf(n, noun)] : []));
  if (left.length === 0) return 'no channel and no thread, but audits or users';
  if (typeof requests !== 'number' || typeof seconds !== 'number') return left.join(', ');
  return `${left.join(', ')}; about ${countOf(requests, 'request')}, ${formatDuration(seconds * 1000)}`;
}

function numberText(value: JsonValue | undefined): string {
  return typeof value === 'number' ? formatCount(value) : '0';
}

function objectIn(value: JsonValue | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}
