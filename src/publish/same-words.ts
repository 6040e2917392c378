/** Whether a message in a channel says what we were about to post, though Slack has put it down in its own way. */
import type { JsonObject, JsonValue } from '../model.ts';
import { textOf } from '../normalize/json-access.ts';

/** The blocks are compared where both have some: the text beside them is a title that many digests share. */
export function saysTheSame(message: JsonObject, payload: JsonObject): boolean {
  const [own, other] = [wordsIn(payload['blocks']), wordsIn(message['blocks'])];
  if (own !== '' && other !== '') return own === other;
  const text = plain(textOf(payload['text']) ?? '');
  return text !== '' && text === plain(textOf(message['text']) ?? '');
}

function wordsIn(blocks: JsonValue | undefined): string {
  return plain(textsIn(blocks).join('\n'));
}

function textsIn(value: JsonValue | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'text' && typeof inner === 'string' ? [inner] : textsIn(inner),
  );
}

/**
 * Slack writes emoji as names, marks addresses as links, and escapes three characters
 * (docs.slack.dev/messaging/formatting-message-text): letters and digits are left as they were.
 */
function plain(text: string): string {
  return text
    .replace(/&(?:amp|lt|gt);/g, ' ')
    .replace(/:[\w+'-]+:/g, ' ')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
