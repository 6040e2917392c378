/**
 * Finds events by rules: a word that tells of one, the tense in which it stands, a date, and what it is about. Needs neither a
 * key nor a network, and the same message always gives the same events.
 */
import type { IsoTime } from '../../model.ts';
import { localTime, startOf } from '../../time-zone.ts';
import { millisToIso } from '../../ts.ts';
import type { ExtractedEvent, Status } from '../events/event.ts';
import type { CandidateMessage, Extraction, LocalExtractor } from '../events/extractor.ts';
import { anchorsOf } from '../text/anchors.ts';
import { type Clause, clausesOf } from './clauses.ts';
import { type Direction, type FoundDate, mayAnnounce, mayHoldDate, readDates } from './dates.ts';
import { type Language, languageOf } from './language.ts';
import { announcedName, capitalized, dateMark, objectName, type Told } from './object-name.ts';
import {
  absenceWords,
  anyKind,
  begunWords,
  canceledWords,
  confirmedWords,
  doneWords,
  doubtWords,
  environments,
  futureWords,
  impactAreas,
  type Kind,
  kinds,
  maintenanceWords,
  mayTell,
  movedWords,
  negationWords,
  postponedWords,
  requestWords,
  resolvedWords,
  routineWords,
  severities,
  startedWords,
  talkWords,
  thanksWords,
  workshopWords,
} from './vocabulary.ts';
import type { Words } from './words.ts';

/** Goes up whenever the same message may give other events. */
const version = 'rules-1';

export function rulesExtractor({ maxEvents = 5 }: { maxEvents?: number } = {}): LocalExtractor {
  return { version: `${version}/${maxEvents}`, extract: (message) => extract(message, maxEvents) };
}

interface Context {
  message: CandidateMessage;
  language: Language;
  postedAt: number;
}

