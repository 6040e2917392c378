/** Merges messages into what is stored: rows, revisions, reactions, files. Called inside the page's transaction only. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { StoredFile, StoredMessage } from '../db/repositories/messages.ts';
import type { FileRow, MessageRow } from '../db/schema.ts';
import { type IsoTime, JsonText, type Ts } from '../model.ts';
import type { NormalizedFile } from '../normalize/file.ts';
import type { NormalizedMessage, StorableMessage } from '../normalize/message.ts';
import { type MessageCounts, noMessages } from './counts.ts';
import { type Decision, decide, type Observation, tombstoneMark } from './merge.ts';

interface Merge<Read extends StorableMessage = StorableMessage> {
  read: Read;
  stored: StoredMessage | undefined;
  decision: Decision;
}

/** What a page did to one row. */
export interface MessageChange<Read extends StorableMessage = NormalizedMessage> {
  ts: Ts;
  kind: 'inserted' | 'updated' | 'deleted';
  /** What was read; null for a message that is gone because Slack did not show it. */
  read: Read | null;
  /** The row before; null when there was none, or nothing was read. */
  was: StoredMessage | null;
}

/** Writes what `decide` says of each message; of one channel, each ts once. */
export async function writeMessages<Read extends StorableMessage>(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  messages: readonly Read[],
  seen: Observation,
): Promise<{ counts: MessageCounts; changes: MessageChange<Read>[] }> {
  const storedByTs = await store.messages.findForMerge(
    teamId,
    channelId,
    messages.map(({ ts }) => ts),
  );
  const merges = messages.map((read): Merge<Read> => {
    const stored = storedByTs.get(read.ts);
    return { read, stored, decision: decide(stored, read, seen) };
  });

  const revised = merges.filter(({ decision }) => decision.kind === 'replace' && decision.keepRevision);
  await store.messages.keepRevisions(
    teamId,
    channelId,
    revised.map(({ read }) => read.ts),
  );

  const inserted = merges.filter(({ decision }) => decision.kind === 'insert');
  const replaced = merges.filter(({ decision }) => decision.kind === 'replace');
  const confirmed = merges.filter(({ decision }) => decision.kind === 'unchanged' && decision.confirms === true);
  await store.messages.insert(inserted.map((merge) => messageRow(teamId, channelId, merge, seen)));
  await store.messages.write([...replaced, ...confirmed].map((merge) => messageRow(teamId, channelId, merge, seen)));
  const written = [...inserted, ...replaced];
  const marked = merges.filter(({ decision }) => decision.kind === 'mark');
  for (const merge of marked) await applyMark(store, teamId, channelId, merge);
  if (seen.source === 'import') await keepFormerWords(store, teamId, channelId, merges, seen.exportedAt);

  const refreshed = merges.filter(({ decision }) => decision.kind === 'mark' && decision.withState);
  const reacted = await saveReactions(store, teamId, channelId, [...written, ...refreshed], seen.at);
  await saveFileLinks(store, teamId, channelId, written);
  // An export may know what Slack hides of a file by now, also in a message that it tells nothing new about.
  await saveFiles(store, teamId, seen.source === 'import' ? merges : written, seen);
  const counts = countMerges(merges, reacted);
  await store.messages.addToCount(teamId, channelId, counts.inserted);
  return { counts, changes: merges.flatMap((merge) => changeOf(merge) ?? []) };
}

function messageRow(teamId: string, channelId: string, { read, stored, decision }: Merge, seen: Observation) {
  const isReplaced = decision.kind === 'replace';
  const isConfirmed = decision.kind === 'unchanged' && stored !== undefined;
  const thread = isReplaced && decision.keepThread === true && stored !== undefined ? stored : read;
  return {
    team_id: teamId,
    channel_id: channelId,
    ts: read.ts,
    posted_at: read.posted_at,
    thread_ts: thread.thread_ts,
    is_reply: read.is_reply,
    user_id: read.user_id,
    bot_id: read.bot_id,
    subtype: read.subtype,
    text: read.text,
    search_text: read.search_text,
    edited_ts: read.edited_ts,
    reply_count: thread.reply_count,
    latest_reply: thread.latest_reply,
    deleted_at: isConfirmed ? stored.deleted_at : isReplaced ? decision.deletedAt : tombstoneMark(read, seen),
    source: seen.source,
    is_sanitized: read.is_sanitized,
    content_hash: read.content_hash,
    state_hash: read.state_hash,
    raw: read.raw,
    first_seen_at: stored?.first_seen_at ?? seen.at,
    updated_at: isConfirmed ? stored.updated_at : isReplaced ? decision.updatedAt : seen.at,
    exported_at: seen.source === 'import' ? seen.exportedAt : null,
  } satisfies Record<keyof MessageRow, unknown>;
}

