/** Fetches the replies of threads that are pending: new ones, and those whose root says they changed. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { ThreadRow } from '../db/schema.ts';
import { SlackError } from '../errors.ts';
import { channelLabel } from '../labels.ts';
import type { IsoTime, MessagePage, Ts } from '../model.ts';
import { type NormalizedMessage, normalizeMessage } from '../normalize/message.ts';
import { compareTs } from '../ts.ts';
import { findDeletedReplies } from './absence.ts';
import { countPage, failUnit, nowIso, type SyncContext, sideBySide } from './context.ts';
import type { ReadableChannel } from './history.ts';
import { outlinesOf, placesOf, reportMessages } from './malformed.ts';
import { savePage } from './save-page.ts';
import { claimedReplies, noReplies, settledThread } from './thread-news.ts';
import { auditLater, livelyInterval, nextAudit } from './thread-schedule.ts';
import type { Watch } from './write-log.ts';

const batchSize = 100;
const restartLimit = 3;

/** So many pages in a row without a new reply, each with a new cursor, lead nowhere. */
const fruitlessPageLimit = 200;

type Channels = ReadonlyMap<string, ReadableChannel>;

/**
 * Reads pending threads of these channels, latest first, until `context.newThreads` is closed and none is left. The queue is in the
 * database, committed with the pages that fill it: a killed run leaves it to the next one, and memory stays flat.
 * Counts into `context.threads`. A thread that fails is recorded and left for the next run.
 */
export async function readPendingThreads(context: SyncContext, channels: Channels): Promise<void> {
  // What failed in this run is left to the next one, in all rounds.
  const { began } = context;
  const unreadable = new Set<string>();
  for (;;) {
    const ids = [...channels.keys()].filter((id) => !unreadable.has(id));
    const batch = await context.store.positions.listPendingThreads(context.teamId, ids, {
      failedBefore: began,
      now: nowIso(context),
      limit: batchSize,
    });
    // The workers take threads from the same list. The calls still go out one after another, but the next one is under
    // way while the database stores what the last one brought.
    const threads = batch.values();
    const work = () => readThreads(context, channels, threads, unreadable);
    await sideBySide(context, [work(), work()]);
    if (batch.length === 0 && !(await context.newThreads.next())) return;
  }
}

async function readThreads(
  context: SyncContext,
  channels: Channels,
  threads: Iterable<ThreadRow>,
  unreadable: Set<string>,
): Promise<void> {
  for (const thread of threads) {
    const channel = channels.get(thread.channel_id);
    if (channel === undefined || unreadable.has(thread.channel_id)) continue;
    context.emit({ type: 'thread', channelId: channel.channelId, name: channel.name });
    const error = await failureOf(context, channel, thread, () => readThread(context, channel, thread));
    if (error === null) context.threads.read += 1;
    // What Slack says of one thread of a channel it does not show, it would say of them all.
    else if (error.kind === 'channel' && error.code !== 'thread_not_found') unreadable.add(thread.channel_id);
  }
}

/**
 * Reads threads again whole though nothing tells of a change, those whose turn it is, until `requests` calls are spent:
 * edits, reactions, and a reply deleted while another came, change nothing on the root.
 */
export async function auditThreads(context: SyncContext, channels: Channels, requests: number): Promise<void> {
  const { store, teamId, runNumber: run } = context;
  const due = await store.positions.listThreadsToAudit(teamId, [...channels.keys()], {
    run,
    lively: livelyInterval,
    limit: requests,
  });
  let left = requests;
  for (const thread of due) {
    const channel = channels.get(thread.channel_id);
    if (channel === undefined || left <= 0) continue;
    context.emit({ type: 'thread', channelId: channel.channelId, name: channel.name });
    await failureOf(context, channel, thread, async () => {
      left -= await auditThread(context, channel, thread);
    });
  }
}

/** Reads one thread again from its first reply on; returns how many calls it took. Throws `SlackError` when it cannot be read. */
export async function auditThread(context: SyncContext, channel: ReadableChannel, thread: ThreadRow): Promise<number> {
  context.audits.threads += 1;
  const walk = newWalk(context, thread, { isAudit: true });
  using _ = walk.written;
  try {
    await walkToEnd(context, channel, walk);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // Whether the root is gone is seen in the channel's history, not here; only then the replies are.
    if (await isRootDeleted(context, thread)) await settleVanished(context, thread);
    else
      await context.store.transaction((store) => store.positions.writeThreads([auditLater(thread, context.runNumber)]));
  }
  return Math.max(1, walk.pages);
}

