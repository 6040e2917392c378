/**
 * Slack's `ts`. It looks like epoch seconds and microseconds but is a message id, text that must survive byte for
 * byte (docs.slack.dev/messaging/retrieving-messages), so no function here lets it pass through a float:
 * `Number("1700000001.123450")` prints as 1700000001.12345, which is another id.
 */
import type { IsoTime, Ts } from './model.ts';

const tsForm = /^\d{1,10}\.\d{1,6}$/;
const permalinkForm = /^p(\d{10})(\d{6})$/;
/** Of the forms `tsForm` admits only `ssssssssss.uuuuuu` has 17 characters, so two of them sort as text. */
const fullLength = 17;

/** Whether `value` is a ts that every function here accepts: digits, a dot, 1 to 6 digits, before the year 2255. */
export function isTs(value: unknown): value is Ts {
  return typeof value === 'string' && tsForm.test(value) && Number.isSafeInteger(microsOf(value));
}

/** The text itself, checked. Throws `RangeError` when it is no ts. */
export function parseTs(text: string): Ts {
  if (!isTs(text)) throw new RangeError(`"${text}" is no Slack ts; one looks like 1700000001.123450`);
  return text;
}

/**
 * A ts as people have it at hand: plain, or as the last part of a permalink (`p1503435956000247`).
 * Throws `RangeError` when it is neither.
 */
export function parseTsArgument(text: string): Ts {
  const parts = permalinkForm.exec(text);
  return parseTs(parts === null ? text : `${parts[1]}.${parts[2]}`);
}

/** Negative, zero or positive as `a` is before, at or after `b`; "1.5" and "1.500000" are the same moment. */
export function compareTs(a: Ts, b: Ts): number {
  if (a.length === fullLength && b.length === fullLength) return a < b ? -1 : a > b ? 1 : 0;
  return microsOf(a) - microsOf(b);
}

/** Microseconds since the epoch, always a safe integer. */
export function tsToMicros(ts: Ts): number {
  return microsOf(ts);
}

/** The ts of a moment in microseconds since the epoch, in Slack's full form (10 and 6 digits). Throws `RangeError` outside 1970 to 2255. */
export function microsToTs(micros: number): Ts {
  const seconds = String(Math.floor(micros / 1_000_000)).padStart(10, '0');
  return parseTs(`${seconds}.${String(micros % 1_000_000).padStart(6, '0')}`);
}

/** The moment of a ts, cut (not rounded) to milliseconds. Not an id: several ts share one millisecond. */
export function tsToIso(ts: Ts): IsoTime {
  return ts.length === fullLength
    ? isoOfSecond(ts.slice(0, 10), ts.slice(11, 14))
    : millisToIso(Math.floor(microsOf(ts) / 1000));
}

/** Messages follow each other within the hour, and a date is slow to make: only the last hour's is remembered. */
let knownHour = Number.NaN;
let knownHourText = '';

function isoOfSecond(digits: string, millis: string): IsoTime {
  const seconds = Number(digits);
  const ofHour = seconds % 3600;
  const hour = seconds - ofHour;
  if (hour !== knownHour) {
    knownHourText = millisToIso(hour * 1000).slice(0, 14);
    knownHour = hour;
  }
  const second = ofHour % 60;
  const minute = (ofHour - second) / 60;
  return `${knownHourText}${minute < 10 ? '0' : ''}${minute}:${second < 10 ? '0' : ''}${second}.${millis}Z` as IsoTime;
}

/** The ts of a moment in whole milliseconds since the epoch. Throws `RangeError` on fractions and outside 1970 to 2255. */
export function millisToTs(millis: number): Ts {
  return microsToTs(millis * 1000);
}

/** The ts of a moment; its last three digits are 0. */
export function isoToTs(iso: IsoTime): Ts {
  return millisToTs(Date.parse(iso));
}

/** A moment in whole milliseconds since the epoch, as it is stored. Throws `RangeError` outside the years 0 to 9999. */
export function millisToIso(millis: number): IsoTime {
  const text = new Date(millis).toISOString();
  if (!isIsoTime(text)) throw new RangeError(`${millis} ms lie outside the years 0 to 9999`);
  return text;
}

export function millisecondAfter(moment: IsoTime): IsoTime {
  return millisToIso(Date.parse(moment) + 1);
}

/** `toISOString()` widens years beyond four digits to "+012345-...", which no longer sorts as text. */
function isIsoTime(text: string): text is IsoTime {
  return text.length === 24;
}

function microsOf(text: string): number {
  const dot = text.indexOf('.');
  return Number(text.slice(0, dot)) * 1_000_000 + Number(text.slice(dot + 1).padEnd(6, '0'));
}
