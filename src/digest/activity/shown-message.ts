/** A stored message as one line of a digest. */
import type { WholeMessage } from '../../db/repositories/activity.ts';
import type { JsonObject } from '../../model.ts';
import { objectsOf } from '../../normalize/json-access.ts';
import { reactionCount } from '../../normalize/message.ts';
import type { MessageItem } from '../digest.ts';
import type { Directory } from '../people.ts';
import { messageText } from '../text/message-text.ts';

/** Enough to know what it is about. */
const excerptLength = 200;

export function messageItem(message: WholeMessage, directory: Directory): MessageItem {
  return {
    channel_id: message.channel_id,
    channel: directory.label(message.channel_id),
    kind: directory.kind(message.channel_id),
    ts: message.ts,
    posted_at: message.posted_at,
    author: directory.author(message),
    text: excerpt(messageText(message.raw, directory).plain),
    permalink: directory.permalink(message.channel_id, message.ts, message.is_reply ? message.thread_ts : null),
  };
}

/** The first words on one line, cut between characters and where it can be between words. */
export function excerpt(text: string, length: number = excerptLength): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= length) return line;
  const cut = line
    .slice(0, length - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '');
  const space = cut.lastIndexOf(' ');
  return `${(space > length / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

/** How many reactions a message has: Slack's own count, which is right when the list of people is cut. */
export function reactionsOf(message: JsonObject): number {
  return objectsOf(message['reactions']).reduce((sum, reaction) => sum + reactionCount(reaction), 0);
}
