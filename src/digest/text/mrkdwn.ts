/** Slack's mrkdwn and rich text, read once into what people see (docs.slack.dev/messaging/formatting-message-text). */
import type { JsonObject, JsonValue } from '../../model.ts';
import { integerOf, nonEmptyText, objectOf, objectsOf } from '../../normalize/json-access.ts';
import { withoutSentenceEnd } from './links.ts';

/** What ids are called; null for those that nobody knows. */
/** As Slack shows a channel to those who may not see it. */
export const hiddenChannel = 'private-channel';

export interface Names {
  user(id: string): string | null;
  channel(id: string): string | null;
  usergroup(id: string): string | null;
}

/** Takes up the parts of a message: what is read, what is matched, addresses, calls to all. */
export class TextParts {
  readonly plain: string[] = [];
  readonly norm: string[] = [];
  readonly urls: string[] = [];
  mentions = 0;
  readonly #said = new Set<string>();

  text(text: string): void {
    this.plain.push(text);
    this.norm.push(text);
  }

  code(text: string, isBlock: boolean): void {
    this.plain.push(isBlock ? `\n\`\`\`${text}\`\`\`\n` : `\`${text}\``);
    this.norm.push(' ');
  }

  person(name: string): void {
    this.plain.push(`@${name}`);
    this.norm.push(' ');
  }

  group(name: string): void {
    this.plain.push(`@${name}`);
    this.norm.push(` ${name} `);
  }

  channel(name: string): void {
    this.plain.push(`#${name}`);
    this.norm.push(name);
  }

  everybody(range: string): void {
    this.mentions += 1;
    this.plain.push(`@${range}`);
    this.norm.push(' ');
  }

  link(url: string, label: string | null): void {
    this.urls.push(url);
    const isAddress = label === null || label === url;
    this.plain.push(isAddress ? url : label);
    this.norm.push(isAddress ? ' ' : ` ${label} `);
  }

  /** Goes to a new line unless one has just begun. */
  startLine(): void {
    if (this.plain.at(-1)?.endsWith('\n') !== false) return;
    this.plain.push('\n');
    this.norm.push(' ');
  }

  /** Adds a part on a line of its own, unless the same was said before. Addresses in it count all the same. */
  addOnce(add: () => void): void {
    const { plain, norm, mentions } = this;
    const [from, normFrom] = [plain.length, norm.length];
    this.startLine();
    add();
    const said = plain.slice(from).join('').trim();
    if (said !== '' && !this.#said.has(said)) {
      this.#said.add(said);
      return;
    }
    plain.length = from;
    norm.length = normFrom;
    this.mentions = mentions;
  }
}

const token = /```([\s\S]*?)```|`([^`\n]+)`|<([^<>\n]*)>|(?<![\w/])(?:https?:\/\/|www\.)[^\s<>"'|]+/g;

/** Reads mrkdwn. Only `&`, `<` and `>` are escaped in it. */
export function readMrkdwn(text: string, names: Names, parts: TextParts): void {
  if (!/[<`]|:\/\/|www\./.test(text)) {
    readWords(decode(text), parts);
    return;
  }
  let from = 0;
  for (const match of text.matchAll(token)) {
    const [whole, block, code, inside] = match;
    readWords(decode(text.slice(from, match.index)), parts);
    if (block !== undefined) parts.code(decode(withoutBrackets(block)), true);
    else if (code !== undefined) parts.code(decode(withoutBrackets(code)), false);
    else if (inside === undefined) readBareUrl(decode(whole), parts);
    else readToken(inside, names, parts);
    from = match.index + whole.length;
  }
  readWords(decode(text.slice(from)), parts);
}

/** Words, in which a call to all may stand as people typed it. */
function readWords(text: string, parts: TextParts): void {
  if (text === '') return;
  if (text.includes('@')) parts.mentions += text.match(/(?<![\w@])@(?:channel|here|everyone)\b/g)?.length ?? 0;
  parts.text(text);
}

function readBareUrl(text: string, parts: TextParts): void {
  const url = withoutSentenceEnd(text);
  parts.link(url, null);
  if (url.length < text.length) parts.text(text.slice(url.length));
}

