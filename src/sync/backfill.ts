/** Reads a range of old history, newest first, and leaves alone how far the newest messages are read. */
import type { ChannelPosition } from './channel-position.ts';
import { positionOf, type RecentWindows } from './channel-windows.ts';
import type { SyncContext } from './context.ts';
import { type ReadProgress, readChannels, type WindowChoice } from './read-channels.ts';
import { beginReading, endReading, type ReadingOptions, type ReadingResult } from './reading.ts';
import { lookUpUnknownUsers } from './users.ts';

const dayMs = 24 * 3600 * 1000;

export interface BackfillOptions extends ReadingOptions {
  /** Epoch milliseconds, both included; `to` null means up to now. */
  from: number;
  to: number | null;
}

export interface BackfillResult extends ReadingResult {
  usersLookedUp: number;
}

/**
 * Fills what is not covered between `from` and `to`. Interrupted at any point, the next one goes on where this one stopped,
 * because what is covered is not read again. Throws what stops the workspace; everything committed stays.
 */
export async function backfill(
  context: SyncContext,
  options: BackfillOptions,
  progress: ReadProgress,
): Promise<BackfillResult> {
  const { store, teamId } = context;
  // It is no run of ingest, but the threads it reads are to be looked at again some runs after it.
  context.runNumber = await store.runs.findIngestRuns(teamId);
  const reading = await beginReading(context, options, progress);
  const windows: WindowChoice = {
    open: (channel) => positionOf(store, teamId, channel, { backfillFrom: null, began: options.began }),
    recent: async (_, position) => upToNow(position, options),
    holes: (position) => holesIn(position, options),
  };
  const { inTurn } = options;
  const threads = options.threads && !options.dryRun;
  await readChannels(
    context,
    windows,
    reading.planned,
    { threads, inTurn, auditRequests: 0, isMoreWaiting: false },
    progress,
  );
  const usersLookedUp = await lookUpUnknownUsers(context);
  return { ...(await endReading(context, reading, options, progress)), usersLookedUp };
}

/**
 * The newest part of the range, in a channel that no `ingest` has read: nothing known ends it, and by our clock alone no
 * end may be vouched for.
 */
function upToNow(position: ChannelPosition, { from, to, began }: BackfillOptions): RecentWindows | null {
  if (position.checkpoint !== null || (to !== null && to < began)) return null;
  const oldest = Math.max(Math.max(1, from * 1000) - 1, position.completeTo ?? 0);
  return { fresh: { oldest, latest: (began + dayMs) * 1000, endsNow: true }, again: null, rereadFrom: oldest + 1 };
}

function holesIn(
  position: ChannelPosition,
  { from, to, began }: BackfillOptions,
): { oldest: number; latest: number }[] {
  const end = to === null || to >= began ? position.completeTo : to * 1000;
  return end === null ? [] : position.holesWithin(Math.max(1, from * 1000), end, began);
}
