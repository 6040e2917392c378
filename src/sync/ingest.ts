/**
 * The main job on one workspace: channels, new messages, replies of new and changed threads, users. What is newest comes
 * first: the recent window of every channel, then the holes further back, then the directory of users.
 */
import type { Identity } from '../model.ts';
import type { NormalizedChannel } from '../normalize/directory.ts';
import { chooseWholeAgain } from './audit.ts';
import { noteNothingToRead, planChannels } from './channel-plan.ts';
import { positionOf, type Reach, recentWindows } from './channel-windows.ts';
import { type DirectoryCounts, syncChannels } from './channels.ts';
import { failUnit, pageRoom, type SyncContext } from './context.ts';
import { type ChannelResult, type ReadProgress, readChannels, type WindowChoice } from './read-channels.ts';
import { lookUpUnknownUsers, syncUsers, type UserCounts } from './users.ts';

/** Objects in a page where Slack restricts the app. */
const slowPage = 15;

export interface IngestOptions extends Omit<Reach, 'wholeAgain'> {
  identity: Identity;
  /** Whether the user wants this channel. */
  isSelected: (channel: NormalizedChannel) => boolean;
  /** Whether the channel was named, so that not being able to read it is a failure. */
  isNamed: (channel: NormalizedChannel) => boolean;
  threads: boolean;
  join: boolean;
  /** Read one lane after the other, see `ReadOptions`. */
  inTurn: boolean;
  /** Calls that may read again what was read before, for each method. */
  auditRequests: number;
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
  context.runNumber = await context.store.transaction((tx) => tx.directory.countIngestRun(context.teamId));
  const { channels: listed, counts: directory } = await syncChannels(context, options.identity);
  const choice = { ...options, isBot: options.identity.isBot, join: options.join && !options.dryRun };
  const { planned, total } = await planChannels(context, choice, listed);
  progress.channels.total = total;
  progress.channels.skipped = total - planned.length;
  if (planned.length === 0) noteNothingToRead(context, progress.channels);
  const ids = planned.map(({ channelId }) => channelId);
  context.threads.found = await context.store.positions.countPendingThreads(context.teamId, ids);
  context.emit({ type: 'channels', total: planned.length, skipped: progress.channels.skipped });

  const { store, teamId } = context;
  const auditRequests = options.dryRun ? 0 : auditBudget(context, options);
  const room = pageRoom(context);
  const counts = await store.messages.listCounts(teamId);
  const reach = { ...options, wholeAgain: chooseWholeAgain(planned, counts, { requests: auditRequests, room }) };
  const windows: WindowChoice = {
    open: (channel) => positionOf(store, teamId, channel, reach),
    recent: (channel, position) => recentWindows(context, channel, position, reach),
    holes: (position) => position.holes(options.began),
  };
  const { inTurn } = options;
  await readChannels(
    context,
    windows,
    planned,
    { threads: options.threads && !options.dryRun, inTurn, auditRequests },
    progress,
  );

  const users = await syncUsersWhenStale(context, options);
  const usersLookedUp = await lookUpUnknownUsers(context);
  return {
    channelResults: [...progress.results.values()],
    directory,
    users,
    usersLookedUp,
    threadsPending: options.dryRun
      ? context.threads.found
      : await context.store.positions.countPendingThreads(context.teamId, ids),
    historyLimited: [...progress.historyLimited],
  };
}

/** Where every call takes a minute, new messages and changed threads need nearly all of them. */
function auditBudget({ slack }: SyncContext, { auditRequests }: IngestOptions): number {
  const isSlow = slack.pageSize('conversations.history') <= slowPage;
  return isSlow ? Math.min(1, auditRequests) : auditRequests;
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
