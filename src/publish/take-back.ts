/**
 * The last line against telling twice: of two runs that have posted the same message after all, because one of them was frozen
 * while it sent, the one that comes to say so later removes its own.
 */
import type { DigestRow } from '../db/schema.ts';
import { AppError, SlackError } from '../errors.ts';
import type { Ts } from '../model.ts';
import { millisToIso } from '../ts.ts';
import type { PublishContext } from './publish.ts';

/** Records that our message stands there. Throws `AppError` when another one does too and ours cannot be removed. */
export async function settleOwn(
  context: PublishContext,
  { digest_id, channel_id }: DigestRow,
  chunkNo: number,
  ts: Ts,
): Promise<void> {
  const { store, slack, now } = context;
  const isFirst = await store.transaction((tx) => tx.digests.settleChunk(digest_id, chunkNo, ts, millisToIso(now())));
  if (isFirst) return;
  const chunk = (await store.digests.listChunks(digest_id)).find(({ chunk_no }) => chunk_no === chunkNo);
  const other = chunk?.posted_ts ?? null;
  // Somebody has looked and found ours; or nobody could, and it was given up.
  if (other === null || other === ts) return;
  try {
    await slack.remove(channel_id, ts);
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    throw new AppError(`part ${chunkNo + 1} of the digest stands twice in ${channel_id}: ts ${other} and ${ts}`, {
      hint: `Delete the second one. It was posted by a run that was stopped while it sent, and cannot be removed: ${error.message}`,
      cause: error,
    });
  }
}
