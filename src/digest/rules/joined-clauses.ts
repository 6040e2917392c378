/** Clauses that only together tell of something: what it is in the one, and when in the next. */
import type { Clause } from './clauses.ts';
import { type Clock, mayAnnounce, mayHoldDate, readDates } from './dates.ts';
import type { Language } from './language.ts';
import { tellingMatches } from './matches.ts';
import { dateMark, masked } from './object-name.ts';
import { movedWords, postponedWords } from './vocabulary.ts';

/** The clauses in their order, those that belong together as one. */
export function joinedClauses(clauses: readonly Clause[], language: Language, clock: Clock): Clause[] {
  const all: Clause[] = [];
  for (const clause of clauses) {
    const before = all.at(-1);
    const joint = before === undefined ? null : jointOf(before, clause, language, clock);
    if (before === undefined || joint === null) all.push(clause);
    else all.splice(-1, 1, { ...before, text: `${before.text.replace(/[\s.!:,]+$/, '')}${joint} ${clause.text}` });
  }
  return all;
}

/** What stands between the two when they are one; null when they are not. */
function jointOf(before: Clause, clause: Clause, language: Language, clock: Clock): string | null {
  if (before.isQuestion || clause.isQuestion || mayHoldDate(before.text)) return null;
  // "Maintenance of the dashboard", and on the next line "Sep 20, 02:00 - 04:00 UTC".
  if (isOnlyDate(clause.text, language, clock)) return ',';
  if (!mayAnnounce(clause.text)) return null;
  // "The all-hands has to shift. New slot: Tuesday 22 September".
  if (newSlot.test(clause.text) && isToMove(before.text)) return ':';
  if (tellingMatches(clause.text).length > 0) return null;
  // "Webinar alert! 'Selling abroad' with Ana, Thursday 13:00"; "Policy change: returns", and below it "From 1 October …".
  return isHeadline(before.text) || (isTitle(before.text) && beginsWithDate.test(clause.text)) ? ':' : null;
}

const newSlot = /^(?:the )?new (?:slot|date|time|day|try|attempt)\b/i;

function isToMove(text: string): boolean {
  return (
    (movedWords.isIn(text) || postponedWords.isIn(text) || /\b(?:shift|move|push|change)\b/i.test(text)) &&
    tellingMatches(text).length > 0
  );
}

const beginsWithDate =
  /^(?:from|on|starting|effective|as of|beginning|ab|am|vom|à partir|dès|le|a partir|desde|el|vanaf)\s/i;

function isHeadline(text: string): boolean {
  return /[!:]$/.test(text) && text.split(/\s+/).length <= longestHeadline && namesThing(text);
}

function isTitle(text: string): boolean {
  return !/[.?!]$/.test(text) && text.split(/\s+/).length <= longestTitle && namesThing(text);
}

const longestHeadline = 4;
const longestTitle = 8;

function namesThing(text: string): boolean {
  return tellingMatches(text).some(({ kind, isVerb }) => kind.isThing && !isVerb);
}

function isOnlyDate(text: string, language: Language, clock: Clock): boolean {
  if (text.length > longestDate || !mayHoldDate(text)) return false;
  const dates = readDates(text, language, clock, 'forward');
  if (dates.length === 0) return false;
  const rest = masked(text, dates).replaceAll(dateMark, ' ');
  return !/\p{L}{2}/u.test(rest.replace(betweenDates, ' '));
}

const longestDate = 60;
const betweenDates =
  /\b(?:from|to|until|till|on|at|and|utc|gmt|[ce]?[ce][sd]?t|p[sd]?t|e[sd]?t|bst|ist|um|bis|uhr|von|am)\b/gi;
