/** What messages tell of threads, and when a thread's replies are to be fetched. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { ThreadRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import type { NormalizedMessage, ThreadNews } from '../normalize/message.ts';
import { compareTs, isTs } from '../ts.ts';

/**
 * Notes which threads moved. The root's own word counts before a broadcast's copy of it, which may be older; the copy
 * counts only where it tells of a later reply. Returns the threads told about as they stand now, and how many of them
 * became pending. `formerRoots` were shown without a word of their thread; `readBefore`: those of the messages that Slack had
 * shown us before.
 */
export async function recordThreadNews(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  { messages, formerRoots }: { messages: readonly NormalizedMessage[]; formerRoots: readonly Ts[] },
  readBefore: ReadonlySet<Ts>,
): Promise<{ threads: ReadonlyMap<Ts, ThreadRow>; newlyPending: number }> {
  const news = newsByThread(messages);
  for (const ts of formerRoots) news.set(ts, { thread_ts: ts, claim: null, latest_reply: null, isFromRoot: true });
  if (news.size === 0) return { threads: new Map(), newlyPending: 0 };
  const stored = await store.positions.findThreads(teamId, channelId, [...news.keys()]);
  const elsewhere = [...news.values()].filter(({ thread_ts, isFromRoot }) => !isFromRoot && !stored.has(thread_ts));
  const roots = await store.messages.findForMerge(
    teamId,
    channelId,
    elsewhere.map(({ thread_ts }) => thread_ts),
  );
  const isKnown = (ts: Ts) => readBefore.has(ts) || (roots.get(ts)?.source ?? 'import') !== 'import';
  const changed = [...news.values()].flatMap((told) => {
    const row = stored.get(told.thread_ts);
    const next = threadAfter({ teamId, channelId }, row, told, row === undefined && isKnown(told.thread_ts));
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
    followed_from_ts: null,
    shown_replies: null,
  };
}

/** The thread's row after the news; null when they change nothing. */
function threadAfter(
  channel: { teamId: string; channelId: string },
  row: ThreadRow | undefined,
  told: ThreadNews,
  /** The root was read when it had no replies. */
  isNewThread: boolean,
): ThreadRow | null {
  const claim = told.claim ?? noReplies;
  if (row === undefined) {
    if (told.claim === null) return null;
    const followed_from_ts = isNewThread ? told.thread_ts : lastClaimed(told.thread_ts, claim);
    return { ...queuedThread(channel, told.thread_ts, claim), followed_from_ts };
  }
  const followed_from_ts = row.followed_from_ts ?? firstClaimed(row, claim);
  if (row.claim === claim || (!told.isFromRoot && !tellsOfLaterReply(told, row.claim))) {
    return row.followed_from_ts === followed_from_ts ? null : { ...row, followed_from_ts };
  }
  return { ...row, claim, is_pending: !isSettled(row, claim), followed_from_ts };
}

/** Of a thread that only an export told of, all that Slack's first word of it tells is history. */
function firstClaimed({ thread_ts, last_checked_at, claim: known }: ThreadRow, claim: string): Ts | null {
  return lastClaimed(thread_ts, last_checked_at === null ? claim : known);
}

/** The last reply that a claim tells of; the root itself where it tells of none, null where it does not say which. */
function lastClaimed(threadTs: Ts, claim: string): Ts | null {
  if (claimedReplies(claim) === 0) return threadTs;
  const last = claim.split(' ')[1];
  return isTs(last) ? last : null;
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
