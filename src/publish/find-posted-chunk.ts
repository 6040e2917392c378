/** Looks for a message of a digest in the channel where it was to be posted. */
import type { DigestRow } from '../db/schema.ts';
import { digestEventType } from '../digest/candidates/eligibility.ts';
import { SlackError } from '../errors.ts';
import type { HistoryRequest, JsonObject, MessagePage, SlackApi, Ts } from '../model.ts';
import { objectOf } from '../normalize/json-access.ts';
import { tsToMicros } from '../ts.ts';

/** Clocks differ; so much before the digest was made there is certainly nothing of it. */
const clocksDifferMs = 24 * 3_600_000;

/**
 * The ts under which it stands, told by what we sent along with it; null when it is surely not there. Reads the channel from
 * its end back to a day before the digest was made, one page at least, whatever the clocks say. The author is not compared:
 * the next run may have another token, and what it did not know again it would post twice. Throws as `history` does, and
 * `SlackError` when the history breaks off before its end.
 */
export async function findPostedChunk(
  slack: Pick<SlackApi, 'history'>,
  { channel_id, digest_id, created_at }: DigestRow,
  chunkNo: number,
): Promise<Ts | null> {
  const oldest = (Date.parse(created_at) - clocksDifferMs) * 1000;
  let request: HistoryRequest | null = { channel: channel_id };
  while (request !== null) {
    const page: MessagePage = await slack.history(request);
    const found = page.messages.find((message) => isChunk(message, digest_id, chunkNo));
    if (found !== undefined) return found.ts;
    if (page.messages.some(({ ts }) => tsToMicros(ts) < oldest)) return null;
    request = following(page, request);
  }
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

/** The page before this one in time; null when there is none. Slack may promise more without a cursor: then by time. */
function following({ hasMore, nextCursor, messages }: MessagePage, request: HistoryRequest): HistoryRequest | null {
  if (nextCursor !== undefined) return { ...request, cursor: nextCursor };
  if (!hasMore) return null;
  const [first, ...others] = messages.map(({ ts }) => ts);
  if (first === undefined) {
    throw new SlackError(
      { kind: 'transient', method: 'conversations.history', code: 'broken_off' },
      "Slack's history of the channel breaks off before its end.",
    );
  }
  return {
    channel: request.channel,
    latest: others.reduce((least, ts) => (tsToMicros(ts) < tsToMicros(least) ? ts : least), first),
  };
}