async function applyMark(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  { read, stored, decision }: Merge,
): Promise<void> {
  if (decision.kind !== 'mark') return;
  const thread = decision.keepThread === true && stored !== undefined ? stored : read;
  const change: Pick<MessageRow, 'thread_ts' | 'deleted_at' | 'reply_count' | 'latest_reply' | 'updated_at'> & {
    state_hash?: string;
  } = {
    // It may have become a root and been deleted between two reads.
    thread_ts: thread.thread_ts ?? stored?.thread_ts ?? null,
    deleted_at: decision.deletedAt,
    reply_count: thread.reply_count,
    latest_reply: thread.latest_reply,
    updated_at: decision.updatedAt,
  };
  // An original that is not marked has the counters of its tombstone by now, and they are not those in its object.
  if (decision.withState || decision.deletedAt === null) change.state_hash = read.state_hash;
  await store.messages.mark({ team_id: teamId, channel_id: channelId, ts: read.ts }, change);
}

function changeOf<Read extends StorableMessage>({ read, stored, decision }: Merge<Read>): MessageChange<Read> | null {
  const { ts } = read;
  const was = stored ?? null;
  if (decision.kind === 'insert') return { ts, kind: 'inserted', read, was };
  if (decision.kind === 'unchanged' || decision.kind === 'stale') return null;
  const isDeleted = decision.deletedAt !== null && was?.deleted_at === null;
  return { ts, kind: isDeleted ? 'deleted' : 'updated', read, was };
}

/** Each message in one count; `reacted` are those whose reactions changed. */
function countMerges(merges: readonly Merge[], reacted: ReadonlySet<string>): MessageCounts {
  const counts = noMessages();
  for (const { read, stored, decision } of merges) {
    const isSame = decision.kind === 'replace' && decision.isSame === true && !reacted.has(read.ts);
    if (decision.kind === 'insert') counts.inserted += 1;
    else if (decision.kind === 'unchanged' || isSame) counts.unchanged += 1;
    else if (decision.kind === 'stale' || (decision.kind === 'mark' && decision.isStale)) counts.stale += 1;
    else if (decision.deletedAt !== null && stored?.deleted_at === null) counts.deleted += 1;
    else counts.updated += 1;
  }
  return counts;
}

/**
 * Rows of reactions follow what was read. A reactor missing from a list is removed only when the list is complete: Slack
 * may cut `users` while `count` is right. Returns the messages of which some came or went.
 */
async function saveReactions(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  merges: readonly Merge[],
  at: IsoTime,
): Promise<Set<string>> {
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

  const changed = new Set<string>(added.map((row) => row.ts));
  if (present.length === 0) return changed;
  const readings = new Map(
    known.map(({ read }) => [read.ts, new Map(read.reactions.map((reaction) => [reaction.name, reaction]))]),
  );
  const gone = present.filter((row) => {
    const reaction = readings.get(row.ts)?.get(row.name);
    return reaction === undefined || (reaction.isComplete && !reaction.userIds.includes(row.user_id));
  });
  await store.messages.removeReactions(gone);
  for (const row of gone) changed.add(row.ts);
  return changed;
}

