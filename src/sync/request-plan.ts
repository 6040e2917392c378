/**
 * Which calls the next run of ingest is going to make, as far as the database can tell: the same choices as ingest.ts makes,
 * counted instead of read. What was written in Slack meanwhile nobody knows before reading it.
 */
import type { ThreadRow } from '../db/schema.ts';
import { microsToTs, millisToIso } from '../ts.ts';
import { auditBudget, chooseWholeAgain, countAudits, type OpenChannel } from './audit.ts';
import { bridgeHoles } from './bridge-holes.ts';
import type { KnownChannel } from './channel-identity.ts';
import { type PlannedChannel, planChannels } from './channel-plan.ts';
import type { ChannelPosition } from './channel-position.ts';
import { positionOf, recentWindows } from './channel-windows.ts';
import { syncChannels } from './channels.ts';
import { nowIso, pageRoom, type SyncContext } from './context.ts';
import { type IngestOptions, isStale } from './ingest.ts';
import type { Window } from './interval.ts';
import type { ReadProgress } from './read-channels.ts';
import { claimedReplies } from './thread-news.ts';
import { livelyInterval } from './thread-schedule.ts';

/** Calls by what they are for. */
export interface RequestPlan {
  history: { recent: number; audits: number; holes: number };
  replies: { pending: number; audits: number };
  users: { list: number; info: number };
  joins: number;
  /** How many runs of ingest there will have been. */
  runNumber: number;
  /** Channels that are going to be read. */
  channels: number;
  /** Channels that are read for the first time: nobody knows how many messages they hold. */
  neverRead: number;
  /** Ranges of old history that were never read: their calls are guessed from what is known of the channel. */
  holes: number;
}

/** Later than any ts that can be written. */
const endOfTime = 9_000_000_000_000_000;

/** Objects in a page of users.list, see slack/methods.ts. */
const usersPage = 200;

/** Counts the calls of a run with these options. Lists the channels, and calls nothing else. */
export async function planRequests(
  context: SyncContext,
  options: IngestOptions,
  progress: ReadProgress,
): Promise<RequestPlan> {
  const { store, teamId } = context;
  context.runNumber = (await store.runs.findIngestRuns(teamId)) + 1;
  const { channels: known } = await syncChannels(context, options.identity);
  const choice = { ...options, isBot: options.identity.isBot, join: false };
  const { planned, total } = await planChannels(context, choice, known);
  const joined = options.join
    ? known.filter((channel) => options.isSelected(channel) && isJoined(choice, channel))
    : [];
  const ids = planned.map(({ channelId }) => channelId);
  const readAfterJoining = joined.filter(({ channel_id }) => !ids.includes(channel_id)).length;
  Object.assign(progress.channels, { total, skipped: total - planned.length - readAfterJoining });

  const auditRequests = auditBudget(context.slack.pageSize('conversations.history'), options.auditRequests);
  const { history, holes } = await planHistories(context, planned, { ...options, auditRequests });
  return {
    history: { ...history, recent: history.recent + readAfterJoining },
    replies: options.threads ? await planThreads(context, ids, auditRequests) : { pending: 0, audits: 0 },
    users: await planUsers(context, options),
    joins: joined.length,
    runNumber: context.runNumber,
    channels: planned.length + readAfterJoining,
    neverRead: planned.filter(({ state }) => state === undefined).length + readAfterJoining,
    holes,
  };
}

/** As channel-plan.ts decides. */
function isJoined({ isBot }: { isBot: boolean }, { isListed, is_member, kind, is_archived }: KnownChannel): boolean {
  return isBot && isListed && is_member === false && kind === 'public' && !is_archived;
}

async function planHistories(
  context: SyncContext,
  planned: readonly PlannedChannel[],
  options: IngestOptions,
): Promise<Pick<RequestPlan, 'history' | 'holes'>> {
  const { store, teamId } = context;
  const { auditRequests: requests, began } = options;
  const counts = await store.messages.listCounts(teamId);
  const reach = { ...options, wholeAgain: chooseWholeAgain(planned, counts, { requests, room: pageRoom(context) }) };
  const opened: OpenChannel[] = [];
  const history = { recent: 0, audits: 0, holes: 0 };
  let holes = 0;
  for (const entry of planned) {
    const position = await positionOf(store, teamId, entry, reach);
    const recent = entry.isQuiet ? null : await recentWindows(context, entry, position, reach);
    const rereadFrom = recent?.rereadFrom ?? Number.MAX_SAFE_INTEGER;
    opened.push({ entry, position, rereadFrom, began: millisToIso(began) });
    for (const window of [recent?.fresh, recent?.again]) {
      if (window) history.recent += await pagesIn(context, entry, window);
    }
    // What is wanted beyond the first window of a channel is a hole as soon as that is read.
    const isLeft = position.completeTo === null && position.wantedFrom < rereadFrom;
    const known = position.holes(began);
    holes += known.length + (isLeft ? 1 : 0);
    history.holes += (await pagesInHoles(context, entry, position, known)) + (isLeft ? 1 : 0);
  }
  // The first run that reads a channel which an export brought leaves it at that.
  const readBefore = opened.filter(({ position }) => position.audit.auditedRun !== null);
  history.audits = await countAudits(context, readBefore, requests);
  return { history, holes };
}

