/**
 * Slack has no list of deleted messages (docs.slack.dev: message_deleted never appears in history): one that was there
 * and is missing from a range that was read without a gap is gone. What absence means is decided here.
 *
 * Retention makes messages vanish in the same way, and the tombstone of a root that expired while replies live is that of
 * a deleted one. A policy holds for a workspace or for one conversation, takes whatever is older than it says in daily
 * runs, oldest first, pinned and saved messages too, and in a channel shared with another organisation only what one's own
 * members sent (slack.com/help: customize message and file retention; edit retention for specific conversations). So only
 * this proves that a person deleted a message:
 *
 * - in the same conversation, and not before it was missing, an older message of the same organisation's is still shown,
 *   an ordinary one, which the same policy would have taken first;
 * - by Slack's own time it is younger than the shortest retention there is;
 * - the config says what expires here, if anything.
 *
 * Nothing is ever marked on suspicion.
 */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { StoredPlace } from '../db/repositories/messages.ts';
import { channelLabel } from '../labels.ts';
import type { IsoTime, MessagePage, Ts } from '../model.ts';
import { compareTs, microsToTs, tsToMicros } from '../ts.ts';
import type { SyncContext } from './context.ts';
import type { Interval } from './interval.ts';
import { placesOf } from './malformed.ts';
import type { Shown } from './page-walk.ts';
import { type Home, homeOf, senderOf } from './sender.ts';
import type { Watch } from './write-log.ts';
import type { MessageChange } from './write-messages.ts';

type ShownMessage = MessagePage['messages'][number];

/** The shortest retention Slack offers (slack.com/help: customize message and file retention). */
const shortestRetentionMs = 24 * 3600 * 1000;

/** Pages that are asked for proof: one may be short or empty, or hold tombstones and other organisations' messages only. */
const proofPages = 3;

/** Raw objects that are in memory at one time. */
const batchSize = 500;

/** A stored message that Slack did not show where it should have. */
export type AbsentMessage = StoredPlace;

export interface Absence {
  /** Deleted for certain. */
  absent: AbsentMessage[];
  /** Tombstones on the page of which nothing tells whether a person deleted the message or it expired. */
  unproven: ReadonlySet<Ts>;
  /** Up to here messages vanished as they do when they expire; null when there are none. */
  expiredTo: Ts | null;
  /** The oldest message on the page that says that nothing of ours before it has expired. */
  oldestProof: Ts | null;
}

/** One page of a history, and what is known of the walk it belongs to. */
export interface PageFacts {
  messages: readonly ShownMessage[];
  /** All that it shows to be there, what cannot be stored included. */
  places: readonly { ts: Ts }[];
  /** What was stored since the walk began: other lanes may have stored messages that are newer than the page. */
  written: Watch;
  /** What was taken for expired before. */
  expiredTo: Ts | null;
  visibleFrom: number;
  isLimited: boolean;
}

/**
 * What the page just read says about stored messages of the channel that it should have shown and did not, and about its
 * tombstones. Makes a call when what may have expired was not missing before.
 */
export async function findAbsent(
  context: SyncContext,
  channel: { channelId: string; name: string },
  shown: Shown,
  page: PageFacts,
): Promise<Absence> {
  const { channelId } = channel;
  const ts = new Set(page.places.map((place) => place.ts));
  const missing = async (range: Interval): Promise<StoredPlace[]> => {
    const stored = await context.store.messages.listShown(context.teamId, channelId, tsRange(range));
    return stored.filter((place) => !ts.has(place.ts) && !page.written.has(place.ts));
  };
  const places: StoredPlace[] = [];
  for (const range of shown.ranges) places.push(...(await missing(range)));
  // What the plan hides is not gone: it may be shown again.
  const atOldEnd = shown.oldEnd === null || page.isLimited ? [] : await missing(shown.oldEnd);
  places.push(...atOldEnd.filter((place) => tsToMicros(place.ts) >= page.visibleFrom));
  const tombstones = page.messages.filter(isTombstone);
  if (places.length + tombstones.length === 0 && page.expiredTo === null) return nothingAbsent;

  const home = await homeOf(context.store, context.teamId, channelId);
  const candidates = await candidatesOf(context, channelId, places, tombstones, home);
  const { expiredTo } = page;
  const isNew = (one: Candidate) => expiredTo === null || compareTs(one.ts, expiredTo) > 0;
  const verdict = await judge(context, channelId, candidates, { messages: page.messages, home, isAskedFor: isNew });

  const vanished = verdict.unproven.filter((one) => one.sender === home.teamId && isNew(one));
  if (vanished.length > 0) noteExpired(context, channelLabel(channel.name, channelId), vanished.length);
  return {
    absent: verdict.proven.flatMap(({ place, sender }) => {
      // Of another organisation's reply its thread could not prove the same, and would be read for nothing again and again.
      return place === null || (place.is_reply && sender !== home.teamId) ? [] : place;
    }),
    unproven: new Set(verdict.unproven.filter(({ place }) => place === null).map((one) => one.ts)),
    expiredTo: vanished.at(-1)?.ts ?? null,
    oldestProof: oldestOf(page.messages, home).get(home.teamId) ?? null,
  };
}

