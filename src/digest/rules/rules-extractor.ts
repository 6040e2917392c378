/**
 * Finds events by rules: a word that tells of one, the tense in which it stands, a date, and what it is about. Needs neither a
 * key nor a network, and the same message always gives the same events.
 */
import type { IsoTime } from '../../model.ts';
import type { ExtractedEvent } from '../events/event.ts';
import type { CandidateMessage, Extraction, LocalExtractor } from '../events/extractor.ts';
import { anchorsOf } from '../text/anchors.ts';
import { build, endOf, versionIn } from './build-event.ts';
import { type Clause, clausesOf } from './clauses.ts';
import { doubtOf, leastConfidence, lessFor } from './confidence.ts';
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
import { type Language, languageOf } from './language.ts';
import { type Match, matchesIn, mostTelling, tellingMatches } from './matches.ts';
import { announcedName, capitalized, dateMark, masked, objectName } from './object-name.ts';
import { isPutAway, isPutOff, newDate, statusOf, sure } from './status.ts';
import { tenseOf } from './tense.ts';
import { zoneOfAll } from './told-zones.ts';
import {
  absenceWords,
  anyKind,
  begunWords,
  canceledWords,
  doubtWords,
  type Kind,
  kinds,
  mayTell,
  movedWords,
  postponedWords,
  requestWords,
} from './vocabulary.ts';

/** Of what has a version for a name, we are told when it is released. */
const release = /^(?:\S+ )?v?\d+(?:\.\d+)+(?:[- ]?(?:rc|beta|alpha|final)\.?\d*)?$|^(?:rc|beta)[- ]?\d+$/i;
const launchKind = kinds.find(({ action }) => action === 'Launch') ?? anyKind;
const deployKind = kinds.find(({ action }) => action === 'Deploy') ?? anyKind;

/** Goes up whenever the same message may give other events. */
const version = 'rules-1';

export function rulesExtractor({ maxEvents = 5 }: { maxEvents?: number } = {}): LocalExtractor {
  return { version: `${version}/${maxEvents}`, extract: (message) => extract(message, maxEvents) };
}

const dayMs = 86_400_000;

