/** Which messages can tell of events at all. */
import type { IsoTime, JsonObject } from '../../model.ts';
import { objectOf } from '../../normalize/json-access.ts';
import { isNotice } from '../activity/counts.ts';

/** What our own posts carry, by which they are known again in a channel's history. */
export const digestEventType = 'slackingest_digest';

/** Why a message is no candidate; null for one that may be. A reply counts only when it was sent to the channel as well. */
export function ineligibility(message: {
  subtype: string | null;
  is_reply: boolean;
  deleted_at: IsoTime | null;
  raw: JsonObject;
}): string | null {
  if (message.deleted_at !== null) return 'it was deleted';
  if (isNotice(message.subtype)) return `it is a notice of Slack's (${message.subtype})`;
  if (message.is_reply && message.subtype !== 'thread_broadcast') return 'it is a reply';
  if (objectOf(message.raw['metadata'])?.['event_type'] === digestEventType) return 'it is a digest';
  return null;
}
