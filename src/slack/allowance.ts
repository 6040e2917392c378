/** How many calls of one method fit into how long a window, and when the next one is due. Pure arithmetic. */

/** 1 keeps the published rate, 0.5 half of it; above 1 time is compressed (a stand-in of Slack only); `off` never waits for the pace. */
export type Pace = number | 'off';

export interface Allowance {
  calls: number;
  windowMs: number;
}

/** What the next call of a method depends on. Times in epoch milliseconds. */
export interface CallRecord {
  /** When the last calls were answered, ascending. */
  recentCalls: readonly number[];
  /** When the last call was due to start. */
  lastStart: number;
}

const minuteMs = 60_000;

/**
 * The allowance at a pace. A slower pace means fewer calls in the same minute, so that a burst shrinks too; only below
 * one call a minute does the window grow. A faster one shortens the minute.
 */
export function allowanceAt(pace: number, callsPerMinute: number): Allowance {
  if (pace >= 1) return { calls: callsPerMinute, windowMs: minuteMs / pace };
  const rate = callsPerMinute * pace;
  return { calls: Math.max(1, Math.floor(rate)), windowMs: minuteMs / Math.min(1, rate) };
}

/**
 * The earliest moment for the next call, 0 when it may start at once. No window of `windowMs` ever holds more than
 * `calls`; the first half of them may come in a burst, later ones keep an even distance, so that a short run does not
 * wait and a long one settles at the full rate.
 *
 * Windows are measured from when a call was answered to when the next is sent: Slack counts a call somewhere between
 * its sending and its answer, so latency can only widen what Slack sees. The even distance is measured from start to
 * start, else each answer's latency would slow the whole run.
 */
export function nextCallAt(record: CallRecord, { calls, windowMs }: Allowance, now: number): number {
  const mustLeave = record.recentCalls.at(-calls);
  const afterWindow = mustLeave === undefined ? 0 : mustLeave + windowMs;
  const burst = Math.max(1, Math.floor(calls / 2));
  const lastOfBurst = record.recentCalls.at(-burst);
  const isBurstSpent = lastOfBurst !== undefined && lastOfBurst > now - windowMs;
  return Math.max(afterWindow, isBurstSpent ? record.lastStart + windowMs / calls : 0);
}
