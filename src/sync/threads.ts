/** Fetches the replies of threads that are pending: new ones, and those whose root says they changed. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { ThreadRow } from '../db/schema.ts';
import { SlackError } from '../errors.ts';
import type { IsoTime, MessagePage, Ts } from '../model.ts';
import { type NormalizedMessage, normalizeMessage } from '../normalize/message.ts';
import { compareTs } from '../ts.ts';
import { countPage, failUnit, nowIso, type SyncContext, sideBySide } from './context.ts';
import { type ReadableChannel, reportMalformed } from './history.ts';
import { savePage } from './save-page.ts';
import { noReplies, settledThread } from './thread-news.ts';

const batchSize = 100;
const restartLimit = 3;

/**
 * Reads pending threads of these channels, latest first, until `context.newThreads` is closed and none is left. The queue is in the
 * database, committed with the pages that fill it: a killed run leaves it to the next one, and memory stays flat.
 * Counts into `context.threads`. A thread that fails is recorded and left for the next run.
 */
export async function readPendingThreads(
  context: SyncContext,
  channels: ReadonlyMap<string, ReadableChannel>,
): Promise<void> {
  const began = nowIso(context);
  const ids = [...channels.keys()];
  for (;;) {
    const batch = await context.store.positions.listPendingThreads(context.teamId, ids, {
      failedBefore: began,
      now: nowIso(context),
      limit: batchSize,
    });
    // The workers take threads from the same list. The calls still go out one after another, but the next one is under
    // way while the database stores what the last one brought.
    const threads = batch.values();
    await sideBySide(context, [readThreads(context, channels, threads), readThreads(context, channels, threads)]);
    if (batch.length === 0 && !(await context.newThreads.next())) return;
  }
}

async function readThreads(
  context: SyncContext,
  channels: ReadonlyMap<string, ReadableChannel>,
  threads: Iterable<ThreadRow>,
): Promise<void> {
  for (const thread of threads) {
    const channel = channels.get(thread.channel_id);
    if (channel !== undefined && (await readThreadSafely(context, channel, thread))) context.threads.read += 1;
  }
}

async function readThreadSafely(context: SyncContext, channel: ReadableChannel, thread: ThreadRow): Promise<boolean> {
  try {
    await readThread(context, channel, thread);
    return true;
  } catch (error) {
    const failed = failUnit(context, error, { channelId: channel.channelId, channel: channel.name });
    const note = `${failed.code}: ${failed.message}`;
    await context.store.transaction((store) => store.positions.noteThreadError(thread, note, nowIso(context)));
    return false;
  }
}

/** How far one thread is read. Replies come oldest first, so all up to `lastReply` are stored. */
interface ThreadWalk {
  lastReply: Ts | undefined;
  rootClaim: string | null;
}

async function readThread(context: SyncContext, channel: ReadableChannel, thread: ThreadRow): Promise<void> {
  // A run that was stopped in the middle of a long thread left its place.
  const walk: ThreadWalk = { lastReply: thread.resume_ts ?? undefined, rootClaim: null };
  for (let fruitless = 0; ; ) {
    const begun = walk.lastReply;
    try {
      await walkThread(context, channel, thread, walk);
      return;
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      // Told twice, by two runs, it is believed: the root was deleted between two calls, or never could have replies.
      if (error.code === 'thread_not_found' && thread.last_error?.startsWith(error.code) === true) {
        return settleVanished(context, thread);
      }
      fruitless = walk.lastReply === begun ? fruitless + 1 : 0;
      if (error.kind !== 'cursor' || fruitless >= restartLimit) throw error;
    }
  }
}

/** Pages by cursor, behind the last reply read when it must begin anew; the thread settles together with the last page. */
async function walkThread(
  context: SyncContext,
  channel: ReadableChannel,
  thread: ThreadRow,
  walk: ThreadWalk,
): Promise<void> {
  const root = { channel: thread.channel_id, ts: thread.thread_ts };
  const bounds = walk.lastReply === undefined ? root : { ...root, oldest: walk.lastReply };
  const cursors = new Set<string>();
  let cursor: string | undefined;
  for (;;) {
    const page = await context.slack.replies(cursor === undefined ? bounds : { ...bounds, cursor });
    const next = page.nextCursor;
    const messages = page.messages.map(normalizeMessage);
    walk.rootClaim = rootClaimIn(messages, thread) ?? walk.rootClaim;
    const isLast = next === undefined && !page.hasMore;
    walk.lastReply = lastReplyIn(messages) ?? walk.lastReply;
    await saveReplies(context, channel, thread, page, messages, isLast, walk);
    if (isLast) return;
    if (next === undefined || cursors.has(next)) throw deadEnd(channel);
    cursors.add(next);
    cursor = next;
  }
}

function deadEnd({ name }: ReadableChannel): SlackError {
  return new SlackError(
    { kind: 'cursor', method: 'conversations.replies', code: 'cursor_loop' },
    `The replies of a thread in ${name} cannot be read to the end: Slack keeps saying there is more without showing it.`,
    'The next run tries again.',
  );
}

function lastReplyIn(messages: readonly NormalizedMessage[]): Ts | undefined {
  return messages
    .filter(({ is_reply }) => is_reply)
    .map(({ ts }) => ts)
    .reduce<Ts | undefined>((last, ts) => (last === undefined || compareTs(ts, last) > 0 ? ts : last), undefined);
}

/** Null when the page does not hold the root. */
function rootClaimIn(messages: readonly NormalizedMessage[], thread: ThreadRow): string | null {
  const root = messages.find(({ ts }) => ts === thread.thread_ts);
  return root === undefined ? null : (root.thread?.claim ?? noReplies);
}

async function saveReplies(
  context: SyncContext,
  channel: ReadableChannel,
  thread: ThreadRow,
  page: MessagePage,
  messages: readonly NormalizedMessage[],
  isLast: boolean,
  walk: ThreadWalk,
): Promise<void> {
  reportMalformed(context, channel, page);
  const at = nowIso(context);
  const saved = await savePage(context, channel.channelId, { messages }, { source: 'api', at }, async (store, told) => {
    // The history lane may have heard a newer claim meanwhile, and so may this page.
    const row = told.get(thread.thread_ts) ?? (await findThread(store, thread)) ?? thread;
    const next = isLast
      ? settledThread(row, thread.claim, walk.rootClaim, at)
      : { ...row, resume_ts: walk.lastReply ?? null };
    await store.positions.writeThreads([next]);
  });
  countPage(context, channel.channelId, saved);
}

async function findThread(
  store: TransactionStore,
  { team_id, channel_id, thread_ts }: ThreadRow,
): Promise<ThreadRow | undefined> {
  return (await store.positions.findThreads(team_id, channel_id, [thread_ts])).get(thread_ts);
}

/** There is nothing to read, and nothing to retry. */
async function settleVanished(context: SyncContext, thread: ThreadRow): Promise<void> {
  const at: IsoTime = nowIso(context);
  await context.store.transaction(async (store) => {
    const row = settledThread(thread, thread.claim, null, at);
    await store.positions.writeThreads([{ ...row, last_error: 'thread_not_found' }]);
  });
}
