/**
 * The one normalizer: a message from the API, from an export or from an event becomes the same row.
 */

import { isId, isName } from '../ids.ts';
import type { IsoTime, JsonObject, JsonText, Ts } from '../model.ts';
import { isTs, tsToIso } from '../ts.ts';
import { cleanObject } from './clean.ts';
import { hashKeys, hashObject } from './content-hash.ts';
import { type NormalizedFile, normalizeFiles } from './file.ts';
import { countIn, nonEmptyText, objectOf, objectsOf, textOf } from './json-access.ts';
import { searchTextOf } from './search-text.ts';

export interface NormalizedMessage {
  ts: Ts;
  posted_at: IsoTime;
  thread_ts: Ts | null;
  is_reply: boolean;
  user_id: string | null;
  bot_id: string | null;
  subtype: string | null;
  text: string | null;
  search_text: string | null;
  edited_ts: string | null;
  reply_count: number | null;
  latest_reply: string | null;
  is_sanitized: boolean;
  /** Changes when what the author wrote changes. */
  content_hash: string;
  /** Changes when what others add changes: reactions, thread counters, profiles shown beside it. */
  state_hash: string;
  raw: JsonText;
  /** The cleaned object itself, for rules that look into it. */
  message: JsonObject;
  reactions: Reaction[];
  files: NormalizedFile[];
  /** What this message tells about a thread: its own when it is a root, its root's when it is a broadcast reply. */
  thread: ThreadNews | null;
  /** The placeholder Slack serves for a deleted root that still has replies. */
  isTombstone: boolean;
}

/** A message as far as storing it needs: nothing that was only looked at on the way. */
export type StorableMessage = Omit<NormalizedMessage, 'message' | 'thread'>;

export interface Reaction {
  name: string;
  userIds: string[];
  /** Slack names every reactor: `users` may be cut while `count` is right (docs.slack.dev reactions.get). */
  isComplete: boolean;
}

export interface ThreadNews {
  thread_ts: Ts;
  /** The counters as one text; equal claims mean an unchanged thread. Null when the thread has no replies. */
  claim: string | null;
  latest_reply: string | null;
  /** Told by the root itself, or by the copy of it inside a broadcast reply. */
  isFromRoot: boolean;
}

/** What others add to a message, and what Slack shows beside it: no edit, so no revision. */
const stateKeys = [
  'bot_profile',
  'is_locked',
  'latest_reply',
  'parent_user_id',
  'pinned_info',
  'pinned_to',
  'reactions',
  'replies',
  'reply_count',
  'reply_users',
  'reply_users_count',
  // A message gains thread_ts when somebody answers it.
  'thread_ts',
  'user_profile',
];

/**
 * Fields that differ between two reads of one unchanged message: relative to the token (`subscribed`, `last_read`) or
 * to the method (`root` only in broadcasts). They change neither hash.
 */
const ignoredKeys = ['is_starred', 'last_read', 'root', 'subscribed', 'unread_count'];

const notContent = new Set([...stateKeys, ...ignoredKeys]);

/** Normalizes one message. `received` must have a well-formed ts; every other field may be absent or odd. */
export function normalizeMessage(received: JsonObject & { ts: Ts }): NormalizedMessage {
  const { value: message, json, isSanitized } = cleanObject(received);
  const ts = received.ts;
  const threadTs = isTs(message['thread_ts']) ? message['thread_ts'] : null;
  const isReply = threadTs !== null && threadTs !== ts;
  return {
    ts,
    posted_at: tsToIso(ts),
    thread_ts: threadTs,
    is_reply: isReply,
    user_id: authorOf(message),
    bot_id: nonEmptyText(message['bot_id']),
    subtype: nonEmptyText(message['subtype']),
    text: textOf(message['text']),
    search_text: searchTextOf(message),
    edited_ts: nonEmptyText(objectOf(message['edited'])?.['ts']),
    reply_count: countIn(message['reply_count']),
    latest_reply: nonEmptyText(message['latest_reply']),
    is_sanitized: isSanitized,
    content_hash: hashObject(message, notContent),
    state_hash: hashKeys(message, stateKeys),
    raw: json,
    message,
    reactions: reactionsOf(message),
    files: normalizeFiles(message),
    thread: threadNewsOf(message, ts, threadTs, isReply),
    isTombstone: message['subtype'] === 'tombstone',
  };
}

/** Old file and comment messages name their author only inside (seen in exports of 2015 to 2017). */
function authorOf(message: JsonObject): string | null {
  const places = [message['user'], objectOf(message['comment'])?.['user'], objectOf(message['file'])?.['user']];
  return places.find(isId) ?? null;
}

/** How many people reacted so. Slack may cut the list of users while the count is right. */
export function reactionCount({ count, users }: JsonObject): number {
  return countIn(count) ?? (Array.isArray(users) ? users.length : 0);
}

function reactionsOf(message: JsonObject): Reaction[] {
  if (!message['reactions']) return [];
  return objectsOf(message['reactions']).flatMap((reaction) => {
    const { name } = reaction;
    if (!isName(name)) return [];
    const listed = Array.isArray(reaction['users']) ? reaction['users'] : [];
    return [
      { name, userIds: [...new Set(listed.filter(isId))], isComplete: listed.length === countIn(reaction['count']) },
    ];
  });
}

function threadNewsOf(message: JsonObject, ts: Ts, threadTs: Ts | null, isReply: boolean): ThreadNews | null {
  if (!isReply) {
    const claim = claimOf(message);
    // A root keeps thread_ts when its last reply is deleted: that is news for a thread we know.
    return claim === null && threadTs === null ? null : news(ts, message, claim, true);
  }
  const root = objectOf(message['root']);
  return root === null || threadTs === null ? null : news(threadTs, root, claimOf(root), false);
}

function news(threadTs: Ts, root: JsonObject, claim: string | null, isFromRoot: boolean): ThreadNews {
  return { thread_ts: threadTs, claim, latest_reply: nonEmptyText(root['latest_reply']), isFromRoot };
}

function claimOf(root: JsonObject): string | null {
  const count = countIn(root['reply_count']) ?? 0;
  const latest = nonEmptyText(root['latest_reply']);
  return count > 0 || latest !== null ? `${count} ${latest ?? '-'}` : null;
}
