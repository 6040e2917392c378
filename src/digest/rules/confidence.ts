/** What makes it doubtful that an event is one. */
import type { Status } from '../events/event.ts';
import type { CandidateMessage } from '../events/extractor.ts';
import type { FoundDate } from './dates.ts';
import { isDenied, isSetting, type Match } from './matches.ts';
import { isPutAway } from './status.ts';
import {
  absenceWords,
  doubtWords,
  impactAreas,
  requestWords,
  routineWords,
  talkWords,
  thanksWords,
  workshopWords,
} from './vocabulary.ts';

/** Less is a guess. */
export const leastConfidence = 0.3;

/** How much each of them takes away from how sure a sign makes us. */
export const lessFor = {
  doubt: 0.35,
  request: 0.2,
  negation: 0.3,
  absence: 0.4,
  thanks: 0.25,
  vague: 0.25,
  noName: 0.15,
  talk: 0.2,
  habit: 0.3,
  ownDay: 0.3,
  workshop: 0.2,
  routine: 0.3,
  setting: 0.3,
  longAgo: 0.3,
  longBot: 0.2,
  longText: 0.1,
} as const;

export interface Doubted {
  text: string;
  match: Match;
  status: Status;
  date: FoundDate | null;
  object: string;
  anchor: string | null;
  /** The words around it say what it is about. */
  isNamed: boolean;
}

/** How much less than its signs promise an event is to be trusted. */
export function doubtOf(
  { text, match, status, date, object, anchor, isNamed }: Doubted,
  message: CandidateMessage,
): number {
  const isIncident = match.kind.action === 'Incident';
  const told = toldPart(text, match, date);
  const isLongAgo = date !== null && Date.parse(date.end ?? date.start) < Date.parse(message.posted_at) - longAgoMs;
  const reasons: Record<keyof typeof lessFor, boolean> = {
    doubt: doubtWords.isIn(told),
    request: date === null && requestWords.isIn(text.slice(0, match.index)),
    negation: isDenied(text, match) && !isPutAway(status),
    absence: absenceWords.isIn(told) && !isPutAway(status),
    thanks: thanksWords.isIn(text.slice(0, match.index + match.length)) && (isIncident || !match.isVerb),
    vague:
      isVagueState(match, object, message.text.plain, text) ||
      isParcel(match, object) ||
      isBareIssue(match, object) ||
      isPaper(match, text),
    noName: !isNamed,
    talk: date === null && anchor === null && talkWords.isIn(told.replace(match.word, ' ')),
    habit: date === null && isHabit(text, match),
    ownDay: match.kind.isThing && !isPutAway(status) && isOwnDay(text),
    workshop: isIncident && match.isVerb && workshopWords.isIn(object),
    routine: date === null && match.kind.object === 'before' && routineWords.isIn(text),
    setting: isSetting(match, text),
    longAgo: isLongAgo,
    longBot: message.isBot && message.text.plain.length > longBot,
    longText: text.length > longText,
  };
  let doubt = 0;
  for (const [reason, less] of Object.entries(lessFor)) if (reasons[reason as keyof typeof lessFor]) doubt += less;
  return doubt;
}

/** Without the remarks behind it: "VPN upgrade done, please update your client", but not "we deploy tomorrow, if the tests pass". */
function toldPart(text: string, match: Match, date: FoundDate | null): string {
  const end = Math.max(match.index + match.length, date === null ? 0 : date.index + date.length);
  const remark = /[,;(–—](?!\d)|\s-\s/.exec(text.slice(end));
  if (remark === null) return text;
  const isCondition =
    /^\W*(?:but |and )?(?:only )?(?:if|unless|assuming|provided|pending|wenn|falls|sofern|si|a menos|если)\b/iu;
  return isCondition.test(text.slice(end + remark.index)) ? text : text.slice(0, end + remark.index);
}

/** "The chaincode is deployed on each peer": what it always does. */
function isHabit(text: string, { isVerb, index, length }: Match): boolean {
  return (
    isVerb &&
    /\b(?:is|are|gets?)\s+(?:\w+ly\s+)?$/i.test(text.slice(0, index)) &&
    /^\s+(?:as|during|by|under|inside|within|like|in-\p{L}+|using|when|each|every|if|via|through|only|automatically|where|before|after|on (?:each|every|all|one|the|my|your))\b/iu.test(
      text.slice(index + length),
    )
  );
}

/** "I'll miss the planning on Friday", and not "I'm hosting a workshop on Friday". */
function isOwnDay(text: string): boolean {
  return (
    /(?<![\p{L}'])(?:i|i'm|i'll|i've|i'd|me|he|she)(?![\p{L}'])/iu.test(text) &&
    !/\b(?:host|giv|present|runn?|organi[sz]|lead|hold|schedul|arrang|book|invit|announc|remind|moderat|teach|kick)(?:e|ing|ed|s)?\b/i.test(
      text,
    )
  );
}

/** Told of a time that nobody reads a digest for. */
const longAgoMs = 60 * 86_400_000;
const longText = 300;
/** What an app quotes at length is mostly what somebody wrote elsewhere: the text of a pull request, a list of commits. */
const longBot = 400;

/** "That issue is resolved": everybody has issues all day; those that have a place are told. */
function isBareIssue({ word }: Match, object: string): boolean {
  return /^issues?$/i.test(word) && object.toLowerCase() === word.toLowerCase();
}

/** "The minutes of the call are now available": the call was no launch. */
function isPaper({ kind, index, isVerb }: Match, text: string): boolean {
  return (
    isVerb &&
    kind.action === 'Launch' &&
    /\b(?:minutes|notes|slides|recordings?|agenda|photos|pictures|logs?|details)\b/i.test(text.slice(0, index))
  );
}

/** Shops ship orders all day. */
function isParcel({ word }: Match, object: string): boolean {
  return (
    /^ship/i.test(word) &&
    /\b(?:orders?|parcels?|packages?|pallets?|containers?|deliver(?:y|ies)|samples?)\b/i.test(object)
  );
}

/** "Search is back. The errors stopped at 10:21": people come back too. */
const isOfMachines =
  /\b(?:outage|incident|errors?|down(?:time)?|post-?mortem|root cause|restart(?:ed)?|5\d\ds?|latency|queries|requests|disk)\b/i;

/** The sun is out, and help is available; a product has a name or a number, or is called new. */
function isVagueState({ word }: Match, object: string, whole: string, text: string): boolean {
  if (/^(?:is|are|now)\b.*\bback$/i.test(word))
    return !isOfMachines.test(whole) && !impactAreas.some(([, words]) => words.isIn(object));
  // At the beginning of a sentence everything has a capital.
  const name = text.startsWith(object) ? object.slice(1) : object;
  return /^(?:is|are|was|were|now)\b.*\b(?:out|available|over|back)$/i.test(word) && !/[\p{Lu}\d]|\bnew\b/u.test(name);
}