/** Does the work on one thread in isolation; null when it was done, else the failure, recorded. */
async function failureOf(
  context: SyncContext,
  channel: ReadableChannel,
  thread: ThreadRow,
  work: () => Promise<void>,
): Promise<{ kind: string; code: string } | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const failed = failUnit(context, error, { channelId: channel.channelId, channel: channel.name });
    const note = `${failed.code}: ${failed.message}`;
    await context.store.transaction((store) => store.positions.noteThreadError(thread, note, nowIso(context)));
    return { kind: error instanceof SlackError ? error.kind : 'internal', code: failed.code };
  }
}

/** One reading of a thread. Replies come oldest first, so all up to `lastReply` are stored. */
interface ThreadWalk {
  thread: ThreadRow;
  /** Nothing told of a change. */
  isAudit: boolean;
  /** It began at the first reply, so that a stored one that it does not show is gone. */
  isWhole: boolean;
  /** What was stored since it began. */
  written: Watch;
  lastReply: Ts | undefined;
  rootClaim: string | null;
  shown: Set<Ts>;
  pages: number;
  /** Whether a page held what may be any of the replies. */
  isDirty: boolean;
  /** Whether a reply could not be taken. */
  isCut: boolean;
  /** Whether any reply was not as it was. */
  isChanged: boolean;
  /** The last page is in, and nothing is missing. */
  isSettled: boolean;
}

function newWalk(
  context: SyncContext,
  thread: ThreadRow,
  { isAudit = false, behind }: { isAudit?: boolean; behind?: Ts | undefined },
): ThreadWalk {
  return {
    thread,
    isAudit,
    isWhole: behind === undefined,
    written: context.writes.watch(thread.channel_id),
    lastReply: behind,
    rootClaim: null,
    shown: new Set(),
    pages: 0,
    isDirty: false,
    isCut: false,
    isChanged: false,
    isSettled: false,
  };
}

async function readThread(context: SyncContext, channel: ReadableChannel, thread: ThreadRow): Promise<void> {
  try {
    const behind = await beginBehind(context, thread);
    const walk = newWalk(context, thread, { behind });
    using _ = walk.written;
    await walkToEnd(context, channel, walk);
    if (walk.isSettled) return;
    const whole = newWalk(context, thread, {});
    using __ = whole.written;
    await walkToEnd(context, channel, whole);
  } catch (error) {
    // Told twice, by two runs, it is believed: the root was deleted between two calls, or never could have replies.
    const isKnown = thread.last_error?.startsWith('thread_not_found') === true;
    if (!isNotFound(error) || !(isKnown || (await isRootGone(context, thread)))) throw error;
    await settleVanished(context, thread);
  }
}

/**
 * Behind which reply to begin: behind none when one page holds them all, which then shows edits and deletions as well, or
 * when there are fewer than we know of.
 */
async function beginBehind(context: SyncContext, thread: ThreadRow): Promise<Ts | undefined> {
  if (thread.resume_ts !== null) return thread.resume_ts;
  const known = thread.live_replies;
  const claimed = claimedReplies(thread.claim);
  if (known === null || claimed <= known || claimed < context.slack.pageSize('conversations.replies')) return undefined;
  return context.store.messages.findLastReply(context.teamId, thread.channel_id, thread.thread_ts);
}

function isNotFound(error: unknown): boolean {
  return error instanceof SlackError && error.code === 'thread_not_found';
}

function isRootDeleted(context: SyncContext, { channel_id, thread_ts }: ThreadRow): Promise<boolean> {
  return context.store.messages.isDeleted(context.teamId, channel_id, thread_ts);
}

/** Whether Slack shows the root no more: somebody deleted it, or it expired with all that is older. */
async function isRootGone(context: SyncContext, thread: ThreadRow): Promise<boolean> {
  const { channel_id: channelId, thread_ts: threadTs } = thread;
  const expiredTo = await context.store.positions.findExpiredTo(context.teamId, channelId);
  return (expiredTo !== null && compareTs(threadTs, expiredTo) <= 0) || isRootDeleted(context, thread);
}

/** Begins anew behind the last reply read when Slack forgets the cursor. */
async function walkToEnd(context: SyncContext, channel: ReadableChannel, walk: ThreadWalk): Promise<void> {
  for (let fruitless = 0; ; ) {
    const begun = walk.lastReply;
    try {
      await walkPages(context, channel, walk);
      return;
    } catch (error) {
      fruitless = walk.lastReply === begun ? fruitless + 1 : 0;
      if (!(error instanceof SlackError) || error.kind !== 'cursor' || fruitless >= restartLimit) throw error;
    }
  }
}

