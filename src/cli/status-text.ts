/** The status for people, for a terminal of so many columns and lines. Pure. */
import { formatDuration } from '../config/duration.ts';
import { channelLabel, workspaceLabelWithId } from '../labels.ts';
import type { IsoTime } from '../model.ts';
import { truncate, wrap } from '../output/cells.ts';
import { countOf, formatCount } from '../output/counts.ts';
import { unshownText } from '../output/unshown.ts';
import { rateText } from './plan-text.ts';
import type { ChannelStatus } from './status-channels.ts';
import type { Cycle, RunStatus, WorkspaceStatus } from './status-report.ts';
import { type Column, renderTable } from './table.ts';

export interface Screen {
  columns: number;
  /** For a file or a pipe only tables keep to the columns: whoever reads there can search, and has no width. */
  isTerminal: boolean;
  /** Null when nobody scrolls: a file, a pipe. */
  lines: number | null;
}

const indent = '  ';
const dayMs = 86_400_000;
/** Channels shown where the screen sets no limit, and at least, however small it is. */
const mostChannels = 20;
const fewestChannels = 5;
/** From here on there is room for more columns. */
const wideColumns = 120;

/** The lines about one workspace. */
export function workspaceText(status: WorkspaceStatus, screen: Screen): string[] {
  const head = [workspaceLabelWithId({ ...status, teamId: status.team_id }), ...labelled(factsOf(status))];
  const runs = runLines(status.runs, screen);
  const room = screen.lines === null ? mostChannels : screen.lines - head.length - runs.length - 5;
  const channels = channelLines(status.channels, screen, Math.max(fewestChannels, room));
  const lines = [...head, ...runs, ...channels];
  return screen.isTerminal ? lines.map((line) => truncate(line, screen.columns)) : lines;
}

function factsOf(status: WorkspaceStatus): [label: string, ...lines: string[]][] {
  const { totals, remaining } = status;
  const unshown = status.channels.reduce((sum, channel) => sum + channel.unshown_replies.length, 0);
  const notRead = status.channels_not_read > 0 ? `; ${formatCount(status.channels_not_read)} more not read` : '';
  const waiting = [countIf(remaining.threads, 'thread'), countIf(remaining.holes, 'hole')].filter(
    (part) => part !== '',
  );
  return [
    [
      'channels',
      `${formatCount(totals.channels)} read, ${totals.failed} failed, ${totals.with_holes} with holes${notRead}`,
    ],
    [
      'messages',
      `${formatCount(totals.messages)}${totals.threads === 0 ? '' : `, replies of ${countOf(totals.threads, 'thread')} among them`}`,
    ],
    [
      'to read',
      waiting.length === 0
        ? 'nothing is known to be missing'
        : `${waiting.join(', ')}: at least ${countOf(remaining.requests, 'request')}, ${formatDuration(remaining.seconds * 1000)}`,
    ],
    ...(unshown === 0
      ? []
      : [
          ['not shown', `${countOf(unshown, 'thread')} of which Slack shows fewer replies than it says`] as [
            string,
            string,
          ],
        ]),
    ['ingest', frequencyText(status)],
    ['audits', ...auditLines(status)],
    ...limitLines(status),
  ];
}

function frequencyText({ ingest: { runs, since }, ingest_runs_per_day: perDay }: WorkspaceStatus): string {
  if (perDay !== null) return rateText(perDay);
  if (runs === 0) return 'did not run in the last 7 days';
  return runs === 1 ? `ran once, ${shortTime(since)}` : `ran ${formatCount(runs)} times since ${shortTime(since)}`;
}

function auditLines({ audit, channels }: WorkspaceStatus): string[] {
  const { histories, threads, oldest_at, next_channel_id, requests_per_run: requests } = audit;
  if (histories.every_runs === null) return ['none: audit_requests is 0, so only the look-back window is read again'];
  const next = channels.find(({ channel_id }) => channel_id === next_channel_id);
  const seen = oldest_at === null || next === undefined ? null : `all was seen since ${shortTime(oldest_at)}`;
  return [
    `whole history audited every ${cycleText(histories)}`,
    `all threads every ${cycleText(threads)}`,
    `at the present budget of ${requests} + ${requests} requests a run`,
    ...(seen === null || next === undefined ? [] : [`${seen}; next is ${labelOf(next)}`]),
  ];
}

function cycleText({ every_runs: runs, every_days: days }: Cycle): string {
  if (runs === null) return 'never';
  const time = days === null ? '' : ` (${formatDuration(Math.max(1000, Math.round(days * dayMs)))})`;
  return runs === 1 ? `run${time}` : `${formatCount(runs)} runs${time}`;
}

function limitLines({ limits }: WorkspaceStatus): [string, ...string[]][] {
  const lines = limits.flatMap(({ method, not_before_at, is_restricted }) => [
    ...(not_before_at === null ? [] : [`${method} rests until ${shortTime(not_before_at)}, as Slack asked`]),
    ...(is_restricted ? [`${method}: one call a minute, 15 messages each`] : []),
  ]);
  const remedy = limits.some(({ is_restricted }) => is_restricted)
    ? ['use the token of an app of your own: see README, "Create your own Slack app"']
    : [];
  return lines.length === 0 ? [] : [['limits', ...lines, ...remedy]];
}

