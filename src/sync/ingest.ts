import { SlackError } from '../errors.ts';
import type { Identity } from '../model.ts';
import type { NormalizedChannel } from '../normalize/directory.ts';
import { type PlannedChannel, planChannels } from './channel-plan.ts';
import type { ChannelPosition } from './channel-position.ts';
import { positionOf, type Reach, recentWindows } from './channel-windows.ts';
import { type DirectoryCounts, syncChannels } from './channels.ts';
import { failUnit, nowIso, type SyncContext, sideBySide } from './context.ts';
import { noProgress, readWindow, type WindowResult } from './history.ts';
import { readPendingThreads, ThreadSignal } from './threads.ts';
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

export interface ChannelResult {
  channelId: string;
  name: string;
  status: 'ok' | 'failed';
  error: string | null;
}

export interface IngestResult {
  channels: { total: number; ok: number; failed: number; skipped: number };
  channelResults: ChannelResult[];
  directory: DirectoryCounts;
  users: UserCounts | null;
  usersLookedUp: number;
  threadsPending: number;
  /** Channels whose older messages Slack hides because of the plan. */
  historyLimited: string[];
}

/** What the lanes fill while they work, so that a run that is stopped can still tell what it did. */
export interface IngestProgress {
  channels: IngestResult['channels'];
  /** Channels still to be read, by id. */
  unread: Set<string>;
  results: Map<string, ChannelResult>;
  historyLimited: Set<string>;
}

export function newIngestProgress(): IngestProgress {
  return {
    channels: { total: 0, ok: 0, failed: 0, skipped: 0 },
    unread: new Set(),
    results: new Map(),
    historyLimited: new Set(),
  };
}

/**
 * Throws what stops the workspace (a refused token, an ended budget, a signal, a failing database); `progress` then
 * tells how far it came, and everything committed stays.
 */
export async function ingest(
  context: SyncContext,
  options: IngestOptions,
  progress: IngestProgress,
): Promise<IngestResult> {
  const { channels: listed, counts } = await syncChannels(context, options.identity);
  const choice = { ...options, isBot: options.identity.isBot, join: options.join && !options.dryRun };
  const { planned, total } = await planChannels(context, choice, listed);
  progress.channels.total = total;
  progress.channels.skipped = total - planned.length;
  for (const { channelId } of planned) progress.unread.add(channelId);
  if (planned.length === 0) context.emit({ type: 'notice', message: nothingToRead(progress.channels) });
  const ids = planned.map(({ channelId }) => channelId);
  context.threads.found = await context.store.positions.countPendingThreads(context.teamId, ids);
  context.emit({ type: 'channels', total: planned.length, skipped: progress.channels.skipped });

  await readAll(context, options, planned, progress);
  failWithoutScope(context, progress);

  const users = await syncUsersWhenStale(context, options);
  const usersLookedUp = await lookUpUnknownUsers(context);
  return {
    channels: progress.channels,
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

function nothingToRead({ total, skipped }: IngestResult['channels']): string {
  if (total === 0) return 'There is nothing to read: no channel that the token can see is selected.';
  return `There is nothing to read: the app is in none of the ${skipped} selected channels. Invite it (/invite @app), or run with --join.`;
}

async function readAll(
  context: SyncContext,
  options: IngestOptions,
  planned: readonly PlannedChannel[],
  progress: IngestProgress,
): Promise<void> {
  const found = new ThreadSignal();
  const channels = new Map(planned.map((channel) => [channel.channelId, channel]));
  const readsThreads = options.threads && !options.dryRun;
  const lanes = [readHistories(context, options, planned, progress, found).finally(() => found.close())];
  if (readsThreads) lanes.push(readPendingThreads(context, channels, found));
  await sideBySide(context, lanes);
}

async function readHistories(
  context: SyncContext,
  options: IngestOptions,
  planned: readonly PlannedChannel[],
  progress: IngestProgress,
  found: ThreadSignal,
): Promise<void> {
  const withHoles: { entry: PlannedChannel; position: ChannelPosition }[] = [];
  for (const [index, entry] of planned.entries()) {
    context.emit({
      type: 'channel',
      index: index + 1,
      total: planned.length,
      channelId: entry.channelId,
      name: entry.name,
    });
    await readChannel(context, entry, progress, found, async () => {
      const position = await positionOf(context.store, context.teamId, entry, options);
      const results = [];
      for (const window of await recentWindows(context.store, context.teamId, entry, position, options)) {
        results.push(await readWindow(context, entry, position, window));
      }
      if (position.holes(options.began).length > 0) withHoles.push({ entry, position });
      return results;
    });
  }
  for (const { entry } of withHoles) progress.unread.add(entry.channelId);
  for (const { entry, position } of withHoles) {
    await readChannel(context, entry, progress, found, () => fillHoles(context, entry, position, options.began));
  }
}

/** Reads until no hole is left: a walk that had to begin anew may leave a smaller one behind. */
async function fillHoles(
  context: SyncContext,
  entry: PlannedChannel,
  position: ChannelPosition,
  began: number,
): Promise<WindowResult[]> {
  const results: WindowResult[] = [];
  let left = Number.POSITIVE_INFINITY;
  for (;;) {
    const holes = position.holes(began);
    if (holes.length === 0) return results;
    const size = holes.reduce((sum, { oldest, latest }) => sum + latest - oldest, 0);
    if (size >= left) throw noProgress(entry);
    left = size;
    for (const hole of holes) results.push(await readWindow(context, entry, position, hole));
  }
}

/** Reads part of a channel in isolation: what fails here is recorded, and the next channel goes on. */
async function readChannel(
  context: SyncContext,
  { channelId, name }: PlannedChannel,
  progress: IngestProgress,
  found: ThreadSignal,
  read: () => Promise<WindowResult[]>,
): Promise<void> {
  const already = progress.results.get(channelId);
  try {
    const windows = await read();
    if (windows.some(({ isLimited }) => isLimited)) progress.historyLimited.add(channelId);
    found.raise();
    const malformed = windows.some((window) => window.malformed > 0);
    settle(
      progress,
      { channelId, name, status: malformed ? 'failed' : 'ok', error: malformed ? 'malformed_message' : null },
      already,
    );
  } catch (error) {
    found.raise();
    const failed = failUnit(context, error, { channelId, channel: name });
    const note = `${failed.code}: ${failed.message}`;
    await context.store.transaction((store) =>
      store.positions.noteError(context.teamId, channelId, note, nowIso(context)),
    );
    settle(progress, { channelId, name, status: 'failed', error: note }, already);
  }
}

function settle(progress: IngestProgress, result: ChannelResult, already: ChannelResult | undefined): void {
  progress.unread.delete(result.channelId);
  const worst = already?.status === 'failed' ? already : result;
  progress.results.set(result.channelId, worst);
  const all = [...progress.results.values()];
  progress.channels.ok = all.filter(({ status }) => status === 'ok').length;
  progress.channels.failed = all.length - progress.channels.ok;
}

/** When every channel fails for want of a scope, the command cannot do its work at all. */
function failWithoutScope(context: SyncContext, progress: IngestProgress): void {
  const { ok, failed } = progress.channels;
  if (ok > 0 || failed === 0) return;
  const failures = context.errors.filter(({ channelId }) => channelId !== null);
  const first = failures[0];
  if (first === undefined || failures.some(({ code }) => code !== 'missing_scope')) return;
  throw new SlackError(
    { kind: 'scope', method: 'conversations.history', code: 'missing_scope' },
    `No channel can be read: ${first.message}`,
    first.hint ?? undefined,
  );
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
