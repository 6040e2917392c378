/** The threads in which most was said. */
import type { CountedMessage } from '../../db/repositories/activity.ts';
import type { Store } from '../../db/repositories/index.ts';
import type { Ts } from '../../model.ts';
import { countIn } from '../../normalize/json-access.ts';
import { compareTs } from '../../ts.ts';
import type { ThreadItem } from '../digest.ts';
import { threadKey } from '../item-keys.ts';
import type { Directory } from '../people.ts';
import { findWhole } from './find-whole.ts';
import { messageItem, reactionsOf } from './shown-message.ts';

interface LivelyThread {
  channel_id: string;
  thread_ts: Ts;
  replies: number;
  authors: Set<string>;
  latest: Ts;
}

/** So many times more threads than are shown are looked at, because reactions may change their order. */
const lookedAt = 4;

/**
 * The liveliest threads with replies among `messages`: by replies, people and reactions together, people counting double,
 * because ten replies of two are a conversation and ten of eight a matter for all.
 */
export async function topThreads(
  store: Store,
  teamId: string,
  messages: readonly CountedMessage[],
  directory: Directory,
  top: number,
  posted: ReadonlySet<string>,
): Promise<ThreadItem[]> {
  const isNews = ({ channel_id, thread_ts, latest }: LivelyThread) =>
    !posted.has(threadKey({ channel_id, ts: thread_ts, latest_reply: latest }));
  const lively = threadsOf(messages)
    .filter(isNews)
    .slice(0, top * lookedAt);
  const roots = await findWhole(
    store,
    teamId,
    lively.map(({ channel_id, thread_ts }) => ({ channel_id, ts: thread_ts })),
  );
  const items = lively.flatMap((thread): ThreadItem[] => {
    const root = roots.get(`${thread.channel_id} ${thread.thread_ts}`);
    if (root === undefined || root.deleted_at !== null) return [];
    const all = Math.max(countIn(root.raw['reply_count']) ?? 0, thread.replies);
    return [
      {
        ...messageItem(root, directory),
        replies: thread.replies,
        replies_in_all: all,
        people: thread.authors.size,
        reactions: reactionsOf(root.raw),
        latest_reply: thread.latest,
      },
    ];
  });
  return items.sort((a, b) => weight(b) - weight(a) || compareTs(b.latest_reply, a.latest_reply)).slice(0, top);
}

function weight({ replies, people, reactions }: Pick<ThreadItem, 'replies' | 'people' | 'reactions'>): number {
  return replies + 2 * people + reactions;
}

function threadsOf(messages: readonly CountedMessage[]): LivelyThread[] {
  const threads = new Map<string, LivelyThread>();
  for (const { channel_id, ts, thread_ts, is_reply, user_id, bot_id } of messages) {
    if (!is_reply || thread_ts === null) continue;
    const key = `${channel_id} ${thread_ts}`;
    const author = user_id ?? bot_id ?? '';
    const known = threads.get(key);
    if (known === undefined) {
      threads.set(key, { channel_id, thread_ts, replies: 1, authors: new Set([author]), latest: ts });
    } else {
      known.replies += 1;
      known.authors.add(author);
      if (compareTs(ts, known.latest) > 0) known.latest = ts;
    }
  }
  const liveliness = ({ replies, authors }: LivelyThread) => replies + 2 * authors.size;
  return [...threads.values()].sort(
    (a, b) => liveliness(b) - liveliness(a) || compareTs(b.latest, a.latest) || (a.channel_id < b.channel_id ? -1 : 1),
  );
}
