/**
 * The main job on one workspace: channels, new messages, replies of new and changed threads, users.
 *
 * Two lanes run side by side, because Slack limits each method by itself: one reads histories, one reads the replies
 * of the threads that the first finds. What is newest comes first: the recent window of every channel, the most active
 * channel first; then the holes further back.
 */
import type { IngestionStateRow } from '../db/schema.ts';
import { SlackError } from '../errors.ts';
import type { Identity, IsoTime } from '../model.ts';
import type { NormalizedChannel } from '../normalize/directory.ts';
import { microsToTs, tsToMicros } from '../ts.ts';
import { ChannelPosition } from './channel-position.ts';
import { type DirectoryCounts, syncChannels } from './channels.ts';
import { failUnit, nowIso, type SyncContext, sideBySide } from './context.ts';
import { noProgress, type ReadableChannel, readWindow, type WindowResult } from './history.ts';
import { readPendingThreads, ThreadSignal } from './threads.ts';
import { lookUpUnknownUsers, syncUsers, type UserCounts } from './users.ts';

/** How far back a first run reaches when nothing else is said. */
const firstRunMs = 30 * 24 * 3600 * 1000;

/** A look-back window with more top-level messages than this takes more than one page: then new messages are read first, by themselves. */
const onePage = 900;

export interface IngestOptions {
  identity: Identity;
  /** Whether the user wants this channel. */
  isSelected: (channel: NormalizedChannel) => boolean;
  /** Whether the channel was named, so that not being able to read it is a failure. */
  isNamed: (channel: NormalizedChannel) => boolean;
  /** When the run began, in epoch milliseconds: all windows are measured from this one moment. */
  began: number;
  /** Epoch milliseconds; complete from here on, also in channels read before. */
  backfillFrom: number | null;
  lookbackMs: number;
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

interface PlannedChannel extends ReadableChannel {
  channel: NormalizedChannel;
  state: IngestionStateRow | undefined;
}

/**
 * Throws what stops the workspace (a refused token, an ended budget, a signal, a failing database); `progress` then tells how far it came, and everything
 * committed stays.
 */
export async function ingest(
  context: SyncContext,
  options: IngestOptions,
  progress: IngestProgress,
): Promise<IngestResult> {
  const { channels: listed, counts } = await syncChannels(context, options.identity);
  const planned = await planChannels(context, options, listed, progress);
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

/**
 * Chooses what to read and in which order: the channel with the latest known activity first, but before all others the
 * ones that the previous run did not get to, or a small budget would read the same few channels for ever.
 */
async function planChannels(
  context: SyncContext,
  options: IngestOptions,
  listed: readonly NormalizedChannel[],
  progress: IngestProgress,
): Promise<PlannedChannel[]> {
  const states = new Map(
    (await context.store.positions.listStates(context.teamId)).map((state) => [state.channel_id, state]),
  );
  const selected = listed.filter(options.isSelected);
  progress.channels.total = selected.length;
  const planned: PlannedChannel[] = [];
  for (const channel of selected) {
    const name = channel.name ?? channel.channel_id;
    const entry = { channelId: channel.channel_id, name, channel, state: states.get(channel.channel_id) };
    if (await isReadable(context, options, entry)) planned.push(entry);
    else progress.channels.skipped += 1;
  }
  for (const { channelId } of planned) progress.unread.add(channelId);
  const previousRun = await context.store.runs.findLastStart(context.teamId, 'ingest');
  return planned.sort((a, b) => missedBefore(a, b, previousRun) || lastActivity(b) - lastActivity(a));
}

/**
 * A bot reads what it is a member of. A channel it never joined is skipped; one that was named, or read before, is
 * tried, so that losing access shows as a failure.
 */
async function isReadable(
  context: SyncContext,
  options: IngestOptions,
  { channel, state, name }: PlannedChannel,
): Promise<boolean> {
  const canSee = channel.is_member !== false || (!options.identity.isBot && channel.kind === 'public');
  if (canSee) return true;
  if (options.join && channel.kind === 'public' && !channel.is_archived && !options.dryRun) {
    try {
      await context.slack.join(channel.channel_id);
      return true;
    } catch (error) {
      failUnit(context, error, { channelId: channel.channel_id, channel: name });
      return false;
    }
  }
  return options.isNamed(channel) || state !== undefined;
}

/** Puts channels that were not checked since the previous run began before the others, the longest unchecked first. */
function missedBefore(a: PlannedChannel, b: PlannedChannel, previousRun: IsoTime | null): number {
  const missedSince = ({ state }: PlannedChannel) => {
    const checkedAt = state?.last_checked_at ?? '';
    return previousRun !== null && checkedAt < previousRun ? checkedAt : 'not missed';
  };
  return compareText(missedSince(a), missedSince(b));
}

/** Times in ISO form begin with a digit, so they come before any word, and nothing comes before the empty text. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Microseconds. Of a channel not read yet Slack tells only when its settings changed, in milliseconds. */
function lastActivity({ state, channel }: PlannedChannel): number {
  if (state?.last_ts) return tsToMicros(state.last_ts);
  const updated = /"updated":(\d{13})\b/.exec(channel.raw.text)?.[1];
  return updated === undefined ? 0 : Number(updated) * 1000;
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
      const position = await positionOf(context, options, entry);
      const limits = [];
      for (const window of recentWindows(options, entry, position, await countRecent(context, options, entry))) {
        limits.push(await readWindow(context, entry, position, window));
      }
      if (position.holes(options.began).length > 0) withHoles.push({ entry, position });
      return limits;
    });
  }
  for (const { entry, position } of withHoles) {
    await readChannel(context, entry, progress, found, async () => {
      const limits = [];
      // A walk that had to begin anew may leave a smaller hole behind.
      for (
        let holes = position.holes(options.began), left = Infinity;
        holes.length > 0;
        holes = position.holes(options.began)
      ) {
        const size = sizeOf(holes);
        if (size >= left) throw noProgress(entry);
        left = size;
        for (const hole of holes) limits.push(await readWindow(context, entry, position, hole));
      }
      return limits;
    });
  }
}

