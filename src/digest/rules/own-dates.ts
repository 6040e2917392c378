/** Dates that chrono does not know: ends of periods, days of a month, numbered weekdays. */
import { localTime, startOf } from '../../time-zone.ts';
import { millisToIso } from '../../ts.ts';
import type { Clock, FoundDate } from './dates.ts';
import { weekdayOfMonth } from './false-dates.ts';

const periodEnd =
  /\b(?:eod|cob|eow|eom|end of (?:the )?(?:day|week|month|quarter|year)|end of (?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*(?!\s+\d))\b/gi;
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** "On the 25th": chrono wants a month as well. */
const dayOfMonth =
  /\b(?:on|by|until|from|for) the (\d{1,2})(?:st|nd|rd|th)\b(?!\s+(?!at\b|from\b|and\b|in\b|we\b|the\b|our\b|this\b|for\b|if\b|is\b|will\b)\p{Ll})/giu;

export function daysOfMonth(text: string, known: readonly FoundDate[], { postedAt, zone }: Clock): FoundDate[] {
  const { year, month, day } = localTime(postedAt, zone);
  return Array.from(text.matchAll(dayOfMonth)).flatMap(({ 0: written, 1: number, index }) => {
    const wanted = Number(number);
    if (wanted > 31 || isTaken(known, index, written.length)) return [];
    const start = millisToIso(startOf({ year, month: wanted < day ? month + 1 : month, day: wanted }, zone));
    return [{ ...relativeDay, index, length: written.length, start, isDeadline: /^(?:by|until)/i.test(written) }];
  });
}

const numbers = ['first', 'second', 'third', 'fourth'];

/** "The first Monday of April", which chrono takes for two dates. */
export function numberedWeekdays(text: string, { postedAt, zone }: Clock): FoundDate[] {
  const now = localTime(postedAt, zone);
  return Array.from(text.matchAll(weekdayOfMonth)).map(
    ({ 0: written, 1: number = '', 2: day = '', 3: month = '', index }) => {
      const wanted = weekdayNames.indexOf(day.slice(0, 3).toLowerCase());
      const named =
        monthNames.indexOf(month.slice(0, 3).toLowerCase()) + 1 || now.month + (/^next/i.test(month) ? 1 : 0);
      const year = named < now.month ? now.year + 1 : now.year;
      const place = numbers.indexOf(number.toLowerCase());
      const first = new Date(Date.UTC(year, named - 1, 1)).getUTCDay();
      const last = new Date(Date.UTC(year, named, 0));
      const date =
        place === -1
          ? last.getUTCDate() - ((last.getUTCDay() - wanted + 7) % 7)
          : 1 + ((wanted - first + 7) % 7) + 7 * place;
      const start = millisToIso(startOf({ year, month: named, day: date }, zone));
      return { ...relativeDay, index, length: written.length, start, isDeadline: false };
    },
  );
}

const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** The end of a day, a week, a month: chrono does not know it. */
export function periodEnds(text: string, known: readonly FoundDate[], { postedAt, zone }: Clock): FoundDate[] {
  const { year, month, day } = localTime(postedAt, zone);
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return Array.from(text.matchAll(periodEnd)).flatMap(({ 0: written, index }) => {
    if (isTaken(known, index, written.length)) return [];
    const word = written.toLowerCase();
    const named = monthNames.indexOf(word.slice('end of '.length, 'end of '.length + 3)) + 1;
    const date =
      named > 0
        ? { year: named < month ? year + 1 : year, month: named + 1, day: 0 }
        : /week|eow/.test(word)
          ? { year, month, day: day + ((5 - weekday + 7) % 7) }
          : /month|eom/.test(word)
            ? { year, month: month + 1, day: 0 }
            : /quarter/.test(word)
              ? { year, month: Math.ceil(month / 3) * 3 + 1, day: 0 }
              : /year/.test(word)
                ? { year, month: 12, day: 31 }
                : { year, month, day };
    const start = millisToIso(startOf(date, zone));
    return [{ ...relativeDay, index, length: written.length, start, isDeadline: true }];
  });
}

const relativeDay = { time: null, end: null, hasDay: true, hasTime: false, isRelative: true, confidence: 0.7 } as const;

function isTaken(known: readonly FoundDate[], index: number, length: number): boolean {
  const places = known.flatMap((date) => [date, date.time ?? []].flat());
  return places.some((place) => place.index < index + length && index < place.index + place.length);
}
