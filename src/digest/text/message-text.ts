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
export const normVersion = 2;

/**
 * Reads a message as Slack delivers it. What stands in blocks stands in `text` too, so only one of the two is read: the
 * blocks, when they hold text. Attachments and the titles of files come after it.
 */
export function messageText(raw: JsonObject, names: Names): MessageText {
  const parts = new TextParts();
  parts.addOnce(() => readBody(raw, names, parts));
  const isSilent = parts.plain.every((part) => part.trim() === '');
  for (const attachment of objectsOf(raw['attachments'])) {
    if (isOfOthers(attachment)) continue;
    if (isSilent || !isPreview(attachment)) readAttachment(attachment, names, parts);
  }
  const files = objectsOf(raw['files']);
  for (const file of files) {
    const title = nonEmptyText(file['title']) ?? nonEmptyText(file['name']);
    if (title !== null) parts.addOnce(() => parts.text(title));
  }
  const plain = tidyLines(parts.plain.join(''));
  return {
    plain,
    norm: parts.norm.join('').toLowerCase().replace(/\s+/g, ' ').trim(),
    links: parts.urls.length === 0 ? [] : normalizeUrls(parts.urls),
    anchors: anchorsOf(plain, parts.urls),
    mentions: parts.mentions,
    hasFiles: files.length > 0 || objectsOf(raw['attachments']).length > 0,
  };
}

/** Lines without white space at their ends, at most one empty line in a row. */
function tidyLines(text: string): string {
  // /[ \t]+\n/ would look at each space of a long row as often as the row is long.
  const trimmed = /[ \t]\n/.test(text)
    ? text
        .split('\n')
        .map((line) => line.trimEnd())
        .join('\n')
    : text;
  return trimmed.replace(/\n{3,}/g, '\n\n').trim();
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
    parts.startLine();
    if (block['type'] === 'rich_text') {
      readRichText(block['elements'], names, parts);
      continue;
    }
    for (const key of ['text', 'title', 'description']) readTextObject(block[key], names, parts);
    for (const field of objectsOf(block['fields'])) readTextObject(field, names, parts);
    for (const element of objectsOf(block['elements'])) {
      // Of a context block; the words on buttons are no part of what is said.
      if (typeof element['text'] === 'string') readTextObject(element, names, parts);
    }
    if (block['type'] === 'table') readTable(block['rows'], names, parts);
  }
}

/** docs.slack.dev/reference/block-kit/blocks/table-block: rows are lists of cells, each plain or rich text. One line per row. */
function readTable(rows: JsonValue | undefined, names: Names, parts: TextParts): void {
  if (!Array.isArray(rows)) return;
  for (const row of rows) {
    parts.startLine();
    for (const [column, cell] of objectsOf(row).entries()) {
      if (column > 0) parts.text(' | ');
      const text = nonEmptyText(cell['text']);
      if (text !== null) parts.text(text);
      for (const section of objectsOf(cell['elements'])) readRichText(section['elements'], names, parts);
    }
  }
}

/** `{type, text}`, or in older messages the text itself. */
function readTextObject(value: JsonValue | undefined, names: Names, parts: TextParts): void {
  const object = objectOf(value);
  const text = nonEmptyText(value) ?? nonEmptyText(object?.['text']);
  if (text === null) return;
  parts.startLine();
  if (object?.['type'] === 'plain_text') parts.text(text);
  else readMrkdwn(text, names, parts);
}

/** What apps add, or a link shows. Like a message, an attachment says the same in its blocks and in its text. */
/** What Slack shows of a page that a link leads to: somebody else said it, at another time. */
function isPreview(attachment: JsonObject): boolean {
  return typeof attachment['from_url'] === 'string';
}

/** A message that is shared or linked: it may stand where not all who read this one may look, and is read where it stands. */
function isOfOthers(attachment: JsonObject): boolean {
  return attachment['is_msg_unfurl'] === true || attachment['is_share'] === true;
}

function readAttachment(attachment: JsonObject, names: Names, parts: TextParts): void {
  const before = parts.plain.length;
  const add = (text: string | null) => {
    if (text !== null) parts.addOnce(() => readMrkdwn(text, names, parts));
  };
  add(nonEmptyText(attachment['pretext']));
  add(nonEmptyText(attachment['title']));
  const link = nonEmptyText(attachment['title_link']);
  if (link !== null) parts.urls.push(link);
  const beforeBlocks = parts.plain.length;
  parts.addOnce(() => {
    readBlocks(attachment['blocks'], names, parts);
    // A message to which a link leads.
    for (const quoted of objectsOf(attachment['message_blocks'])) {
      readBlocks(objectOf(quoted['message'])?.['blocks'], names, parts);
    }
  });
  if (parts.plain.length === beforeBlocks) add(nonEmptyText(attachment['text']));
  for (const field of objectsOf(attachment['fields'])) {
    const line = [nonEmptyText(field['title']), nonEmptyText(field['value'])]
      .filter((part) => part !== null)
      .join(': ');
    add(line === '' ? null : line);
  }
  if (parts.plain.length === before) add(nonEmptyText(attachment['fallback']));
}
