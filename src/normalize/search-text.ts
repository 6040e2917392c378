/** The words of a message wherever Slack keeps them: text, blocks, attachments, files. One line per part. */
import type { JsonObject, JsonValue } from '../model.ts';
import { nonEmptyText, objectOf, objectsOf } from './json-access.ts';

/**
 * Everything a person could have read in the message, entities decoded, each part once; null when there is nothing.
 * Blocks of kind `rich_text` repeat what a person typed and `text` already holds, so they count only without `text`.
 */
export function searchTextOf(message: JsonObject): string | null {
  const text = nonEmptyText(message['text']);
  if (text !== null && !hasMoreThanText(message)) return decodeEntities(text);

  const parts = new Parts();
  parts.add(text);
  for (const block of objectsOf(message['blocks'])) addBlock(parts, block, text !== null);
  for (const attachment of objectsOf(message['attachments'])) addAttachment(parts, attachment);
  for (const file of [...objectsOf(message['files']), ...objectsOf([message['file'] ?? null])]) {
    parts.add(nonEmptyText(file['title']));
    parts.add(nonEmptyText(file['name']));
    parts.add(nonEmptyText(file['preview_plain_text']));
  }
  return parts.joined();
}

function hasMoreThanText(message: JsonObject): boolean {
  if (message['attachments'] || message['files'] || message['file']) return true;
  const blocks = message['blocks'];
  return Array.isArray(blocks) && blocks.some((block) => objectOf(block)?.['type'] !== 'rich_text');
}

class Parts {
  readonly #parts: string[] = [];

  /** Adds a part unless an earlier one already contains it. */
  add(text: string | null): void {
    if (text === null) return;
    const decoded = decodeEntities(text).trim();
    if (decoded === '' || this.#parts.some((part) => part.includes(decoded))) return;
    this.#parts.push(decoded);
  }

  joined(): string | null {
    return this.#parts.length === 0 ? null : this.#parts.join('\n');
  }
}

function addBlock(parts: Parts, block: JsonObject, richTextIsKnown: boolean): void {
  if (block['type'] === 'rich_text') {
    if (!richTextIsKnown) parts.add(richText(block['elements']).trim() || null);
    return;
  }
  parts.add(textValue(block['text']));
  parts.add(textValue(block['title']));
  parts.add(nonEmptyText(block['alt_text']));
  for (const field of objectsOf(block['fields'])) parts.add(textValue(field));
  for (const element of objectsOf(block['elements'])) parts.add(textValue(element['text']) ?? textValue(element));
}

/** Texts of blocks are `{type, text}` objects, and plain strings in older messages. */
function textValue(value: JsonValue | undefined): string | null {
  return nonEmptyText(value) ?? nonEmptyText(objectOf(value)?.['text']);
}

function addAttachment(parts: Parts, attachment: JsonObject): void {
  const before = parts.joined();
  for (const key of ['pretext', 'author_name', 'title', 'text']) parts.add(nonEmptyText(attachment[key]));
  for (const field of objectsOf(attachment['fields'])) {
    parts.add(
      [nonEmptyText(field['title']), nonEmptyText(field['value'])].filter((part) => part !== null).join('\n') || null,
    );
  }
  for (const block of objectsOf(attachment['blocks'])) addBlock(parts, block, false);
  // Unfurled messages carry their blocks here.
  for (const quoted of objectsOf(attachment['message_blocks'])) {
    for (const block of objectsOf(objectOf(quoted['message'])?.['blocks'])) addBlock(parts, block, false);
  }
  // The fallback repeats the rest in plain text; it counts only when there is nothing else.
  if (parts.joined() === before) parts.add(nonEmptyText(attachment['fallback']));
  parts.add(nonEmptyText(attachment['footer']));
}

const richTextLineEnds = new Set(['rich_text_section', 'rich_text_preformatted', 'rich_text_quote']);

function richText(elements: JsonValue | undefined): string {
  let text = '';
  for (const element of objectsOf(elements)) {
    text += richTextLeaf(element) ?? richText(element['elements']);
    if (richTextLineEnds.has(String(element['type']))) text += '\n';
  }
  return text;
}

function richTextLeaf(element: JsonObject): string | null {
  switch (element['type']) {
    case 'text':
      return nonEmptyText(element['text']) ?? '';
    case 'link':
      return nonEmptyText(element['text']) ?? nonEmptyText(element['url']) ?? '';
    case 'emoji':
      return `:${nonEmptyText(element['name']) ?? ''}:`;
    case 'user':
      return `<@${nonEmptyText(element['user_id']) ?? ''}>`;
    case 'channel':
      return `<#${nonEmptyText(element['channel_id']) ?? ''}>`;
    case 'usergroup':
      return `<!subteam^${nonEmptyText(element['usergroup_id']) ?? ''}>`;
    case 'broadcast':
      return `<!${nonEmptyText(element['range']) ?? ''}>`;
    default:
      return null;
  }
}

/** Slack escapes exactly these three (docs.slack.dev/messaging/formatting-message-text). */
function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
