/**
 * Arithmetic on what was read. A ts is a whole number of microseconds here, so "the next possible ts" is one more, and
 * two intervals that touch are one.
 */

import { microsToTs, parseTs, tsToMicros } from '../ts.ts';

/** Closed: both ends are known. */
export interface Interval {
  from: number;
  to: number;
}

/** A range still to be read, bounds exclusive as Slack's `oldest` and `latest` are; `latest` null means up to now. */
export interface Window {
  oldest: number;
  latest: number | null;
  /** `latest` lies after now, only to be read from the newest message on; nobody knows yet what comes up to there. */
  endsNow?: true;
  /** Though it has a `latest`, its newest message is the channel's, and ingest goes on from there. */
  isLive?: true;
}

/** The intervals with one more, ascending, overlapping and touching ones joined. */
export function addInterval(intervals: readonly Interval[], added: Interval): Interval[] {
  const apart = intervals.filter(({ from, to }) => to + 1 < added.from || from - 1 > added.to);
  const joined = intervals
    .filter(({ from, to }) => !(to + 1 < added.from || from - 1 > added.to))
    .reduce(({ from, to }, other) => ({ from: Math.min(from, other.from), to: Math.max(to, other.to) }), added);
  return [...apart, joined].sort((a, b) => a.from - b.from);
}

/** Ascending intervals that do not overlap, with those that touch made one. */
export function joinTouching(intervals: readonly Interval[]): Interval[] {
  const joined: Interval[] = [];
  for (const { from, to } of intervals) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** The intervals without `removed`: what that covers of them becomes a hole. */
export function subtractInterval<Known extends Interval>(intervals: readonly Known[], removed: Interval): Known[] {
  return intervals.flatMap((interval) =>
    [
      { ...interval, to: Math.min(interval.to, removed.from - 1) },
      { ...interval, from: Math.max(interval.from, removed.to + 1) },
    ].filter(({ from, to }) => from <= to),
  );
}

/** The holes in `intervals` within a range, latest first. */
export function holesWithin(
  { from, to }: Interval,
  intervals: readonly Interval[],
): { oldest: number; latest: number }[] {
  const known = intervals.filter((interval) => interval.from <= to && interval.to >= from);
  return holesAfter(from, [...known, { from: to + 1, to: Number.MAX_SAFE_INTEGER }]);
}

/** Ranges as one text of a column, ascending and joined where they touch; null for none. */
export function rangesToText(ranges: readonly Interval[]): string | null {
  const joined = joinTouching([...ranges].sort((a, b) => a.from - b.from));
  return joined.length === 0 ? null : joined.map(({ from, to }) => `${microsToTs(from)}-${microsToTs(to)}`).join(' ');
}

/** The other way round. Throws `RangeError` for a text that others wrote. */
export function rangesOf(text: string | null): Interval[] {
  return (text?.split(' ') ?? []).map((range) => {
    const [from = '', to = ''] = range.split('-');
    return { from: tsToMicros(parseTs(from)), to: tsToMicros(parseTs(to)) };
  });
}

/** The holes in `intervals` at or after `from` and before the last interval, latest first. Reading them fills them. */
export function holesAfter(from: number, intervals: readonly Interval[]): { oldest: number; latest: number }[] {
  const holes: { oldest: number; latest: number }[] = [];
  let known = from - 1;
  for (const interval of intervals) {
    if (interval.from > known + 1) holes.push({ oldest: known, latest: interval.from });
    known = Math.max(known, interval.to);
  }
  return holes.reverse();
}
