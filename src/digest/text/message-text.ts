/** What a message says, in the forms the pipeline needs. */
import type { JsonObject, JsonValue } from '../../model.ts';
import { nonEmptyText, objectOf, objectsOf } from '../../normalize/json-access.ts';
import { anchorsOf } from './anchors.ts';
import { normalizeUrls } from './links.ts';
import { type Names, readMrkdwn, readRichText, TextParts } from './mrkdwn.ts';

export interface MessageText {
  /** For people and models: original case, mentions as names, labels of links, entities decoded; lines kept. */
  plain: string;
  /** For matching: lower case, without code, URLs and mentions of people; one line. */
  norm: string;
  /** Normalized URLs in the order they stand, each once. */
  links: string[];
  /** Keys of tickets, pull requests, meetings, documents; in the order of their kinds, each once. */
  anchors: string[];
  /** How often all members, or all who are present, are called: `<!channel>`, `<!here>`, `<!everyone>`, `@channel`, `@here`. */
  mentions: number;
  hasFiles: boolean;
}

/** Goes up whenever the same message may give another text. */
export const normVersion = 1;

/**
 * Reads a message as Slack delivers it. What stands in blocks stands in `text` too, so only one of the two is read: the
 * blocks, when they hold text. Attachments and the titles of files come after it.
 */
export function messageText(raw: JsonObject, names: Names): MessageText {
  const parts = new TextParts();
  readBody(raw, names, parts);
  for (const attachment of objectsOf(raw['attachments'])) readAttachment(attachment, names, parts);
  const files = objectsOf(raw['files']);
  for (const file of files) {
    const title = nonEmptyText(file['title']) ?? nonEmptyText(file['name']);
    if (title !== null) addLine(parts, () => parts.text(title));
  }
  const plain = parts.plain
    .join('')
    .replace(/[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return {
    plain,
    norm: parts.norm.join('').toLowerCase().replace(/\s+/g, ' ').trim(),
    links: parts.urls.length === 0 ? [] : normalizeUrls(parts.urls),
    anchors: anchorsOf(plain, parts.urls),
    mentions: parts.mentions,
    hasFiles: files.length > 0 || objectsOf(raw['attachments']).length > 0,
  };
}

function readBody(raw: JsonObject, names: Names, parts: TextParts): void {
  readBlocks(raw['blocks'], names, parts);
  const text = nonEmptyText(raw['text']);
  if (text !== null && parts.plain.every((part) => part.trim() === '')) {
    parts.mentions = 0;
    readMrkdwn(text, names, parts);
  }
}

function readBlocks(blocks: JsonValue | undefined, names: Names, parts: TextParts): void {
  for (const block of objectsOf(blocks)) {
    if (block['type'] === 'rich_text') {
      readRichText(block['elements'], names, parts);
      continue;
    }
    readTextObject(block['text'], names, parts);
    readTextObject(block['title'], names, parts);
    for (const field of objectsOf(block['fields'])) readTextObject(field, names, parts);
    for (const element of objectsOf(block['elements'])) {
      // Of a context block; the words on buttons are no part of what is said.
      if (typeof element['text'] === 'string') readTextObject(element, names, parts);
    }
  }
}

/** `{type, text}`, or in older messages the text itself. */
function readTextObject(value: JsonValue | undefined, names: Names, parts: TextParts): void {
  const object = objectOf(value);
  const text = nonEmptyText(value) ?? nonEmptyText(object?.['text']);
  if (text === null) return;
  addLine(parts, () => {
    if (object?.['type'] === 'plain_text') parts.text(text);
    else readMrkdwn(text, names, parts);
  });
}

function readAttachment(attachment: JsonObject, names: Names, parts: TextParts): void {
  const before = parts.plain.length;
  for (const key of ['pretext', 'title', 'text']) {
    const text = nonEmptyText(attachment[key]);
    if (text !== null) addLine(parts, () => readMrkdwn(text, names, parts));
  }
  const link = nonEmptyText(attachment['title_link']);
  if (link !== null) parts.urls.push(link);
  for (const field of objectsOf(attachment['fields'])) {
    const title = nonEmptyText(field['title']);
    const value = nonEmptyText(field['value']);
    const line = [title, value].filter((part) => part !== null).join(': ');
    if (line !== '') addLine(parts, () => readMrkdwn(line, names, parts));
  }
  readBlocks(attachment['blocks'], names, parts);
  for (const quoted of objectsOf(attachment['message_blocks'])) {
    readBlocks(objectOf(quoted['message'])?.['blocks'], names, parts);
  }
  const fallback = nonEmptyText(attachment['fallback']);
  if (parts.plain.length === before && fallback !== null) addLine(parts, () => readMrkdwn(fallback, names, parts));
}

function addLine(parts: TextParts, add: () => void): void {
  if (parts.plain.length > 0) parts.break();
  add();
}
