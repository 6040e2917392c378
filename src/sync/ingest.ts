/**
 * The main job on one workspace: channels, new messages, replies of new and changed threads, users. What is newest comes
 * first: the recent window of every channel, then the holes further back, then the directory of users.
 */
import type { Identity } from '../model.ts';
import type { NormalizedChannel } from '../normalize/directory.ts';
import { noteNothingToRead, planChannels } from './channel-plan.ts';
import { positionOf, type Reach, recentWindows } from './channel-windows.ts';
import { type DirectoryCounts, syncChannels } from './channels.ts';
import { failUnit, type SyncContext } from './context.ts';
import { type ChannelResult, type ReadProgress, readChannels, type WindowChoice } from './read-channels.ts';
import { lookUpUnknownUsers, syncUsers, type UserCounts } from './users.ts';

export interface IngestOptions extends Reach {
  identity: Identity;
  /** Whether the user wants this channel. */
  isSelected: (channel: NormalizedChannel) => boolean;
  /** Whether the channel was named, so that not being able to read it is a failure. */
  isNamed: (channel: NormalizedChannel) => boolean;
  threads: boolean;
  join: boolean;
  usersMaxAgeMs: number;
  /** Nothing will be stored: what was found in this run cannot be read back for its next step. */
  dryRun: boolean;
}

export interface IngestResult {
  channelResults: ChannelResult[];
  directory: DirectoryCounts;
  users: UserCounts | null;
  usersLookedUp: number;
  threadsPending: number;
  /** Channels whose older messages Slack hides because of the plan. */
  historyLimited: string[];
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
  const { channels: listed, counts } = await syncChannels(context, options.identity);
  const choice = { ...options, isBot: options.identity.isBot, join: options.join && !options.dryRun };
  const { planned, total } = await planChannels(context, choice, listed);
  progress.channels.total = total;
  progress.channels.skipped = total - planned.length;
  if (planned.length === 0) noteNothingToRead(context, progress.channels);
  const ids = planned.map(({ channelId }) => channelId);
  context.threads.found = await context.store.positions.countPendingThreads(context.teamId, ids);
  context.emit({ type: 'channels', total: planned.length, skipped: progress.channels.skipped });

  const { store, teamId } = context;
  const windows: WindowChoice = {
    open: (channel) => positionOf(store, teamId, channel, options),
    first: (channel, position) => recentWindows(store, teamId, channel, position, options),
    holes: (position) => position.holes(options.began),
  };
  await readChannels(context, windows, planned, { threads: options.threads && !options.dryRun }, progress);

  const users = await syncUsersWhenStale(context, options);
  const usersLookedUp = await lookUpUnknownUsers(context);
  return {
    channelResults: [...progress.results.values()],
    directory: counts,
    users,
    usersLookedUp,
    threadsPending: options.dryRun
      ? context.threads.found
      : await context.store.positions.countPendingThreads(context.teamId, ids),
    historyLimited: [...progress.historyLimited],
  };
}

async function syncUsersWhenStale(context: SyncContext, options: IngestOptions): Promise<UserCounts | null> {
  const workspace = await context.store.directory.findWorkspace(context.teamId);
  const syncedAt = workspace?.users_synced_at ?? null;
  if (syncedAt !== null && context.now() - Date.parse(syncedAt) < options.usersMaxAgeMs) return null;
  try {
    return await syncUsers(context);
  } catch (error) {
    failUnit(context, error, { channelId: null, channel: null });
    return null;
  }
}
