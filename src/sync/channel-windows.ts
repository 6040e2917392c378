/** Which windows of a channel's history a run reads. Times in microseconds, as in interval.ts. */
import type { Store } from '../db/repositories/index.ts';
import { microsToTs, tsToMicros } from '../ts.ts';
import type { PlannedChannel } from './channel-plan.ts';
import { ChannelPosition } from './channel-position.ts';
import type { Window } from './interval.ts';

/** How far back a first run reaches when nothing else is said. */
const firstRunMs = 30 * 24 * 3600 * 1000;

/** A look-back window with more top-level messages than this takes more than one page: then new messages are read first, by themselves. */
const onePage = 900;

export interface Reach {
  /** When the run began, in epoch milliseconds: all windows are measured from this one moment. */
  began: number;
  /** Epoch milliseconds; complete from here on, also in channels read before. */
  backfillFrom: number | null;
  lookbackMs: number;
}

/** Where the channel stands, with what this run wants of it. */
export function positionOf(
  store: Store,
  teamId: string,
  { channelId, state }: PlannedChannel,
  { backfillFrom, began }: Reach,
): Promise<ChannelPosition> {
  const wanted = backfillFrom ?? began - firstRunMs;
  const wantedFrom = state === undefined || backfillFrom !== null ? wanted * 1000 : tsToMicros(state.wanted_from_ts);
  // A run under a clock that was ahead may have left a start that lies in the future.
  const startsAt = wantedFrom > began * 1000 ? (began - firstRunMs) * 1000 : wantedFrom;
  return ChannelPosition.load(store, { teamId, channelId }, state, { wantedFrom: startsAt, began });
}

/** Messages stored in the look-back window, so far as it matters whether they fit into one page. */
async function countRecent(
  store: Store,
  teamId: string,
  { channelId, state }: PlannedChannel,
  { began, lookbackMs }: Reach,
): Promise<number> {
  if (state === undefined || lookbackMs === 0) return 0;
  const from = microsToTs(Math.max(0, (began - lookbackMs) * 1000));
  return store.positions.countMessagesSince(teamId, channelId, from, onePage + 1);
}

/**
 * The windows to read in every run: what is new, and the look-back window again, in which edits, reactions and new
 * replies show. One window and one call where both fit into a page; otherwise the new messages come first, so that a
 * small budget never spends itself on what is known.
 */
export async function recentWindows(
  store: Store,
  teamId: string,
  entry: PlannedChannel,
  position: ChannelPosition,
  reach: Reach,
): Promise<Window[]> {
  const { began, lookbackMs } = reach;
  const { completeTo } = position;
  const beforeWanted = position.wantedFrom - 1;
  if (completeTo === null) {
    const firstRun = Math.max(beforeWanted, (began - firstRunMs) * 1000 - 1);
    return [{ oldest: entry.state === undefined ? firstRun : beforeWanted, latest: null }];
  }
  const lookback = Math.max(beforeWanted, (began - lookbackMs) * 1000 - 1);
  if (completeTo <= lookback) return [{ oldest: completeTo, latest: null }];
  if ((await countRecent(store, teamId, entry, reach)) <= onePage) return [{ oldest: lookback, latest: null }];
  return [
    { oldest: completeTo, latest: null },
    { oldest: lookback, latest: completeTo + 1 },
  ];
}
