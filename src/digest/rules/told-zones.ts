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

/** Countries with one time, cities that are known by their letters, and some that IANA's names leave out. */
const places: Readonly<Record<string, string>> = {
  uk: 'Europe/London',
  ireland: 'Europe/Dublin',
  france: 'Europe/Paris',
  germany: 'Europe/Berlin',
  india: 'Asia/Kolkata',
  japan: 'Asia/Tokyo',
  nyc: 'America/New_York',
  boston: 'America/New_York',
  washington: 'America/New_York',
  miami: 'America/New_York',
  atlanta: 'America/New_York',
  montreal: 'America/Toronto',
  austin: 'America/Chicago',
  sf: 'America/Los_Angeles',
  'san francisco': 'America/Los_Angeles',
  seattle: 'America/Los_Angeles',
  munich: 'Europe/Berlin',
  hamburg: 'Europe/Berlin',
  frankfurt: 'Europe/Berlin',
  lyon: 'Europe/Paris',
  barcelona: 'Europe/Madrid',
  milan: 'Europe/Rome',
  geneva: 'Europe/Zurich',
  bangalore: 'Asia/Kolkata',
  bengaluru: 'Asia/Kolkata',
  mumbai: 'Asia/Kolkata',
  delhi: 'Asia/Kolkata',
  beijing: 'Asia/Shanghai',
  shenzhen: 'Asia/Shanghai',
  'tel aviv': 'Asia/Jerusalem',
};

/** Made when the first is looked for. */
let cities: ReadonlyMap<string, string> | undefined;

function zoneOfPlace(name: string): string | null {
  const folded = name.toLowerCase();
  const known = Object.hasOwn(places, folded) ? places[folded] : undefined;
  if (known !== undefined) return known;
  cities ??= new Map(Intl.supportedValuesOf('timeZone').map((zone) => [cityOf(zone), zone]));
  return cities.get(folded) ?? null;
}

/** "Europe/Paris", "America/New_York". */
function cityOf(zone: string): string {
  return zone
    .slice(zone.lastIndexOf('/') + 1)
    .replaceAll('_', ' ')
    .toLowerCase();
}

const placeBehind = /^,?\s+\(?(\p{Lu}\p{L}+)(?: (\p{Lu}\p{L}+))?(?![\p{L}'-])/u;

/** "9:30 Toronto", "5pm London time". */
function zoneOfPlaceBehind(after: string): string | null {
  const [, first, second] = placeBehind.exec(after) ?? [];
  if (first === undefined) return null;
  return (second === undefined ? null : zoneOfPlace(`${first} ${second}`)) ?? zoneOfPlace(first);
}

/** "All times Paris.", "Times are in UTC": of the whole message. */
export function zoneOfAll(text: string): string | null {
  const written = /\ball times (?:are )?(?:in )?\(?(.{2,20})/i.exec(text)?.[1];
  return written === undefined ? null : (zoneBehind(` ${written}`, 'en') ?? null);
}

export function zoneBehind(after: string, language: Language): string | null {
  const written = /^\s*\(?([a-z]{2,7})\b/i.exec(after)?.[1];
  if (written === undefined || isFalseZone(written, language)) return zoneOfPlaceBehind(after);
  const word = written.toLowerCase();
  return (Object.hasOwn(zonesBehind, word) ? zonesBehind[word] : undefined) ?? zoneOfPlaceBehind(after);
}

/** chrono takes them for zones ("ist" for India's) in lower case too, where people mean the words. */
const falseZones = new Set(
  'art cast cat east eat get gilt hat hay ist mart mut nut pet pont ret vet wat west wit'.split(' '),
);

export function isFalseZone(word: string, language: Language): boolean {
  const isUpper = word === word.toUpperCase();
  return !isUpper && (falseZones.has(word.toLowerCase()) || (word.toLowerCase() === 'est' && language !== 'en'));
}
