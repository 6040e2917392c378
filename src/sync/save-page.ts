/**
 * THE invariant: rows, and the checkpoint or coverage that vouches for them, commit in one transaction or not at all.
 * Every message of every source comes in through here.
 */

import type { Store, TransactionStore } from '../db/repositories/index.ts';
import type { StoredMessage } from '../db/repositories/messages.ts';
import type { FileRow, MessageRow, ThreadRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import type { NormalizedFile } from '../normalize/file.ts';
import type { NormalizedMessage, ThreadNews } from '../normalize/message.ts';
import { compareTs, isTs } from '../ts.ts';
import { type MessageCounts, noMessages } from './counts.ts';
import { type DiscardRule, matchingRule } from './discard.ts';
import { type Decision, decide, type Observation } from './merge.ts';

export interface PageContext {
  store: Store;
  teamId: string;
  discardRules: readonly DiscardRule[];
  /** Messages dropped so far, by the rule's label. */
  discarded: Map<string, number>;
  /** Ids that have a row in `users`; grows as placeholders are committed. */
  knownUsers: Set<string>;
}

export interface SavedPage {
  counts: MessageCounts;
  /** Threads that this page made pending. */
  newlyPending: number;
}

/**
 * Saves messages of one channel and lets `vouch` record, in the same transaction, what they complete; it is given the
 * rows of the threads that the messages tell about. Idempotent:
 * saving the same page again changes no row. Messages may come in any order; of two with one ts the later counts.
 */
export async function savePage(
  context: PageContext,
  channelId: string,
  messages: readonly NormalizedMessage[],
  seen: Observation,
  vouch: (store: TransactionStore, threads: ReadonlyMap<Ts, ThreadRow>) => Promise<void>,
): Promise<SavedPage> {
  const kept = keepMessages(context, messages);
  const authors = unknownAuthors(context, kept.messages);
  const saved = await context.store.transaction(async (store) => {
    const counts = await mergeMessages(store, context.teamId, channelId, kept.messages, seen);
    const { threads, newlyPending } = await recordThreadNews(store, context.teamId, channelId, messages);
    if (authors.length > 0) await store.directory.addUserPlaceholders(context.teamId, authors, seen.at);
    await vouch(store, threads);
    return { counts, newlyPending };
  });
  for (const author of authors) context.knownUsers.add(author);
  for (const [label, n] of kept.discarded) context.discarded.set(label, (context.discarded.get(label) ?? 0) + n);
  saved.counts.discarded = messages.length - kept.duplicates - kept.messages.length;
  saved.counts.seen = messages.length - kept.duplicates;
  return saved;
}

function keepMessages(context: PageContext, messages: readonly NormalizedMessage[]) {
  const discarded = new Map<string, number>();
  const byTs = new Map(messages.map((message) => [message.ts, message]));
  const kept = [...byTs.values()].filter((message) => {
    const rule = context.discardRules.length === 0 ? null : matchingRule(context.discardRules, message.message);
    if (rule !== null) discarded.set(rule.label, (discarded.get(rule.label) ?? 0) + 1);
    return rule === null;
  });
  return { messages: kept, discarded, duplicates: messages.length - byTs.size };
}

/** Ids Slack can be asked about: users (U, W), not the bots (B) that old messages have in their place. */
function unknownAuthors(context: PageContext, messages: readonly NormalizedMessage[]): string[] {
  const authors = new Set<string>();
  for (const { user_id: id } of messages) {
    if (id !== null && /^[UW]/.test(id) && !context.knownUsers.has(id)) authors.add(id);
  }
  return [...authors];
}

interface Merge {
  read: NormalizedMessage;
  stored: StoredMessage | undefined;
  decision: Decision;
}

async function mergeMessages(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  messages: readonly NormalizedMessage[],
  seen: Observation,
): Promise<MessageCounts> {
  const storedByTs = await store.messages.findForMerge(
    teamId,
    channelId,
    messages.map(({ ts }) => ts),
  );
  const merges = messages.map((read): Merge => {
    const stored = storedByTs.get(read.ts);
    return { read, stored, decision: decide(stored, read, seen) };
  });

  const revised = merges.filter(({ decision }) => decision.kind === 'replace' && decision.keepRevision);
  await store.messages.keepRevisions(
    teamId,
    channelId,
    revised.map(({ read }) => read.ts),
  );

  const written = merges.filter(({ decision }) => decision.kind === 'insert' || decision.kind === 'replace');
  await store.messages.write(written.map((merge) => messageRow(teamId, channelId, merge, seen)));
  for (const merge of merges) await applyMark(store, teamId, channelId, merge);

  const refreshed = merges.filter(({ decision }) => decision.kind === 'mark' && decision.withState);
  await saveReactions(store, teamId, channelId, [...written, ...refreshed], seen.at);
  await saveFiles(store, teamId, channelId, written, seen.at);
  return countMerges(merges);
}

function messageRow(teamId: string, channelId: string, { read, stored, decision }: Merge, seen: Observation) {
  const isReplaced = decision.kind === 'replace';
  return {
    team_id: teamId,
    channel_id: channelId,
    ts: read.ts,
    posted_at: read.posted_at,
    thread_ts: read.thread_ts,
    is_reply: read.is_reply,
    user_id: read.user_id,
    bot_id: read.bot_id,
    subtype: read.subtype,
    text: read.text,
    search_text: read.search_text,
    edited_ts: read.edited_ts,
    reply_count: read.reply_count,
    latest_reply: read.latest_reply,
    deleted_at: isReplaced ? decision.deletedAt : read.isTombstone ? seen.at : null,
    source: seen.source,
    is_sanitized: read.is_sanitized,
    content_hash: read.content_hash,
    state_hash: read.state_hash,
    raw: read.raw,
    first_seen_at: stored?.first_seen_at ?? seen.at,
    updated_at: isReplaced ? decision.updatedAt : seen.at,
  };
}

async function applyMark(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  { read, decision }: Merge,
): Promise<void> {
  if (decision.kind !== 'mark') return;
  const change: Pick<MessageRow, 'deleted_at' | 'reply_count' | 'latest_reply' | 'updated_at'> & {
    state_hash?: string;
  } = {
    deleted_at: decision.deletedAt,
    reply_count: read.reply_count,
    latest_reply: read.latest_reply,
    updated_at: decision.updatedAt,
  };
  if (decision.withState) change.state_hash = read.state_hash;
  await store.messages.mark({ team_id: teamId, channel_id: channelId, ts: read.ts }, change);
}

function countMerges(merges: readonly Merge[]): MessageCounts {
  const counts = noMessages();
  for (const { stored, decision } of merges) {
    if (decision.kind === 'insert') counts.inserted += 1;
    else if (decision.kind === 'unchanged') counts.unchanged += 1;
    else if (decision.kind === 'stale' || (decision.kind === 'mark' && decision.isStale)) counts.stale += 1;
    else if (decision.deletedAt !== null && stored?.deleted_at === null) counts.deleted += 1;
    else counts.updated += 1;
  }
  return counts;
}

/**
 * Rows of reactions follow what was read. A reactor missing from a list is removed only when the list is complete: Slack
 * may cut `users` while `count` is right.
 */
async function saveReactions(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  merges: readonly Merge[],
  at: IsoTime,
): Promise<void> {
  const known = merges.filter(({ stored }) => stored !== undefined);
  const present = await store.messages.findReactions(
    teamId,
    channelId,
    known.map(({ read }) => read.ts),
  );
  const keyOf = (ts: string, name: string, userId: string) => `${ts} ${name} ${userId}`;
  const presentKeys = new Set(present.map((row) => keyOf(row.ts, row.name, row.user_id)));

  const added = merges.flatMap(({ read: { ts, reactions } }) =>
    reactions.flatMap(({ name, userIds }) =>
      userIds
        .filter((userId) => !presentKeys.has(keyOf(ts, name, userId)))
        .map((userId) => ({ team_id: teamId, channel_id: channelId, ts, name, user_id: userId, first_seen_at: at })),
    ),
  );
  if (added.length > 0) await store.messages.addReactions(dedupe(added, (row) => keyOf(row.ts, row.name, row.user_id)));

  if (present.length === 0) return;
  const readings = new Map(
    known.map(({ read }) => [read.ts, new Map(read.reactions.map((reaction) => [reaction.name, reaction]))]),
  );
  const gone = present.filter((row) => {
    const reaction = readings.get(row.ts)?.get(row.name);
    return reaction === undefined || (reaction.isComplete && !reaction.userIds.includes(row.user_id));
  });
  await store.messages.removeReactions(gone);
}

async function saveFiles(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  merges: readonly Merge[],
  at: IsoTime,
): Promise<void> {
  const links = merges.flatMap(({ read }) =>
    read.files.map((file) => ({ team_id: teamId, channel_id: channelId, ts: read.ts, file_id: file.file_id })),
  );
  const files = dedupe(
    merges.flatMap(({ read }) => read.files),
    (file) => file.file_id,
  );
  const storedFiles = await store.messages.findFiles(
    teamId,
    files.map(({ file_id }) => file_id),
  );
  const changed = files.filter((file) => {
    const stored = storedFiles.get(file.file_id);
    return stored === undefined || (stored.content_hash !== file.content_hash && !file.isStub);
  });
  if (changed.length > 0) await store.messages.writeFiles(changed.map((file) => fileRow(teamId, file, at)));
  if (links.length > 0) await store.messages.addFileLinks(links);

  const replaced = merges.filter(({ decision }) => decision.kind === 'replace').map(({ read }) => read.ts);
  const linked = new Set(links.map((link) => `${link.ts} ${link.file_id}`));
  const present = await store.messages.findFileLinks(teamId, channelId, replaced);
  await store.messages.removeFileLinks(present.filter((link) => !linked.has(`${link.ts} ${link.file_id}`)));
}

function fileRow(teamId: string, { isStub: _, ...file }: NormalizedFile, at: IsoTime) {
  return { team_id: teamId, ...file, updated_at: at } satisfies Record<keyof FileRow, unknown>;
}

/**
 * Notes which threads moved. The root's own word counts before a broadcast's copy of it, which may be older; the copy
 * counts only where it tells of a later reply. Returns the threads told about as they stand now, and how many of them
 * became pending.
 */
async function recordThreadNews(
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

const noReplies = '0 -';

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
    return {
      team_id: teamId,
      channel_id: channelId,
      thread_ts: told.thread_ts,
      claim,
      settled_claims: null,
      is_pending: true,
      last_checked_at: null,
      last_error: null,
    };
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

/** The row once all replies are stored: `readFor` is the claim that made us read, `rootClaim` what the root said meanwhile. */
export function settledThread(row: ThreadRow, readFor: string, rootClaim: string | null, at: IsoTime): ThreadRow {
  const claims = [...new Set([readFor, rootClaim ?? noReplies])];
  return {
    ...row,
    settled_claims: claims.join('|'),
    is_pending: !claims.includes(row.claim),
    last_checked_at: at,
    last_error: null,
  };
}

function dedupe<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
