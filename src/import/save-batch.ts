/** Stores what was read of some day files: messages of any channels, and the ledger's lines of the files, in one transaction. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { ImportFileRow } from '../db/schema.ts';
import { RefusedContentError } from '../errors.ts';
import type { IsoTime } from '../model.ts';
import type { StorableMessage } from '../normalize/message.ts';
import { nowIso, type SyncContext } from '../sync/context.ts';
import { addCounts, type MessageCounts, noMessages } from '../sync/counts.ts';
import { compareCopies } from '../sync/merge.ts';
import { unknownAuthors } from '../sync/save-page.ts';
import { writeMessages } from '../sync/write-messages.ts';

/** Messages of one channel, as they came. */
export interface ChannelMessages {
  channelId: string;
  messages: StorableMessage[];
}

export interface Batch {
  channels: readonly ChannelMessages[];
  /** Files of which everything is in this batch or an earlier one. */
  files: readonly ImportFileRow[];
}

/** A message that the database refuses, though it takes the others. */
export interface RefusedMessage {
  channelId: string;
  message: StorableMessage;
  reason: string;
}

/**
 * Stores the batch. One message that the database cannot hold costs itself: the batch is halved until it stands alone, and
 * told to `onRefused`. Throws every other error of the database; nothing of the transaction at hand is stored then.
 */
export async function saveBatch(
  context: SyncContext,
  batch: Batch,
  exportedAt: IsoTime,
  onRefused: (refused: RefusedMessage) => void,
): Promise<void> {
  try {
    await commit(context, batch, exportedAt);
  } catch (error) {
    if (!(error instanceof RefusedContentError)) throw error;
    const reasons: string[] = [];
    await saveInHalves(context, batch.channels, exportedAt, (refused) => {
      reasons.push(refused.reason);
      onRefused(refused);
    });
    // Which file it was in is not known here: all of them are read again by the next import.
    const files = batch.files.map((file): ImportFileRow => ({ ...file, status: 'partial', error: reasons[0] ?? null }));
    await commit(context, { channels: [], files: reasons.length > 0 ? files : batch.files }, exportedAt);
  }
}

async function saveInHalves(
  context: SyncContext,
  channels: readonly ChannelMessages[],
  exportedAt: IsoTime,
  onRefused: (refused: RefusedMessage) => void,
): Promise<void> {
  try {
    await commit(context, { channels, files: [] }, exportedAt);
  } catch (error) {
    if (!(error instanceof RefusedContentError)) throw error;
    const [only] = channels;
    const [message, other] = only?.messages ?? [];
    if (only !== undefined && message !== undefined && other === undefined && channels.length === 1) {
      onRefused({ channelId: only.channelId, message, reason: error.message });
      return;
    }
    for (const half of halve(channels)) await saveInHalves(context, half, exportedAt, onRefused);
  }
}

function halve(channels: readonly ChannelMessages[]): ChannelMessages[][] {
  const total = channels.reduce((sum, { messages }) => sum + messages.length, 0);
  const first: ChannelMessages[] = [];
  const second: ChannelMessages[] = [];
  let room = Math.floor(total / 2);
  for (const { channelId, messages } of channels) {
    const here = messages.slice(0, room);
    const there = messages.slice(room);
    room -= here.length;
    if (here.length > 0) first.push({ channelId, messages: here });
    if (there.length > 0) second.push({ channelId, messages: there });
  }
  return [first, second].filter((half) => half.length > 0);
}

async function commit(context: SyncContext, { channels, files }: Batch, exportedAt: IsoTime): Promise<void> {
  const at = nowIso(context);
  const seen = { source: 'import', at, exportedAt } as const;
  const merged = mergeByChannel(channels);
  const authors = unknownAuthors(
    context,
    merged.flatMap(({ messages }) => messages),
  );
  const counted = await context.store.transaction(async (tx: TransactionStore) => {
    const counts: [string, MessageCounts][] = [];
    for (const { channelId, messages } of merged) {
      const written = await writeMessages(tx, context.teamId, channelId, messages, seen);
      counts.push([channelId, { ...written.counts, seen: messages.length }]);
    }
    if (authors.length > 0) await tx.directory.addUserPlaceholders(context.teamId, authors, at);
    if (files.length > 0) await tx.imports.saveFiles(lastOfEach(files));
    return counts;
  });
  for (const author of authors) context.knownUsers.add(author);
  for (const [channelId, counts] of counted) {
    const ofChannel = context.messagesByChannel.get(channelId) ?? noMessages();
    context.messagesByChannel.set(channelId, ofChannel);
    addCounts(ofChannel, counts);
    addCounts(context.messages, counts);
  }
}

/** Each channel once, and of two messages with one ts the one that counts. */
function mergeByChannel(channels: readonly ChannelMessages[]): ChannelMessages[] {
  const byChannel = new Map<string, Map<string, StorableMessage>>();
  for (const { channelId, messages } of channels) {
    const byTs = byChannel.get(channelId) ?? new Map<string, StorableMessage>();
    byChannel.set(channelId, byTs);
    for (const message of messages) {
      const other = byTs.get(message.ts);
      if (other === undefined || compareCopies(message, other) > 0) byTs.set(message.ts, message);
    }
  }
  return [...byChannel].map(([channelId, byTs]) => ({ channelId, messages: [...byTs.values()] }));
}

/** The same file may stand in a zip twice; rows of one statement must differ in their keys. */
function lastOfEach(files: readonly ImportFileRow[]): ImportFileRow[] {
  return [...new Map(files.map((file) => [`${file.sha256} ${file.path}`, file])).values()];
}
