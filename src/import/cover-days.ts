/** Which part of a channel's history an export vouches for: the days of which it holds a whole file, and no day more. */
import { boundsOfDay, type DayZone, isWithinDay } from '../export/day-zone.ts';
import type { Interval } from '../sync/interval.ts';
import { least, most } from './import-report.ts';
import type { TimeRange } from './read-day-file.ts';

/** A day file as far as it was read. Times in microseconds, null without messages. */
interface HeldDay {
  date: string;
  first: number | null;
  last: number | null;
  /** Everything in it could be read, and there is something: Slack writes no file for a day without messages. */
  isWhole: boolean;
}

/** Of the whole export. */
export interface ExportDays {
  /** How they are cut; null when nobody can tell. */
  zone: DayZone | null;
  firstDate: string;
  /** What of it was asked for. */
  range: TimeRange;
}

/** The days that an export holds of one channel. Of most only the date is kept: there may be thousands. */
export class HeldDays {
  readonly #export: ExportDays;
  readonly #whole: string[] = [];
  /** Where the messages of the export's first day begin. */
  #firstAt: number | null = null;
  #newest: { date: string; last: number | null } | null = null;

  constructor(ofExport: ExportDays) {
    this.#export = ofExport;
  }

  add({ date, first, last, isWhole }: HeldDay): void {
    const { zone, firstDate } = this.#export;
    // Cut otherwise than the rest of the export, or wrongly named: nobody knows which hours are missing.
    if (zone === null || (first !== null && last !== null && !isWithinDay(date, zone, first, last))) return;
    if (this.#newest === null || date > this.#newest.date) this.#newest = { date, last: null };
    if (!isWhole) return;
    if (date === firstDate) this.#firstAt = least(this.#firstAt, first);
    if (date === this.#newest.date) this.#newest.last = most(this.#newest.last, last);
    this.#whole.push(date);
  }

  /**
   * Intervals that are known to be complete, ascending. A day without a file is none: nobody may have written, or the file
   * is lost. The newest day of a channel ends at its last message, because the export was made in the middle of it; the
   * first day of the export begins at its first message, where the export may have been cut.
   */
  covered(): Interval[] {
    const { zone, firstDate, range } = this.#export;
    if (zone === null) return [];
    const intervals = this.#whole.flatMap((date) => {
      const bounds = boundsOfDay(date, zone);
      if (bounds === null) return [];
      const from = Math.max(date === firstDate ? (this.#firstAt ?? bounds.to) : bounds.from, range.since);
      const to = Math.min(date === this.#newest?.date ? (this.#newest.last ?? bounds.from) : bounds.to, range.until);
      return from <= to ? [{ from, to }] : [];
    });
    return intervals.sort((a, b) => a.from - b.from);
  }
}
