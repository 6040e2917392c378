/** Time zones as people write them behind a time. */
import type { Language } from './language.ts';

/** Zones that people name without saying whether clocks are put forward; chrono guesses by its own rules. */
const zones: Readonly<Record<string, string>> = {
  pt: 'America/Los_Angeles',
  pacific: 'America/Los_Angeles',
  mt: 'America/Denver',
  ct: 'America/Chicago',
  et: 'America/New_York',
  eastern: 'America/New_York',
  // By whether clocks are put forward when the message is posted, not on the day it tells.
  cet: 'Europe/Berlin',
};

export function zoneNamed(written: string): string | null {
  const word = /\b(pt|pacific|mt|ct|et|eastern|cet)\b/i.exec(written)?.[1];
  return word === undefined ? null : (zones[word.toLowerCase()] ?? null);
}

/** Behind a span of hours chrono does not look for a zone. */
const zonesBehind: Readonly<Record<string, string>> = {
  ...zones,
  utc: 'UTC',
  gmt: 'UTC',
  pst: 'America/Los_Angeles',
  pdt: 'America/Los_Angeles',
  est: 'America/New_York',
  edt: 'America/New_York',
  cest: 'Europe/Berlin',
  bst: 'Europe/London',
  ist: 'Asia/Kolkata',
  jst: 'Asia/Tokyo',
};

export function zoneBehind(after: string, language: Language): string | null {
  const written = /^\s*\(?([a-z]{2,7})\b/i.exec(after)?.[1];
  if (written === undefined || isFalseZone(written, language)) return null;
  const word = written.toLowerCase();
  return !Object.hasOwn(zonesBehind, word) ? null : (zonesBehind[word] ?? null);
}

/** chrono takes them for zones ("ist" for India's) in lower case too, where people mean the words. */
const falseZones = new Set(
  'art cast cat east eat get gilt hat hay ist mart mut nut pet pont ret vet wat west wit'.split(' '),
);

export function isFalseZone(word: string, language: Language): boolean {
  const isUpper = word === word.toUpperCase();
  return !isUpper && (falseZones.has(word.toLowerCase()) || (word.toLowerCase() === 'est' && language !== 'en'));
}
