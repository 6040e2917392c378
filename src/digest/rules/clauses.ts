/** A message cut into the pieces that each tell of one thing at most. */

import { tellingMatches } from './matches.ts';

export interface Clause {
  text: string;
  /** The line above a list to which it belongs. */
  heading: string | null;
  /** The line of which it is a part. */
  line: string;
  /** It asks. */
  isQuestion: boolean;
}

const bullet = /^\s*(?:[•◦▪‣*–-]|\d{1,2}[.)]|:[a-z0-9_+-]+:)\s+/;

/** As written within a sentence, and at its beginning. */
function eitherCase(words: string): string {
  return words
    .split(' ')
    .map((word) => `[${word.charAt(0)}${word.charAt(0).toUpperCase()}]${word.slice(1)}`)
    .join('|');
}

const abbreviations = eitherCase(
  'e\\.g i\\.e vs ul str approx ca no nr st jan feb mar apr jun jul aug sept? oct nov dec mr mrs dr prof z\\.b bzw',
);
const months = eitherCase('jan feb mär mar apr mai may jun jul aug sep okt oct nov dez dec');

/** Ends of sentences, but not the point of an abbreviation or of a day's number. */
const sentenceEnd = new RegExp(
  `(?<=[.!?…])(?<!\\b(?:${abbreviations})\\.)(?<!\\b\\d{1,2}\\.\\d{1,2}\\.)(?<!\\s\\p{Lu}\\.)(?<!\\b\\d{1,2}\\.(?=\\s+(?:\\p{Ll}|${months})))\\s+(?=\\S)|(?<=[。！？])|(?<!\\([^)]{0,30})\\s+(?=\\d\\)\\s)`,
  'u',
);

const asking =
  /^(?:hey |hi |so |and |but |also |@\S+[,:]? )*(?:should|shall|can|could|would|will|do|does|did|is|are|was|were|has|have|had|any(?:one|body)|who|what|when|where|why|how|which|am i|wer|wann|warum|wie|was|kann|können|sollen|est-ce|qui|quand|pourquoi|comment|quién|cuándo|por qué|cómo|quem|quando|кто|когда|почему|как|wie|wanneer|waarom)\b(?=.*\?)/iu;

/** Quotations, commits, and orders to robots. */
const quoted = /^\s*(?:>|&gt;|`?[0-9a-f]{7,40}`?\s|@dependabot\b|\/\w+\s)/;

/** A line of a form. */
const field = /^[\p{L}][\p{L} &/]{1,20}:\s*\S/u;
const timeField =
  /^(?:when|date|time|date (?:and|&) time|day|starts?|begins?|ends?|until|window|datum|wann|termin|beginn|ende|bis|début|fin|quand|date et heure|fecha|cuándo|data|quando|wanneer|когда|дата)\s*:\s*/iu;

const endField = /^(?:ends?|until|bis|ende|fin|hasta|até|tot)\s*:/i;

/** Asked without a question mark. */
const askingYou =
  /^(?:@\S+[,:]? |hi |hey |so |and )*(?:have|has|did|do|does|are|is|can|could|would|will|was|were) (?:you|we|they|there|it|anyone|anybody|someone|somebody|i)\b/i;

/** Code that nobody has marked as such. */
const coded = /[{};]\s*$|\b\w+\.\w+\(|=>|^\s*\$ /;

/** Lines of logs. */
const logged = /\d\d:\d\d:\d\d[.,]\d{3}|\]\s+\w+\s+->|\b(?:ERRO|DEBU|DEBUG|TRACE)\b/;

/** The clauses of a plain text, without code, quotations and formatting; at most so many characters are read. */
export function clausesOf(plain: string): Clause[] {
  const clauses: Clause[] = [];
  let heading: string | null = null;
  let title: string | null = null;
  let block: string[] = [];
  let wasTime = false;
  for (const line of withoutCode(plain.slice(0, longest)).split('\n')) {
    if (quoted.test(line) || logged.test(line) || coded.test(line)) continue;
    const isItem = bullet.test(line);
    const said = spoken(line.replace(bullet, ''));
    const above: string | null = timeField.test(said) ? (block.find(tells) ?? heading ?? title) : null;
    const isTime: boolean = above !== null;
    const isField: boolean = isTime || (heading !== null && field.test(said));
    const before = clauses.at(-1);
    if (isTime && wasTime && before !== undefined) {
      // "Date: 4 May", and below it "Time: 10:00".
      before.text += `${endField.test(said) ? ' - ' : ' '}${said.replace(timeField, '')}`;
      continue;
    }
    // "When: Saturday 20:00" is said of what stands above.
    const text: string = isTime ? said.replace(timeField, `${above}: `) : said;
    if (text === '') {
      if (line.trim() === '') {
        heading = null;
        block = [];
      }
      continue;
    }
    wasTime = isTime;
    if (!isTime) block.push(text);
    for (const sentence of text.split(sentenceEnd)) {
      const own = sentence.trim();
      if (own === '') continue;
      clauses.push({ text: own, heading: isItem ? heading : null, line: text, isQuestion: isQuestion(own) });
    }
    if (isItem || isField) continue;
    heading = text;
    title ??= text;
  }
  return clauses;
}

/** A digest's worth; what stands behind it are logs. */
const longest = 12_000;

function withoutCode(text: string): string {
  return text
    .replace(/```[\s\S]*?(?:```|$)/g, '\n')
    .replace(/`[^`\n]*`/g, (code) => (code.length <= 42 ? code.slice(1, -1) : ' '));
}

/** `:tada:`, and not the middle of "2:00-4:00". */
const emojiCode = /(?<!\w):(?:[+-]1|[a-z][\w+'-]*):(?::skin-tone-\d:)?(?!\d)/gi;

/** Many end a sentence with one. */
const emojiBetween = new RegExp(
  `(?<=[\\p{L}\\p{N})]) +(?:(?:${emojiCode.source}|\\p{Extended_Pictographic}[\\uFE0F\\u200D]*) ?)+(?=\\p{Lu})`,
  'giu',
);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const controls = /\x1b\[[\d;]*[A-Za-z]|(?!\t)[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What people read: no emoji, no stars, nothing that was struck out. */
function spoken(line: string): string {
  return line
    .replace(controls, '')
    .replace(/~[^~\n]+~/g, ' ')
    .replace(emojiBetween, '. ')
    .replace(emojiCode, ' ')
    .replace(/(?<![\p{L}\p{N}])[*_]+|[*_]+(?![\p{L}\p{N}])/gu, '')
    .replace(/\p{Extended_Pictographic}|\uFE0F|\u200D/gu, ' ')
    .replace(/[“”«»„]/g, '"')
    .replace(/[’‘]/g, "'")
    .replace(/\s+/g, ' ')
    .trim();
}

function tells(line: string): boolean {
  return tellingMatches(line).length > 0;
}

function isQuestion(sentence: string): boolean {
  const end = sentence.replace(/[\s)"'!]+$/, '');
  return /[?？]$/.test(end) || asking.test(sentence) || askingYou.test(sentence);
}
