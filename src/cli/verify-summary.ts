/** What `verify` found, for people. */

import { channelLabel } from '../labels.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { countOf } from '../output/counts.ts';
import { unshownText } from '../output/unshown.ts';
import { errorLines, headline, statusWords } from './result.ts';
import type { WorkspaceResult } from './workspace-run.ts';

const shownGaps = 10;

export function verifySummary(result: WorkspaceResult): string {
  const { extra } = result;
  const counts = Object.entries(objectOf(extra['gap_counts']));
  const total = counts.reduce((sum, [, n]) => sum + numberOf(n), 0);
  const checked = objectOf(extra['checked']);
  const unshown = Array.isArray(extra['unshown_replies']) ? extra['unshown_replies'].map(objectOf) : [];
  const ended =
    total > 0
      ? countOf(total, 'gap')
      : result.status === 'completed'
        ? soundWord(checked['slack'], unshown.length)
        : statusWords[result.status];
  return [
    headline(result, ended),
    `  database  ${countOf(numberOf(checked['channels']), 'channel')}, ${countOf(numberOf(checked['messages']), 'message')} checked`,
    ...slackLines(checked['slack']),
    ...futureLines(objectOf(extra['future_rows'])),
    ...(total > 0 ? [`  gaps      ${counts.map(([kind, n]) => `${numberOf(n)} ${kind}`).join(', ')}`] : []),
    ...gapLines(extra['gaps'], total),
    ...unshownLines(unshown),
    ...errorLines(result),
    ...(total > 0 ? [nextStep(extra['repairs'])] : []),
  ].join('\n');
}

function futureLines({ count, latest }: JsonObject): string[] {
  if (numberOf(count) === 0) return [];
  const what = countOf(numberOf(count), 'message');
  return [`  clock     ${what} stored under a clock that was ahead, up to ${String(latest)}; no run goes by that time`];
}

/** Only what was compared with Slack as a whole is proved. */
function soundWord(slack: JsonValue | undefined, unshown: number): string {
  const sound = objectOf(slack)['share'] === 1 ? 'whole' : 'no gap found';
  return unshown === 0 ? sound : `${sound}, but for replies that Slack does not show`;
}

/** No gaps: nothing that anybody could run would bring them. */
function unshownLines(unshown: readonly JsonObject[]): string[] {
  const lines = unshown.slice(0, shownGaps).map(({ channel, channel_id: id, ts, says, shows }) => {
    return `  - ${channelLabel(String(channel), String(id))} ${String(ts)}: ${unshownText(numberOf(says), numberOf(shows))}.`;
  });
  const more = unshown.length - lines.length;
  return more > 0 ? [...lines, `  - and ${more} more threads; --json lists them`] : lines;
}

function slackLines(told: JsonValue | undefined): string[] {
  if (told === null || told === undefined) return [];
  const slack = objectOf(told);
  const [windows, threads] = [objectOf(slack['windows']), objectOf(slack['threads'])];
  const share = (of: JsonObject) => `${numberOf(of['read'])} of ${numberOf(of['total'])}`;
  const isAll = slack['share'] === 1;
  const newer = numberOf(slack['newer']);
  if (numberOf(windows['read']) + numberOf(threads['read']) === 0 && slack['share'] !== 1)
    return [
      `  Slack     nothing compared, of ${countOf(numberOf(windows['total']), 'window')} and ${countOf(numberOf(threads['total']), 'thread')}`,
    ];
  return [
    `  Slack     ${share(windows)} windows and ${share(threads)} threads compared${isAll ? '' : `; a sample, --seed ${numberOf(slack['seed'])}`}`,
    ...(newer > 0 ? [`  newer     ${countOf(newer, 'change')} since the last run, for the next one`] : []),
  ];
}

function gapLines(gaps: JsonValue | undefined, total: number): string[] {
  const listed = Array.isArray(gaps) ? gaps.slice(0, shownGaps).map(objectOf) : [];
  const lines = listed.map((gap) => {
    const at = [gap['ts'] ?? gap['from_ts'], gap['ts'] === undefined ? gap['to_ts'] : undefined]
      .filter((ts) => typeof ts === 'string')
      .join(' to ');
    return `  - ${channelLabel(String(gap['channel']), String(gap['channel_id']))}${at === '' ? '' : ` ${at}`}: ${String(gap['message'])}`;
  });
  return total > lines.length ? [...lines, `  - and ${total - lines.length} more; --json lists them`] : lines;
}

function nextStep(repairs: JsonValue | undefined): string {
  if (repairs === null || repairs === undefined)
    return '  next: run "slackingest verify --repair", and then "slackingest ingest"';
  const done = objectOf(repairs);
  const n = (key: string) => numberOf(done[key]);
  return `  repaired: ${n('windows')} windows and ${countOf(n('threads'), 'thread')} queued, ${countOf(n('rows'), 'message')} put right; now run "slackingest ingest"`;
}

function numberOf(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
