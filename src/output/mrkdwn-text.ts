/** Text from outside inside Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text). */
import { oneLine } from './plain-text.ts';
import { webLink } from './web-link.ts';

const wordJoiner = '\u2060';

/**
 * What means something in mrkdwn, and what stands for it. Slack has no escape for its formatting, so signs that look alike take
 * the place of those that could set a part of the line in bold, struck out or in code.
 */
const replacements: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '*': '∗',
  '~': '∼',
  '`': 'ˋ',
};

/**
 * The text as one line that shows what was written and does nothing: it pings nobody (`<!channel>`, `<@U1>`, `@here`, `@name`),
 * links nothing and formats nothing. At most `length` UTF-16 units long when it is escaped, and never cut inside a character or
 * an entity.
 */
export function escapeMrkdwn(text: string, length: number): string {
  const characters = [...oneLine(text)];
  let escaped = '';
  let whole = '';
  for (const [index, character] of characters.entries()) {
    const next = escaped + escapeCharacter(character, characters[index - 1] ?? '', characters[index + 1] ?? '');
    if (next.length > length) return `${whole.trimEnd()}…`;
    escaped = next;
    // What leaves room for the sign that the rest is missing.
    if (escaped.length < length) whole = escaped;
  }
  return escaped;
}

function escapeCharacter(character: string, previous: string, next: string): string {
  // A quotation begins with the sign at the beginning of a line.
  if (character === '>' && previous === '') return `${wordJoiner}&gt;`;
  if (character === '@') return next === '' || next === ' ' ? character : character + wordJoiner;
  // Inside of words, as in names of code, it means nothing.
  if (character === '_') return isWord(previous) && isWord(next) ? character : 'ˍ';
  return replacements[character] ?? character;
}

function isWord(character: string): boolean {
  return /[\p{L}\p{N}_]/u.test(character);
}

/** Of an address, escaped. */
const longestLink = 1000;

/**
 * `<address|label>` with at most `length` UTF-16 units of label and 1000 of address, or the label alone where the address is none
 * for a link.
 */
export function mrkdwnLink(label: string, address: string | null, length: number): string {
  // The first bar ends the address; what clients make of a second one is nowhere said.
  const words = escapeMrkdwn(label.replace(/\|/g, '∣'), length);
  // Nobody says that a client looks for `@channel` in an address; nobody says that none does.
  const link = webLink(address)?.replace(/&/g, '&amp;').replace(/@/g, '%40') ?? '';
  return link === '' || link.length > longestLink || words === '' ? words : `<${link}|${words}>`;
}
