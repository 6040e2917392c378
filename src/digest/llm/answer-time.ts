/** Moments as models write them. */
import type { IsoTime } from '../../model.ts';
import { type LocalTime, localTime, momentOf, startOf } from '../../time-zone.ts';
import { millisToIso } from '../../ts.ts';

const form =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/**
 * The moment of an ISO 8601 date, with or without time and offset; without an offset clocks of `zone` show it, and a date
 * alone is the beginning of its day there. Null for everything else, days that no calendar has among it.
 */
export function momentOfAnswer(text: string, zone: string): IsoTime | null {
  const found = form.exec(text.trim());
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((digits) => Number(digits ?? 0));
  const local = { year, month, day, hour, minute, second };
  if (!isReal(local)) return null;
  const offset = found[7];
  const millis = offset === undefined ? momentOf(local, zone) : asUtc(local) - offsetMs(offset);
  return millis >= 0 ? millisToIso(millis) : null;
}

/** A date alone, as `momentOfAnswer` reads it. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{1,2}-\d{1,2}$/.test(text.trim());
}

/** Where the day of a date alone ends. */
export function endOfDay(text: string, zone: string): IsoTime | null {
  const start = momentOfAnswer(text, zone);
  if (start === null) return null;
  const { year, month, day } = localTime(Date.parse(start), zone);
  return millisToIso(startOf({ year, month, day: day + 1 }, zone));
}

function isReal(local: { [Part in keyof LocalTime]: number | undefined }): local is LocalTime {
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = local;
  const date = new Date(Date.UTC(year, month - 1, day));
  return (
    // The years that Slack's own times have, and those that stay within four digits in every zone.
    year >= 1970 &&
    year <= 9998 &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    (hour < 24 || (hour === 24 && minute === 0 && second === 0)) &&
    minute < 60 &&
    second < 60
  );
}

function asUtc({ year, month, day, hour, minute, second }: LocalTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function offsetMs(text: string): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(text);
  if (found === null) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3] ?? 0);
  return (found[1] === '-' ? -minutes : minutes) * 60_000;
}