function runLines(runs: readonly RunStatus[], screen: Screen): string[] {
  if (runs.length === 0) return ['', `${indent}no runs yet`];
  const layout: Column[] = [
    { title: 'last runs (UTC)' },
    { title: 'command' },
    { title: 'by' },
    { title: 'status' },
    { title: 'took', align: 'right' },
    { title: 'requests', align: 'right' },
    { title: 'messages', isFlexible: true },
  ];
  const rows = runs.map((run) => [
    shortTime(run.started_at),
    run.command,
    run.trigger,
    run.status,
    formatDuration(run.duration_ms),
    formatCount(run.requests),
    changesText(run),
  ]);
  const [head = '', ...lines] = renderTable(layout, rows, screen.columns - indent.length);
  const withErrors = lines.flatMap((line, index) => {
    const error = runs[index]?.error ?? null;
    return error === null ? [line] : [line, ...errorLines(error, screen)];
  });
  return ['', head, ...withErrors].map(indented);
}

/** `+12 ~3 -1`: new, changed, deleted. */
function changesText({ messages: { inserted, updated, deleted } }: RunStatus): string {
  const parts = [
    [inserted, '+'],
    [updated, '~'],
    [deleted, '-'],
  ] as const;
  const changes = parts.filter(([n]) => n > 0).map(([n, sign]) => `${sign}${formatCount(n)}`);
  return changes.length === 0 ? 'no changes' : changes.join(' ');
}

function channelLines(channels: readonly ChannelStatus[], screen: Screen, most: number): string[] {
  if (channels.length === 0) return ['', `${indent}no channel was read yet`];
  const shown = channels.slice(0, most);
  const told = channelColumns.filter(({ isWide, isTold }) => {
    return (isWide !== true || screen.columns >= wideColumns) && (isTold === undefined || channels.some(isTold));
  });
  const rows = shown.map((channel) => told.map(({ cell }) => cell(channel)));
  const [head = '', ...lines] = renderTable(told, rows, screen.columns - indent.length);
  const withDetails = lines.flatMap((line, index) => {
    const channel = shown[index];
    return channel === undefined ? [line] : [line, ...detailLines(channel, screen)];
  });
  const more = channels.length - shown.length;
  const rest = more > 0 ? [`and ${formatCount(more)} more; --json lists all`] : [];
  return ['', head, ...withDetails, ...rest].map(indented);
}

interface ChannelColumn extends Column {
  cell: (channel: ChannelStatus) => string;
  /** Only where there is room. */
  isWide?: true;
  /** Left out when it says nothing of any channel. */
  isTold?: (channel: ChannelStatus) => boolean;
}

const channelColumns: readonly ChannelColumn[] = [
  { title: 'channel', isFlexible: true, cell: labelOf },
  { title: 'checked (UTC)', cell: ({ last_checked_at }) => shortTime(last_checked_at) },
  { title: 'last message', cell: ({ last_message_at }) => shortDate(last_message_at) },
  { title: 'read from', cell: ({ complete_from }) => shortDate(complete_from) },
  {
    title: 'holes',
    align: 'right',
    cell: ({ holes }) => formatCount(holes.length),
    isTold: ({ holes }) => holes.length > 0,
  },
  {
    title: 'waiting',
    align: 'right',
    cell: ({ threads }) => formatCount(threads.pending),
    isTold: ({ threads }) => threads.pending > 0,
  },
  { title: 'messages', align: 'right', isWide: true, cell: ({ messages }) => formatCount(messages) },
  { title: 'threads', align: 'right', isWide: true, cell: ({ threads }) => formatCount(threads.total) },
  { title: 'all seen since', isWide: true, cell: ({ audited_at }) => shortTime(audited_at) },
  {
    title: 'plan hides before',
    isWide: true,
    cell: ({ history_limited_before }) => shortDate(history_limited_before),
    isTold: ({ history_limited_before }) => history_limited_before !== null,
  },
];

/** What is wrong with the channel, under its line. */
function detailLines({ error, holes, unshown_replies: unshown }: ChannelStatus, screen: Screen): string[] {
  const [latest] = holes;
  const hole =
    latest === undefined
      ? []
      : [`not read: ${shortTime(latest.from)} to ${shortTime(latest.to)}${holes.length > 1 ? ' and earlier' : ''}`];
  const [doubt] = unshown;
  const others = unshown.length > 1 ? `; and ${countOf(unshown.length - 1, 'more thread')} like it` : '';
  const doubts = doubt === undefined ? [] : [`thread ${doubt.ts}: ${unshownText(doubt.says, doubt.shows)}${others}`];
  return [...(error === null ? [] : errorLines(error, screen)), ...[...hole, ...doubts].map(indented)];
}

/** An error is told whole: what to do often stands at its end. */
export function errorLines(error: string, { isTerminal, columns }: Screen): string[] {
  const mark = `${indent}! `;
  const room = Math.max(20, columns - indent.length - mark.length);
  const lines = isTerminal ? wrap(error, room) : [oneLine(error)];
  return lines.map((line, index) => (index === 0 ? mark : ' '.repeat(mark.length)) + line);
}

function labelOf({ name, channel_id, is_archived }: ChannelStatus): string {
  return `${channelLabel(name, channel_id)}${is_archived ? ' (archived)' : ''}`;
}

function labelled(facts: readonly (readonly [string, ...string[]])[]): string[] {
  const cells = Math.max(...facts.map(([label]) => label.length));
  return facts.flatMap(([label, ...lines]) =>
    lines.map((line, index) => `${indent}${(index === 0 ? label : '').padEnd(cells)}  ${line}`),
  );
}

function countIf(count: number, noun: string): string {
  return count === 0 ? '' : countOf(count, noun);
}

/** UTC to the minute. */
export function shortTime(time: IsoTime | null): string {
  return time === null ? '-' : `${time.slice(0, 10)} ${time.slice(11, 16)}`;
}

function shortDate(time: IsoTime | null): string {
  return time === null ? '-' : time.slice(0, 10);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function indented(line: string): string {
  return line === '' ? '' : indent + line;
}
