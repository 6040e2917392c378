/**
 * Posts a digest once. What is to be posted is written down first; then each message is claimed, posted and settled, one
 * after the other. Between a claim and its settling only Slack knows whether the message stands there, so whoever finds a
 * claim that is not settled looks into the channel before anything is repeated (docs.slack.dev/messaging/message-metadata).
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Store } from '../db/repositories/index.ts';
import type { DigestChunkRow, DigestItemRow, DigestRow } from '../db/schema.ts';
import { digestEventType } from '../digest/candidates/eligibility.ts';
import { AppError, BudgetEndedError, SlackError, sentences } from '../errors.ts';
import type { IsoTime, JsonObject, OutgoingMessage, SlackApi, Ts } from '../model.ts';
import { maskSecrets } from '../secrets.ts';
import { millisToIso } from '../ts.ts';
import { Claim, ClaimLost } from './claim.ts';
import { type Found, findPostedChunk } from './find-posted-chunk.ts';
import { settleOwn } from './take-back.ts';

export interface PublishContext {
  store: Store;
  slack: Pick<SlackApi, 'history' | 'post' | 'update' | 'remove'>;
  teamId: string;
  /** The app's own user; null where Slack did not say. */
  userId: string | null;
  /** Epoch milliseconds. */
  now: () => number;
  signal: AbortSignal;
  /** Waits; rejects with the signal's reason. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** For so long after a claim the message may still appear in the channel: longer than the slowest claim and a call may take. */
  settleMs: number;
}

/** One message of a digest, within Slack's limits, and the items that it tells of. */
export interface DigestMessage {
  text: string;
  blocks: readonly JsonObject[];
  itemKeys: readonly string[];
}

export interface PublishRequest {
  /** A channel's id; of a person, that of the direct conversation. */
  target: string;
  window: { from: IsoTime; to: IsoTime };
  /** Until when what it tells was known; the next digest tells what became known since. */
  knownUntil: IsoTime;
  /** Of what chooses among the news: two digests of one window that differ in it are two digests. */
  configHash: string;
  /** Of those that `update` looks for; its own where that is all. */
  alike?: readonly string[];
  messages: readonly DigestMessage[];
  /** `post`: at most once for this window; `repost`: once more; `update`: in the place of what was posted. */
  mode: 'post' | 'repost' | 'update';
}

export interface PublishReport {
  status: 'posted' | 'updated' | 'already_posted' | 'nothing';
  digest_id: string | null;
  /** The messages of the digest, as they stand now. */
  posted: Ts[];
}

/** Finishes what earlier runs have left unfinished in a channel, with the very messages that were to be posted then. */
export async function finishEarlier(context: PublishContext, target: string): Promise<PublishReport[]> {
  const unfinished = await context.store.digests.listUnfinished(context.teamId, target);
  const reports: PublishReport[] = [];
  for (const digest of unfinished) reports.push(await finish(context, digest));
  return reports;
}

/**
 * Throws what kept a message from being posted: `SlackError` when Slack refused it, `AppError` when nobody knows whether it
 * stands there; the next run goes on where this one stopped.
 */
export async function publish(context: PublishContext, request: PublishRequest): Promise<PublishReport> {
  if (request.mode === 'update') return update(context, request);
  const { store, teamId } = context;
  const digestId = request.mode === 'repost' ? randomUUID() : idOf(teamId, request);
  const known = await store.digests.find(digestId);
  if (known !== undefined) return takeUp(context, known);
  if (request.messages.length === 0) return { status: 'nothing', digest_id: null, posted: [] };
  const digest: DigestRow = {
    digest_id: digestId,
    team_id: teamId,
    channel_id: request.target,
    window_from: request.window.from,
    window_to: request.window.to,
    config_hash: request.configHash,
    status: 'pending',
    created_at: request.knownUntil,
    posted_at: null,
  };
  const chunks = chunksOf(digestId, request.messages);
  const items = itemsOf(digestId, request.messages);
  const outcome = await store.transaction((tx) => tx.digests.create(digest, chunks, items, request.mode === 'post'));
  if (outcome === 'told_already') throw overtaken();
  // Of a digest that another run has created at the same moment, its messages count.
  return outcome === 'created'
    ? finish(context, digest)
    : takeUp(context, (await store.digests.find(digestId)) ?? digest);
}