/** What an older export tells of a message that has changed since is a revision of it. */
async function keepFormerWords(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  merges: readonly Merge[],
  exportedAt: IsoTime,
): Promise<void> {
  const former = merges.filter(({ decision }) => decision.kind === 'stale' && decision.keepRevision === true);
  if (former.length === 0) return;
  const ts = former.map(({ read }) => read.ts);
  const known = await store.messages.findRevisionTexts(teamId, channelId, ts);
  const unknown = former.filter(({ read }) => !known.has(`${read.ts} ${read.text ?? ''}`));
  await store.messages.addRevisions(
    teamId,
    channelId,
    unknown.map(({ read: { ts, text, raw, edited_ts } }) => ({
      team_id: teamId,
      channel_id: channelId,
      ts,
      seen_at: exportedAt,
      text,
      raw,
      edited_ts,
    })),
  );
}

async function saveFileLinks(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  merges: readonly Merge[],
): Promise<void> {
  const links = merges.flatMap(({ read }) =>
    read.files.map((file) => ({ team_id: teamId, channel_id: channelId, ts: read.ts, file_id: file.file_id })),
  );
  if (links.length > 0) await store.messages.addFileLinks(links);

  const replaced = merges.filter(({ decision }) => decision.kind === 'replace').map(({ read }) => read.ts);
  const linked = new Set(links.map((link) => `${link.ts} ${link.file_id}`));
  const present = await store.messages.findFileLinks(teamId, channelId, replaced);
  await store.messages.removeFileLinks(present.filter((link) => !linked.has(`${link.ts} ${link.file_id}`)));
}

/** A file is shared in several messages, each with a copy of it that is as old as the message. */
async function saveFiles(
  store: TransactionStore,
  teamId: string,
  merges: readonly Merge[],
  seen: Observation,
): Promise<void> {
  const copies = merges.flatMap(({ read }) => read.files);
  if (copies.length === 0) return;
  const files = dedupe(seen.source === 'import' ? copies.toSorted(compareFiles) : copies, (file) => file.file_id);
  const storedFiles = await store.messages.findFiles(
    teamId,
    files.map(({ file_id }) => file_id),
  );
  const changed = files.flatMap((file) => {
    const stored = storedFiles.get(file.file_id);
    if (stored === undefined) return [fileRow(teamId, file, seen)];
    if (!isNewFile(stored, file, seen)) return [];
    const row = fileRow(teamId, file, seen);
    return [stored.content_hash === file.content_hash ? { ...row, updated_at: stored.updated_at } : row];
  });
  if (changed.length > 0) await store.messages.writeFiles(changed);
}

/** Slack's own word before an export's, the newer export before the older, and never a stub before what is known. */
function isNewFile(stored: StoredFile, file: NormalizedFile, seen: Observation): boolean {
  const sameContent = stored.content_hash === file.content_hash;
  if (seen.source !== 'import') return !file.isStub && (!sameContent || stored.exported_at !== null);
  const isStoredStub = isStub(stored);
  if (file.isStub !== isStoredStub) return isStoredStub;
  if (stored.exported_at === null) return false;
  if (seen.exportedAt !== stored.exported_at) return seen.exportedAt > stored.exported_at;
  return !sameContent && compareFiles(file, storedCopy(stored)) > 0;
}

function isStub({ name, raw }: StoredFile): boolean {
  return name === null && raw['created'] === undefined;
}

type FileCopy = Pick<NormalizedFile, 'isStub' | 'raw' | 'content_hash'>;

function storedCopy(stored: StoredFile): FileCopy {
  return { isStub: isStub(stored), raw: new JsonText(JSON.stringify(stored.raw)), content_hash: stored.content_hash };
}

/** Of copies in one export the one that tells most is the last; between equal ones any rule will do that is always the same. */
function compareFiles(a: FileCopy, b: FileCopy): number {
  if (a.isStub !== b.isStub) return a.isStub ? -1 : 1;
  if (a.raw.text.length !== b.raw.text.length) return a.raw.text.length - b.raw.text.length;
  return a.content_hash < b.content_hash ? -1 : a.content_hash > b.content_hash ? 1 : 0;
}

export function fileRow(teamId: string, { isStub: _, ...file }: NormalizedFile, seen: Observation) {
  const exportedAt = seen.source === 'import' ? seen.exportedAt : null;
  return { team_id: teamId, ...file, updated_at: seen.at, exported_at: exportedAt } satisfies Record<
    keyof FileRow,
    unknown
  >;
}

function dedupe<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
