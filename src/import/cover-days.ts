/** Which part of a channel's history an export vouches for: the days of which it holds a whole file, and no day more. */
import { boundsOfDay, type DayZone, isWithinDay } from '../export/day-zone.ts';
import type { Interval } from '../sync/interval.ts';
import type { TimeRange } from './read-day-file.ts';

/** A day file as far as it was read. Times in microseconds, null without messages. */
export interface HeldDay {
  date: string;
  first: number | null;
  last: number | null;
  /** Everything in it could be read, and there is something: Slack writes no file for a day without messages. */
  isWhole: boolean;
}

/**
 * Intervals that are known to be complete, ascending. A day without a file is none: nobody may have written, or the file is
 * lost. The newest day of a channel ends at its last message, because the export was made in the middle of it; the first day
 * of the export begins at its first message, where the export may have been cut.
 */
export function daysCovered(
  days: readonly HeldDay[],
  { zone, firstDate, range }: { zone: DayZone | null; firstDate: string; range: TimeRange },
): Interval[] {
  if (zone === null) return [];
  const newest = days.reduce((latest, { date }) => (date > latest ? date : latest), '');
  const intervals = days.flatMap(({ date, first, last, isWhole }) => {
    const bounds = boundsOfDay(date, zone);
    if (bounds === null || !isWhole) return [];
    // Cut otherwise than the rest of the export: nobody knows which hours are missing.
    if (first !== null && last !== null && !isWithinDay(date, zone, first, last)) return [];
    const from = Math.max(date === firstDate ? (first ?? bounds.to) : bounds.from, range.since);
    const to = Math.min(date === newest ? (last ?? bounds.from) : bounds.to, range.until);
    return from <= to ? [{ from, to }] : [];
  });
  return intervals.sort((a, b) => a.from - b.from);
}
