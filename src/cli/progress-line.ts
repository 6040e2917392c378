/**
 * What a run is doing, in one line. Pure: events in, text out.
 */
import { formatDuration } from '../config/duration.ts';
import { printable } from '../secrets.ts';
import type { RunEvent } from '../sync/events.ts';

/** What of the events so far the line shows. `Wait.until` in epoch milliseconds. */
export interface RunView {
  channel: { index: number; total: number; label: string } | null;
  messages: number;
  threads: { found: number; read: number };
  requests: number;
  failed: number;
  wait: { until: number; method: string; reason: WaitReason } | null;
}

type WaitReason = Extract<RunEvent, { type: 'waiting' }>['reason'];

const waitReasons: Record<WaitReason, string> = { pace: 'own pace', rate_limit: 'rate limit', retry: 'retry' };

/** Slack allows names of 80 characters; the counts after it matter more than its end. */
const labelCells = 32;

export const emptyView: RunView = {
  channel: null,
  messages: 0,
  threads: { found: 0, read: 0 },
  requests: 0,
  failed: 0,
  wait: null,
};

/** The view after one more event, which happened at `now`. */
export function updateView(view: RunView, event: RunEvent, now: number): RunView {
  switch (event.type) {
    case 'channel':
      return {
        ...view,
        channel: {
          index: event.index,
          total: event.total,
          label: truncate(channelLabel(event.name, event.channelId), labelCells),
        },
      };
    case 'progress':
      return { ...view, messages: event.messages, threads: event.threads };
    case 'request':
      return { ...view, requests: event.requests, wait: view.wait?.method === event.method ? null : view.wait };
    case 'waiting':
      return { ...view, wait: { until: now + event.ms, method: event.method, reason: event.reason } };
    case 'unit_failed':
      return { ...view, failed: view.failed + 1 };
    default:
      return view;
  }
}

/** `channel 12 of 50 #general · 3,214 messages · thread 40 of 96 · 96 requests · waiting 42 s for conversations.history (rate limit)` */
export function formatView(view: RunView, now: number): string {
  const parts = [
    view.channel === null ? 'starting' : `channel ${view.channel.index} of ${view.channel.total} ${view.channel.label}`,
  ];
  if (view.messages > 0) parts.push(countOf(view.messages, 'message'));
  if (view.threads.found > 0)
    parts.push(`thread ${formatCount(view.threads.read)} of ${formatCount(view.threads.found)}`);
  if (view.requests > 0) parts.push(countOf(view.requests, 'request'));
  if (view.failed > 0) parts.push(`${formatCount(view.failed)} failed`);
  const wait = formatWait(view, now);
  return wait === undefined ? parts.join(' · ') : [...parts, wait].join(' · ');
}

/** Waits shorter than a second are left out: they would only flicker. */
function formatWait({ wait }: RunView, now: number): string | undefined {
  if (wait === null || wait.until - now < 1_000) return undefined;
  const seconds = Math.ceil((wait.until - now) / 1_000);
  return `waiting ${formatDuration(seconds * 1_000)} for ${printable(wait.method)} (${waitReasons[wait.reason]})`;
}

/** `#general`, or the id of a conversation without a name. */
export function channelLabel(name: string | null, channelId: string): string {
  const safe = printable(name ?? '')
    .replace(/\s+/g, ' ')
    .trim();
  return safe === '' ? printable(channelId) : `#${safe.replace(/^#/, '')}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The text cut to so many terminal cells, with `…` where something is missing. */
export function truncate(text: string, cells: number): string {
  const characters = [...text];
  if (cellsIn(text) <= cells) return text;
  let used = 1;
  let kept = '';
  for (const character of characters) {
    used += cellsOf(character);
    if (used > cells) break;
    kept += character;
  }
  return cells < 1 ? '' : `${kept}…`;
}

/** How many terminal cells the text takes. */
export function cellsIn(text: string): number {
  return [...text].reduce((sum, character) => sum + cellsOf(character), 0);
}

/** Terminals disagree about emoji and symbols; counting one too many costs a character, one too few breaks the line. */
function cellsOf(character: string): number {
  if (/\p{Mark}|\p{Cf}/u.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x1100 || (code >= 0x1e00 && code < 0x2300) ? 1 : 2;
}
