/** What messages tell of threads, and when a thread's replies are to be fetched. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { ThreadRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import type { NormalizedMessage, ThreadNews } from '../normalize/message.ts';
import { compareTs, isTs } from '../ts.ts';

/**
 * Notes which threads moved. The root's own word counts before a broadcast's copy of it, which may be older; the copy
 * counts only where it tells of a later reply. Returns the threads told about as they stand now, and how many of them
 * became pending.
 */
export async function recordThreadNews(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  messages: readonly NormalizedMessage[],
): Promise<{ threads: ReadonlyMap<Ts, ThreadRow>; newlyPending: number }> {
  const news = newsByThread(messages);
  if (news.size === 0) return { threads: new Map(), newlyPending: 0 };
  const stored = await store.positions.findThreads(teamId, channelId, [...news.keys()]);
  const changed = [...news.values()].flatMap((told) => {
    const row = stored.get(told.thread_ts);
    const next = threadAfter(teamId, channelId, row, told);
    return next === null ? [] : [{ row, next }];
  });
  if (changed.length > 0) await store.positions.writeThreads(changed.map(({ next }) => next));
  const newlyPending = changed.filter(({ row, next }) => next.is_pending && row?.is_pending !== true).length;
  return { threads: new Map([...stored, ...changed.map(({ next }) => [next.thread_ts, next] as const)]), newlyPending };
}

function newsByThread(messages: readonly NormalizedMessage[]): Map<Ts, ThreadNews> {
  const news = new Map<Ts, ThreadNews>();
  for (const { thread } of messages) {
    if (thread === null) continue;
    const other = news.get(thread.thread_ts);
    if (
      other === undefined ||
      (thread.isFromRoot && !other.isFromRoot) ||
      (thread.isFromRoot === other.isFromRoot && isLater(thread, other))
    ) {
      news.set(thread.thread_ts, thread);
    }
  }
  return news;
}

function isLater(a: ThreadNews, b: ThreadNews): boolean {
  return isTs(a.latest_reply) && (!isTs(b.latest_reply) || compareTs(a.latest_reply, b.latest_reply) > 0);
}

/** The claim of a root that says nothing of replies: the last one was deleted. */
export const noReplies = '0 -';

/** How many replies a claim tells of. */
export function claimedReplies(claim: string): number {
  return Number.parseInt(claim, 10);
}

/** A thread of which nothing was read yet. */
export function queuedThread(channel: { teamId: string; channelId: string }, threadTs: Ts, claim: string): ThreadRow {
  return {
    team_id: channel.teamId,
    channel_id: channel.channelId,
    thread_ts: threadTs,
    claim,
    settled_claims: null,
    is_pending: true,
    resume_ts: null,
    last_checked_at: null,
    last_error: null,
    live_replies: null,
    next_audit_run: null,
    audit_interval: null,
  };
}

/** The thread's row after the news; null when they change nothing. */
function threadAfter(
  teamId: string,
  channelId: string,
  row: ThreadRow | undefined,
  told: ThreadNews,
): ThreadRow | null {
  const claim = told.claim ?? noReplies;
  if (row === undefined) {
    if (told.claim === null) return null;
    return queuedThread({ teamId, channelId }, told.thread_ts, claim);
  }
  if (row.claim === claim) return null;
  if (!told.isFromRoot && !tellsOfLaterReply(told, row.claim)) return null;
  return { ...row, claim, is_pending: !isSettled(row, claim) };
}

function tellsOfLaterReply(told: ThreadNews, claim: string): boolean {
  const known = claim.split(' ')[1];
  return isTs(told.latest_reply) && (!isTs(known) || compareTs(told.latest_reply, known) > 0);
}

/** Claims are kept as "count latest|count latest": what the root said before the last full read, and within it. */
function isSettled(row: ThreadRow, claim: string): boolean {
  return row.settled_claims?.split('|').includes(claim) ?? false;
}

/**
 * The row once all replies are stored: `readFor` is the claim that made us read, `rootClaim` what the root said meanwhile,
 * null when it was not seen again.
 */
export function settledThread(row: ThreadRow, readFor: string, rootClaim: string | null, at: IsoTime): ThreadRow {
  const claims = rootClaim === null ? [readFor] : [...new Set([readFor, rootClaim])];
  return {
    ...row,
    settled_claims: claims.join('|'),
    is_pending: !claims.includes(row.claim),
    resume_ts: null,
    last_checked_at: at,
    last_error: null,
  };
}
