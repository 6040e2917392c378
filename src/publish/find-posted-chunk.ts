/** Looks for a message of a digest in the channel where it was to be posted. */
import type { DigestRow } from '../db/schema.ts';
import { digestEventType } from '../digest/candidates/eligibility.ts';
import type { JsonObject, SlackApi, Ts } from '../model.ts';
import { objectOf } from '../normalize/json-access.ts';
import { tsToMicros } from '../ts.ts';

/** Clocks differ; so much before the digest was made there is certainly nothing of it. */
const clocksDifferMs = 24 * 3_600_000;

/**
 * The ts under which it stands, told by what we sent along with it; null when it is not there. Reads the channel from its end
 * back to a day before the digest was made, one page at least, whatever the clocks say. Throws as `history` does.
 */
export async function findPostedChunk(
  slack: SlackApi,
  { channel_id, digest_id, created_at }: DigestRow,
  chunkNo: number,
): Promise<Ts | null> {
  const oldest = (Date.parse(created_at) - clocksDifferMs) * 1000;
  let cursor: string | undefined;
  do {
    const page = await slack.history({ channel: channel_id, ...(cursor === undefined ? {} : { cursor }) });
    const found = page.messages.find((message) => isChunk(message, digest_id, chunkNo));
    if (found !== undefined) return found.ts;
    if (page.messages.some(({ ts }) => tsToMicros(ts) < oldest)) return null;
    cursor = page.hasMore ? page.nextCursor : undefined;
  } while (cursor !== undefined);
  return null;
}

function isChunk(message: JsonObject, digestId: string, chunkNo: number): boolean {
  const metadata = objectOf(message['metadata']);
  const payload = objectOf(metadata?.['event_payload']);
  return (
    metadata?.['event_type'] === digestEventType &&
    payload?.['digest_id'] === digestId &&
    payload['chunk_no'] === chunkNo
  );
}
