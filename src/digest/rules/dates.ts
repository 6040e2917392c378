/**
 * The dates of a sentence, read by chrono (github.com/wanasit/chrono) and put into the author's time zone. chrono reckons with
 * one offset from UTC, so what it reads is taken apart and reckoned anew by the zone's own calendar.
 */
import type { IsoTime } from '../../model.ts';
import { localTime, momentOf, offsetMinutes, startOf } from '../../time-zone.ts';
import { millisToIso } from '../../ts.ts';
import { type Components, dayFirstReader, type Reading, readerFor } from './date-readers.ts';
import { dayThenNumber, withoutFalseDates } from './false-dates.ts';
import type { Language } from './language.ts';
import { daysOfMonth, numberedWeekdays, periodEnds } from './own-dates.ts';
import { isFalseZone, zoneBehind, zoneNamed } from './told-zones.ts';
import { wholeSpans } from './whole-spans.ts';

export interface Place {
  index: number;
  length: number;
}

export interface FoundDate {
  /** Where it stands in the text. */
  index: number;
  length: number;
  /** Its time of day, when something stands between the two. */
  time: Place | null;
  /** A day begins at its midnight in the author's zone. */
  start: IsoTime;
  end: IsoTime | null;
  /** It tells which day, and not the time alone. */
  hasDay: boolean;
  /** It tells a time of day. */
  hasTime: boolean;
  isRelative: boolean;
  /** Of an interval that ends with it: "by Friday", "until 5pm". */
  isDeadline: boolean;
  confidence: number;
}

export interface Clock {
  /** Epoch milliseconds. */
  postedAt: number;
  zone: string;
  /** What stands above speaks of next week: "Next week:", and below it "Mon: demo". */
  isNextWeek?: boolean;
}

/** Whether a text says of which week its days are. */
export function tellsNextWeek(text: string): boolean {
  return /\b(?:next week|nächste Woche|semaine prochaine|próxima semana|la semana que viene|volgende week)\b|на следующей неделе/i.test(
    text,
  );
}

/** Whether dates that could be either are those to come or those that are over. */
export type Direction = 'forward' | 'backward';