const nothingAbsent: Absence = { absent: [], unproven: new Set(), expiredTo: null, oldestProof: null };

function noteExpired({ emit }: SyncContext, label: string, count: number): void {
  const what = count === 1 ? 'An old message' : `${count} old messages`;
  emit({
    type: 'notice',
    message:
      `${what} of ${label} vanished from Slack as messages do that expire, and no deletion is noted. If nothing ` +
      'expires in this workspace, write retention: none into the config file.',
  });
}

function tsRange({ from, to }: Interval): { from: Ts; to: Ts } {
  return { from: microsToTs(from), to: microsToTs(to) };
}

/** A message that is gone: missing, or a tombstone in its place. */
interface Candidate {
  ts: Ts;
  /** See `senderOf`. */
  sender: string | null;
  /** Null for a tombstone. */
  place: StoredPlace | null;
}

/** Ascending, without tombstones of what is marked by now. Of the others the stored original tells whose it was. */
async function candidatesOf(
  context: SyncContext,
  channelId: string,
  places: readonly StoredPlace[],
  tombstones: readonly ShownMessage[],
  home: Home,
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  const all = [
    ...places.map((place) => ({ ts: place.ts, place, shown: null })),
    ...tombstones.map((shown) => ({ ts: shown.ts, place: null, shown })),
  ].sort((a, b) => compareTs(a.ts, b.ts));
  for (let n = 0; n < all.length; n += batchSize) {
    const batch = all.slice(n, n + batchSize);
    const ids = batch.map(({ ts }) => ts);
    const stored = await context.store.messages.findOriginals(context.teamId, channelId, ids);
    for (const { ts, place, shown } of batch) {
      const original = stored.get(ts);
      if (place === null && original !== undefined && original.deleted_at !== null) continue;
      const message = original?.raw ?? shown;
      candidates.push({ ts, place, sender: message === null ? null : senderOf(message, home) });
    }
  }
  return candidates;
}

interface Evidence {
  /** Shown at the moment at which the candidates were not. */
  messages: readonly ShownMessage[];
  home: Home;
  /** Whether to make a call for a candidate of our own members' about which the messages say nothing. */
  isAskedFor: (candidate: Candidate) => boolean;
}

async function judge(
  context: SyncContext,
  channelId: string,
  candidates: readonly Candidate[],
  { messages, home, isAskedFor }: Evidence,
): Promise<{ proven: Candidate[]; unproven: Candidate[] }> {
  const young = youngFrom(context, messages);
  const known = oldestOf(messages, home);
  const isProven = (one: Candidate, oldest: ReadonlyMap<string, Ts>) => {
    const isOwn = one.sender === home.teamId;
    if (isOwn && context.retention === 'none') return true;
    const age = isOwn ? young.own : young.any;
    if (age !== null && tsToMicros(one.ts) > age) return true;
    const proof = one.sender === null ? undefined : oldest.get(one.sender);
    return proof !== undefined && compareTs(proof, one.ts) < 0;
  };
  const open = candidates.filter((one) => !isProven(one, known) && one.sender === home.teamId && isAskedFor(one));
  const [oldest] = open;
  const older = oldest === undefined ? new Map<string, Ts>() : await askForOlder(context, channelId, oldest.ts, home);
  const isCertain = (one: Candidate) => isProven(one, known) || isProven(one, older);
  return { proven: candidates.filter(isCertain), unproven: candidates.filter((one) => !isCertain(one)) };
}

async function askForOlder(
  { slack }: SyncContext,
  channelId: string,
  latest: Ts,
  home: Home,
): Promise<ReadonlyMap<string, Ts>> {
  const request = { channel: channelId, latest };
  let page = await slack.history(request);
  const messages = [...page.messages];
  for (let n = 1; n < proofPages && page.nextCursor !== undefined; n += 1) {
    if (oldestOf(messages, home).has(home.teamId)) break;
    page = await slack.history({ ...request, cursor: page.nextCursor });
    messages.push(...page.messages);
  }
  return oldestOf(messages, home);
}