/** One page at least: nobody knows that there is nothing before asking. */
async function pagesIn(context: SyncContext, { channelId }: PlannedChannel, window: Window): Promise<number> {
  const shown = await countShown(context, channelId, window.oldest + 1, (window.latest ?? endOfTime) - 1);
  return Math.max(1, Math.ceil(shown / context.slack.pageSize('conversations.history')));
}

/** At least one each; as many as if their messages lay as close as those that were read. */
export async function pagesInHoles(
  context: SyncContext,
  entry: Pick<PlannedChannel, 'channelId'>,
  position: Pick<ChannelPosition, 'latestFrom' | 'covers'>,
  holes: readonly Window[],
): Promise<number> {
  const { latestFrom } = position;
  if (holes.length === 0 || latestFrom === null) return holes.length;
  const shown = await countShown(context, entry.channelId, latestFrom, endOfTime);
  const now = context.now() * 1000;
  const perMicrosecond = shown / Math.max(1, now - latestFrom);
  const size = context.slack.pageSize('conversations.history');
  const windows = await bridgeHoles(context, entry, position, holes);
  return windows
    .map(({ oldest, latest }) => Math.max(1, Math.ceil((perMicrosecond * ((latest ?? now) - oldest)) / size)))
    .reduce((sum, pages) => sum + pages, 0);
}

function countShown(context: SyncContext, channelId: string, from: number, to: number): Promise<number> {
  const range = { from: microsToTs(Math.max(0, from)), to: microsToTs(Math.min(to, endOfTime)) };
  return context.store.messages.countShown(context.teamId, channelId, range);
}

async function planThreads(
  context: SyncContext,
  channelIds: readonly string[],
  auditRequests: number,
): Promise<RequestPlan['replies']> {
  const { store, teamId, runNumber: run } = context;
  const now = nowIso(context);
  const pending = await store.positions.listPendingThreads(teamId, channelIds, {
    failedBefore: now,
    now,
    limit: Number.MAX_SAFE_INTEGER,
  });
  const due = await store.positions.listThreadsToAudit(teamId, channelIds, {
    run,
    lively: livelyInterval,
    limit: auditRequests,
  });
  let audits = 0;
  for (const thread of due) if (audits < auditRequests) audits += pagesOfThread(context, thread, 0);
  return {
    pending: pending.reduce((sum, thread) => sum + pagesOfThread(context, thread, knownReplies(context, thread)), 0),
    audits,
  };
}

/** Replies that need not be read again, see threads.ts. */
function knownReplies({ slack }: SyncContext, { claim, live_replies: known }: ThreadRow): number {
  const claimed = claimedReplies(claim);
  return known === null || claimed <= known || claimed < slack.pageSize('conversations.replies') ? 0 : known;
}

/** The root comes with every page and takes a place. */
function pagesOfThread({ slack }: SyncContext, { claim }: ThreadRow, known: number): number {
  const size = slack.pageSize('conversations.replies');
  return Math.max(1, Math.ceil((claimedReplies(claim) - known) / (size - 1)));
}

async function planUsers(
  { store, teamId, now }: SyncContext,
  { usersMaxAgeMs }: IngestOptions,
): Promise<RequestPlan['users']> {
  const syncedAt = (await store.directory.findWorkspace(teamId))?.users_synced_at ?? null;
  const isFresh = !isStale(syncedAt, now(), usersMaxAgeMs);
  const pending = (await store.directory.listPendingUserIds(teamId)).length;
  if (isFresh) return { list: 0, info: pending };
  // The list describes most of those that messages brought before it.
  const known = (await store.directory.listUserIds(teamId)).length;
  return { list: Math.max(1, Math.ceil(known / usersPage)), info: 0 };
}
