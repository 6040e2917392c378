/** Looks for a message of a digest in the channel where it was to be posted. */
import type { DigestChunkRow, DigestRow } from '../db/schema.ts';
import { digestEventType } from '../digest/candidates/eligibility.ts';
import { SlackError } from '../errors.ts';
import type { HistoryRequest, JsonObject, MessagePage, SlackApi, Ts } from '../model.ts';
import { objectOf } from '../normalize/json-access.ts';
import { tsToMicros } from '../ts.ts';
import { saysTheSame } from './same-words.ts';

/** Clocks differ; so much before the digest was made there is certainly nothing of it. */
const clocksDifferMs = 24 * 3_600_000;
/** And so much less when it is only about whether a message may be ours. */
const doubtMs = 600_000;

/** What the channel tells of a message that may have been posted. */
export type Found =
  | { kind: 'found'; ts: Ts }
  | { kind: 'absent' }
  /** Ours by its author and without what we send along: nobody knows which of our messages it is. */
  | { kind: 'doubtful'; ts: Ts };

export interface Sought {
  digest: DigestRow;
  chunk: DigestChunkRow;
  /** The app's own user; null where Slack did not say. */
  userId: string | null;
  /** Messages that are known to be other ones of ours, as `channel_id ts`. */
  known: ReadonlySet<string>;
}

/**
 * Tells a message by what we sent along with it, and where Slack, or something between us and Slack, keeps that back, by its
 * words. Reads the channel from its end back to a day before the digest was made, one page at least, whatever the clocks say.
 * The author alone tells nothing: the next run may have another token, and what it did not know again it would post twice.
 * Throws as `history` does, and `SlackError` when the history breaks off before its end.
 */
export async function findPostedChunk(slack: Pick<SlackApi, 'history'>, sought: Sought): Promise<Found> {
  const { channel_id, created_at } = sought.digest;
  const oldest = (Date.parse(created_at) - clocksDifferMs) * 1000;
  let request: HistoryRequest | null = { channel: channel_id };
  let doubtful: Ts | null = null;
  while (request !== null) {
    const page: MessagePage = await slack.history(request);
    const found = page.messages.find((message) => isChunk(message, sought));
    if (found !== undefined) return { kind: 'found', ts: found.ts };
    doubtful ??= page.messages.find((message) => mayBeChunk(message, sought))?.ts ?? null;
    if (page.messages.some(({ ts }) => tsToMicros(ts) < oldest)) break;
    request = following(page, request);
  }
  return doubtful === null ? { kind: 'absent' } : { kind: 'doubtful', ts: doubtful };
}

type Read = MessagePage['messages'][number];

function isChunk(message: Read, { digest, chunk, known }: Sought): boolean {
  const sent = sentAlong(message);
  if (sent !== null) return sent['digest_id'] === digest.digest_id && sent['chunk_no'] === chunk.chunk_no;
  if (hasMetadata(message) || known.has(`${digest.channel_id} ${message.ts}`)) return false;
  return Date.parse(digest.created_at) - clocksDifferMs <= millisOf(message.ts) && saysTheSame(message, chunk.payload);
}

function mayBeChunk(message: Read, { digest, chunk, userId, known }: Sought): boolean {
  const { subtype, user } = message;
  if (sentAlong(message) !== null || hasMetadata(message) || known.has(`${digest.channel_id} ${message.ts}`))
    return false;
  if (userId === null || user !== userId || (subtype !== undefined && subtype !== 'bot_message')) return false;
  return millisOf(message.ts) >= Date.parse(chunk.claimed_at ?? digest.created_at) - doubtMs;
}

/** What a digest's message carries; null when it carries nothing of ours that tells which one it is. */
function sentAlong(message: JsonObject): JsonObject | null {
  const metadata = objectOf(message['metadata']);
  if (metadata?.['event_type'] !== digestEventType) return null;
  const payload = objectOf(metadata['event_payload']);
  return typeof payload?.['digest_id'] === 'string' ? payload : null;
}

/** Somebody else's; ours without its content is as good as none. */
function hasMetadata(message: JsonObject): boolean {
  const type = objectOf(message['metadata'])?.['event_type'];
  return typeof type === 'string' && type !== digestEventType;
}

function millisOf(ts: Ts): number {
  return tsToMicros(ts) / 1000;
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
