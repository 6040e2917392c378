/**
 * Finds events by rules: a word that tells of one, the tense in which it stands, a date, and what it is about. Needs neither a
 * key nor a network, and the same message always gives the same events.
 */
import type { ExtractedEvent } from '../events/event.ts';
import type { CandidateMessage, Extraction, LocalExtractor } from '../events/extractor.ts';
import { anchorsOf } from '../text/anchors.ts';
import { announced, fromList } from './announcements.ts';
import { build, versionIn } from './build-event.ts';
import { type Clause, clausesOf } from './clauses.ts';
import { doubtOf, leastConfidence } from './confidence.ts';
import type { Context } from './context.ts';
import {
  type Direction,
  type FoundDate,
  mayAnnounce,
  type Place,
  readDates,
  tellsNextWeek,
  withoutCoarser,
} from './dates.ts';
import { joinedClauses } from './joined-clauses.ts';
import { kindOf } from './kind-by-name.ts';
import { languageOf } from './language.ts';
import { type Match, matchesIn, mostTelling, tellingMatches } from './matches.ts';
import { announcedName, capitalized, masked, objectName } from './object-name.ts';
import { isPutAway, statusOf } from './status.ts';
import { incidentOfStatusPage } from './status-pages.ts';
import { tenseOf } from './tense.ts';
import { better, followUp, hasEnded, isOff, isSame, withTimeOf, withTimesTold } from './told-later.ts';
import { zoneOfAll } from './told-zones.ts';
import { begunWords, canceledWords, doubtWords, mayTell, movedWords, postponedWords } from './vocabulary.ts';

/** Goes up whenever the same message may give other events. */
const version = 'rules-1';

export function rulesExtractor({ maxEvents = 5 }: { maxEvents?: number } = {}): LocalExtractor {
  return { version: `${version}/${maxEvents}`, extract: (message) => extract(message, maxEvents) };
}

function extract(given: CandidateMessage, maxEvents: number): Extraction {
  const { plain } = given.text;
  if (!mayTell(plain) && !mayAnnounce(plain)) return { events: [] };
  const message = { ...given, zone: zoneOfAll(plain) ?? given.zone };
  const postedAt = Date.parse(message.posted_at);
  const context: Context = {
    message,
    dated: null,
    subject: null,
    language: languageOf(plain),
    postedAt,
  };
  const events: ExtractedEvent[] = [];
  /** Kept up to date with what later clauses tell of the same event. */
  let last: ExtractedEvent | null = null;
  let isOfPage = false;
  for (const clause of joinedClauses(clausesOf(plain), context.language, { postedAt, zone: message.zone })) {
    const timed: ExtractedEvent | null = withTimeOf(clause, last, context) ?? withTimesTold(clause, last, context);
    if (timed !== null && last !== null) {
      Object.assign(last, timed);
      continue;
    }
    const ofPage: ExtractedEvent | null = incidentOfStatusPage(clause, context);
    if (ofPage !== null) {
      // What stands below the headline tells of the same.
      last = ofPage;
      events.push(ofPage);
      isOfPage = true;
      continue;
    }
    if (isOfPage) continue;
    const all: ExtractedEvent[] = eventsOf(clause, context, last);
    if (clause.heading === null && all.some(({ time_source }) => time_source !== 'ts_fallback'))
      context.dated = clause.line;
    for (const found of all) {
      if (last !== null && isOff(last, found)) {
        Object.assign(last, { ...found, object_name_raw: last.object_name_raw });
        continue;
      }
      const before: ExtractedEvent | undefined = events.find((event) => hasEnded(event, found));
      if (before !== undefined) {
        last = Object.assign(before, found, { actual_start: found.actual_start ?? before.actual_start });
        continue;
      }
      const known: ExtractedEvent | undefined = events.find((event) => isSame(event, found));
      last = known === undefined ? found : Object.assign(known, better(known, found));
      if (known === undefined) events.push(found);
    }
    if (events.length >= maxEvents * 2) break;
  }
  const likely = events.filter(({ confidence }) => confidence >= leastConfidence);
  return { events: likely.sort((a, b) => b.confidence - a.confidence).slice(0, maxEvents) };
}

function eventsOf(clause: Clause, context: Context, last: ExtractedEvent | null): ExtractedEvent[] {
  const { text, heading } = clause;
  if (clause.isQuestion || text.length < 6) return [];
  const own = tellingMatches(text);
  const inherited = own.length === 0 && heading !== null ? matchesIn(heading) : [];
  const isFollowUp =
    own.length === 0 &&
    last !== null &&
    !doubtWords.isIn(text) &&
    heading === null &&
    (canceledWords.isIn(text) || postponedWords.isIn(text) || movedWords.isIn(text));
  if (own.length === 0 && inherited.length === 0 && !isFollowUp) return announced(text, context);

  const isNextWeek = tellsNextWeek(text) || (heading !== null && tellsNextWeek(heading));
  const clock = { postedAt: context.postedAt, zone: context.message.zone, isNextWeek };
  const isToCome = ({ start }: FoundDate) => Date.parse(start) > context.postedAt;
  const tense = tenseOf(text, own, () => readDates(text, context.language, clock, 'forward').some(isToCome));
  const isUnderWay = own.some(({ kind }) => kind.action === 'Incident') && tense !== 'future';
  const isBegun = tense !== 'future' && begunWords.isIn(text);
  const isOver =
    tense === 'past' || isUnderWay || isBegun || /\b(?:since|as of(?= \d)|seit|depuis|desde|sinds)\b/i.test(text);
  const direction: Direction =
    isOver && !postponedWords.isIn(text) && !canceledWords.isIn(text) ? 'backward' : 'forward';
  const dates = readDates(text, context.language, clock, direction);
  if (isFollowUp && last !== null) return followUp(last, text, dates, context);
  if (own.length === 0) return fromList(clause, inherited, dates, context);

  const parts = splitByDates(text, dates, own);
  const found = parts.flatMap((part) => eventOf(part, context) ?? []);
  return found.length > 0 ? found : announced(text, context);
}

