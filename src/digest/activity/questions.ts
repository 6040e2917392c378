/** Questions to which nobody has said anything. */

import type { CountedMessage } from '../../db/repositories/activity.ts';
import type { Store } from '../../db/repositories/index.ts';
import type { MessageRow } from '../../db/schema.ts';
import { countIn } from '../../normalize/json-access.ts';
import type { DigestWindow, QuestionItem } from '../digest.ts';
import type { Directory } from '../people.ts';
import { messageText } from '../text/message-text.ts';
import { isNotice } from './counts.ts';
import { messageItem, reactionsOf } from './shown-message.ts';

/** The latest so many messages with a question mark are looked at. */
const looked = 2000;

/**
 * Messages of the window that end a sentence with a question mark, by people, without a reply of anybody else. Those with
 * most reactions first, then the oldest, which waits longest.
 */
export async function unansweredQuestions(
  store: Store,
  teamId: string,
  window: DigestWindow,
  messages: readonly CountedMessage[],
  isSelected: (channelId: string) => boolean,
  directory: Directory,
): Promise<QuestionItem[]> {
  const asked = (await store.activity.listAsking(teamId, window.from, window.to, looked)).filter(
    ({ channel_id, user_id, subtype }) =>
      isSelected(channel_id) && !isNotice(subtype) && user_id !== null && !directory.isBot(user_id),
  );
  const threads = repliesOf(messages, directory);
  const open = asked.filter(
    (message) =>
      isQuestion(messageText(message.raw, directory).plain) &&
      !isAnswered(message, threads.get(`${message.channel_id} ${message.ts}`), directory),
  );
  return open
    .map((message) => ({ ...messageItem(message, directory), reactions: reactionsOf(message.raw) }))
    .sort((a, b) => b.reactions - a.reactions || (a.posted_at < b.posted_at ? -1 : 1));
}

interface Replies {
  /** Who wrote them, apps not among them. */
  people: Set<string | null>;
  count: number;
}

/** The replies that are in the window, by thread. */
function repliesOf(messages: readonly CountedMessage[], directory: Directory): Map<string, Replies> {
  const threads = new Map<string, Replies>();
  for (const { channel_id, thread_ts, is_reply, user_id, bot_id } of messages) {
    if (!is_reply || thread_ts === null) continue;
    const key = `${channel_id} ${thread_ts}`;
    const replies = threads.get(key) ?? { people: new Set(), count: 0 };
    replies.count += 1;
    if (bot_id === null && user_id !== null && !directory.isBot(user_id)) replies.people.add(user_id);
    threads.set(key, replies);
  }
  return threads;
}

/** By somebody other than who asked; an app's reply is no answer. Slack tells of replies whether or not they were read. */
function isAnswered(
  { raw, user_id }: Pick<MessageRow, 'raw' | 'user_id'>,
  replies: Replies | undefined,
  directory: Directory,
): boolean {
  const isOther = (user: unknown) =>
    typeof user === 'string' && /^[UW]/.test(user) && user !== user_id && !directory.isBot(user);
  if ([...(replies?.people ?? [])].some(isOther)) return true;
  const { reply_users: users, reply_count: count } = raw;
  if (Array.isArray(users)) return users.some(isOther);
  return (countIn(count) ?? 0) > (replies?.count ?? 0);
}

/** Said in passing, or to oneself. */
const noQuestions = /^(?:\W*(?:right|ok(?:ay)?|no|yes|huh|eh|what|why|really|seriously|lol|hm+)\W*)$/i;

/** Whether a sentence asks: it ends with a question mark that is no part of an address or of code, and has three words or more. */
function isQuestion(plain: string): boolean {
  const spoken = plain
    .replace(/```[\s\S]*?(?:```|$)/g, ' ')
    .replace(/`[^`\n]*`/g, ' ')
    .replace(/https?:\/\/\S+/g, ' ')
    .replace(/^(?:>|&gt;).*$/gm, ' ');
  return spoken.split(/(?<=[?？؟՞])|[.!\n。！]/).some((sentence) => {
    const asked = sentence.trim();
    if (!/[?？؟՞]$/.test(asked) || noQuestions.test(asked)) return false;
    const words = asked.split(/\s+/).filter((word) => /\p{L}/u.test(word));
    return words.length >= 3 || /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Thai}/u.test(asked);
  });
}
