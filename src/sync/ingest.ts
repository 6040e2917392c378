/**
 * The main job on one workspace: channels, new messages, replies of new and changed threads, users. What is newest comes
 * first: the recent window of every channel, then the holes further back, then the directory of users.
 */
import type { IsoTime } from '../model.ts';
import { auditBudget, chooseWholeAgain } from './audit.ts';
import { positionOf, type Reach, recentWindows } from './channel-windows.ts';
import { failUnit, pageRoom, type SyncContext } from './context.ts';
import { type ReadProgress, readChannels, type WindowChoice } from './read-channels.ts';
import { beginReading, endReading, type ReadingOptions, type ReadingResult } from './reading.ts';
import { lookUpUnknownUsers, syncUsers, type UserCounts } from './users.ts';

const dayMs = 24 * 3600 * 1000;

export interface IngestOptions extends ReadingOptions, Omit<Reach, 'wholeAgain'> {
  /** Calls that may read again what was read before, for each method. */
  auditRequests: number;
  usersMaxAgeMs: number;
}

export interface IngestResult extends ReadingResult {
  users: UserCounts | null;
  usersLookedUp: number;
}

/**
 * Throws what stops the workspace (a refused token, an ended budget, a signal, a failing database); `progress` then
 * tells how far it came, and everything committed stays.
 */
export async function ingest(
  context: SyncContext,
  options: IngestOptions,
  progress: ReadProgress,
): Promise<IngestResult> {
  const { store, teamId } = context;
  context.runNumber = await store.transaction((tx) => tx.runs.countIngestRun(teamId));
  const reading = await beginReading(context, options, progress);
  const { planned } = reading;

  const auditRequests = options.dryRun
    ? 0
    : auditBudget(context.slack.pageSize('conversations.history'), options.auditRequests);
  const counts = await store.messages.listCounts(teamId);
  const wholeAgain = chooseWholeAgain(planned, counts, { requests: auditRequests, room: pageRoom(context) });
  const reach = { ...options, wholeAgain };
  const windows: WindowChoice = {
    open: (channel) => positionOf(store, teamId, channel, reach),
    recent: async (channel, position) => (channel.isQuiet ? null : recentWindows(context, channel, position, reach)),
    holes: (position) => position.holes(options.began),
  };
  const { inTurn } = options;
  const threads = options.threads && !options.dryRun;
  const isMoreWaiting = await areUsersWaiting(context, options);
  await readChannels(context, windows, planned, { threads, inTurn, auditRequests, isMoreWaiting }, progress);

  const users = await syncUsersWhenStale(context, options);
  const usersLookedUp = await lookUpUnknownUsers(context);
  return { ...(await endReading(context, reading, options, progress)), users, usersLookedUp };
}

async function areUsersStale(context: SyncContext, { usersMaxAgeMs }: IngestOptions): Promise<boolean> {
  const workspace = await context.store.directory.findWorkspace(context.teamId);
  return isStale(workspace?.users_synced_at ?? null, context.now(), usersMaxAgeMs);
}

/** Nothing was synced in the future: a clock that was ahead must not keep the directory from being read for a year. */
export function isStale(syncedAt: IsoTime | null, now: number, maxAgeMs: number): boolean {
  const age = syncedAt === null ? Number.POSITIVE_INFINITY : now - Date.parse(syncedAt);
  return age >= maxAgeMs || age < -dayMs;
}

async function areUsersWaiting(context: SyncContext, options: IngestOptions): Promise<boolean> {
  if (await areUsersStale(context, options)) return true;
  return (await context.store.directory.listPendingUserIds(context.teamId)).length > 0;
}

async function syncUsersWhenStale(context: SyncContext, options: IngestOptions): Promise<UserCounts | null> {
  if (!(await areUsersStale(context, options))) return null;
  try {
    return await syncUsers(context);
  } catch (error) {
    failUnit(context, error, { channelId: null, channel: null });
    return null;
  }
}
