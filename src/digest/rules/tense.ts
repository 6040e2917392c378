/** When something happens as its verb has it. */
import type { Match } from './matches.ts';
import { doneWords, futureWords } from './vocabulary.ts';

export type Tense = 'past' | 'present' | 'future' | 'none';

const passiveFuture =
  /\b(?:will|to|gets?|going to|shall|can|could|should|would|must|might|may|needs? to|scheduled to|planned to|expected to|wird|werden|sera|será|будет|zal)\s+(?:be\s+|have\s+been\s+)?(?:\w+ly\s+)?$/i;
const presentPassive =
  /\b(?:(?:is|are) being|is|are|gets?|wird|werden|est|sont|es|é|são|wordt|worden)\s+(?:\w+ly\s+)?$/i;
const pastVerb =
  /(?:[^aeiou]ed|[aeiou]ed|shipped|live|out|available|down|here|can now|runs? on|on the new|on prod(?:uction)?|prod(?:uction)? is(?: now)? on|for (?:everyone|everybody|all)|is in|at \d+ ?%|in the (?:app |play )?stores?|online|offline|in prod(?:uction)?|en ligne|no ar|en producci[oó]n|en production|em produção|in produktion|in productie|funcionar|erreichbar|verfügbar|umgestellt|已上线|unavailable|unreachable|degraded|broken|over|back|gegangen|t|é|ée|ado|ada|ли|ло|ла|шёл|шел|した)$/iu;

export function tenseOf(text: string, matches: readonly Match[], isToCome: () => boolean): Tense {
  const isFuture = futureWords.isIn(text);
  // What has started is not over.
  const verb = matches.find(({ isVerb, word }) => isVerb && !/^(?:started|began|begun)/i.test(word));
  if (verb !== undefined) {
    const before = text.slice(0, verb.index);
    if (/\bhad to $/i.test(before)) return 'past';
    if (passiveFuture.test(before) || /\b(?:will|going to|plan(?:s|ning)? to|about to|'ll)\b[^,;.]*$/i.test(before))
      return 'future';
    // "Is announced on Friday" tells of what is to come, "was announced on Friday" of what is over.
    if (!/^\p{L}+ing\b/u.test(verb.word) && presentPassive.test(before) && !doneWords.isIn(before) && isToCome())
      return 'future';
    if (verb.kind.needsDate && /^(?:is|are|be|will)\s/i.test(verb.word)) return isFuture ? 'future' : 'none';
    if (/\b(?:wird|werden)\b/i.test(before) && isToCome()) return 'future';
    if (/^(?:must|needs?|ha(?:ve|s) to|requires?|no longer .*)$/i.test(verb.word))
      return isToCome() ? 'future' : 'none';
    if (/^(?:(?:is|are|was|were|now|being) (?:\S+ )?)?\p{L}+ing\b/iu.test(verb.word))
      return isFuture ? 'future' : 'present';
    if (
      /(?:^|\s)(?:goe?s? (?:live|out|into (?:effect|force))|(?:takes?|comes? into) (?:effect|force)|launches|ships|releases|deploys|moves|migrates|opens|starts)$/i.test(
        verb.word,
      )
    )
      return 'future';
    if (/^(?:geht|gehen|gaat|findet|läuft|gilt|tritt|beginnt|endet|kommt|kommen|zieht|ziehen)(?:\s|$)/i.test(verb.word))
      return 'future';
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
