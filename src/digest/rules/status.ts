/** How far an event has come, which of the dates around it is its own, and how sure that is. */
import type { Status } from '../events/event.ts';
import type { FoundDate } from './dates.ts';
import type { Match } from './matches.ts';
import { dateMark, masked } from './object-name.ts';
import type { Tense } from './tense.ts';
import {
  begunWords,
  canceledWords,
  confirmedWords,
  doneWords,
  movedWords,
  postponedWords,
  resolvedWords,
  startedWords,
} from './vocabulary.ts';

/** How sure a sign makes us. */
export const sure = {
  verbAndDate: 0.9,
  verb: 0.8,
  nounAndDate: 0.85,
  state: 0.8,
  noun: 0.55,
  list: 0.8,
  announced: 0.7,
  followUp: 0.75,
} as const;

export function isPutAway(status: Status): boolean {
  return status === 'canceled' || status === 'postponed';
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

export function statusOf(
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
  if (kind.isThing && coming[0] !== undefined && isNone(text, match))
    return { status: 'canceled', date: coming[0], certainty: sure.nounAndDate };
  // "Rolled the page back, conversions dropped".
  if (kind.action !== 'Rollback' && canceledWords.isIn(text))
    return { status: 'canceled', date: dates[0] ?? null, certainty: sure.verb };
  // "Seeing delays".
  const isDelay = kind.action === 'Incident' && isVerb && /delay/i.test(match.word);
  if (!isDelay && isPutOff(text, dates, coming)) {
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
    const isFuture = next !== undefined && Date.parse(next.start) > postedAt;
    if (isFuture) return { status: 'planned', date: next, certainty: sure.verbAndDate };
    return { status: 'updated', date: over ?? null, certainty: sure.verb };
  }
  if (kind.isThing && next?.hasTime !== false && extended.test(text)) {
    return { status: 'updated', date: next ?? over ?? null, certainty: sure.verb };
  }
  // "The RCA for Thursday's lag is published": the day is that of the lag.
  const isOfThing = ({ index, length }: FoundDate) => /^'s\b/i.test(text.slice(index + length));
  if (kind.action === 'RCA' && dates.every((date) => date === over || isOfThing(date)) && isPublished.test(text))
    return { status: 'completed', date: null, certainty: sure.verb };
  if (isOfNow.test(text) && next?.hasTime !== true)
    return { status: 'started', date: over ?? null, certainty: sure.verb };
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
  // What runs for a while has begun when it is live.
  if (
    tense === 'past' &&
    !isFutureOnly &&
    (kind.action === 'Campaign' || kind.action === 'A/B Test') &&
    /\blive\b/i.test(text)
  )
    return { status: 'started', date: over ?? null, certainty: sure.verb };
  if (tense === 'past' && !isFutureOnly) {
    const isDone =
      isVerbal ||
      /\b(?:complete[d]?|done|went through|finished|concluded|resolved|published|over|closed|passed|lifted|ended|live|deployed|abgeschlossen|sent|succeeded|completó|finalizó|successful(?:ly)?|passed|verified|terminée?s?|completad[oa]|concluíd[oa]|заверш\p{L}+|afgerond|完了|успешно)/iu.test(
        text,
      );
    if (!isDone) return null;
    // The day of an outage is not that of its analysis.
    if (kind.action === 'RCA') return { status: 'completed', date: null, certainty: sure.verb };
    return { status: 'completed', date: over ?? null, certainty: over === undefined ? sure.verb : sure.verbAndDate };
  }
  // "Is rolling out today" has begun; "will be rolled out today" has not.
  const isOfToday = next !== undefined && !next.hasTime && Date.parse(next.start) <= postedAt;
  if (isOfToday && tense === 'present' && isVerb && !isOfLater.test(text))
    return { status: 'started', date: null, certainty: sure.verb };
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
  if (over !== undefined && !isVerb && kind.action !== 'RCA')
    return { status: 'completed', date: over, certainty: sure.noun };
  // As robots announce it: "New release: acme/app 7.3.0".
  if (kind.action === 'Launch' && /\bnew (?:release|version|build)\s*[:–-]/i.test(text))
    return { status: 'completed', date: null, certainty: sure.verb };
  if (kind.action === 'RCA' || kind.action === 'Policy') {
    const isOut =
      /\b(?:here(?:'s| is)|published|available|attached|link|doc|posted|shared|merged|write-?up|new|updated?|effective)\b/i.test(
        text,
      );
    const isLinked = kind.action === 'RCA' && /https?:/i.test(text);
    return {
      status: /\bupdat/i.test(text) ? 'updated' : 'completed',
      date: null,
      certainty: isOut || isLinked ? 0.7 : 0.4,
    };
  }
  if (tense === 'present' && isVerb) return { status: 'started', date: null, certainty: 0.65 };
  return null;
}

/** "There is no planning meeting on Monday." */
function isNone(text: string, { index }: Match): boolean {
  return /(?:^|\b(?:there(?:'s| is| will be|'ll be)|we(?:'ll)? (?:will )?have|having|reminder|fyi|note|heads[- ]up|es gibt|hay|haverá|aura) |[:,!–—-] )(?:no|keine?n?|pas de|geen|sem)\s+(?:\S+\s+){0,5}$/i.test(
    text.slice(0, index),
  );
}

const isPublished = /\b(?:is|are|was|has been) (?:now |finally )?(?:published|out|done|ready|available|up|complete)\b/i;

/** Today, and not yet. */
const isOfLater =
  /\b(?:tonight|this (?:afternoon|evening)|later today|heute (?:abend|nachmittag|nacht)|ce soir|cet après-midi|esta (?:noche|tarde)|hoje à (?:noite|tarde)|vanavond|vanmiddag)\b|вечером/iu;

/** It holds from the day on which it is told. */
const isOfNow =
  /\b(?:(?:as of|effective|starting|beginning|from) (?:today|now|immediately)|effective immediately|with immediate effect|ab (?:heute|sofort)|dès (?:aujourd'hui|maintenant)|à partir d'aujourd'hui|a partir de (?:hoy|hoje)|vanaf (?:vandaag|nu)|с сегодняшнего дня)(?![\p{L}])/iu;

const extended = /\b(?:extended|prolonged|brought forward|moved up|verlängert|prolongée?|ampliad[oa])\b/i;

/** "Moved to Thursday" puts off; "moved to Aurora" does not. */
export function isPutOff(text: string, dates: readonly FoundDate[], coming: readonly FoundDate[]): boolean {
  if (postponedWords.isIn(text)) return coming.length > 0 || isSurelyPutOff(text);
  if (coming.length === 0 || !movedWords.isIn(text)) return false;
  return movedToDate.test(masked(text, dates)) || coming.some((date) => isFromTo(date, text));
}

/** "From Tuesday to Thursday". */
function isFromTo({ index, time, end }: FoundDate, text: string): boolean {
  const from = /\b(?:from|von|vom|de|du|del|van|с)\s*$/iu;
  const places = [index, ...(time === null ? [] : [time.index])];
  return (
    end !== null &&
    places.some((place) => from.test(text.slice(0, place)) || /^(?:from|von|vom)\b/i.test(text.slice(place)))
  );
}

const movedToDate = new RegExp(
  `(?:mov|push|shift|bump|slid|chang|verleg|déplac|cambi|mud|instead)[^.;:${dateMark}]*?(?:\\b(?:to|until|till|from|of|for|auf|au|à|al|a|para|на)\\s+|${dateMark}+\\s+(?:to|->|→)\\s+)${dateMark}`,
  'iu',
);

function isSurelyPutOff(text: string): boolean {
  return /postpon|paused until|suspended until|on hold|delay|slip|reschedul|deferred|verschoben|verlegt|report[ée]|repouss|aplazad|pospuest|adiad|отлож|перенес|перенос|uitgesteld|延期|推迟|改到|改为/iu.test(
    text,
  );
}

/** The date to which it was put off: the last one, or the end of "from Tuesday to Thursday". */
export function newDate(text: string, coming: readonly FoundDate[]): FoundDate | null {
  const isOld = ({ index, length }: FoundDate) =>
    /\b(?:instead of|rather than|statt|au lieu d[eu]|en vez de)\s*$/i.test(text.slice(0, index)) ||
    /^(?:this|the) (?:week|month|quarter|year)$/i.test(text.slice(index, index + length));
  const isTold = ({ index }: FoundDate) => /\b(?:to|until|till)\s+(?:the\s+)?$/i.test(text.slice(0, index));
  const date = coming.filter((each) => !isOld(each) || isTold(each)).at(-1);
  if (date === undefined) return null;
  return date.end !== null && isFromTo(date, text) ? { ...date, start: date.end, end: null } : date;
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
    /outage|incident|issue|down|sev|firing|resolved|disruption|störung|ausfall|panne|caída|сбой|инцидент|障害/iu.test(
      word,
    );
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