async function takeUp(context: PublishContext, digest: DigestRow): Promise<PublishReport> {
  return digest.status === 'posted' ? reportOf(context, digest.digest_id, 'already_posted') : finish(context, digest);
}

function overtaken(): AppError {
  return new AppError('another run has published some of it since this one read what is new', {
    hint: 'Run again: what the other one told is left out then.',
  });
}

/** The same window, place and choice give the same id, so the database itself refuses a second one. */
function idOf(teamId: string, { target, window, configHash }: PublishRequest): string {
  const told = `${teamId}|${target}|${window.from}|${window.to}|${configHash}`;
  const hex = createHash('sha256').update(told).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function chunksOf(digestId: string, messages: readonly DigestMessage[]): DigestChunkRow[] {
  return messages.map(({ text, blocks }, chunk_no) => ({
    digest_id: digestId,
    chunk_no,
    payload: { text, blocks: [...blocks] },
    status: 'pending',
    claimed_at: null,
    posted_ts: null,
    error: null,
  }));
}

function itemsOf(digestId: string, messages: readonly DigestMessage[]): DigestItemRow[] {
  const keys = messages.flatMap(({ itemKeys }, chunk_no) => itemKeys.map((item_key) => ({ item_key, chunk_no })));
  return keys.map((item, position) => ({ digest_id: digestId, position, ...item, posted_ts: null, status: 'pending' }));
}

async function finish(context: PublishContext, digest: DigestRow): Promise<PublishReport> {
  for (const { chunk_no } of await context.store.digests.listChunks(digest.digest_id)) {
    await finishChunk(context, digest, chunk_no);
  }
  return reportOf(context, digest.digest_id, 'posted');
}

async function finishChunk(context: PublishContext, digest: DigestRow, chunkNo: number): Promise<void> {
  for (;;) {
    context.signal.throwIfAborted();
    const chunk = await findChunk(context, digest, chunkNo);
    if (chunk === undefined || chunk.status === 'posted') return;
    if (chunk.status === 'posting' && (await isSettledByLooking(context, digest, chunk))) return;
    if (await post(context, digest, chunk)) return;
    // Somebody else has claimed it meanwhile: look again.
  }
}

async function findChunk(
  { store }: PublishContext,
  { digest_id }: DigestRow,
  chunkNo: number,
): Promise<DigestChunkRow | undefined> {
  return (await store.digests.listChunks(digest_id)).find(({ chunk_no }) => chunk_no === chunkNo);
}

/** What became of a message that somebody was about to post: waits until it can be known, then looks. */
async function isSettledByLooking(context: PublishContext, digest: DigestRow, chunk: DigestChunkRow): Promise<boolean> {
  const { chunk_no, claimed_at } = chunk;
  const { now, sleep, signal, settleMs } = context;
  // A clock that was set back must not make us wait for as long as it was set back.
  const wait = claimed_at === null ? 0 : Math.min(settleMs, Date.parse(claimed_at) + settleMs - now());
  if (wait > 0) {
    await sleep(wait, signal);
    const now = await findChunk(context, digest, chunk_no);
    if (now?.status === 'posted' || now?.claimed_at !== claimed_at) return now?.status === 'posted';
  }
  return look(context, digest, chunk);
}

/** Whether the message stands in the channel; then it is settled. Throws `AppError` when the channel does not tell. */
async function look(context: PublishContext, digest: DigestRow, chunk: DigestChunkRow): Promise<boolean> {
  const { store, slack, now, teamId, userId } = context;
  const { digest_id, chunk_no } = chunk;
  let found: Found;
  try {
    const known = await store.digests.listPosts(teamId, millisToIso(Date.parse(digest.created_at) - knownPostsMs));
    found = await findPostedChunk(slack, { digest, chunk, userId, known });
  } catch (error) {
    if (!(error instanceof SlackError) || error.kind === 'auth') throw error;
    throw await inDoubt(context, digest, chunk_no, `the channel cannot be read: ${error.message}`, error);
  }
  if (found.kind === 'absent') return false;
  const { ts } = found;
  if (found.kind === 'doubtful') {
    const why = `Slack shows a message of this app there (ts ${ts}) without what was sent along with it`;
    throw await inDoubt(context, digest, chunk_no, why);
  }
  await store.transaction((tx) => tx.digests.settleChunk(digest_id, chunk_no, ts, millisToIso(now())));
  return true;
}

/** Digests of so long before may stand on the pages that are looked at. */
const knownPostsMs = 30 * 24 * 3_600_000;

/** Where nobody can know, the digests to come must not wait for it. Not telling beats telling twice. */
async function inDoubt(
  { store, now }: PublishContext,
  digest: DigestRow,
  chunkNo: number,
  why: string,
  cause?: SlackError,
): Promise<AppError> {
  if (now() - Date.parse(digest.created_at) < givenUpAfterMs) return unconfirmed(digest, chunkNo, why, cause);
  await store.transaction((tx) => tx.digests.settleChunk(digest.digest_id, chunkNo, null, millisToIso(now())));
  return givenUp(digest, chunkNo, why, cause);
}

/** False, with nothing sent, when somebody else has claimed the chunk since it was looked at. */
async function post(context: PublishContext, digest: DigestRow, chunk: DigestChunkRow): Promise<boolean> {
  const { store, slack, signal } = context;
  const { digest_id, chunk_no } = chunk;
  const claim = new Claim(context, chunk);
  try {
    const { ts } = await slack.post(messageOf(digest, chunk), () => claim.take());
    await settleOwn(context, digest, chunk_no, ts);
    return true;
  } catch (error) {
    if (error instanceof ClaimLost) return false;
    // Slack said that it was not done, and wants to be left alone.
    if (error instanceof BudgetEndedError && claim.isTaken) {
      await store.transaction((tx) => tx.digests.releaseChunk(digest_id, chunk_no, claim.takenAt, error.message));
    }
    // Told to stop, or the database failed: whether it was posted, the next run finds out.
    if (signal.aborted || !(error instanceof SlackError)) throw error;
    if (!error.isDoubtful) {
      await giveBack(context, digest, chunk, claim, error);
      throw error;
    }
    await store.transaction((tx) => tx.digests.noteChunkError(digest_id, chunk_no, maskSecrets(error.message)));
    if (await look(context, digest, chunk)) return true;
    throw unconfirmed(digest, chunk_no, error.message, error);
  }
}

/** For so long a part that Slack refuses, or of which nobody knows, is tried again, so that what it tells is not lost. */
const givenUpAfterMs = 24 * 3_600_000;

/**
 * What Slack will never take must not stand in the way of every digest to come. Of a digest that does not stand there yet, the
 * window is told anew; the missing part of another one is tried again by the runs of the next day.
 */
async function giveBack(
  context: PublishContext,
  digest: DigestRow,
  chunk: DigestChunkRow,
  claim: Claim,
  error: SlackError,
): Promise<void> {
  const { digest_id, chunk_no } = chunk;
  const now = context.now();
  await context.store.transaction(async (tx) => {
    const isOurs = await tx.digests.releaseChunk(digest_id, chunk_no, claim.takenAt, maskSecrets(error.message));
    if (!isOurs || error.kind !== 'content') return;
    const isBegun = (await tx.digests.listChunks(digest_id)).some(({ status }) => status === 'posted');
    const isGivenUp = now - Date.parse(digest.created_at) >= givenUpAfterMs;
    if (!isBegun || isGivenUp) await tx.digests.withdraw(digest_id, millisToIso(now));
  });
}

function messageOf(digest: DigestRow, { chunk_no, payload }: DigestChunkRow): OutgoingMessage {
  const { text, blocks } = payload;
  return {
    channel: digest.channel_id,
    text: typeof text === 'string' ? text : '',
    blocks: Array.isArray(blocks)
      ? blocks.filter((block): block is JsonObject => typeof block === 'object' && block !== null)
      : [],
    metadata: { event_type: digestEventType, event_payload: { digest_id: digest.digest_id, chunk_no } },
  };
}

function unconfirmed(digest: DigestRow, chunkNo: number, why: string, cause: unknown): AppError {
  return new AppError(sentences(`whether part ${chunkNo + 1} of the digest was posted is not known`, why), {
    hint: `Run again: the next run looks into ${digest.channel_id} and posts only what is missing. It needs the app in that channel, and the scope to read its history.`,
    cause,
  });
}

function givenUp(digest: DigestRow, chunkNo: number, why: string, cause: unknown): AppError {
  return new AppError(
    sentences(
      `whether part ${chunkNo + 1} of a digest was posted could not be found out for a day, and it is not posted again`,
      why,
    ),
    {
      hint: `Look into ${digest.channel_id} yourself; --repost with the same window posts it once more. Invite the app there, so that it can look by itself.`,
      cause,
    },
  );
}

async function reportOf(
  context: PublishContext,
  digestId: string,
  status: PublishReport['status'],
): Promise<PublishReport> {
  const chunks = await context.store.digests.listChunks(digestId);
  return { status, digest_id: digestId, posted: chunks.flatMap(({ posted_ts }) => posted_ts ?? []) };
}

/** What stands in the place of a message that the new digest does not need. */
function leftOver(chunkNo: number): JsonObject {
  const text = chunkNo === 0 ? 'There is nothing left to tell.' : 'The digest above has become shorter.';
  return { text, blocks: [{ type: 'context', elements: [{ type: 'plain_text', text }] }] };
}

/** Edits the digest of this window. An edit may be repeated, so nothing needs to be claimed. */
async function update(context: PublishContext, request: PublishRequest): Promise<PublishReport> {
  const { store, slack, teamId } = context;
  const digest = await store.digests.findPosted(
    teamId,
    request.target,
    request.alike ?? [request.configHash],
    request.window,
  );
  if (digest === undefined) {
    throw new AppError('there is no posted digest of this window to update', {
      hint: 'Publish it without --update first; or give the window, the channels and the thresholds it was published with.',
    });
  }
  const { digest_id } = digest;
  const before = await store.digests.listChunks(digest_id);
  const fresh = chunksOf(digest_id, request.messages);
  const edited: DigestChunkRow[] = [];
  for (const chunk of before) {
    const ts = chunk.posted_ts;
    if (ts === null) continue;
    const payload = fresh[chunk.chunk_no]?.payload ?? leftOver(chunk.chunk_no);
    await slack.update({ ...messageOf(digest, { ...chunk, payload }), ts });
    edited.push({ ...chunk, payload });
  }
  const more = fresh.slice(before.length);
  const items = itemsOf(digest_id, request.messages).map((item) => {
    const ts = before[item.chunk_no]?.posted_ts ?? null;
    return ts === null ? item : { ...item, posted_ts: ts, status: 'posted' as const };
  });
  const isOurs = await store.transaction((tx) =>
    tx.digests.extend(digest_id, before.length, [...edited, ...more], items),
  );
  if (!isOurs) throw overtaken();
  if (more.length > 0) await finish(context, digest);
  return reportOf(context, digest_id, 'updated');
}
