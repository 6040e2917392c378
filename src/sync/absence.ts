/**
 * Slack has no list of deleted messages (docs.slack.dev: message_deleted never appears in history): one that was there
 * and is missing from a range that was read without a gap is gone. What absence means is decided here.
 *
 * Retention looks the same: it takes the oldest messages of a channel. So at the old end of what a channel shows absence
 * counts as deletion only when something speaks against retention: an older message that is still shown, a message
 * younger than the shortest retention there is, or the config's word. Nothing is ever marked on suspicion.
 */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { StoredPlace } from '../db/repositories/messages.ts';
import { SlackError } from '../errors.ts';
import { channelLabel } from '../labels.ts';
import type { IsoTime, Ts } from '../model.ts';
import { compareTs, microsToTs, millisToTs, tsToMicros } from '../ts.ts';
import type { SyncContext } from './context.ts';
import type { Interval } from './interval.ts';
import { placesOf } from './malformed.ts';
import type { Shown } from './page-walk.ts';
import type { MessageChange } from './write-messages.ts';

/** The shortest retention Slack offers (slack.com/help: customize message and file retention). */
const shortestRetentionMs = 24 * 3600 * 1000;

/** People delete the first message or two of a channel; more at once are taken for expired. */
const fewMessages = 2;

/** A stored message that Slack did not show where it should have. */
export type AbsentMessage = StoredPlace;

export interface Absence {
  /** Deleted for certain. */
  absent: AbsentMessage[];
  /** Up to here messages vanished as they do when they expire; null when there are none. */
  expiredTo: Ts | null;
}

/**
 * Stored messages of a channel that the page just read should have shown and did not. Only those count that were stored
 * before `since`, when the walk began: another lane may have stored newer ones meanwhile. `expiredTo` is what was taken for
 * expired before. Makes a call or two when messages at the old end are missing.
 */
export async function findAbsent(
  context: SyncContext,
  channel: { channelId: string; name: string },
  shown: Shown,
  page: { ts: ReadonlySet<Ts>; since: IsoTime; expiredTo: Ts | null; visibleFrom: number; isLimited: boolean },
): Promise<Absence> {
  const { channelId } = channel;
  const { store, teamId } = context;
  const missing = async (range: Interval): Promise<StoredPlace[]> => {
    const stored = await store.messages.listShown(teamId, channelId, tsRange(range), page.since);
    return stored.filter(({ ts }) => !page.ts.has(ts));
  };
  const absent: AbsentMessage[] = [];
  for (const range of shown.ranges) absent.push(...(await missing(range)));
  if (shown.oldEnd === null) return { absent, expiredTo: null };
  const atOldEnd = (await missing(shown.oldEnd)).filter(({ ts }) => tsToMicros(ts) >= page.visibleFrom);
  const judged = await judgeOldEnd(context, channelId, atOldEnd, page.expiredTo);
  absent.push(...judged.absent);
  // What the plan hides has not expired: it may be shown again.
  if (page.isLimited || judged.expiredTo === null) return { absent, expiredTo: null };
  noteExpired(context, channelLabel(channel.name, channel.channelId), atOldEnd.length - judged.absent.length);
  return { absent, expiredTo: judged.expiredTo };
}

function noteExpired({ emit }: SyncContext, label: string, count: number): void {
  const what = count === 1 ? 'message' : `${count} messages`;
  emit({
    type: 'notice',
    message:
      `The oldest ${what} of ${label} vanished from Slack as messages do that expire, and no deletion is noted. If nothing ` +
      'expires in this workspace, write retention: none into the config file.',
  });
}

function tsRange({ from, to }: Interval): { from: Ts; to: Ts } {
  return { from: microsToTs(from), to: microsToTs(to) };
}

/**
 * What the absence of messages (ascending) means beside which nothing older was shown. Those that `expiredTo` covers were
 * judged before. Makes a call or two.
 */
export async function judgeOldEnd(
  context: SyncContext,
  channelId: string,
  atOldEnd: readonly StoredPlace[],
  expiredTo: Ts | null,
): Promise<Absence> {
  const { retention } = context;
  const missing = atOldEnd.filter(({ ts }) => expiredTo === null || compareTs(ts, expiredTo) > 0);
  if (retention === 'none') return { absent: [...missing], expiredTo: null };
  const shortest = retention === 'unknown' ? shortestRetentionMs : retention;
  const young = millisToTs(Math.max(0, context.now() - shortest));
  const absent = missing.filter(({ ts }) => compareTs(ts, young) > 0);
  const old = missing.filter(({ ts }) => compareTs(ts, young) <= 0);
  const [oldest] = old;
  const last = old.at(-1);
  if (oldest === undefined || last === undefined) return { absent, expiredTo: null };
  const isDeleted =
    (await showsOlder(context, channelId, oldest.ts)) ||
    (retention === 'unknown' &&
      expiredTo === null &&
      (await isAmongFew(context, channelId, last.ts)) &&
      (await anotherShowsOlder(context, channelId, oldest.ts)));
  return isDeleted ? { absent: [...absent, ...old], expiredTo: null } : { absent, expiredTo: last.ts };
}

/** Whether hardly anything that was ever stored is older; what was deleted before counts, or one after the other could go. */
async function isAmongFew({ store, teamId }: SyncContext, channelId: string, ts: Ts): Promise<boolean> {
  return (await store.messages.countUpTo(teamId, channelId, ts, fewMessages + 1)) <= fewMessages;
}

/** Whether Slack still shows any message of the channel that is older than `ts`. */
export async function showsOlder(context: SyncContext, channelId: string, ts: Ts): Promise<boolean> {
  const page = await context.slack.history({ channel: channelId, latest: ts, limit: 1 });
  return placesOf(page).some((shown) => tsToMicros(shown.ts) < tsToMicros(ts));
}

/** A retention that holds for the whole workspace would have taken older messages elsewhere as well. */
async function anotherShowsOlder(context: SyncContext, channelId: string, ts: Ts): Promise<boolean> {
  const other = await context.store.messages.findOlderElsewhere(context.teamId, channelId, ts);
  if (other === undefined) return false;
  try {
    return await showsOlder(context, other.channel_id, ts);
  } catch (error) {
    if (error instanceof SlackError && error.kind === 'channel') return false;
    throw error;
  }
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
