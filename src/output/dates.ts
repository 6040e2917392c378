/** Days and times as a reader in the window's zone writes them. All made by Intl, in English like the rest of a digest. */
import type { DigestWindow, EventItem } from '../digest/digest.ts';
import type { IsoTime } from '../model.ts';
import { aheadAtMidnight, localTime, startOfDay } from '../time-zone.ts';
import { millisToIso } from '../ts.ts';

/** Below this an event at midnight is one of which only the day is known. */
const certainTime = 0.9;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  formats.set(zone, format);
  return format;
}

interface Parts {
  /** `Fri 27 Nov` */
  day: string;
  year: string;
  /** `14:00` */
  time: string;
}

function partsOf(moment: IsoTime, zone: string): Parts {
  const found: Record<string, string> = {};
  for (const { type, value } of formatOf(zone).formatToParts(Date.parse(moment))) found[type] = value;
  const { weekday, day, month, year = '', hour, minute } = found;
  return { day: `${weekday} ${day} ${month}`, year, time: `${hour}:${minute}` };
}

/** `Fri 27 Nov`, with the year where it is not the one of `near`. */
function dayText(moment: IsoTime, zone: string, near: IsoTime | null): string {
  const { day, year } = partsOf(moment, zone);
  return near !== null && partsOf(near, zone).year === year ? day : `${day} ${year}`;
}

/** `Fri 27 Nov 14:00`, with the year where it is not the one of `near`. */
export function momentText(moment: IsoTime, zone: string, near: IsoTime | null): string {
  return `${dayText(moment, zone, near)} ${partsOf(moment, zone).time}`;
}

/**
 * When an event is: `Fri 27 Nov 14:00`, `Fri 27 Nov 14:00–16:00`, `Fri 27 Nov 22:00 – Sat 28 Nov 02:00`, and only days
 * (`Fri 27 Nov`, `Fri 27 Nov – Sat 28 Nov`) where midnight means that no time was told. Null when nobody knows.
 */
export function eventTimeText(
  { start, end, days_only, time_confidence }: Pick<EventItem, 'start' | 'end' | 'days_only' | 'time_confidence'>,
  { zone, to }: Pick<DigestWindow, 'zone' | 'to'>,
): string | null {
  const first = start ?? end;
  if (first === null) return null;
  const last = end !== null && end > first ? end : null;
  if (days_only) return daysText(first, last, to);
  if (time_confidence < certainTime && isMidnight(first, zone)) {
    const day = dayText(first, zone, to);
    const lastDay = last === null ? day : dayText(isMidnight(last, zone) ? before(last) : last, zone, to);
    return lastDay === day ? day : `${day} – ${lastDay}`;
  }
  const begin = momentText(first, zone, to);
  if (last === null) return begin;
  return dayText(first, zone, to) === dayText(last, zone, to)
    ? `${begin}–${partsOf(last, zone).time}`
    : `${begin} – ${momentText(last, zone, to)}`;
}

/**
 * The days of the author's calendar, wherever the reader is: a deadline on Friday is one on Friday. Of the author's zone no more
 * is known than that the first day begins at its midnight; clocks may change until the last one, by two hours at most.
 */
function daysText(first: IsoTime, last: IsoTime | null, near: IsoTime): string {
  const ahead = aheadAtMidnight(first);
  const dayOf = (millis: number) => dayText(millisToIso(millis + ahead), 'UTC', near);
  const day = dayOf(Date.parse(first));
  const lastDay = last === null ? day : dayOf(Date.parse(last) - 2 * 3_600_000);
  return lastDay === day ? day : `${day} – ${lastDay}`;
}

/** The window as a heading has it: `Sun 22 Nov 2026` for whole days, else `Sun 22 Nov 2026 08:00 – Mon 23 Nov 08:00`. */
export function windowText({ from, to, zone }: Pick<DigestWindow, 'from' | 'to' | 'zone'>): string {
  if (to > from && isMidnight(from, zone) && isMidnight(to, zone)) {
    const [first, last] = [dayText(from, zone, null), dayText(before(to), zone, from)];
    return dayText(from, zone, from) === last ? first : `${first} – ${last}`;
  }
  return `${momentText(from, zone, null)} – ${momentText(to, zone, from)}`;
}

/** `22.11.2026`: the last day that the window touches. */
export function lastDayOf({ from, to, zone }: Pick<DigestWindow, 'from' | 'to' | 'zone'>): string {
  const { day, month, year } = localTime(Date.parse(to > from ? before(to) : to), zone);
  return `${String(day).padStart(2, '0')}.${String(month).padStart(2, '0')}.${year}`;
}

/** The day's first moment, also where the clocks leave midnight out. */
function isMidnight(moment: IsoTime, zone: string): boolean {
  const millis = Date.parse(moment);
  return startOfDay(millis, zone) === millis;
}

function before(moment: IsoTime): IsoTime {
  return millisToIso(Date.parse(moment) - 1);
}
