/** The words in a clause that tell of events, and which of them tells what it is about. */
import type { FoundDate } from './dates.ts';
import type { Told } from './object-name.ts';
import {
  canceledWords,
  type Kind,
  kinds,
  maintenanceWords,
  mayTell,
  negationWords,
  postponedWords,
} from './vocabulary.ts';
import type { Words } from './words.ts';

export interface Match extends Told {
  kind: Kind;
  word: string;
}

/** Those that stand only for where or why something happened are left out, unless there are no others. */
export function tellingMatches(text: string): readonly Match[] {
  if (!mayTell(text)) return [];
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const matches = withoutSettings(matchesIn(text), text);
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(text, matches);
  return matches;
}

/** A clause is looked at several times, together with its neighbours and by itself. */
const remembered = new Map<string, readonly Match[]>();
const mostRemembered = 50;

/** The words of a clause that tell of events, one for each kind, the most telling first. */
export function matchesIn(written: string): Match[] {
  // "https://hangouts.example/call" tells of no call.
  const text = written.replace(/\bhttps?:\/\/\S+/g, (address) => ' '.repeat(address.length));
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
  /^(?:(?:webinar|meeting|training|demo|call|session|seminar|lecture|talk|workshop) (?:recording|slides|deck|link|invite|notes|minutes|times?|details)s?|release notes?|release managers?|release candidates?|release train|release branch(?:es)?|launch ?pad|deploy(?:ment)? keys?|deploy(?:ment)? scripts?|deploy(?:ment)? pipelines?|launch darkly|meeting notes|meeting room|incident channel|incident response|review comments?|maintenance mode|policy ?holder)/i;

/** "Please upgrade", "don't deploy": verbs that look like nouns. */
const asked = /\b(?:please|pls|don't|do not|didn't|did not|never|cannot|can't)\s+$/i;

/** No sentence tells of more; text made of such words alone is not looked at to its end. */
const mostOfKind = 20;

function matchesOf(kind: Kind, words: Words | null, isVerb: boolean, text: string): Match[] {
  const places = words?.placesIn(text).slice(0, mostOfKind) ?? [];
  return places
    .filter(({ index, length }) => !noEvents.test(text.slice(index, index + length + 14)))
    .filter(({ index }) => isVerb || !asked.test(text.slice(0, index)))
    .filter((place) => !isVerb || !isAdjective(text, place))
    .map((place) => ({ ...place, kind, word: text.slice(place.index, place.index + place.length), isVerb }));
}

/** "Start with released protobuf", "edit the deployed chaincode". */
function isAdjective(text: string, { index, length }: { index: number; length: number }): boolean {
  return (
    /ed$/i.test(text.slice(index, index + length)) &&
    /\b(?:the|an?|any|each|every|all|some|no|with|of|from|edit|use|using|your|my|their)\s+(?:already |newly |recently |previously |just )?$/i.test(
      text.slice(0, index),
    ) &&
    /^\s+(?!(?:to|in|on|at|by|for|from|with|and|as|today|yesterday|last|this|earlier|now)\b)\p{L}/iu.test(
      text.slice(index + length),
    )
  );
}

/** "In the meeting on Tuesday we decided": not what is told, but where. */
const setting =
  /\b(?:in|during|after|since|following|despite|due to|because of|(?:notes|slides|minutes|recordings?|photos|videos?|feedback|recap|summary|deck|action items) (?:from|of))\s+(?:(?:the|our|this|that|last|\p{L}+'s|an?)\s+)(?:\S+\s+)?$/iu;

export function isSetting({ isVerb, index }: Match, text: string): boolean {
  const before = text.slice(0, index);
  return isVerb
    ? /\b(?:(?:while|as|because|so that) we(?:'re| are)?|(?:after|since|before|once|when|if) (?:we|they|i|you)) $/i.test(
        before,
      )
    : setting.test(before);
}

/** "The code freeze for the release", "release planning": of two names the one, of a compound the last is told. */
function isBeside({ isVerb, index, length }: Match, matches: readonly Match[], text: string): boolean {
  if (isVerb) return false;
  const before = text.slice(0, index);
  return matches.some((other) => {
    if (other.isVerb || !other.kind.isThing) return false;
    if (other.index < index) return /\b(?:for|before|ahead of)\s+(?:the\s+|our\s+)?(?:\S+\s+)?$/i.test(before);
    const between = text.slice(index + length, other.index);
    return /^\s+(?:v?\d[\d.]*\s+)?$/.test(between) && !maintenanceWords.isIn(other.word);
  });
}

/** Where something else is told as well. */
function withoutSettings(matches: readonly Match[], text: string): Match[] {
  const told = matches.filter((match) => !isSetting(match, text) && !isBeside(match, matches, text));
  return told.length > 0 ? told : [...matches];
}

/** Of several telling words: not one that is denied, and not the downtime that something planned brings along. */
export function mostTelling(
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
  const harmless = candidates.find(({ kind }) => kind.action !== 'Incident' && kind.needsDate === undefined);
  const head = candidates.find(({ isVerb, index }) => isVerb && isHeadBetween(text, candidates, index));
  if (head !== undefined) return head;
  // "Post-mortem on Thursday, invite going out now".
  const [first] = candidates;
  if (first?.kind.action === 'RCA') return first;
  const isOff = canceledWords.isIn(text) || postponedWords.isIn(text);
  return (isPlanned || isOff ? (maintenance ?? harmless) : undefined) ?? candidates[0] ?? null;
}

/** "The summit registration closes on Friday": not the summit does. */
function isHeadBetween(text: string, matches: readonly Match[], verb: number): boolean {
  return matches.some(
    ({ isVerb, kind, index, length }) =>
      !isVerb &&
      kind.isThing &&
      /^\s+(?!(?:to|will|shall|is|are|was|were|has|gets?|now|also|only|still|itself|series|season|week|day)\b)\p{L}[\p{L}-]*[^\s\p{L}s]?\s+$/iu.test(
        text.slice(index + length, verb),
      ) &&
      !/ly\s+$/.test(text.slice(index + length, verb)),
  );
}

/** "No deploys", "not a launch". */
export function isDenied(text: string, { index }: Match): boolean {
  return negationWords.isIn(text.slice(0, index).split(/\s+/).slice(-4).join(' '));
}
