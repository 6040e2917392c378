/**
 * Whether columns, reactions and file links are what Slack's object says. Every message is normalized again, in batches,
 * so that memory stays flat however many there are.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { TransactionStore } from '../db/repositories/index.ts';
import type { CheckedFileLink, CheckedMessage } from '../db/repositories/integrity.ts';
import type { ReactionRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import { type NormalizedMessage, normalizeMessage, type Reaction } from '../normalize/message.ts';
import { compareTs, millisToIso, tsToMicros } from '../ts.ts';
import { type Gap, gapIn, type Remedy } from './gap.ts';
import type { Ledger, VerifiedChannel } from './ledger.ts';

/** Messages whose objects are in memory at one time. */
export const batchSize = 500;

/** Two machines that both keep good time differ by less. */
const hourMs = 3600 * 1000;

/** In `state_hash` of a message that is to be written anew when it is read again: no hash of any message. */
export const unconfirmed = 'unconfirmed';

/** A stored message with what Slack's object says it should be. */
export interface CheckedRow {
  row: CheckedMessage;
  read: NormalizedMessage;
  reactions: readonly ReactionRow[];
  links: readonly CheckedFileLink[];
}

/** Messages that were stored under a clock that was ahead. Nothing is concluded from that time, but whoever queries it must know. */
export interface FutureRows {
  count: number;
  /** The latest `updated_at`; null when there are none. */
  latest: IsoTime | null;
}

/** Returns the gaps of one channel, how many messages were looked at, and those of them that carry a time to come. */
export async function checkContent(
  ledger: Ledger,
  channel: VerifiedChannel,
): Promise<{ gaps: Gap[]; messages: number; future: FutureRows }> {
  const { store, teamId } = ledger;
  const gaps: Gap[] = [];
  let messages = 0;
  const future: FutureRows = { count: 0, latest: null };
  const soon = millisToIso(ledger.now + hourMs);
  let after: Ts | null = null;
  for (;;) {
    // A database in this process answers at once, for ever: signals and heartbeats must get their turn.
    await breathe();
    ledger.signal.throwIfAborted();
    const rows: CheckedMessage[] = await store.integrity.listForCheck(teamId, channel.channelId, after, batchSize);
    const last = rows.at(-1);
    if (last === undefined) return { gaps, messages, future };
    messages += rows.length;
    for (const { updated_at } of rows) if (updated_at > soon) countFuture(future, updated_at);
    after = last.ts;
    const doubtful = (await loadBatch(ledger, channel, rows)).filter((checked) => gapsOf(channel, checked).length > 0);
    // A run may have committed between the statements that read a message and its reactions.
    const again = await loadChecked(
      ledger,
      channel,
      doubtful.map(({ row }) => row.ts),
    );
    const settled = await askedInVain(ledger, channel, again);
    for (const checked of again) if (!settled.has(checked.row.ts)) gaps.push(...gapsOf(channel, checked));
  }
}

/** Adds one row, or `count` of them. */
export function countFuture(future: FutureRows, latest: IsoTime, count = 1): void {
  future.count += count;
  if (future.latest === null || latest > future.latest) future.latest = latest;
}

interface Place {
  store: TransactionStore;
  teamId: string;
}

/** The messages with these ts, ascending. */
export async function loadChecked(
  { store, teamId }: Place,
  { channelId }: { channelId: string },
  ts: readonly Ts[],
): Promise<CheckedRow[]> {
  return join(
    await store.integrity.findForCheck(teamId, channelId, ts),
    await store.messages.findReactions(teamId, channelId, ts),
    await store.integrity.findFileLinks(teamId, channelId, ts),
  );
}

/** Messages that follow each other, with what hangs on them. */
async function loadBatch(
  { store, teamId }: Place,
  { channelId }: { channelId: string },
  rows: readonly CheckedMessage[],
): Promise<CheckedRow[]> {
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) return [];
  return join(
    rows,
    await store.integrity.listReactionsBetween(teamId, channelId, first.ts, last.ts),
    await store.integrity.listFileLinksBetween(teamId, channelId, first.ts, last.ts),
  );
}

function join(
  rows: readonly CheckedMessage[],
  reactions: readonly ReactionRow[],
  links: readonly CheckedFileLink[],
): CheckedRow[] {
  const reactionsOf = byTs(reactions);
  const linksOf = byTs(links);
  return rows.map((row) => ({
    row,
    read: normalizeMessage({ ...row.raw, ts: row.ts }),
    reactions: reactionsOf.get(row.ts) ?? [],
    links: linksOf.get(row.ts) ?? [],
  }));
}

function byTs<Row extends { ts: Ts }>(rows: readonly Row[]): Map<Ts, Row[]> {
  const grouped = new Map<Ts, Row[]>();
  for (const row of rows) {
    const known = grouped.get(row.ts);
    if (known === undefined) grouped.set(row.ts, [row]);
    else known.push(row);
  }
  return grouped;
}

/**
 * Messages whose object was not what their row was written from, of which Slack was asked again, and which it does not have any
 * more: what is left of them is all there is. Asked it was when what the repair took back (a covered range, a thread that was
 * read) is there again.
 */