/** Links inside code keep their address. */
function withoutBrackets(text: string): string {
  return text.replace(/<([^<>|\n]+)(?:\|[^<>\n]*)?>/g, '$1');
}

function readToken(inside: string, names: Names, parts: TextParts): void {
  const bar = inside.indexOf('|');
  const target = bar === -1 ? inside : inside.slice(0, bar);
  const label = bar === -1 || bar === inside.length - 1 ? null : decode(inside.slice(bar + 1));
  const id = target.slice(1);
  const sign = target.charAt(0);
  if (sign === '@') parts.person(names.user(id) ?? label?.replace(/^@/, '') ?? 'somebody');
  else if (sign === '#') {
    const name = names.channel(id);
    parts.channel(name === hiddenChannel ? name : (label?.replace(/^#/, '') ?? name ?? 'unknown-channel'));
  } else if (sign === '!') readSpecial(id, label, names, parts);
  else readAddress(decode(target), label, parts);
}

function readAddress(url: string, label: string | null, parts: TextParts): void {
  if (/^(?:https?:|www\.)/i.test(url)) parts.link(url, label);
  else if (/^(?:mailto|tel):/i.test(url)) parts.text(label ?? url.slice(url.indexOf(':') + 1));
  else parts.text(label ?? `<${url}>`);
}

const ranges = new Set(['channel', 'here', 'everyone', 'group']);

function readSpecial(special: string, label: string | null, names: Names, parts: TextParts): void {
  const group = /^subteam\^(\w+)/.exec(special)?.[1];
  if (ranges.has(special)) parts.everybody(special);
  else if (group !== undefined) parts.group(label?.replace(/^@/, '') ?? names.usergroup(group) ?? 'group');
  // <!date^1392734382^{date}|Feb 18> shows its text where dates are not understood.
  else parts.text(label ?? '');
}

function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

const lineEnds = new Set(['rich_text_section', 'rich_text_preformatted', 'rich_text_quote']);

/** Reads the elements of a `rich_text` block (docs.slack.dev/reference/block-kit/blocks/rich-text-block); they hold plain text. */
export function readRichText(elements: JsonValue | undefined, names: Names, parts: TextParts): void {
  for (const element of objectsOf(elements)) {
    const type = nonEmptyText(element['type']) ?? '';
    if (type === 'rich_text_preformatted') parts.code(plainOf(element['elements']), true);
    else if (!readLeaf(type, element, names, parts)) readRichText(element['elements'], names, parts);
    if (lineEnds.has(type)) parts.startLine();
  }
}

function plainOf(elements: JsonValue | undefined): string {
  return objectsOf(elements)
    .map((leaf) => nonEmptyText(leaf['text']) ?? nonEmptyText(leaf['url']) ?? '')
    .join('');
}

/** False for an element that holds others. */
function readLeaf(type: string, element: JsonObject, names: Names, parts: TextParts): boolean {
  const idOf = (key: string) => nonEmptyText(element[key]) ?? '';
  switch (type) {
    case 'text': {
      const text = nonEmptyText(element['text']) ?? '';
      if (objectOf(element['style'])?.['code'] === true) parts.code(text, false);
      else readWords(text, parts);
      return true;
    }
    case 'link':
      parts.link(idOf('url'), nonEmptyText(element['text']));
      return true;
    case 'emoji':
      parts.text(`:${idOf('name')}:`);
      return true;
    case 'user':
      parts.person(names.user(idOf('user_id')) ?? 'somebody');
      return true;
    case 'channel':
      parts.channel(names.channel(idOf('channel_id')) ?? 'unknown-channel');
      return true;
    case 'usergroup':
      parts.group(names.usergroup(idOf('usergroup_id')) ?? 'group');
      return true;
    case 'broadcast':
      parts.everybody(idOf('range'));
      return true;
    case 'date':
      parts.text(nonEmptyText(element['fallback']) ?? momentOf(element['timestamp']));
      return true;
    case 'color':
      parts.text(idOf('value'));
      return true;
    default:
      return false;
  }
}

/** A date that has no text of its own. */
function momentOf(seconds: JsonValue | undefined): string {
  const known = integerOf(seconds, 9_999_999_999);
  return known === null ? '' : `${new Date(known * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