/** What every date holds, without a look at grammar and in lower case: most sentences hold none of it. */
const dateMaybe =
  /\d|\bago\b|\bend of\b|\b(?:in|until|by|early|mid|late) (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|today|tomorrow|tonight|last night|yesterday|tmrw|tmw|morning|afternoon|evening|noon|midnight|week|month|quarter|weekend|monday|tuesday|wednesday|thursday|friday|saturday|sunday|\b(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun|eod|eow|eom|cob)\b|heute|morgen|gestern|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|demain|hier|aujourd|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|mañana|hoy|ayer|lunes|martes|miércoles|jueves|viernes|sábado|domingo|amanhã|hoje|ontem|segunda|terça|quarta|quinta|sexta|vandaag|gisteren|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|\p{Script=Cyrillic}|\p{Script=Han}/u;

const stroke = /^\d{1,2}\/\d{1,2}/;
/** Written with points, the day comes first everywhere. */
const points = /^\d{1,2}\.\d{1,2}\.\d{4}/;

/** A bare `3/4` is as often a share as a date. */
const barePair = /^\d{1,2}[/.]\d{1,2}$/;
const dateWord =
  /(?:\b(?:on|for|by|from|until|till|since|before|after|am|vom|bis|ab|le|du|au|el|del|op|dia|em)|[-–—(:,])\s*$/i;

/** Whether a text may hold a date at all. */
export function mayHoldDate(text: string): boolean {
  return dateMaybe.test(text.toLowerCase());
}

const dayNamed =
  /\b(?:(?:next|this|on|by) (?:mon|tue|wed|thu|fri|sat|sun)|today|tomorrow|tonight|(?:mon|tues|wednes|thurs|fri|satur|sun)day|next week|heute|morgen|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|demain|aujourd'hui|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|hoy|lunes|martes|miércoles|jueves|viernes|amanhã|hoje|(?:segunda|terça|quarta|quinta|sexta)-feira|maandag|dinsdag|woensdag|donderdag|vrijdag)\b|\d(?:st|nd|rd|th)?\.? (?:of )?(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|o[ck]t|nov|de[cz])|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d|\d{4}-\d\d-\d\d|\b\d{1,2}[./]\d{1,2}[./]|завтра|понедельник|вторник|сред[ауы]|четверг|пятниц|[月日]/u;

/** Whether a text names a day, without a look at grammar. */
export function mayAnnounce(text: string): boolean {
  return dayNamed.test(text.toLowerCase());
}

/** The dates of a text in the order they stand. */
export function readDates(text: string, language: Language, clock: Clock, direction: Direction): readonly FoundDate[] {
  if (!mayHoldDate(text)) return [];
  const key = [direction, language, clock.postedAt, clock.zone, clock.isNextWeek ?? false, text].join(' ');
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const dates = read(text, language, clock, direction);
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(key, dates);
  return dates;
}

/** Reading takes most of the time, and the same clause is read to tell its tense, its events and its neighbours. */
const remembered = new Map<string, readonly FoundDate[]>();
const mostRemembered = 50;

function read(text: string, language: Language, clock: Clock, direction: Direction): FoundDate[] {
  const { postedAt, zone } = clock;
  const cleaned = withoutFalseDates(text, language);
  const reference = { instant: new Date(postedAt), timezone: offsetMinutes(postedAt, zone) };
  const options = { forwardDate: direction === 'forward' };
  const spans = wholeSpans(text, reference);
  const rest = spans.reduce(
    (sum, { index, text: { length } }) => sum.slice(0, index) + '_'.repeat(length) + sum.slice(index + length),
    cleaned,
  );
  const readings = [...spans, ...readerFor(language).parse(rest, reference, options)].sort((a, b) => a.index - b.index);
  // Where month and day stand depends on where people live, but only between strokes: `en.GB` takes "March 20" for a year.
  const isDayFirst = ({ text: written }: Reading) =>
    !spans.some(({ text: own }) => own === written) &&
    language === 'en' &&
    (points.test(written) || (stroke.test(written) && !zone.startsWith('America/')));
  const dayFirst = readings.some(isDayFirst) ? dayFirstReader.parse(rest, reference, options) : [];
  const found = readings.map((reading) =>
    isDayFirst(reading) ? (dayFirst.find(({ index }) => index === reading.index) ?? reading) : reading,
  );
  const dates = withTimes(withoutRepeatedDays(found, cleaned), text).flatMap((reading) =>
    dateOf(withoutFalseZone(reading, language), { cleaned, text }, { ...clock, language }, direction),
  );
  return [
    ...dates,
    ...periodEnds(cleaned, dates, clock),
    ...daysOfMonth(cleaned, dates, clock),
    ...numberedWeekdays(text, clock),
  ].sort((a, b) => a.index - b.index);
}

/** "Tomorrow's webinar (23 Sept, 5pm)": the same day, and the one that has the time counts. */
export function withoutCoarser(dates: readonly FoundDate[], zone: string): FoundDate[] {
  const dayOf = ({ start }: FoundDate) => startOf(localTime(Date.parse(start), zone), zone);
  return dates.filter(
    (date) =>
      date.hasTime ||
      date.end !== null ||
      !dates.some((other) => other.hasTime && other.hasDay && other.index > date.index && dayOf(other) === dayOf(date)),
  );
}

/** "Tomorrow, Wednesday Oct 5th", "Thursday (4/21)", "in two weeks, on Monday": one day in two ways, of which the latter is the more exact. */
function withoutRepeatedDays(readings: readonly Reading[], text: string): Reading[] {
  return readings.filter((day, place) => {
    const next = readings[place + 1];
    if (next === undefined || day.start.isCertain('hour') || day.end || !isDay(next.start)) return true;
    if (!/^[\s,:(–—-]*(?:(?:i\.e\.|on|the|am|le|el)\s+)?$/i.test(text.slice(day.index + day.text.length, next.index)))
      return true;
    return !isSameDay(day.start, next.start) && !(isLoose(day) && next.start.isCertain('month'));
  });
}

function isSameDay(a: Components, b: Components): boolean {
  return (['year', 'month', 'day'] as const).every((part) => a.get(part) === b.get(part));
}

/** A weekday of whichever week, or so many weeks from now. */
function isLoose({ text, start }: Reading): boolean {
  return !start.isCertain('month') || /^in\b.*\bweeks?$|^next week$/i.test(text.trim());
}

/** "Webinar tomorrow with Ana, 17:00": the time that stands alone belongs to the day. */
function withTimes(all: readonly Reading[], text: string): Reading[] {
  const isExact = all.some((each) => (each.start.isCertain('hour') || isDay(each.start)) && !isPeriod(each));
  // "Over the weekend (Sat 22:00 – Sun 04:00)", "this month's meeting is on Thursday": the more exact one counts.
  const readings = all.filter(
    (each, place) => !(isExact && isPeriod(each)) && !isSaidAgain(each, all[place + 1], text),
  );
  const whole: Reading[] = [];
  for (const reading of readings) {
    const day = whole.at(-1);
    const isNear = day !== undefined && !text.slice(day.index, reading.index).includes(';');
    if (day !== undefined && isNear && belongs(reading, day)) whole.splice(-1, 1, together(day, reading));
    else if (day !== undefined && isEndOf(reading, day, text))
      whole.splice(-1, 1, { ...day, end: joined(day.start, reading.start) });
    // "Review tomorrow at 10, retro at 11".
    else if (day !== undefined && isTimeAlone(reading) && isDay(day.start))
      whole.push({ ...reading, start: joined(day.start, reading.start), end: endOf(day.start, reading) });
    else whole.push(reading);
  }
  return whole;
}

/** "Starts at 14:30 and ends at 16:00". */
function isEndOf(time: Reading, { index, text: written, time: own, start, end }: Reading, text: string): boolean {
  const behind = own === undefined ? index + written.length : own.index + own.text.length;
  return (
    isTimeAlone(time) &&
    start.isCertain('hour') &&
    !end &&
    /^.{0,20}\b(?:ends?|ending|until|till|finish(?:es|ing)?|closes?|over|done|bis|jusqu'à|hasta|até|tot)(?: (?:at|by|around|um))? $/i.test(
      text.slice(behind, time.index),
    )
  );
}

/** Behind so many letters a time is one of something else, unless it says that it is one. */
const farthest = 60;
const farthestAt = 150;

function isPeriod({ text, start }: Reading): boolean {
  return !start.isCertain('hour') && /\b(?:week|weekend|month|quarter|year)$/i.test(text.trim());
}

/** "3pm PT / 6pm ET on Friday": one time in two zones, of which the latter has the day. */
function isSaidAgain(time: Reading, next: Reading | undefined, text: string): boolean {
  return (
    next !== undefined &&
    isTimeAlone(time) &&
    isDay(next.start) &&
    next.start.isCertain('hour') &&
    /^\s*[/|(=]\s*$/.test(text.slice(time.index + time.text.length, next.index))
  );
}

function belongs(time: Reading, day: Reading): boolean {
  const distance = /^at\b/i.test(time.text) ? farthestAt : farthest;
  return (
    isTimeAlone(time) &&
    isDay(day.start) &&
    !day.start.isCertain('hour') &&
    !day.end &&
    time.index - day.index < distance
  );
}

function isTimeAlone({ start, text }: Reading): boolean {
  // "In two hours" counts from now.
  return (
    start.isCertain('hour') &&
    !isDay(start) &&
    !start.isCertain('month') &&
    !/^(?:in|within)\b|\b(?:ago|later)$/i.test(text)
  );
}

function together(day: Reading, time: Reading): Reading {
  return {
    ...day,
    time: { index: time.index, text: time.text },
    start: joined(day.start, time.start),
    end: endOf(day.start, time),
  };
}

function isDay(components: Components): boolean {
  return components.isCertain('day') || components.isCertain('weekday');
}

const ofDay = new Set(['hour', 'minute', 'second', 'timezoneOffset']);

function joined(day: Components, time: Components): Components {
  return {
    get: (component) => (ofDay.has(component) ? time : day).get(component),
    isCertain: (component) => (ofDay.has(component) ? time : day).isCertain(component),
  };
}

function endOf(day: Components, { end }: Reading): Components | null {
  return end ? joined(day, end) : null;
}

/** "Um 10 Uhr ist …", "a las 10:00 hay …". */
function withoutFalseZone(reading: Reading, language: Language): Reading {
  const [behind, zone] = /\s+([a-z]{3,4})$/i.exec(reading.text) ?? [];
  if (behind === undefined || zone === undefined || !isFalseZone(zone, language)) return reading;
  const end = reading.end ? withoutZone(reading.end) : null;
  return { ...reading, text: reading.text.slice(0, -behind.length), start: withoutZone(reading.start), end };
}

function withoutZone(components: Components): Components {
  const isZone = (component: string) => component === 'timezoneOffset';
  return {
    get: (component) => (isZone(component) ? null : components.get(component)),
    isCertain: (component) => !isZone(component) && components.isCertain(component),
  };
}

function dateOf(
  reading: Reading,
  { cleaned, text }: { cleaned: string; text: string },
  clock: Clock & { language: Language },
  direction: Direction,
): FoundDate[] {
  const { time = null } = reading;
  const written = time === null ? reading.text.trim() : `${reading.text.trim()} ${time.text}`;
  const before = cleaned.slice(Math.max(0, reading.index - 12), reading.index);
  const isPointed = /^\d{1,2}\.\d{1,2}\./.test(text.slice(reading.index));
  if (barePair.test(written) && !isPointed && !dateWord.test(before)) return [];
  if (/^(?:now|just now|this|jetzt|ahora|maintenant|сейчас|今)$/i.test(written)) return [];
  if (/^(?:last|past|previous)\b/i.test(written) && direction === 'forward') return [];
  // A number alone is no date, whatever stands around it.
  if (/^\d{1,4}$/.test(written)) return [];
  // The month of a newsletter's name is not when it came out.
  if (direction === 'backward' && !isDay(reading.start) && !reading.start.isCertain('hour') && !/\bago$/i.test(written))
    return [];
  const told = time ?? reading;
  const after = cleaned.slice(told.index + told.text.length, told.index + told.text.length + 28);
  const named = zoneNamed(written) ?? (offsetOf(reading.start) === null ? zoneBehind(after, clock.language) : null);
  const local = named === null ? clock : { ...clock, zone: named };
  const ending = reading.end ?? null;
  const offset = named === null ? (offsetOf(reading.start) ?? (ending === null ? null : offsetOf(ending))) : null;
  const isDeadline = /\b(?:by|until|till|before|bis|avant|antes|tot|vóór|до)\s*$/i.test(before);
  const read = momentIn(reading.start, local, direction, offset);
  // "Tonight's window is extended until 4am".
  const isOfNextDay = isDeadline && read !== null && read < clock.postedAt && !isDay(reading.start);
  const isLate = isOfNextDay && reading.start.isCertain('hour');
  if (read === null) return [];
  const first = isLate ? dayLater(read, local.zone) : isMorning(reading) ? read - halfDayMs : read;
  const numbered = numberedDay.exec(text.slice(reading.index));
  const weeks = weeksUntil(first, numbered?.[1], local.zone);
  const start = daysLater(first, weeks * 7, local.zone);
  const last = ending === null ? null : momentIn(ending, local, direction, offset);
  const shifted =
    last === null ? null : daysLater(isAfternoon(reading) ? last - halfDayMs : last, weeks * 7, local.zone);
  const end = shifted !== null && isMorning(reading) && shifted > start + dayMs ? shifted - dayMs : shifted;
  const hasTime = reading.start.isCertain('hour');
  const isRelative = !reading.start.isCertain('month') && !/\d{1,2}:\d{2}/.test(written);
  return [
    {
      index: reading.index,
      length: Math.max(reading.text.length, numbered?.[0].length ?? 0),
      time: time === null ? null : { index: time.index, length: time.text.length },
      start: millisToIso(start),
      end: end === null || end <= start ? null : millisToIso(end),
      hasDay: isDay(reading.start) || reading.start.isCertain('month') || !hasTime,
      hasTime,
      isRelative,
      isDeadline,
      confidence: (hasTime ? 0.95 : 0.85) - (isRelative ? 0.1 : 0),
    },
  ];
}

/** "From 11 to 2pm": chrono takes both hours for those of the afternoon. */
function isMorning({ text, end }: Reading): boolean {
  const [, first, last] =
    /\b(\d{1,2})(?::\d\d)?\s*(?:-|–|to|until|till)\s*(\d{1,2})(?::\d\d)?\s*pm\b/i.exec(text) ?? [];
  return end !== null && end !== undefined && Number(first) < 12 && Number(first) > Number(last) % 12;
}

/** "23:00-01:00": chrono takes the end for one o'clock in the afternoon. */
function isAfternoon({ text, time, end }: Reading): boolean {
  const written = (time?.text ?? text).match(/\b\d{1,2}(?=:\d\d)/g) ?? [];
  const hour = end?.get('hour') ?? 0;
  return written.length >= 2 && !/\d\s?[ap]\.?m\b/i.test(text) && hour >= 12 && Number(written.at(-1)) === hour - 12;
}

const halfDayMs = 12 * 3_600_000;

function dayLater(moment: number, zone: string): number {
  return daysLater(moment, 1, zone);
}

function daysLater(moment: number, days: number, zone: string): number {
  const at = localTime(moment, zone);
  return momentOf({ ...at, day: at.day + days }, zone);
}

/** "Tuesday the 6th", which chrono reads as a Tuesday. */
const numberedDay = new RegExp(`^(?:on\\s+)?(?:this\\s+|next\\s+)?${dayThenNumber.source}`, 'i');

/** Until a weekday falls on that day of the month. */
function weeksUntil(moment: number, wanted: string | undefined, zone: string): number {
  if (wanted === undefined) return 0;
  const weeks = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  return weeks.find((each) => localTime(daysLater(moment, each * 7, zone), zone).day === Number(wanted)) ?? 0;
}

const yearMs = 366 * 86_400_000;
const dayMs = 86_400_000;

/** Minutes ahead of UTC, where the text names them; what it names for one end of a span holds for the other. */
function offsetOf(components: Components): number | null {
  return components.isCertain('timezoneOffset') && components.isCertain('hour')
    ? components.get('timezoneOffset')
    : null;
}

function momentIn(
  components: Components,
  { postedAt, zone, isNextWeek }: Clock,
  direction: Direction,
  offset: number | null,
): number | null {
  const part = (name: Parameters<Components['get']>[0]) => components.get(name) ?? 0;
  const local = { year: part('year'), month: part('month'), day: part('day') };
  if (offset !== null && components.isCertain('hour')) {
    const { year, month, day } = local;
    return sane(
      Date.UTC(year, month - 1, day, part('hour'), part('minute'), part('second')) - offset * 60_000,
      postedAt,
    );
  }
  const at = (year: number, days = 0) => {
    const date = { ...local, year, day: local.day + days };
    if (!components.isCertain('hour')) return startOf(date, zone);
    return momentOf({ ...date, hour: part('hour'), minute: part('minute'), second: part('second') }, zone);
  };
  let moment = at(local.year);
  const isOnlyWeekday =
    components.isCertain('weekday') && !components.isCertain('day') && !components.isCertain('month');
  // What is over and told without its year or week was the last one of the kind.
  if (direction === 'backward' && moment > postedAt + dayMs) {
    if (!components.isCertain('month') && components.isCertain('weekday')) moment = at(local.year, -7);
    else if (!components.isCertain('year')) moment = at(local.year - 1);
  }
  // Nobody calls today by its weekday.
  if (direction === 'forward' && isOnlyWeekday && moment <= postedAt && moment > postedAt - dayMs)
    moment = at(local.year, 7);
  if (direction === 'forward' && isOnlyWeekday && isNextWeek === true && moment < nextMonday(postedAt, zone))
    moment = at(local.year, 7);
  // "After the outage on 5 March", told on the tenth: chrono takes it for that of next year.
  if (
    direction === 'forward' &&
    components.isCertain('month') &&
    !components.isCertain('year') &&
    moment > postedAt + 300 * dayMs &&
    at(local.year - 1) > postedAt - 60 * dayMs
  )
    moment = at(local.year - 1);
  // An announcement in December is for January to come.
  if (
    direction === 'forward' &&
    components.isCertain('month') &&
    !components.isCertain('year') &&
    moment < postedAt - 60 * dayMs
  )
    moment = at(local.year + 1);
  return sane(moment, postedAt);
}

function nextMonday(postedAt: number, zone: string): number {
  const { year, month, day } = localTime(postedAt, zone);
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return startOf({ year, month, day: day + ((8 - weekday) % 7 || 7) }, zone);
}

/** Nobody talks in Slack about another century. */
function sane(moment: number, postedAt = moment): number | null {
  if (!Number.isFinite(moment) || moment < 0 || Math.abs(moment - postedAt) > 10 * yearMs) return null;
  return moment;
}