/** Of each sender the oldest of these messages that its policy would have taken. */
function oldestOf(messages: readonly ShownMessage[], home: Home): Map<string, Ts> {
  const oldest = new Map<string, Ts>();
  for (const message of messages) {
    const sender = isOrdinary(message) ? senderOf(message, home) : null;
    const known = sender === null ? undefined : oldest.get(sender);
    if (sender !== null && (known === undefined || compareTs(message.ts, known) < 0)) oldest.set(sender, message.ts);
  }
  return oldest;
}

/**
 * What people and apps wrote. Whether retention takes what Slack itself says in a conversation (joins, topics, huddles, what
 * Slackbot says of a new policy) is documented nowhere, so that its being there proves nothing.
 */
function isOrdinary(message: ShownMessage): boolean {
  const { subtype, user, hidden } = message;
  if (user === 'USLACKBOT' || hidden === true) return false;
  return typeof subtype !== 'string' || ordinarySubtypes.has(subtype);
}

const ordinarySubtypes = new Set(['bot_message', 'file_share', 'me_message', 'thread_broadcast']);

function isTombstone({ subtype }: ShownMessage): boolean {
  return subtype === 'tombstone';
}

/**
 * From which moment on (microseconds) nothing can have expired yet, for our own messages and for any; null when nobody knows
 * what time it is. Only Slack's word counts, and it is none when Slack shows messages from later than that.
 */
function youngFrom(
  { slack, retention }: SyncContext,
  messages: readonly ShownMessage[],
): { own: number | null; any: number | null } {
  const now = slack.toldTime();
  const isWrong = now === null || messages.some(({ ts }) => tsToMicros(ts) > (now + shortestRetentionMs) * 1000);
  if (isWrong) return { own: null, any: null };
  const ago = (ms: number) => (now - ms) * 1000;
  return { own: ago(typeof retention === 'number' ? retention : shortestRetentionMs), any: ago(shortestRetentionMs) };
}

/**
 * Of stored replies that are missing from their thread (ascending) those that people deleted. `messages`: what the thread
 * showed at that moment, its root included.
 */
export async function findDeletedReplies(
  context: SyncContext,
  channelId: string,
  replies: readonly Ts[],
  messages: readonly ShownMessage[],
): Promise<Ts[]> {
  if (replies.length === 0) return [];
  const home = await homeOf(context.store, context.teamId, channelId);
  const places = replies.map((ts) => ({ ts, thread_ts: null, is_reply: true }));
  const candidates = await candidatesOf(context, channelId, places, [], home);
  // What expired with the channel's old messages was asked about with them.
  const expiredTo = await context.store.positions.findExpiredTo(context.teamId, channelId);
  const isAskedFor = (one: Candidate) => expiredTo === null || compareTs(one.ts, expiredTo) > 0;
  const { proven } = await judge(context, channelId, candidates, { messages, home, isAskedFor });
  return proven.map(({ ts }) => ts);
}

/** Whether Slack still shows any message of the channel that is older than `ts`. */
export async function showsOlder(context: SyncContext, channelId: string, ts: Ts): Promise<boolean> {
  const page = await context.slack.history({ channel: channelId, latest: ts, limit: 1 });
  return placesOf(page).some((shown) => tsToMicros(shown.ts) < tsToMicros(ts));
}

/**
 * Marks absent messages deleted. Of a reply that was shown in the channel as well only its thread can tell whether it is
 * gone, and what became of the replies of a root that vanished: those threads are read whole again.
 */
export async function recordAbsence(
  store: TransactionStore,
  teamId: string,
  channelId: string,
  { absent, absentReplies }: { absent: readonly AbsentMessage[]; absentReplies: readonly Ts[] },
  at: IsoTime,
): Promise<{ changes: MessageChange[]; newlyPending: number }> {
  if (absent.length + absentReplies.length === 0) return { changes: [], newlyPending: 0 };
  const gone = [...absent.filter(({ is_reply }) => !is_reply).map(({ ts }) => ts), ...absentReplies];
  await store.messages.markDeleted(teamId, channelId, gone, at);
  const threads = [...new Set(absent.map(({ ts, is_reply, thread_ts }) => (is_reply ? (thread_ts ?? ts) : ts)))];
  const newlyPending = await store.positions.queueWholeThreads(teamId, channelId, threads);
  return { changes: gone.map((ts) => ({ ts, kind: 'deleted', read: null, was: null })), newlyPending };
}