/** Pages by cursor; the thread settles together with the last page. */
async function walkPages(context: SyncContext, channel: ReadableChannel, walk: ThreadWalk): Promise<void> {
  const { thread } = walk;
  const root = { channel: thread.channel_id, ts: thread.thread_ts };
  const bounds = walk.lastReply === undefined ? root : { ...root, oldest: walk.lastReply };
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let fruitless = 0;
  for (;;) {
    const known = walk.shown.size;
    const page = await context.slack.replies(cursor === undefined ? bounds : { ...bounds, cursor });
    const next = page.nextCursor;
    const messages = page.messages.map(normalizeMessage);
    walk.pages += 1;
    walk.isDirty ||= page.malformed.some(({ outline }) => outline === null);
    walk.isCut ||= page.malformed.some(({ outline }) => outline?.ts !== thread.thread_ts);
    walk.rootClaim = rootClaimIn([...messages, ...outlinesOf(page).map(normalizeMessage)], thread) ?? walk.rootClaim;
    for (const { ts } of placesOf(page)) if (ts !== thread.thread_ts) walk.shown.add(ts);
    // That there is more without a way to it is nothing new where Slack counts more replies than it shows: a doubt, no failure.
    const isUnshown = page.hasMore && walk.shown.size === known && unshownIn(walk) !== null;
    const isLast = next === undefined && (!page.hasMore || isUnshown);
    walk.lastReply = lastReplyIn(messages) ?? walk.lastReply;
    await saveReplies(context, channel, page, messages, isLast, walk);
    if (isLast) return;
    fruitless = walk.shown.size > known ? 0 : fruitless + 1;
    if (next === undefined || cursors.has(next) || fruitless > fruitlessPageLimit) throw deadEnd(channel);
    cursors.add(next);
    cursor = next;
  }
}

