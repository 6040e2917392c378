/** By what a digest's items are known again, so that nobody is told twice. */
import type { LateItem, QuestionItem, ThreadItem } from './digest.ts';

/** An event that happened. */
export function eventKey(eventId: string): string {
  return eventId;
}

/** The same event while it was still to come: it is told again when it happens. */
export function upcomingKey(eventId: string): string {
  return `upcoming:${eventId}`;
}

/** And when it was announced long before. */
export function announcedKey(eventId: string): string {
  return `announced:${eventId}`;
}

/** With its latest reply, because a thread that goes on is news again. */
export function threadKey({
  channel_id,
  ts,
  latest_reply,
}: Pick<ThreadItem, 'channel_id' | 'ts' | 'latest_reply'>): string {
  return `thread:${channel_id}:${ts}:${latest_reply}`;
}

export function questionKey({ channel_id, ts }: Pick<QuestionItem, 'channel_id' | 'ts'>): string {
  return `question:${channel_id}:${ts}`;
}

/** With what has changed, because further replies and edits are news again. */
export function lateKey({
  what,
  channel_id,
  ts,
  changed_ts,
}: Pick<LateItem, 'what' | 'channel_id' | 'ts' | 'changed_ts'>): string {
  return `late:${what}:${channel_id}:${ts}:${changed_ts}`;
}