interface Part {
  text: string;
  dates: FoundDate[];
  matches: Match[];
}

/** "iOS ships on Monday and Android ships on Wednesday": each date with a telling word of its own is an event of its own. */
function splitByDates(text: string, dates: readonly FoundDate[], matches: readonly Match[]): Part[] {
  if (dates.length < 2 || matches.length < 2) return [{ text, dates: [...dates], matches: [...matches] }];
  const cuts = Array.from(
    text.matchAll(/;\s|,\s+(?:and|then|und|et|y|e|и|en)\s|,\s|\s(?:and|then|while|und|et|y|и|en)\s/gi),
    ({ index }) => index,
  );
  const parts: Part[] = [];
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    const isWithin = ({ index }: { index: number }) => index >= from && index < cut;
    const rest = {
      dates: dates.filter((date) => date.index >= cut),
      matches: matches.filter((match) => match.index >= cut),
    };
    const ownDates = dates.filter(isWithin);
    const ownMatches = matches.filter(isWithin);
    const isLast = cut === text.length;
    if (
      !isLast &&
      (ownDates.length === 0 || ownMatches.length === 0 || rest.dates.length === 0 || rest.matches.length === 0)
    )
      continue;
    const start = from;
    const shift = <Where extends Place>(place: Where): Where => ({ ...place, index: place.index - start });
    const shiftDate = (date: FoundDate) => ({ ...shift(date), time: date.time === null ? null : shift(date.time) });
    parts.push({ text: text.slice(from, cut), dates: ownDates.map(shiftDate), matches: ownMatches.map(shift) });
    from = cut;
  }
  return parts.filter(({ matches: own }) => own.length > 0);
}

function eventOf({ text, dates, matches }: Part, context: Context): ExtractedEvent | null {
  const { postedAt } = context;
  const tense = tenseOf(text, matches, () => dates.some(({ start }) => Date.parse(start) > postedAt));
  const match = mostTelling(text, matches, dates, postedAt);
  if (match === null) return null;
  const unmarked = masked(text, dates);
  // "The deploy of billing has failed. The rollback is done."
  const { action } = match.kind;
  const isOfSubject =
    action === 'Rollback' || action === 'Incident' || action === 'RCA' || (action === 'Policy' && match.isVerb);
  const subject = isOfSubject ? context.subject : null;
  const main = objectName(unmarked, match, match.kind);
  // "The outage lasted an hour" names nothing new.
  if (main !== null && main.toLowerCase() !== match.word.toLowerCase()) context.subject = main;
  const isVerbal = matches.some(({ isVerb }) => isVerb);
  const decided = statusOf({ text, tense, match, isVerbal }, withoutCoarser(dates, context.message.zone), postedAt);
  if (decided === null) return null;
  const { status, date, certainty } = decided;
  const thing = matches.find(({ isVerb }) => !isVerb);
  // "The launch is postponed, we'll announce a new date": not the date is.
  // "Deploy of billing failed, rolled back": the deploy was.
  const isBare =
    action === 'Rollback' && match.isVerb && /^\W*(?:\p{L}+ly\W*)?$/u.test(text.slice(match.index + match.length));
  const told = (isPutAway(status) || isBare) && thing !== undefined ? [thing] : [match, ...matches.slice(1)];
  const named = told.map((each) => objectName(unmarked, each, each.kind)).find((name) => name !== null);
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  // "The launch is postponed", "release on Friday": readers know which one.
  const isKnown = isPutAway(status) || (date !== null && (status === 'planned' || status === 'confirmed'));
  // "The outage lasted an hour": of what was told before.
  const isWordAlone = named?.toLowerCase() === match.word.toLowerCase();
  // Japanese tells the verb last, behind the date.
  const isVerbLast = context.language === 'ja' || context.language === 'zh';
  const ahead = isVerbLast && named === undefined && date !== null ? announcedName(text.slice(0, date.index)) : null;
  const object =
    (isWordAlone && subject !== null ? ofSubject(subject, match) : null) ??
    named ??
    subject ??
    ahead ??
    anchor ??
    (isKnown && thing !== undefined ? capitalized(thing.word) : null);
  if (object === null || (match.kind.needsDate && date === null && !isPutAway(status))) return null;
  const kind = kindOf(match.kind, object);
  const doubt = doubtOf({ text, match, status, date, object, anchor, isNamed: named !== undefined }, context.message);
  const confidence = certainty - doubt;
  return build({ text, kind, object, anchor, status, date, confidence }, context.message);
}

/** "Search is back. Post-mortem on Thursday": that of search. */
function ofSubject(subject: string, { kind, word }: Match): string {
  return kind.action === 'RCA' && !subject.toLowerCase().includes(word.toLowerCase()) ? `${subject} ${word}` : subject;
}