function deadEnd({ name, channelId }: ReadableChannel): SlackError {
  return new SlackError(
    { kind: 'cursor', method: 'conversations.replies', code: 'cursor_loop' },
    `The replies of a thread in ${channelLabel(name, channelId)} cannot be read to the end: Slack keeps saying there is more without showing it.`,
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
  page: MessagePage,
  messages: readonly NormalizedMessage[],
  isLast: boolean,
  walk: ThreadWalk,
): Promise<void> {
  const { thread } = walk;
  reportMessages(context, channel, page.malformed);
  const at = nowIso(context);
  const absent = isLast ? await absentReplies(context, walk, page) : [];
  const content = { messages, absentReplies: absent };
  // Whether a root was deleted or has expired only the channel's history can tell.
  const unproven = new Set(messages.filter(({ isTombstone }) => isTombstone).map(({ ts }) => ts));
  const saved = await savePage(
    context,
    channel.channelId,
    content,
    { source: 'api', at, unproven },
    async (store, told, changes) => {
      context.writes.note(channel.channelId, changes, walk.written);
      walk.isChanged ||= changes.length > 0;
      // The history lane may have heard a newer claim meanwhile, and so may this page.
      const row = told.get(thread.thread_ts) ?? (await findThread(store, thread)) ?? thread;
      await store.positions.writeThreads([
        isLast
          ? await settledRow(context, store, row, walk, at)
          : { ...row, resume_ts: walk.isAudit ? null : (walk.lastReply ?? null) },
      ]);
    },
  );
  reportMessages(context, channel, saved.refused);
  if (saved.refused.length > 0) {
    const row = (await findThread(context.store, thread)) ?? thread;
    await context.store.transaction((store) => store.positions.writeThreads([{ ...row, ...cutThread(at) }]));
  }
  countPage(context, channel.channelId, saved);
}

/**
 * Stored replies that a whole reading did not show and that people deleted. When the root was not shown either, or Slack hides
 * part of the thread, nothing can be told.
 */
async function absentReplies(context: SyncContext, walk: ThreadWalk, page: MessagePage): Promise<Ts[]> {
  const { thread, isWhole, isDirty, rootClaim, shown, written } = walk;
  if (!isWhole || isDirty || rootClaim === null || page.isLimited) return [];
  // Slack says itself that it does not show them all.
  if (unshownIn(walk) !== null) return [];
  const { store, teamId } = context;
  const stored = await store.messages.listLiveReplies(teamId, thread.channel_id, thread.thread_ts);
  const missing = stored.filter((ts) => !shown.has(ts) && !written.has(ts));
  return findDeletedReplies(context, thread.channel_id, missing, page.messages);
}

/**
 * The thread's row after the last page. When only new replies were read and the root tells of more or fewer than are stored,
 * the thread stays pending, to be read whole. A run that was stopped half-way left its place: there nothing is compared,
 * or a budget smaller than the thread would begin anew for ever; the next audit sees to it.
 */
async function settledRow(
  context: SyncContext,
  store: TransactionStore,
  row: ThreadRow,
  walk: ThreadWalk,
  at: IsoTime,
): Promise<ThreadRow> {
  const { thread, isWhole, rootClaim, isAudit } = walk;
  const live = await store.messages.countLiveReplies(row.team_id, row.channel_id, row.thread_ts);
  const isComplete = isWhole || thread.resume_ts !== null || live === claimedReplies(rootClaim ?? thread.claim);
  if (!isComplete) return { ...row, is_pending: true, live_replies: null, resume_ts: null };
  walk.isSettled = true;
  // A thread of which something is missing is none that was read: every run tries again, and says so.
  if (walk.isCut) return { ...row, ...cutThread(at), resume_ts: null };
  const unshown = unshownIn(walk);
  const isNewDoubt = unshown !== null && row.shown_replies === null;
  if (isNewDoubt) context.threads.unshown += 1;
  const isChanged = !isAudit || walk.isChanged || isNewDoubt;
  return {
    ...settledThread(row, thread.claim, rootClaim, at),
    // Where the root does not name its last reply.
    followed_from_ts: row.followed_from_ts ?? walk.lastReply ?? row.thread_ts,
    live_replies: live,
    shown_replies: unshown,
    ...nextAudit(row, { run: context.runNumber, isChanged, live, at, isDoubtful: unshown !== null }),
  };
}

/** What is noted of a thread of which a reply could not be taken: to be read again, by the next run and not by this one. */
function cutThread(at: IsoTime) {
  const last_error = 'malformed_message: a reply cannot be taken.';
  return { is_pending: true, live_replies: null, last_checked_at: at, last_error };
}

/** How many replies a whole reading showed, where Slack says itself that there are more; else null. */
function unshownIn({ isWhole, isDirty, rootClaim, thread, shown }: ThreadWalk): number | null {
  return isWhole && !isDirty && shown.size < claimedReplies(rootClaim ?? thread.claim) ? shown.size : null;
}

async function deletedReplies(context: SyncContext, thread: ThreadRow): Promise<Ts[]> {
  const { channel_id, thread_ts } = thread;
  const live = await context.store.messages.listLiveReplies(context.teamId, channel_id, thread_ts);
  return findDeletedReplies(context, channel_id, live, []);
}

async function findThread(
  store: TransactionStore,
  { team_id, channel_id, thread_ts }: ThreadRow,
): Promise<ThreadRow | undefined> {
  return (await store.positions.findThreads(team_id, channel_id, [thread_ts])).get(thread_ts);
}

/**
 * There is nothing to read, and nothing to retry. The replies of a root that was deleted are gone with it, unless the
 * whole thread may have expired.
 */
async function settleVanished(context: SyncContext, thread: ThreadRow): Promise<void> {
  const at: IsoTime = nowIso(context);
  const { team_id: teamId, channel_id: channelId, thread_ts: threadTs } = thread;
  const isDeleted = await isRootDeleted(context, thread);
  const absent = isDeleted ? await deletedReplies(context, thread) : [];
  // The root is there and tells of replies, and Slack says that there is no such thread.
  const isDoubtful = claimedReplies(thread.claim) > 0 && !(await isRootGone(context, thread));
  if (isDoubtful && thread.shown_replies === null) context.threads.unshown += 1;
  const saved = await savePage(
    context,
    channelId,
    { messages: [], absentReplies: absent },
    { source: 'api', at },
    async (store) => {
      const row = settledThread(thread, thread.claim, null, at);
      const live = await store.messages.countLiveReplies(teamId, channelId, threadTs);
      await store.positions.writeThreads([
        {
          ...row,
          live_replies: live,
          shown_replies: isDoubtful ? 0 : null,
          audit_interval: isDoubtful ? 1 : null,
          next_audit_run: isDoubtful ? context.runNumber + 1 : null,
          last_error: 'thread_not_found',
        },
      ]);
    },
  );
  countPage(context, channelId, saved);
}
