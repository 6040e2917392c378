/** What an import makes of threads: which are whole, and which `ingest` has to read. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { StoredRoot } from '../db/repositories/positions.ts';
import type { ThreadRow } from '../db/schema.ts';
import type { Ts } from '../model.ts';
import type { SyncContext } from '../sync/context.ts';
import { noReplies, queuedThread } from '../sync/thread-news.ts';
import { compareTs, isTs } from '../ts.ts';

/** Roots that are looked at in one transaction. */
const rootsAtOnce = 1000;

/** The longest interval between two looks at an unchanged thread, see sync/thread-schedule.ts. */
const idleInterval = 24;

/** What is missing of a channel's threads. */
export interface Unsettled {
  /** Threads that tell of replies that are not there. */
  incomplete: number;
  /** Threads of which the first message is not there. */
  rootless: number;
}

/**
 * Brings the threads of a channel in step with its messages, whatever order they came in: roots lie, and replies lie in other
 * files than their roots.
 */
export async function settleThreads(context: SyncContext, channelId: string): Promise<Unsettled> {
  const { store, teamId } = context;
  const { positions } = store;
  await store.transaction((tx) => tx.positions.markRoots(teamId, channelId));
  const withRoots = await settleAll(context, channelId, (after) =>
    positions.listRoots(teamId, channelId, after, rootsAtOnce),
  );
  const without = await settleAll(context, channelId, (after) =>
    positions.listRootless(teamId, channelId, after, rootsAtOnce),
  );
  return { incomplete: withRoots.incomplete, rootless: without.threads };
}

async function settleAll(
  { store, teamId, signal }: SyncContext,
  channelId: string,
  list: (after: Ts | null) => Promise<StoredRoot[]>,
): Promise<{ threads: number; incomplete: number }> {
  const found = { threads: 0, incomplete: 0 };
  let after: Ts | null = null;
  for (;;) {
    signal.throwIfAborted();
    const roots: StoredRoot[] = await list(after);
    const last = roots.at(-1);
    if (last === undefined) return found;
    after = last.ts;
    found.threads += roots.length;
    found.incomplete += await store.transaction((tx) => settle(tx, { teamId, channelId }, roots));
  }
}

async function settle(
  tx: TransactionStore,
  channel: { teamId: string; channelId: string },
  roots: readonly StoredRoot[],
): Promise<number> {
  const known = await tx.positions.findThreads(
    channel.teamId,
    channel.channelId,
    roots.map(({ ts }) => ts),
  );
  const changed = roots.flatMap((root) => {
    const row = known.get(root.ts);
    const next = threadAfter(channel, row, root);
    return next === null || (row !== undefined && isSame(row, next)) ? [] : [next];
  });
  if (changed.length > 0) await tx.positions.writeThreads(changed);
  return roots.filter((root) => claimOf(root) !== null && !isWhole(root)).length;
}

function threadAfter(
  channel: { teamId: string; channelId: string },
  row: ThreadRow | undefined,
  root: StoredRoot,
): ThreadRow | null {
  const told = claimOf(root);
  if (row !== undefined && row.last_checked_at !== null) return afterReading(row, root, told ?? noReplies);
  // A root that is not there, or says nothing of its replies: what is known is what is stored, unless more was heard of.
  if (told === null && row?.is_pending === true) return row;
  const claim = told ?? (root.live > 0 ? `${root.live} ${root.last ?? '-'}` : null);
  if (claim === null) return null;
  const queued = queuedThread(channel, root.ts, claim);
  if (!isWhole(root)) return queued;
  return {
    ...queued,
    is_pending: false,
    settled_claims: claim,
    live_replies: root.live,
    next_audit_run: 1,
    audit_interval: idleInterval,
  };
}

/** Replies that Slack did not show when the thread was read are either gone or were missed: only another look tells. */
function afterReading(row: ThreadRow, { live }: StoredRoot, claim: string): ThreadRow {
  const hasOthers = row.live_replies !== null && live !== row.live_replies;
  if (hasOthers) return { ...row, claim, is_pending: true, settled_claims: null, live_replies: null, resume_ts: null };
  const isSettled = row.settled_claims?.split('|').includes(claim) ?? false;
  return row.claim === claim ? row : { ...row, claim, is_pending: !isSettled };
}

function isSame(row: ThreadRow, next: ThreadRow): boolean {
  return (Object.keys(next) as (keyof ThreadRow)[]).every((column) => row[column] === next[column]);
}

/** As the ledger writes what a root says of its replies. */
function claimOf({ reply_count, latest_reply }: StoredRoot): string | null {
  return (reply_count ?? 0) > 0 || latest_reply !== null ? `${reply_count ?? 0} ${latest_reply ?? '-'}` : null;
}

function isWhole({ reply_count, latest_reply, live, last }: StoredRoot): boolean {
  if (live < (reply_count ?? 0)) return false;
  return !isTs(latest_reply) || (last !== null && compareTs(last, latest_reply) >= 0);
}
