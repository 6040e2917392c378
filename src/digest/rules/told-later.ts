/** What a later clause tells of an event that was told before: its time, its end, that it was put off or called off. */
import type { IsoTime } from '../../model.ts';
import type { ExtractedEvent } from '../events/event.ts';
import { endOf } from './build-event.ts';
import type { Clause } from './clauses.ts';
import type { Context } from './context.ts';
import { type FoundDate, readDates } from './dates.ts';
import { tellingMatches } from './matches.ts';
import { isPutAway, isPutOff, newDate, sure } from './status.ts';
import { canceledWords } from './vocabulary.ts';

const dayMs = 86_400_000;

/** Two clauses of one message about one thing: "X is live. X was released today." */
export function isSame(a: ExtractedEvent, b: ExtractedEvent): boolean {
  if (a.object_name_raw.toLowerCase() !== b.object_name_raw.toLowerCase()) return false;
  return (
    a.action === b.action &&
    a.status === b.status &&
    (timeOf(a) === timeOf(b) || b.time_source === 'ts_fallback' || a.time_source === 'ts_fallback')
  );
}

/** "Incident: checkout. Start: 13:05. End: 14:20." */
export function hasEnded(a: ExtractedEvent, b: ExtractedEvent): boolean {
  return (
    a.action === 'Incident' &&
    b.action === 'Incident' &&
    (a.status === 'started' || a.status === 'updated') &&
    b.status === 'completed' &&
    a.object_name_raw.toLowerCase() === b.object_name_raw.toLowerCase()
  );
}

/** "Nobody is there for tomorrow's board meeting, so I'm canceling the meeting". */
export function isOff(told: ExtractedEvent, found: ExtractedEvent): boolean {
  const [name, again] = [told, found].map((event) => event.object_name_raw.toLowerCase());
  return (
    isPutAway(found.status) &&
    !isPutAway(told.status) &&
    name !== again &&
    name?.endsWith(` ${again}`) === true &&
    (found.time_source === 'ts_fallback' || found.status === 'postponed' || timeOf(told) === timeOf(found))
  );
}

export function better(a: ExtractedEvent, b: ExtractedEvent): ExtractedEvent {
  if (a.time_source === 'ts_fallback' && b.time_source !== 'ts_fallback') return { ...b, summary: a.summary };
  return a.confidence >= b.confidence ? a : { ...a, confidence: b.confidence };
}

function timeOf({ actual_start, actual_end, planned_start }: ExtractedEvent): IsoTime | null {
  return actual_start ?? actual_end ?? planned_start;
}

/** "There is a talk on Friday. It starts at 15:00." */
export function withTimeOf(
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
export function withTimesTold(
  { text, isQuestion }: Clause,
  last: ExtractedEvent | null,
  context: Context,
): ExtractedEvent | null {
  if (last === null || last.time_source !== 'ts_fallback' || isQuestion) return null;
  const isOfIncident = last.action === 'Incident';
  if (!isOfIncident && !(/^since\b/i.test(text) && (last.status === 'started' || last.status === 'completed')))
    return null;
  if (
    !(timeOfIncident.test(text) || (isOfIncident && signature.test(text))) ||
    tellingMatches(text).some(({ kind }) => kind.action !== 'Incident')
  )
    return null;
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

/** As status pages sign: "Sep 16, 15:28 EDT". */
const signature =
  /(?:^|[\s,])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{1,2}(?:,| at|, \d{4},?| -)? \d{1,2}:\d\d(?: ?(?:[ap]m|[A-Z]{2,4}))*$/i;
const timeOfIncident =
  /\b(?:since|(?:started|began|stopped|ended|recovered|resolved|back) (?:at|around|about)|seit|depuis|desde)\b/i;
const longestIncidentMs = 2 * dayMs;

const timeFirst =
  /^(?:it|we|they|the|doors|time|starts?|starting|kick-?off|from|at|um|ab|los|beginn|début|à|a las|às|~|\d)(?![\p{L}])/iu;
const longestTime = 80;

/** "Postponed to Tuesday.": of what was told before. */
export function followUp(
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
