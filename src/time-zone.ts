/** Local days and times of a zone, by the tables that Node carries (ECMA-402). Zones are IANA names. */
import type { IsoTime } from './model.ts';

/** The parts of a local date and time; months from 1. */
export interface LocalTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than using it a hundred times. Throws `RangeError` for a zone nobody knows. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, format);
  return format;
}

/** Whether the name is a time zone, as Slack and people write them (`Europe/Amsterdam`, `UTC`). */
export function isZone(name: string): boolean {
  // Nearly always it is this one, and making the first format takes a tenth of a short run.
  if (name === 'UTC') return true;
  try {
    formatOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** What clocks in the zone show at a moment in epoch milliseconds. */
export function localTime(millis: number, zone: string): LocalTime {
  const shown = new Date(millis + offsetMinutes(millis, zone) * 60_000);
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
  };
}

/** By zone and quarter of an hour: clocks are put forward and back at quarters only. */
const offsets = new Map<string, number>();
const quarterMs = 15 * 60_000;
/** Enough for what is looked at together. */
const rememberedOffsets = 10_000;

/** Minutes by which clocks in the zone are ahead of UTC at a moment. */
export function offsetMinutes(millis: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const key = `${zone} ${Math.floor(millis / quarterMs)}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const minutes = Math.round((asUtc(shownTime(millis, zone)) - Math.floor(millis / 1000) * 1000) / 60_000);
  if (offsets.size >= rememberedOffsets) offsets.clear();
  offsets.set(key, minutes);
  return minutes;
}

function shownTime(millis: number, zone: string): LocalTime {
  const found: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(millis)) found[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = found;
  return { year, month, day, hour, minute, second };
}

/**
 * The moment (epoch milliseconds) at which clocks in the zone show this. Of an hour that comes twice the first one; of
 * one that is left out, the moment the clocks would show had they not been put forward.
 */
export function momentOf(local: LocalTime, zone: string): number {
  const wanted = asUtc(local);
  // The offset is that of one of the two neighbouring days, and the earlier moment is the first of two.
  const offsets = [offsetMinutes(wanted - dayMs, zone), offsetMinutes(wanted + dayMs, zone)];
  const moments = offsets.map((minutes) => wanted - minutes * 60_000).sort((a, b) => a - b);
  return moments.find((moment) => asUtc(localTime(moment, zone)) === wanted) ?? wanted - (offsets[0] ?? 0) * 60_000;
}

/** Midnight, or where the clocks leave it out the day's first moment, of the day that is `days` after the one of `millis`. */
export function startOfDay(millis: number, zone: string, days = 0): number {
  const { year, month, day } = localTime(millis, zone);
  return startOf({ year, month, day: day + days }, zone);
}

/** The first moment of a calendar day; days beyond the month's end count on. */
export function startOf(date: { year: number; month: number; day: number }, zone: string): number {
  return momentOf({ ...date, hour: 0, minute: 0, second: 0 }, zone);
}

const dayMs = 86_400_000;

function asUtc({ year, month, day, hour, minute, second }: LocalTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** From Hawaii (10 hours behind) to New Zealand (13 ahead). */
const farthestBehindMs = 10 * 3_600_000;

/** How far ahead of UTC clocks are, in milliseconds, where it is midnight at that moment. */
export function aheadAtMidnight(midnight: IsoTime): number {
  const sinceMidnight = Date.parse(midnight) % dayMs;
  return sinceMidnight > farthestBehindMs ? dayMs - sinceMidnight : -sinceMidnight;
}

/** The day that begins at that moment, somewhere. */
export function dayBeginningAt(midnight: IsoTime): { year: number; month: number; day: number } {
  const date = new Date(Date.parse(midnight) + aheadAtMidnight(midnight));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}