interface Context {
  message: CandidateMessage;
  /** The last line that told of an event and its day: a list below it tells of its parts. */
  dated: string | null;
  /** What the clauses before were about. */
  subject: string | null;
  language: Language;
  postedAt: number;
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
  for (const clause of joinedClauses(clausesOf(plain), context.language, { postedAt, zone: message.zone })) {
    const timed: ExtractedEvent | null = withTimeOf(clause, last, context) ?? withTimesTold(clause, last, context);
    if (timed !== null && last !== null) {
      Object.assign(last, timed);
      continue;
    }
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

/** Two clauses of one message about one thing: "X is live. X was released today." */
function isSame(a: ExtractedEvent, b: ExtractedEvent): boolean {
  if (a.object_name_raw.toLowerCase() !== b.object_name_raw.toLowerCase()) return false;
  return (
    a.action === b.action &&
    a.status === b.status &&
    (timeOf(a) === timeOf(b) || b.time_source === 'ts_fallback' || a.time_source === 'ts_fallback')
  );
}

/** "Incident: checkout. Start: 13:05. End: 14:20." */
function hasEnded(a: ExtractedEvent, b: ExtractedEvent): boolean {
  return (
    a.action === 'Incident' &&
    b.action === 'Incident' &&
    (a.status === 'started' || a.status === 'updated') &&
    b.status === 'completed' &&
    a.object_name_raw.toLowerCase() === b.object_name_raw.toLowerCase()
  );
}

/** "Nobody is there for tomorrow's board meeting, so I'm canceling the meeting". */
function isOff(told: ExtractedEvent, found: ExtractedEvent): boolean {
  const [name, again] = [told, found].map((event) => event.object_name_raw.toLowerCase());
  return (
    isPutAway(found.status) &&
    !isPutAway(told.status) &&
    name !== again &&
    name?.endsWith(` ${again}`) === true &&
    (found.time_source === 'ts_fallback' || found.status === 'postponed' || timeOf(told) === timeOf(found))
  );
}

function better(a: ExtractedEvent, b: ExtractedEvent): ExtractedEvent {
  if (a.time_source === 'ts_fallback' && b.time_source !== 'ts_fallback') return { ...b, summary: a.summary };
  return a.confidence >= b.confidence ? a : { ...a, confidence: b.confidence };
}

function timeOf({ actual_start, actual_end, planned_start }: ExtractedEvent): IsoTime | null {
  return actual_start ?? actual_end ?? planned_start;
}

/** "There is a talk on Friday. It starts at 15:00." */
function withTimeOf(
  { text, isQuestion }: Clause,
  last: ExtractedEvent | null,
  context: Context,
): ExtractedEvent | null {
  if (last?.days_only !== true || last.planned_start === null || isQuestion || text.length > longestTime) return null;
  if (!timeFirst.test(text)) return null;
  const name = last.object_name_raw.toLowerCase();
  const others = tellingMatches(text).filter(({ isVerb, word }) => !isVerb && !name.endsWith(word.toLowerCase()));
  const { zone } = context.message;
  // Of that day, a time alone is its own.
  const ofDay = { postedAt: Date.parse(last.planned_start), zone };
  const dates = readDates(text, context.language, ofDay, 'forward');
  const [date] = dates;
  if (date === undefined || others.length > 0 || !dates.every(({ hasDay, hasTime }) => hasTime && !hasDay)) return null;
  return {
    ...last,
    planned_start: date.start,
    planned_end: date.end,
    days_only: false,
    time_confidence: date.confidence,
  };
}

/** "Search is down. All queries fail since 09:42." "Search is back. It failed until 10:21." */
function withTimesTold(
  { text, isQuestion }: Clause,
  last: ExtractedEvent | null,
  context: Context,
): ExtractedEvent | null {
  if (last === null || last.time_source !== 'ts_fallback' || isQuestion) return null;
  const isOfIncident = last.action === 'Incident';
  if (!isOfIncident && !(/^since\b/i.test(text) && (last.status === 'started' || last.status === 'completed')))
    return null;
  if (!timeOfIncident.test(text) || tellingMatches(text).some(({ kind }) => kind.action !== 'Incident')) return null;
  const {
    postedAt,
    message: { zone },
  } = context;
  const [date] = readDates(text, context.language, { postedAt, zone }, 'backward').filter(
    ({ start }) => Date.parse(start) <= postedAt,
  );
  if (date === undefined || Date.parse(date.start) < postedAt - longestIncidentMs) return null;
  // What is live since 9:30 was finished then; what is resolved may have begun then.
  const times = last.status === 'completed' ? { actual_end: date.start } : { actual_start: date.start };
  return { ...last, ...times, time_source: 'explicit', time_confidence: date.confidence };
}

const timeOfIncident =
  /\b(?:since|(?:started|began|stopped|ended|recovered|resolved|back) (?:at|around|about)|seit|depuis|desde)\b/i;
const longestIncidentMs = 2 * dayMs;

const timeFirst =
  /^(?:it|we|they|the|doors|time|starts?|starting|kick-?off|from|at|um|ab|los|beginn|début|à|a las|às|~|\d)(?![\p{L}])/iu;
const longestTime = 80;

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

/** What has a version for a name is released, and a fix is deployed, whichever verb tells of it. */
function kindOf(kind: Kind, object: string): Kind {
  if (kind.action === 'Other' && release.test(object)) return launchKind;
  return kind.action === 'Launch' && /\b(?:fix|patch|hotfix)$/i.test(object) ? deployKind : kind;
}

/** "Postponed to Tuesday.": of what was told before. */
function followUp(
  last: ExtractedEvent,
  text: string,
  dates: readonly FoundDate[],
  { postedAt, message: { zone } }: Context,
): ExtractedEvent[] {
  const coming = dates.filter((date) => Date.parse(date.start) > postedAt - dayMs);
  const isOff = canceledWords.isIn(text);
  if (!isOff && !isPutOff(text, dates, coming)) return [];
  const date = newDate(text, coming);
  return [
    {
      ...last,
      status: isOff ? 'canceled' : 'postponed',
      planned_start: date?.start ?? last.planned_start,
      planned_end: date === null ? null : endOf(date, zone),
      days_only: date === null ? (last.days_only ?? false) : !date.hasTime,
      actual_start: null,
      actual_end: null,
      time_source: date === null ? last.time_source : date.isRelative ? 'relative' : 'explicit',
      time_confidence: date?.confidence ?? last.time_confidence,
      summary: text,
      confidence: sure.followUp,
    },
  ];
}

/**
 * "Playtest on Wednesday 15:00", "the pitch for Contoso is on 28 January": a name and a time to come, whatever it is. Less sure
 * than a word that tells of events.
 */
const fileName = /\.(?:png|jpe?g|gif|heic|webp|mp4|mov|pdf|docx?|xlsx?|pptx?|csv|zip|log|txt|json|ya?ml)\b/i;

/** As calendars put it: "Canceled: Planning". */
const label =
  /^(?:(cancell?ed|abgesagt|annulé|cancelado)|(postponed|rescheduled|verschoben|reporté|pospuesto))(?: event)?:\s+(?=\S)/i;

function announced(said: string, context: Context): ExtractedEvent[] {
  const [labels = '', isCanceled, isPostponed] = label.exec(said) ?? [];
  const text = said.slice(labels.length);
  const status = isCanceled !== undefined ? 'canceled' : isPostponed !== undefined ? 'postponed' : 'planned';
  // "A few things for next week:" is a heading.
  if (!mayAnnounce(text) || fileName.test(text) || text.endsWith(':')) return [];
  const { postedAt, language, message } = context;
  const [date] = readDates(text, language, { postedAt, zone: message.zone }, 'forward');
  if (date === undefined || Date.parse(date.start) <= postedAt) return [];
  const name = announcedName(text.slice(0, date.index)) ?? nameBehind(text, date);
  if (name === null || doubtWords.isIn(text) || absenceWords.isIn(text) || requestWords.isIn(text)) return [];
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  const kind = release.test(name) ? launchKind : anyKind;
  const facts = { text: said, kind, object: name, anchor, status, date } as const;
  return [build({ ...facts, confidence: labels === '' ? sure.announced : sure.verb }, context.message)];
}

/** "Mar 17: Hiring day". */
function nameBehind(text: string, { index, length }: FoundDate): string | null {
  if (text.slice(0, index).trim() !== '') return null;
  const rest = /^\s*[:–—-]\s*([^.,;:()]{3,60})(?:$|[.,;()])/u.exec(text.slice(index + length))?.[1];
  return rest === undefined ? null : announcedName(rest);
}

/** "We launched: • Dark mode • CSV export": what is over needs no date. */
function finished({ text, heading }: Clause, match: Match, context: Context): ExtractedEvent[] {
  const { action } = match.kind;
  if (heading === null || !heading.endsWith(':') || !match.isVerb || (action !== 'Launch' && action !== 'Deploy'))
    return [];
  if (tenseOf(heading, [match], () => false) !== 'past' || doubtWords.isIn(heading)) return [];
  const [said = ''] = text.split(/[.;(:–—]|\s-\s/);
  const name = announcedName(said);
  if (name === null) return [];
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  const facts = { text, kind: match.kind, object: name, anchor, status: 'completed', date: null } as const;
  return [build({ ...facts, confidence: sure.followUp }, context.message)];
}

/** "Release dates: • iOS: 12 Oct • Android: 19 Oct": each item is what the heading tells of. */
function fromList(
  clause: Clause,
  inherited: readonly Match[],
  dates: readonly FoundDate[],
  context: Context,
): ExtractedEvent[] {
  const [match] = inherited;
  const [date] = dates;
  if (match === undefined) return [];
  if (date === undefined) return finished(clause, match, context);
  // Parts of what is told above, with a date of its own: "taxis only after 9pm", "runs to 30 September".
  if (context.dated === clause.heading) return [];
  const unmarked = masked(clause.text, dates);
  const name = unmarked
    .split(dateMark)
    .map((part) =>
      part
        .replace(/^[\s:,–—-]+|[\s:,–—-]+$/g, '')
        .replace(/\s+(?:on|at|by|from|until|am|le|el)$/i, '')
        .trim(),
    )
    .find((part) => /\p{L}/u.test(part));
  if (name === undefined) return [];
  const isOver = Date.parse(date.start) + dayMs < context.postedAt;
  const { text, heading } = clause;
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  const status = isOver ? 'completed' : 'planned';
  const isDoubtful = doubtWords.isIn(text) || doubtWords.isIn(heading ?? '');
  const confidence = isDoubtful ? sure.list - lessFor.doubt : sure.list;
  return [
    build({ text, kind: match.kind, object: name.slice(0, 80), anchor, status, date, confidence }, context.message),
  ];
}
