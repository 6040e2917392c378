/**
 * What a run is doing, in one line. Pure: events in, text out.
 */
import { formatDuration } from '../config/duration.ts';
import { channelLabel } from '../labels.ts';
import { truncate } from '../output/cells.ts';
import { countOf, formatCount } from '../output/counts.ts';
import { printable } from '../secrets.ts';
import type { RunEvent } from '../sync/events.ts';

/** What of the events so far the line shows. `Wait.until` in epoch milliseconds. */
export interface RunView {
  /** Whose history is being read; null before the first one and after the last one. */
  channel: { part: Part; index: number; total: number | null; label: string } | null;
  /** The channel whose threads are being read. */
  thread: string | null;
  messages: number;
  threads: { found: number; read: number };
  requests: number;
  failed: number;
  wait: { until: number; method: string; reason: WaitReason } | null;
  /** How long the rest takes, and when that was reckoned. */
  left: { ms: number; at: number } | null;
  /** How far an import is, and since when it goes on. */
  bytes: { done: number; total: number; since: number; before: number } | null;
}

type Part = Extract<RunEvent, { type: 'channel' }>['part'];
type WaitReason = Extract<RunEvent, { type: 'waiting' }>['reason'];

const waitReasons: Record<WaitReason, string> = { pace: 'own pace', rate_limit: 'rate limit', retry: 'retry' };

/** Slack allows names of 80 characters; the counts after it matter more than its end. */
const labelCells = 32;

export const emptyView: RunView = {
  channel: null,
  thread: null,
  messages: 0,
  threads: { found: 0, read: 0 },
  requests: 0,
  failed: 0,
  wait: null,
  left: null,
  bytes: null,
};

/** The view after one more event, which happened at `now`. */
export function updateView(view: RunView, event: RunEvent, now: number): RunView {
  switch (event.type) {
    case 'channel':
      return {
        ...view,
        channel: { part: event.part, index: event.index, total: event.total, label: labelOf(event) },
      };
    case 'histories_done':
      return { ...view, channel: null };
    case 'thread':
      return { ...view, thread: labelOf(event) };
    case 'time_left':
      return { ...view, left: { ms: event.ms, at: now } };
    case 'progress':
      return { ...view, messages: event.messages, threads: event.threads };
    case 'import': {
      const { since, before } = view.bytes ?? { since: now, before: event.doneBytes };
      return {
        ...view,
        messages: event.messages,
        bytes: { done: event.doneBytes, total: event.totalBytes, since, before },
      };
    }
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

function labelOf({ name, channelId }: { name: string; channelId: string }): string {
  return truncate(channelLabel(name, channelId), labelCells);
}

/**
 * `channel 12 of 50 #general · about 8 min left · 3,214 messages · thread 40 of 96 · 96 requests · waiting 42 s for
 * conversations.history (rate limit)`: what matters most first, since a narrow terminal cuts the end.
 */
export function formatView(view: RunView, now: number): string {
  const parts = [headOf(view)];
  const timeLeft = formatTimeLeft(view, now);
  if (timeLeft !== undefined) parts.push(timeLeft);
  if (view.messages > 0) parts.push(countOf(view.messages, 'message'));
  if (view.threads.found > 0)
    parts.push(`thread ${formatCount(view.threads.read)} of ${formatCount(view.threads.found)}`);
  if (view.requests > 0) parts.push(countOf(view.requests, 'request'));
  if (view.failed > 0) parts.push(`${formatCount(view.failed)} failed`);
  const wait = formatWait(view, now);
  return wait === undefined ? parts.join(' · ') : [...parts, wait].join(' · ');
}

function headOf({ bytes, channel, thread }: RunView): string {
  if (bytes !== null) {
    const percent = bytes.total === 0 ? 100 : Math.floor((100 * bytes.done) / bytes.total);
    return `importing ${percent}% of ${formatBytes(bytes.total)}`;
  }
  if (channel !== null) return channelText(channel);
  return thread === null ? 'starting' : `threads of ${thread}`;
}

function channelText({ part, index, total, label }: NonNullable<RunView['channel']>): string {
  const place = total === null ? '' : `${formatCount(index)} of ${formatCount(total)}`;
  if (part === 'new') return `channel ${place} ${label}`;
  const what = part === 'again' ? 'reading again' : 'old history of';
  return place === '' ? `${what} ${label}` : `${what} ${label} (${place})`;
}

function formatTimeLeft({ bytes, left }: RunView, now: number): string | undefined {
  const ms = bytes === null ? left && left.ms - (now - left.at) : timeOfBytes(bytes, now);
  return ms === null || ms < 1_000 ? undefined : `about ${formatDuration(Math.ceil(ms / 1_000) * 1_000)} left`;
}

/** By the speed since the first batch; before there is one nobody knows. */
function timeOfBytes(bytes: NonNullable<RunView['bytes']>, now: number): number | null {
  if (bytes.done <= bytes.before || now <= bytes.since) return null;
  return ((bytes.total - bytes.done) * (now - bytes.since)) / (bytes.done - bytes.before);
}

/** `12 kB`, `340 MB`, `1.2 GB`; powers of ten, as disks count. */
function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Waits shorter than a second are left out: they would only flicker. */
function formatWait({ wait }: RunView, now: number): string | undefined {
  if (wait === null || wait.until - now < 1_000) return undefined;
  const seconds = Math.ceil((wait.until - now) / 1_000);
  return `waiting ${formatDuration(seconds * 1_000)} for ${printable(wait.method)} (${waitReasons[wait.reason]})`;
}