async function askedInVain(
  { store, teamId }: Place,
  { channelId }: { channelId: string },
  rows: readonly CheckedRow[],
): Promise<ReadonlySet<Ts>> {
  const waiting = rows.filter((checked) => checked.row.state_hash === unconfirmed && isMendedAsFarAsCanBe(checked));
  if (waiting.length === 0) return new Set();
  const coverage = (await store.positions.listCoverage(teamId, channelId)).filter(({ source }) => source !== 'import');
  const roots = waiting.flatMap(({ row }) => (row.is_reply && row.thread_ts !== null ? [row.thread_ts] : []));
  const threads = await store.positions.findThreads(teamId, channelId, roots);
  const isAsked = ({ row: { ts, is_reply, thread_ts, deleted_at } }: CheckedRow) =>
    deleted_at !== null ||
    (is_reply && thread_ts !== null
      ? threads.get(thread_ts)?.is_pending === false
      : coverage.some(({ from_ts, to_ts }) => compareTs(from_ts, ts) <= 0 && compareTs(ts, to_ts) <= 0));
  return new Set(waiting.filter(isAsked).map(({ row }) => row.ts));
}

/** Only the hash tells of the former object, and the ts in it when that was damaged. */
function isMendedAsFarAsCanBe(checked: CheckedRow): boolean {
  return changedColumns(checked).every((column) => column === 'content_hash' || column === 'ts in raw');
}

function gapsOf(channel: VerifiedChannel, checked: CheckedRow): Gap[] {
  const { row } = checked;
  const { ts } = row;
  const gaps: Gap[] = [];
  const columns = changedColumns(checked);
  if (columns.length > 0) {
    const message = `Not what Slack's object in raw says: ${columns.join(', ')}.`;
    gaps.push(gapIn(channel, { kind: 'changed_row', ts, message, remedy: remedyOf(checked) }));
  }
  const { missing, surplus } = compareReactions(checked);
  if (missing.length + surplus.length > 0) {
    const message = `Of the reactions, ${missing.length} are missing and ${surplus.length} are not in raw.`;
    gaps.push(gapIn(channel, { kind: 'changed_reactions', ts, message, remedy: { rows: [ts] } }));
  }
  const files = compareFiles(checked);
  if (files.missing.length + files.surplus.length > 0) {
    const message = `Of the files, ${files.missing.length} are missing and ${files.surplus.length} are not in raw.`;
    gaps.push(gapIn(channel, { kind: 'changed_files', ts, message, remedy: { rows: [ts] } }));
  }
  return gaps;
}

/** What follows from raw alone is derived again; when raw itself may be wrong, only Slack knows. */
function remedyOf(checked: CheckedRow): Remedy {
  const { row } = checked;
  const { ts, thread_ts, is_reply } = row;
  if (isVouchedFor(checked) || row.deleted_at !== null) return { rows: [ts] };
  if (is_reply && thread_ts !== null) return { rows: [ts], threads: [thread_ts] };
  const at = tsToMicros(ts);
  return { rows: [ts], reread: { from: at, to: at } };
}

/** Whether raw is the object that was read when the row was written. */
export function isVouchedFor({ row, read }: CheckedRow): boolean {
  return row.content_hash === read.content_hash;
}

/** Columns that are written together with raw and never without it. */
const derivedColumns = [
  'posted_at',
  'is_reply',
  'user_id',
  'bot_id',
  'subtype',
  'text',
  'search_text',
  'edited_ts',
  'content_hash',
] as const;

/** What a root says of its thread follows raw, unless it came with a later look: at another state, or at its tombstone. */
const threadColumns = ['thread_ts', 'reply_count', 'latest_reply'] as const;

function changedColumns(checked: CheckedRow): string[] {
  const { row, read } = checked;
  const compared = hasThreadOfRaw(checked) ? [...derivedColumns, ...threadColumns] : derivedColumns;
  const changed: string[] = compared.filter(
    (column) => row[column] !== read[column] && !isRootByReplies(column, checked),
  );
  if (row.raw['ts'] !== row.ts) changed.push('ts in raw');
  return changed;
}

/** In exports roots do not always say that they have replies; the replies do. */
function isRootByReplies(column: string, { row, read }: CheckedRow): boolean {
  return column === 'thread_ts' && read.thread_ts === null && row.thread_ts === row.ts;
}

export function hasThreadOfRaw({ row, read }: CheckedRow): boolean {
  return row.state_hash === read.state_hash && row.deleted_at === null;
}

/** Rows of reactions follow the last state that was read, which is in raw when its hash is. */
export function compareReactions({ row, read, reactions }: CheckedRow): {
  missing: { name: string; userId: string }[];
  surplus: ReactionRow[];
} {
  if (row.state_hash !== read.state_hash) return { missing: [], surplus: [] };
  const listed = new Map<string, Reaction>();
  for (const reaction of read.reactions) {
    const known = listed.get(reaction.name);
    if (known === undefined) listed.set(reaction.name, reaction);
    else listed.set(reaction.name, { ...known, userIds: [...known.userIds, ...reaction.userIds], isComplete: false });
  }
  const stored = new Set(reactions.map(({ name, user_id }) => `${name} ${user_id}`));
  return {
    missing: [...listed.values()].flatMap(({ name, userIds }) =>
      userIds.filter((userId) => !stored.has(`${name} ${userId}`)).map((userId) => ({ name, userId })),
    ),
    surplus: reactions.filter(({ name, user_id }) => {
      const reaction = listed.get(name);
      return reaction === undefined || (reaction.isComplete && !reaction.userIds.includes(user_id));
    }),
  };
}

/** A file is there when both it and its link to the message are. */
export function compareFiles({ read, links }: CheckedRow): { missing: string[]; surplus: string[] } {
  const known = new Set(links.filter(({ known_id }) => known_id !== null).map(({ file_id }) => file_id));
  const listed = new Set(read.files.map(({ file_id }) => file_id));
  return {
    missing: [...listed].filter((id) => !known.has(id)),
    surplus: links.filter(({ file_id }) => !listed.has(file_id)).map(({ file_id }) => file_id),
  };
}
