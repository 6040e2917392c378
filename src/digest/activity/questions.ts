/** Questions to which nobody has said anything. */
import type { CountedMessage } from '../../db/repositories/activity.ts';
import type { Store } from '../../db/repositories/index.ts';
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
  const answered = answeredThreads(messages);
  const open = asked.filter(
    (message) =>
      isQuestion(messageText(message.raw, directory).plain) &&
      !answered.has(`${message.channel_id} ${message.ts}`) &&
      !hasOthersReplies(message.raw, message.user_id),
  );
  return open
    .map((message) => ({ ...messageItem(message, directory), reactions: reactionsOf(message.raw) }))
    .sort((a, b) => b.reactions - a.reactions || (a.posted_at < b.posted_at ? -1 : 1));
}

/** Threads with a reply in the window by somebody other than who asked are told by the replies themselves. */
function answeredThreads(messages: readonly CountedMessage[]): Set<string> {
  const authors = new Map<string, string | null>();
  for (const { channel_id, ts, is_reply, user_id } of messages)
    if (!is_reply) authors.set(`${channel_id} ${ts}`, user_id);
  const answered = new Set<string>();
  for (const { channel_id, thread_ts, is_reply, user_id } of messages) {
    if (!is_reply || thread_ts === null) continue;
    const key = `${channel_id} ${thread_ts}`;
    if (user_id !== authors.get(key)) answered.add(key);
  }
  return answered;
}

/** Replies of which Slack tells, whether or not they were read. */
function hasOthersReplies(raw: { [key: string]: unknown }, author: string | null): boolean {
  const users = raw['reply_users'];
  if (Array.isArray(users)) return users.some((user) => user !== author);
  return typeof raw['reply_count'] === 'number' && raw['reply_count'] > 0;
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
