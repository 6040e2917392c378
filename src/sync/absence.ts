/**
 * Slack has no list of deleted messages: a message that was there and is missing from a range that was read without a
 * gap is gone (docs.slack.dev: message_deleted never appears in history). What absence means is decided here.
 */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { StoredPlace } from '../db/repositories/messages.ts';
import type { IsoTime } from '../model.ts';
import type { MessageChange } from './write-messages.ts';

/** A stored message that Slack did not show where it should have. */
export type AbsentMessage = StoredPlace;

/**
 * Marks absent messages deleted. Of a reply that was shown in the channel as well only its thread can tell whether it is
 * gone, and what became of the replies of a root that vanished: those threads are read whole again.
 */
export async function recordAbsence(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  absent: readonly AbsentMessage[],
  at: IsoTime,
): Promise<{ changes: MessageChange[]; newlyPending: number }> {
  if (absent.length === 0) return { changes: [], newlyPending: 0 };
  const gone = absent.filter(({ is_reply }) => !is_reply).map(({ ts }) => ts);
  await store.messages.markDeleted(teamId, channelId, gone, at);
  const threads = [...new Set(absent.map(({ ts, is_reply, thread_ts }) => (is_reply ? (thread_ts ?? ts) : ts)))];
  const newlyPending = await store.positions.queueWholeThreads(teamId, channelId, threads);
  return { changes: gone.map((ts) => ({ ts, kind: 'deleted' })), newlyPending };
}