function extract(message: CandidateMessage, maxEvents: number): Extraction {
  const { plain } = message.text;
  if (!mayTell(plain) && !mayAnnounce(plain)) return { events: [] };
  const context = { message, language: languageOf(plain), postedAt: Date.parse(message.posted_at) };
  const events: ExtractedEvent[] = [];
  let last: ExtractedEvent | null = null;
  for (const clause of clausesOf(plain)) {
    for (const found of eventsOf(clause, context, last)) {
      last = found;
      const known = events.find((event) => isSame(event, found));
      if (known === undefined) events.push(found);
      else Object.assign(known, better(known, found));
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

function better(a: ExtractedEvent, b: ExtractedEvent): ExtractedEvent {
  if (a.time_source === 'ts_fallback' && b.time_source !== 'ts_fallback') return { ...b, summary: a.summary };
  return a.confidence >= b.confidence ? a : { ...a, confidence: b.confidence };
}

function timeOf({ actual_start, actual_end, planned_start }: ExtractedEvent): IsoTime | null {
  return actual_start ?? actual_end ?? planned_start;
}

interface Match extends Told {
  kind: Kind;
  word: string;
}

/** The words of a clause that tell of events, one for each kind, the most telling first. */
function matchesIn(text: string): Match[] {
  const all = kinds.flatMap((kind) => [
    ...matchesOf(kind, kind.verbs, true, text),
    ...matchesOf(kind, kind.nouns, false, text),
  ]);
  // A longer word swallows the shorter ones in it: a "deploy freeze" is no deploy.
  return all.filter(
    (match) =>
      !all.some(
        (other) =>
          other !== match &&
          other.length > match.length &&
          other.index <= match.index &&
          match.index + match.length <= other.index + other.length,
      ),
  );
}

const noEvents =
  /^(?:(?:webinar|meeting|training|demo) (?:recording|slides|deck|link|invite)s?|release notes?|release managers?|release candidates?|release train|release branch(?:es)?|launch ?pad|deploy(?:ment)? keys?|deploy(?:ment)? scripts?|deploy(?:ment)? pipelines?|launch darkly|meeting notes|meeting room|incident channel|incident response|review comments?|maintenance mode|policy ?holder)/i;

/** "Please upgrade", "don't deploy": verbs that look like nouns. */
const asked = /\b(?:please|pls|don't|do not|didn't|did not|never|cannot|can't)\s+$/i;

function matchesOf(kind: Kind, words: Words | null, isVerb: boolean, text: string): Match[] {
  const places = words?.placesIn(text) ?? [];
  return places
    .filter(({ index, length }) => !noEvents.test(text.slice(index, index + length + 14)))
    .filter(({ index }) => isVerb || !asked.test(text.slice(0, index)))
    .map((place) => ({ ...place, kind, word: text.slice(place.index, place.index + place.length), isVerb }));
}

function eventsOf(clause: Clause, context: Context, last: ExtractedEvent | null): ExtractedEvent[] {
  const { text, heading } = clause;
  if (clause.isQuestion || text.length < 6) return [];
  const own = mayTell(text) ? withoutSettings(matchesIn(text), text) : [];
  const inherited = own.length === 0 && heading !== null ? matchesIn(heading) : [];
  const isFollowUp =
    own.length === 0 &&
    last !== null &&
    (canceledWords.isIn(text) || postponedWords.isIn(text) || movedWords.isIn(text));
  if (own.length === 0 && inherited.length === 0 && !isFollowUp) return announced(text, context);

  const tense = tenseOf(text, own);
  const isUnderWay = own.some(({ kind }) => kind.action === 'Incident') && tense !== 'future';
  const isBegun = tense !== 'future' && begunWords.isIn(text);
  const isOver = tense === 'past' || isUnderWay || isBegun || /\b(?:since|seit|depuis|desde|sinds)\b/i.test(text);
  const direction: Direction =
    isOver && !postponedWords.isIn(text) && !canceledWords.isIn(text) ? 'backward' : 'forward';
  const dates = readDates(
    text,
    context.language,
    { postedAt: context.postedAt, zone: context.message.zone },
    direction,
  );
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
    const shift = <Place extends { index: number }>(place: Place): Place => ({ ...place, index: place.index - from });
    parts.push({ text: text.slice(from, cut), dates: ownDates.map(shift), matches: ownMatches.map(shift) });
    from = cut;
  }
  return parts.filter(({ matches: own }) => own.length > 0);
}

type Tense = 'past' | 'present' | 'future' | 'none';

const passiveFuture =
  /\b(?:will|to|gets?|going to|shall|can|could|should|would|must|might|may|needs? to|scheduled to|planned to|expected to|wird|werden|sera|será|будет|zal)\s+(?:be\s+|have\s+been\s+)?(?:\w+ly\s+)?$/i;
const presentPassive =
  /\b(?:(?:is|are) being|is|are|gets?|wird|werden|est|sont|es|é|são|wordt|worden)\s+(?:\w+ly\s+)?$/i;
const pastVerb =
  /(?:[^aeiou]ed|[aeiou]ed|shipped|live|out|available|down|offline|unavailable|unreachable|degraded|broken|over|back|gegangen|t|é|ée|ado|ada|ли|ло|ла|шёл|шел|した)$/iu;

function tenseOf(text: string, matches: readonly Match[]): Tense {
  const isFuture = futureWords.isIn(text);
  // What has started is not over.
  const verb = matches.find(({ isVerb, word }) => isVerb && !/^(?:started|began|begun)/i.test(word));
  if (verb !== undefined) {
    const before = text.slice(0, verb.index);
    if (passiveFuture.test(before) || /\b(?:will|going to|plan(?:s|ning)? to|about to|'ll)\b[^,;.]*$/i.test(before))
      return 'future';
    // "Is announced on Friday" tells of what is to come, "was announced on Friday" of what is over.
    if (presentPassive.test(before) && mayHoldDate(text) && !doneWords.isIn(before)) return 'future';
    if (/\b(?:wird|werden)\b/i.test(before) && mayHoldDate(text)) return 'future';
    if (/ing(?:\s|$)/i.test(verb.word)) return isFuture ? 'future' : 'present';
    if (
      /(?:^|\s)(?:goe?s? (?:live|out|into (?:effect|force))|(?:takes?|comes? into) (?:effect|force)|launches|ships|releases|deploys|moves|migrates|opens|starts)$/i.test(
        verb.word,
      )
    )
      return 'future';
    if (/^(?:geht|gehen|gaat|findet|läuft|gilt|tritt|beginnt|endet)(?:\s|$)/i.test(verb.word)) return 'future';
    if (/(?:scheduled(?: \w+)?|(?:booked|slated|targeted|planned|confirmed) (?:for|on|to|at))$/i.test(verb.word))
      return 'future';
    if (pastVerb.test(verb.word) || /^\w+(?:ed|ped|hed)\b/i.test(verb.word)) return 'past';
    return isFuture ? 'future' : 'none';
  }
  if (isFuture) return 'future';
  // "The office is closed on Friday".
  if (matches.every(({ kind }) => kind.needsDate)) return 'none';
  return doneWords.isIn(text) ? 'past' : 'none';
}

/** How sure a sign makes us; what makes it doubtful takes away from it. */
const sure = {
  verbAndDate: 0.9,
  verb: 0.8,
  nounAndDate: 0.85,
  state: 0.8,
  noun: 0.55,
  list: 0.8,
  announced: 0.7,
  followUp: 0.75,
} as const;
/** Less is a guess. */
const leastConfidence = 0.3;
const lessFor = {
  doubt: 0.35,
  request: 0.2,
  negation: 0.3,
  absence: 0.4,
  thanks: 0.25,
  vague: 0.25,
  noObject: 0.3,
  longText: 0.1,
  routine: 0.3,
  talk: 0.2,
  workshop: 0.2,
  longAgo: 0.3,
  setting: 0.3,
  longBot: 0.2,
} as const;

function eventOf({ text, dates, matches }: Part, context: Context): ExtractedEvent | null {
  const { postedAt } = context;
  const tense = tenseOf(text, matches);
  const match = mostTelling(text, matches, dates, postedAt);
  if (match === null) return null;
  const isVerbal = matches.some(({ isVerb }) => isVerb);
  const decided = statusOf({ text, tense, match, isVerbal }, dates, postedAt);
  if (decided === null) return null;
  const { status, date, certainty } = decided;
  const masked = mask(text, dates);
  const thing = matches.find(({ isVerb }) => !isVerb);
  // "The launch is postponed, we'll announce a new date": not the date is.
  const told = isPutAway(status) && thing !== undefined ? [thing] : [match, ...matches.slice(1)];
  const named = told.map((each) => objectName(masked, each, each.kind)).find((name) => name !== null);
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  // "The launch is postponed", "release on Friday": readers know which one.
  const isKnown = isPutAway(status) || (date !== null && (status === 'planned' || status === 'confirmed'));
  const object = named ?? anchor ?? (isKnown && thing !== undefined ? capitalized(thing.word) : null);
  if (object === null || (match.kind.needsDate && date === null)) return null;
  let confidence: number = certainty;
  if (doubtWords.isIn(text)) confidence -= lessFor.doubt;
  if (date === null && requestWords.isIn(text.slice(0, match.index))) confidence -= lessFor.request;
  if (isDenied(text, match) && status !== 'canceled' && status !== 'postponed') confidence -= lessFor.negation;
  if (absenceWords.isIn(text)) confidence -= lessFor.absence;
  if (thanksWords.isIn(text) && !(match.isVerb && match.kind.action !== 'Incident')) confidence -= lessFor.thanks;
  if (isVagueState(match, object, text)) confidence -= lessFor.vague;
  if (named === undefined) confidence -= lessFor.noObject / 2;
  if (date === null && anchor === null && talkWords.isIn(text)) confidence -= lessFor.talk;
  if (match.kind.action === 'Incident' && match.isVerb && workshopWords.isIn(object)) confidence -= lessFor.workshop;
  if (match.kind.object === 'before' && routineWords.isIn(text)) confidence -= lessFor.routine;
  if (isSetting(match, text)) confidence -= lessFor.setting;
  if (date !== null && Date.parse(date.end ?? date.start) < postedAt - longAgoMs) confidence -= lessFor.longAgo;
  if (context.message.isBot && context.message.text.plain.length > longBot) confidence -= lessFor.longBot;
  if (text.length > 300) confidence -= lessFor.longText;
  return build({ text, kind: match.kind, object, anchor, status, date, confidence }, context);
}

function isPutAway(status: Status): boolean {
  return status === 'canceled' || status === 'postponed';
}

/** "In the meeting on Tuesday we decided": not what is told, but where. */
const setting =
  /\b(?:in|during|after|since|following|despite|due to|because of)\s+(?:(?:the|our|this|that|last|today's|yesterday's|an?)\s+)(?:\S+\s+)?$/i;

function isSetting({ isVerb, index }: Match, text: string): boolean {
  const before = text.slice(0, index);
  return isVerb ? /\b(?:while|as|because|so that) we(?:'re| are)? $/i.test(before) : setting.test(before);
}

/** Where something else is told as well. */
function withoutSettings(matches: readonly Match[], text: string): Match[] {
  const told = matches.filter((match) => !isSetting(match, text));
  return told.length > 0 ? told : [...matches];
}

/** What an app quotes at length is mostly what somebody wrote elsewhere: the text of a pull request, a list of commits. */
const longBot = 400;

/** Told of a time that nobody reads a digest for. */
const longAgoMs = 60 * 86_400_000;

/** Of several telling words: not one that is denied, and not the downtime that something planned brings along. */
function mostTelling(
  text: string,
  matches: readonly Match[],
  dates: readonly FoundDate[],
  postedAt: number,
): Match | null {
  const told = matches.filter((match) => !isDenied(text, match));
  const likely = told.length > 0 ? told : matches;
  // "Moved to Friday": what it is moved is the event.
  const others = likely.filter(({ word }) => !postponedWords.isIn(word));
  const candidates = others.length > 0 ? others : likely;
  const isPlanned = dates.some(({ start }) => Date.parse(start) > postedAt);
  const maintenance = candidates.find(({ word }) => maintenanceWords.isIn(word));
  const harmless = candidates.find(({ kind }) => kind.action !== 'Incident' && kind.action !== 'RCA');
  const isOff = canceledWords.isIn(text) || postponedWords.isIn(text);
  return (isPlanned || isOff ? (maintenance ?? harmless) : undefined) ?? candidates[0] ?? null;
}

/** "No deploys", "not a launch". */
function isDenied(text: string, { index }: Match): boolean {
  return negationWords.isIn(text.slice(0, index).split(/\s+/).slice(-4).join(' '));
}

/** The sun is out, and help is available; a product has a name or a number, or is called new. */
function isVagueState({ word }: Match, object: string, text: string): boolean {
  // At the beginning of a sentence everything has a capital.
  const name = text.startsWith(object) ? object.slice(1) : object;
  return /^(?:is|are|was|were|now)\b.*\b(?:out|available|over|back)$/i.test(word) && !/[\p{Lu}\d]|\bnew\b/u.test(name);
}

interface Decided {
  status: Status;
  date: FoundDate | null;
  certainty: number;
}

/** A minute's clock difference, and a meeting that has just begun, are still to come. */
const graceMs = 10 * 60_000;
const dayMs = 86_400_000;

interface Telling {
  text: string;
  tense: Tense;
  match: Match;
  /** A verb tells of it, be it another word than the most telling one. */
  isVerbal: boolean;
}

function statusOf(
  { text, tense, match, isVerbal }: Telling,
  dates: readonly FoundDate[],
  postedAt: number,
): Decided | null {
  const { kind, isVerb } = match;
  const isToCome = (date: FoundDate) =>
    Date.parse(date.end ?? date.start) + (date.hasTime ? graceMs : dayMs) > postedAt;
  const coming = dates.filter(isToCome);
  // "Started today": of a day that is not over yet, its words tell on which side it lies.
  const isBegun = tense !== 'future' && begunWords.isIn(text);
  const [next] = isBegun ? coming.filter(({ start }) => Date.parse(start) > postedAt) : coming;
  const over = dates.find((date) => Date.parse(date.start) <= postedAt + graceMs);
  if (canceledWords.isIn(text)) return { status: 'canceled', date: dates[0] ?? null, certainty: sure.verb };
  if (isPutOff(text, dates, coming)) {
    return {
      status: 'postponed',
      date: newDate(text, coming),
      certainty: coming.length > 0 ? sure.verbAndDate : sure.verb,
    };
  }
  if (
    kind.action === 'Policy' &&
    tense !== 'future' &&
    /\b(?:updated|changed|revised|adopted|introduced|amended)\b/i.test(text)
  ) {
    return { status: 'updated', date: over ?? null, certainty: sure.verb };
  }
  if (kind.isThing && next?.hasTime !== false && extended.test(text)) {
    return { status: 'updated', date: next ?? over ?? null, certainty: sure.verb };
  }
  if (kind.action === 'Incident')
    return incidentStatus(text, tense, match, next ?? null, spanOf(dates, postedAt), postedAt);
  if (kind.action === 'Rollback' && tense !== 'future') {
    const isDone = tense === 'past' || doneWords.isIn(text);
    return {
      status: isDone ? 'rolled_back' : 'started',
      date: over ?? null,
      certainty: isVerb ? sure.verb : sure.noun,
    };
  }
  const isFutureOnly =
    next !== undefined &&
    (next.hasTime ? Date.parse(next.start) > postedAt + graceMs : Date.parse(next.start) > postedAt);
  if (tense === 'past' && !isFutureOnly) {
    const isDone =
      isVerbal ||
      /\b(?:complete[d]?|done|finished|concluded|resolved|published|over|closed|passed|lifted|ended|live|deployed|abgeschlossen|sent|succeeded|completó|finalizó|successful(?:ly)?|passed|verified|terminée?s?|completad[oa]|concluíd[oa]|заверш\p{L}+|afgerond|完了|успешно)/iu.test(
        text,
      );
    if (!isDone) return null;
    // The day of an outage is not that of its analysis.
    if (kind.action === 'RCA') return { status: 'completed', date: null, certainty: sure.verb };
    return { status: 'completed', date: over ?? null, certainty: over === undefined ? sure.verb : sure.verbAndDate };
  }
  // "Is rolling out today" has begun; "will be rolled out today" has not.
  const isOfToday = next !== undefined && !next.hasTime && Date.parse(next.start) <= postedAt;
  if (isOfToday && tense === 'present' && isVerb) return { status: 'started', date: null, certainty: sure.verb };
  if (next !== undefined && tense !== 'past') {
    const status = confirmedWords.isIn(text) ? 'confirmed' : 'planned';
    return { status, date: next, certainty: isVerb ? sure.verbAndDate : sure.nounAndDate };
  }
  // "Released yesterday, the webinar follows on Friday": past verb, future date.
  if (next !== undefined && isFutureOnly) {
    return {
      status: confirmedWords.isIn(text) ? 'confirmed' : 'planned',
      date: next,
      certainty: isVerb ? sure.noun : sure.nounAndDate,
    };
  }
  if (startedWords.isIn(text) && (isVerb || kind.isThing || kind.nouns !== null) && tense !== 'future') {
    return { status: 'started', date: over ?? null, certainty: sure.verb - (isVerb ? 0 : 0.05) };
  }
  if (over !== undefined && !isVerb) return { status: 'completed', date: over, certainty: sure.noun };
  if (kind.action === 'RCA' || kind.action === 'Policy') {
    const isOut =
      /\b(?:here(?:'s| is)|published|available|attached|link|doc|posted|shared|new|updated?|effective)\b/i.test(text);
    return { status: /\bupdat/i.test(text) ? 'updated' : 'completed', date: null, certainty: isOut ? 0.7 : 0.4 };
  }
  if (tense === 'present' && isVerb) return { status: 'started', date: null, certainty: 0.65 };
  return null;
}

const extended = /\b(?:extended|prolonged|brought forward|moved up|verlängert|prolongée?|ampliad[oa])\b/i;

/** "Moved to Thursday" puts off; "moved to Aurora" does not. */
function isPutOff(text: string, dates: readonly FoundDate[], coming: readonly FoundDate[]): boolean {
  if (postponedWords.isIn(text)) return coming.length > 0 || isSurelyPutOff(text);
  if (coming.length === 0 || !movedWords.isIn(text)) return false;
  return movedToDate.test(mask(text, dates));
}

const movedToDate = new RegExp(
  `(?:mov|push|shift|bump|slid|chang|verleg|déplac|cambi|mud|instead)[^.;${dateMark}]*?(?:\\b(?:to|until|till|from|of|for|auf|au|à|al|a|para|на)\\s+|${dateMark}+\\s+(?:to|->|→)\\s+)${dateMark}`,
  'iu',
);

function isSurelyPutOff(text: string): boolean {
  return /postpon|delay|slip|reschedul|deferred|verschoben|verlegt|report[ée]|repouss|aplazad|pospuest|adiad|отлож|перенес|перенос|uitgesteld|延期|推迟/iu.test(
    text,
  );
}

/** The date to which it was put off: the last one, or the end of "from Tuesday to Thursday". */
function newDate(text: string, coming: readonly FoundDate[]): FoundDate | null {
  const isOld = ({ index }: FoundDate) =>
    /\b(?:instead of|rather than|statt|au lieu d[eu]|en vez de)\s*$/i.test(text.slice(0, index));
  const date = coming.filter((each) => !isOld(each)).at(-1) ?? coming.at(-1);
  if (date === undefined) return null;
  const isFromTo = date.end !== null && /\b(?:from|von|vom|de|du|del|van|с)\s*$/iu.test(text.slice(0, date.index));
  return isFromTo && date.end !== null ? { ...date, start: date.end, end: null } : date;
}

/** The first of the times that are over; with the last one as its end, when several are told. */
function spanOf(dates: readonly FoundDate[], postedAt: number): FoundDate | null {
  const over = dates.filter(({ start }) => Date.parse(start) <= postedAt + graceMs);
  const [first] = over;
  const last = over.at(-1);
  if (first === undefined) return null;
  if (last === undefined || last === first || !last.hasTime || last.start <= first.start) return first;
  return { ...first, end: last.start };
}

function incidentStatus(
  text: string,
  tense: Tense,
  { isVerb, word }: Match,
  next: FoundDate | null,
  over: FoundDate | null,
  postedAt: number,
): Decided | null {
  const isStrong =
    isVerb ||
    /outage|incident|down|sev|firing|resolved|disruption|störung|ausfall|panne|caída|сбой|инцидент|障害/iu.test(word);
  // "Was down from 7:00 to 7:20": its end is told, and it is over.
  const hasEnded = over !== null && over.end !== null && Date.parse(over.end) < postedAt;
  if ((resolvedWords.isIn(text) || hasEnded) && tense !== 'future')
    return { status: 'completed', date: over, certainty: isStrong ? sure.verbAndDate : sure.noun };
  if (
    tense === 'future' &&
    next !== null &&
    (isVerb || /planned|scheduled|maintenance|geplant|programad|prévu|планов/iu.test(text))
  ) {
    return { status: 'planned', date: next, certainty: sure.nounAndDate };
  }
  if (tense === 'future' && next === null) return null;
  const isUpdate =
    /\b(?:update|still|continu\w+|ongoing|identified|monitoring|root cause|mitigation|eta|investigation)\b/i.test(text);
  const isPresent =
    isVerb ||
    /\b(?:investigat|ongoing|started|since|now|we have|there(?:'s| is)|experiencing|seeing|declared|triggered|firing|affect|impact|sev|derzeit|aktuell|actuellement|actualmente)/i.test(
      text,
    ) ||
    /^\s*(?:\[?sev|incident|outage|alert)/i.test(text) ||
    /発生|しています|происход|идёт|сейчас/u.test(text);
  if (!isPresent) return { status: 'started', date: over, certainty: sure.noun };
  return { status: isUpdate ? 'updated' : 'started', date: over, certainty: isStrong ? sure.state : 0.7 };
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

function announced(text: string, context: Context): ExtractedEvent[] {
  if (!mayAnnounce(text) || fileName.test(text)) return [];
  const { postedAt, language, message } = context;
  const [date] = readDates(text, language, { postedAt, zone: message.zone }, 'forward');
  if (date === undefined || Date.parse(date.start) <= postedAt) return [];
  const name = announcedName(text.slice(0, date.index));
  if (name === null || doubtWords.isIn(text) || absenceWords.isIn(text) || requestWords.isIn(text)) return [];
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  const facts = { text, kind: anyKind, object: name, anchor, status: 'planned' as const, date };
  return [build({ ...facts, confidence: sure.announced }, context)];
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
  if (match === undefined || date === undefined) return [];
  const masked = mask(clause.text, dates);
  const name = masked
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
  const confidence = doubtWords.isIn(text) || doubtWords.isIn(heading ?? '') ? sure.list - lessFor.doubt : sure.list;
  return [build({ text, kind: match.kind, object: name.slice(0, 80), anchor, status, date, confidence }, context)];
}

function mask(text: string, dates: readonly FoundDate[]): string {
  return dates.reduce(
    (sum, { index, length }) => sum.slice(0, index) + dateMark.repeat(length) + sum.slice(index + length),
    text,
  );
}

function versionIn(text: string): string | null {
  return /\bv\d+(?:\.\d+)*(?:-[\w.]+)?\b|\b\d+\.\d+\.\d+\b|\bQ[1-4][- ]\d{4}\b/i.exec(text)?.[0] ?? null;
}

/** What names the event besides its object: a ticket, else a version. */
function anchorBeside(object: string, anchors: readonly string[], found: string | null): string | null {
  const folded = object.toLowerCase();
  return (
    [...anchors, ...(found === null ? [] : [found])].find((anchor) => !folded.includes(anchor.toLowerCase())) ?? null
  );
}

/** Of days, where the last one ends. */
function endOf({ end, hasTime }: FoundDate, zone: string): IsoTime | null {
  if (end === null || hasTime) return end;
  const { year, month, day } = localTime(Date.parse(end), zone);
  return millisToIso(startOf({ year, month, day: day + 1 }, zone));
}

interface Facts {
  text: string;
  kind: Kind;
  object: string;
  anchor: string | null;
  status: Status;
  date: FoundDate | null;
  confidence: number;
}

function build({ text, kind, object, anchor, status, date, confidence }: Facts, { message }: Context): ExtractedEvent {
  const isPlanned =
    status === 'planned' ||
    status === 'confirmed' ||
    status === 'postponed' ||
    (status === 'canceled' && date !== null);
  const isDone = status === 'completed' || status === 'rolled_back';
  const at = date?.start ?? message.posted_at;
  const end = date === null ? null : endOf(date, message.zone);
  const links = message.text.links.filter((link) => text.includes(link));
  const near = anchorsOf(text, links);
  const anchors = near.length > 0 ? near : message.text.anchors.slice(0, 1);
  const { plain } = message.text;
  return {
    action: kind.action,
    object_name_raw: object,
    qualifiers: [],
    stroke: null,
    anchor: anchorBeside(object, anchors, anchor),
    category: kind.category,
    status,
    change_type: kind.change_type,
    environment: environments.find(([, pattern]) => pattern.isIn(text))?.[0] ?? 'unknown',
    severity: kind.category === 'risk' ? (severities.find(([, pattern]) => pattern.isIn(plain))?.[0] ?? null) : null,
    planned_start: isPlanned ? (date?.start ?? null) : null,
    planned_end: isPlanned ? end : null,
    actual_start: isPlanned || (isDone && date?.end === null) || (isDone && date === null) ? null : at,
    actual_end: isDone ? (end ?? at) : null,
    ...(date !== null && !date.hasTime ? { days_only: true } : {}),
    time_source: date === null ? 'ts_fallback' : date.isRelative ? 'relative' : 'explicit',
    time_confidence: date?.confidence ?? 0.3,
    summary: text,
    why_it_matters: null,
    links: (links.length > 0 ? links : message.text.links).slice(0, 3),
    anchors,
    impact_area: impactAreas
      .filter(([, pattern]) => pattern.isIn(text))
      .map(([area]) => area)
      .slice(0, 3),
    impact_type: kind.action === 'Incident' ? ['downtime'] : kind.action === 'Policy' ? ['policy_change'] : [],
    confidence: Math.max(0, Math.min(1, Math.round(confidence * 100) / 100)),
  };
}
