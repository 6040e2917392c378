/** Which windows of a channel's history a run reads. Times in microseconds, as in interval.ts. */
import type { Store } from '../db/repositories/index.ts';
import type { Ts } from '../model.ts';
import { microsToTs, tsToMicros } from '../ts.ts';
import type { PlannedChannel } from './channel-plan.ts';
import { ChannelPosition } from './channel-position.ts';
import { isSlowed, pageRoom, type SyncContext } from './context.ts';
import type { Window } from './interval.ts';

/** How far back a first run reaches when nothing else is said. */
const dayMs = 24 * 3600 * 1000;
const firstRunMs = 30 * dayMs;

export interface Reach {
  /** When the run began, in epoch milliseconds: all windows are measured from this one moment. */
  began: number;
  /** Epoch milliseconds; complete from here on, also in channels read before. */
  backfillFrom: number | null;
  lookbackMs: number;
  /** Channels that may be read again as a whole where one page holds them, by id. */
  wholeAgain: ReadonlySet<string>;
}

/** What of a channel is read in every run. Times in microseconds. */
export interface RecentWindows {
  /** What is new, together with the look-back window where one page holds both. */
  fresh: Window;
  /** The look-back window where it takes pages of its own: new messages of all channels come before it. */
  again: Window | null;
  /** From here up everything is read again. */
  rereadFrom: number;
}

/** Where the channel stands, with what this run wants of it. */
export function positionOf(
  store: Store,
  teamId: string,
  { channelId, state }: PlannedChannel,
  { backfillFrom, began }: Pick<Reach, 'backfillFrom' | 'began'>,
): Promise<ChannelPosition> {
  const wanted = backfillFrom ?? began - firstRunMs;
  const wantedFrom = state === undefined || backfillFrom !== null ? wanted * 1000 : tsToMicros(state.wanted_from_ts);
  // A run under a clock that was ahead may have left a start that lies in the future.
  const startsAt = wantedFrom > began * 1000 ? (began - firstRunMs) * 1000 : wantedFrom;
  return ChannelPosition.load(store, { teamId, channelId }, state, { wantedFrom: startsAt, now: began });
}

/**
 * The windows to read in every run: what is new, and the look-back window again, in which edits, reactions, deletions
 * and new replies show. A page costs one call, full or not: so a channel that one page holds is read again as a whole.
 */
export async function recentWindows(
  context: SyncContext,
  entry: PlannedChannel,
  position: ChannelPosition,
  reach: Reach,
): Promise<RecentWindows> {
  const { began, lookbackMs } = reach;
  const { checkpoint } = position;
  const beforeWanted = position.wantedFrom - 1;
  if (checkpoint === null) {
    const firstRun = Math.max(beforeWanted, (began - firstRunMs) * 1000 - 1);
    const wanted = entry.state === undefined ? firstRun : beforeWanted;
    // What an export brought is not read again, but for the days in which edits and reactions still come.
    const lookback = (began - lookbackMs) * 1000 - 1;
    const oldest = Math.max(wanted, Math.min(position.completeTo ?? wanted, lookback));
    return isSlowed(context) ? newestFirst(oldest, began) : openFrom(oldest);
  }
  const room = pageRoom(context);
  const lookback = Math.max(beforeWanted, (began - lookbackMs) * 1000 - 1);
  const nearest = Math.min(checkpoint, lookback);
  const whole = await wholeFrom(context, entry, position, { room, reach });
  if (whole !== null && whole <= nearest) return openFrom(whole);
  if (checkpoint <= lookback) return openFrom(checkpoint);
  const from = microsToTs(lookback + 1);
  const isOnePage = lookbackMs === 0 || (await countSince(context, entry, from, room + 1)) <= room;
  if (isOnePage) return openFrom(lookback);
  return {
    fresh: { oldest: checkpoint, latest: null },
    again: { oldest: lookback, latest: checkpoint + 1 },
    rereadFrom: lookback + 1,
  };
}

/** With a `latest` Slack begins at the newest messages: where each page takes a minute, they matter most. */
function newestFirst(oldest: number, began: number): RecentWindows {
  const fresh: Window = { oldest, latest: (began + dayMs) * 1000, endsNow: true, isLive: true };
  return { fresh, again: null, rereadFrom: oldest + 1 };
}

function openFrom(oldest: number): RecentWindows {
  return { fresh: { oldest, latest: null }, again: null, rereadFrom: oldest + 1 };
}

/** The bound from which on one page holds all that is known without a gap; null when it does not, or is not this channel's turn. */
async function wholeFrom(
  context: SyncContext,
  { channelId }: PlannedChannel,
  position: ChannelPosition,
  { room, reach }: { room: number; reach: Reach },
): Promise<number | null> {
  const from = position.latestFrom;
  // Who asks for no look-back at all wants nothing read twice.
  if (from === null || reach.lookbackMs === 0 || !reach.wholeAgain.has(channelId)) return null;
  const count = await context.store.messages.countShownSince(context.teamId, channelId, microsToTs(from), room + 1);
  return count <= room ? from - 1 : null;
}

function countSince(context: SyncContext, { channelId }: PlannedChannel, from: Ts, limit: number): Promise<number> {
  return context.store.messages.countShownSince(context.teamId, channelId, from, limit);
}
