/** Merges messages into what is stored: rows, revisions, reactions, files. Called inside the page's transaction only. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { StoredMessage } from '../db/repositories/messages.ts';
import type { FileRow, MessageRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import type { NormalizedFile } from '../normalize/file.ts';
import type { NormalizedMessage } from '../normalize/message.ts';
import { type MessageCounts, noMessages } from './counts.ts';
import { type Decision, decide, type Observation } from './merge.ts';

interface Merge {
  read: NormalizedMessage;
  stored: StoredMessage | undefined;
  decision: Decision;
}

/** What a page did to one row. */
export interface MessageChange {
  ts: Ts;
  kind: 'inserted' | 'updated' | 'deleted';
  /** What was read; null for a message that is gone because Slack did not show it. */
  read: NormalizedMessage | null;
  /** The row before; null when there was none, or nothing was read. */
  was: StoredMessage | null;
}

/** Writes what `decide` says of each message; of one channel, each ts once. */
export async function writeMessages(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  messages: readonly NormalizedMessage[],
  seen: Observation,
): Promise<{ counts: MessageCounts; changes: MessageChange[] }> {
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
  const counts = countMerges(merges);
  await store.messages.addToCount(teamId, channelId, counts.inserted);
  return { counts, changes: merges.flatMap((merge) => changeOf(merge) ?? []) };
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
  { read, stored, decision }: Merge,
): Promise<void> {
  if (decision.kind !== 'mark') return;
  const change: Pick<MessageRow, 'thread_ts' | 'deleted_at' | 'reply_count' | 'latest_reply' | 'updated_at'> & {
    state_hash?: string;
  } = {
    // It may have become a root and been deleted between two reads.
    thread_ts: read.thread_ts ?? stored?.thread_ts ?? null,
    deleted_at: decision.deletedAt,
    reply_count: read.reply_count,
    latest_reply: read.latest_reply,
    updated_at: decision.updatedAt,
  };
  if (decision.withState) change.state_hash = read.state_hash;
  await store.messages.mark({ team_id: teamId, channel_id: channelId, ts: read.ts }, change);
}

function changeOf({ read, stored, decision }: Merge): MessageChange | null {
  const { ts } = read;
  const was = stored ?? null;
  if (decision.kind === 'insert') return { ts, kind: 'inserted', read, was };
  if (decision.kind === 'unchanged' || decision.kind === 'stale') return null;
  const isDeleted = decision.deletedAt !== null && was?.deleted_at === null;
  return { ts, kind: isDeleted ? 'deleted' : 'updated', read, was };
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

export function fileRow(teamId: string, { isStub: _, ...file }: NormalizedFile, at: IsoTime) {
  return { team_id: teamId, ...file, updated_at: at } satisfies Record<keyof FileRow, unknown>;
}

function dedupe<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
