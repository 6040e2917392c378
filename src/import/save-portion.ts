/** Stores messages of one conversation; where the database refuses one of them, all the others. */
import type { TransactionStore } from '../db/repositories/index.ts';
import { RefusedContentError } from '../errors.ts';
import type { IsoTime } from '../model.ts';
import type { StorableMessage } from '../normalize/message.ts';
import { nowIso, type SyncContext } from '../sync/context.ts';
import type { MessageCounts } from '../sync/counts.ts';
import { renamedFrom } from '../sync/former-names.ts';
import { compareCopies } from '../sync/merge.ts';
import { unknownAuthors } from '../sync/save-page.ts';
import { writeMessages } from '../sync/write-messages.ts';

/** What storing did. The authors have rows once the transaction is committed. */
export interface SavedPortion {
  channelId: string;
  counts: MessageCounts;
  /** Messages that were found more than once; each was stored once. */
  copies: number;
  authors: readonly string[];
}

/** A message that the database refuses, though it takes the others. */
export interface RefusedMessage {
  message: StorableMessage;
  reason: string;
}

/** Merges the messages into what is stored; of two with one ts the one that counts. */
export async function savePortion(
  context: SyncContext,
  tx: TransactionStore,
  channelId: string,
  messages: readonly StorableMessage[],
  exportedAt: IsoTime,
): Promise<SavedPortion> {
  const at = nowIso(context);
  const merged = withoutCopies(messages);
  const { counts } = await writeMessages(tx, context.teamId, channelId, merged, { source: 'import', at, exportedAt });
  const renamed = renamedFrom(merged, { teamId: context.teamId, channelId }, at);
  if (renamed.length > 0) await tx.directory.addAliases(renamed);
  const authors = unknownAuthors(context, merged);
  if (authors.length > 0) await tx.directory.addUserPlaceholders(context.teamId, authors, at);
  return { channelId, counts: { ...counts, seen: merged.length }, copies: messages.length - merged.length, authors };
}

/**
 * The same in transactions of its own, as few as it takes to find the messages that the database cannot hold: halves, halves
 * of the one that is refused, and so on.
 */
export async function saveInHalves(
  context: SyncContext,
  channelId: string,
  messages: readonly StorableMessage[],
  exportedAt: IsoTime,
): Promise<{ saved: SavedPortion[]; refused: RefusedMessage[] }> {
  const [message, other] = messages;
  if (message === undefined) return { saved: [], refused: [] };
  try {
    const save = (tx: TransactionStore) => savePortion(context, tx, channelId, messages, exportedAt);
    return { saved: [await context.store.transaction(save)], refused: [] };
  } catch (error) {
    if (!(error instanceof RefusedContentError)) throw error;
    if (other === undefined) return { saved: [], refused: [{ message, reason: error.message }] };
  }
  const middle = Math.ceil(messages.length / 2);
  const first = await saveInHalves(context, channelId, messages.slice(0, middle), exportedAt);
  const second = await saveInHalves(context, channelId, messages.slice(middle), exportedAt);
  return { saved: [...first.saved, ...second.saved], refused: [...first.refused, ...second.refused] };
}

function withoutCopies(messages: readonly StorableMessage[]): readonly StorableMessage[] {
  const byTs = new Map<string, StorableMessage>();
  for (const message of messages) {
    const other = byTs.get(message.ts);
    if (other === undefined || compareCopies(message, other) > 0) byTs.set(message.ts, message);
  }
  return byTs.size === messages.length ? messages : [...byTs.values()];
}