/** Microseconds. */
function sizeOf(holes: readonly { oldest: number; latest: number }[]): number {
  return holes.reduce((sum, { oldest, latest }) => sum + latest - oldest, 0);
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
  const errorsBefore = context.errors.length;
  try {
    const windows = await read();
    if (windows.some(({ isLimited }) => isLimited)) progress.historyLimited.add(channelId);
    found.raise();
    const malformed = context.errors.length > errorsBefore;
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

function positionOf(
  context: SyncContext,
  options: IngestOptions,
  { channelId, state }: PlannedChannel,
): Promise<ChannelPosition> {
  const wanted = options.backfillFrom ?? options.began - firstRunMs;
  const wantedFrom =
    state === undefined || options.backfillFrom !== null ? wanted * 1000 : tsToMicros(state.wanted_from_ts);
  return ChannelPosition.load(context.store, { teamId: context.teamId, channelId }, state, wantedFrom);
}

/** Messages stored in the look-back window, so far as it matters whether they fit into one page. */
async function countRecent(
  context: SyncContext,
  options: IngestOptions,
  { channelId, state }: PlannedChannel,
): Promise<number> {
  if (state === undefined || options.lookbackMs === 0) return 0;
  const from = microsToTs(Math.max(0, (options.began - options.lookbackMs) * 1000));
  return context.store.positions.countMessagesSince(context.teamId, channelId, from, onePage + 1);
}

/**
 * The windows to read in every run: what is new, and the look-back window again, in which edits, reactions and new
 * replies show. One window and one call where both fit into a page; otherwise the new messages come first, so that a
 * small budget never spends itself on what is known.
 */
function recentWindows(
  options: IngestOptions,
  { state }: PlannedChannel,
  position: ChannelPosition,
  recentCount: number,
): { oldest: number; latest: number | null }[] {
  const { began } = options;
  const { completeTo } = position;
  const beforeWanted = position.wantedFrom - 1;
  if (completeTo === null) {
    const firstRun = Math.max(beforeWanted, (began - firstRunMs) * 1000 - 1);
    return [{ oldest: state === undefined ? firstRun : beforeWanted, latest: null }];
  }
  const lookback = Math.max(beforeWanted, (began - options.lookbackMs) * 1000 - 1);
  if (completeTo <= lookback) return [{ oldest: completeTo, latest: null }];
  if (recentCount <= onePage) return [{ oldest: lookback, latest: null }];
  return [
    { oldest: completeTo, latest: null },
    { oldest: lookback, latest: completeTo + 1 },
  ];
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
