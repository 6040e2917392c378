/**
 * Reads the planned channels: two lanes run side by side, because Slack limits each method by itself. One reads
 * histories, the other the replies of the threads that the first finds.
 */
import { SlackError } from '../errors.ts';
import type { PlannedChannel } from './channel-plan.ts';
import type { ChannelPosition } from './channel-position.ts';
import { failUnit, nowIso, type SyncContext, sideBySide } from './context.ts';
import { noProgress, readWindow, type WindowResult } from './history.ts';
import type { Window } from './interval.ts';
import { readPendingThreads } from './threads.ts';

/** Which windows of a channel to read: all channels' first windows come before any channel's holes. */
export interface WindowChoice {
  open(channel: PlannedChannel): Promise<ChannelPosition>;
  first(channel: PlannedChannel, position: ChannelPosition): Promise<Window[]>;
  /** What is still to be read, latest first; empty when nothing is. */
  holes(position: ChannelPosition): Window[];
}

export interface ChannelResult {
  channelId: string;
  name: string;
  status: 'ok' | 'failed';
  error: string | null;
}

/** What the lanes fill while they work, so that a run that is stopped can still tell what it did. */
export interface ReadProgress {
  channels: { total: number; ok: number; failed: number; skipped: number };
  /** Channels still to be read, by id. */
  unread: Set<string>;
  results: Map<string, ChannelResult>;
  historyLimited: Set<string>;
}

export function newReadProgress(): ReadProgress {
  return {
    channels: { total: 0, ok: 0, failed: 0, skipped: 0 },
    unread: new Set(),
    results: new Map(),
    historyLimited: new Set(),
  };
}

/**
 * Reads every planned channel, and with `threads` the replies of pending threads in them. What fails in one channel is
 * recorded in `progress`, and the next one goes on. Throws what stops the workspace, and `SlackError` of kind scope when no
 * channel at all can be read for want of one.
 */
export async function readChannels(
  context: SyncContext,
  choice: WindowChoice,
  planned: readonly PlannedChannel[],
  options: { threads: boolean },
  progress: ReadProgress,
): Promise<void> {
  for (const { channelId } of planned) progress.unread.add(channelId);
  const channels = new Map(planned.map((channel) => [channel.channelId, channel]));
  const lanes = [readHistories(context, choice, planned, progress).finally(() => context.newThreads.close())];
  if (options.threads) lanes.push(readPendingThreads(context, channels));
  await sideBySide(context, lanes);
  failWithoutScope(context, progress);
}

async function readHistories(
  context: SyncContext,
  choice: WindowChoice,
  planned: readonly PlannedChannel[],
  progress: ReadProgress,
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
    await readChannel(context, entry, progress, async () => {
      const position = await choice.open(entry);
      const results = [];
      for (const window of await choice.first(entry, position)) {
        results.push(await readWindow(context, entry, position, window));
      }
      if (choice.holes(position).length > 0) withHoles.push({ entry, position });
      return results;
    });
  }
  for (const { entry } of withHoles) progress.unread.add(entry.channelId);
  for (const { entry, position } of withHoles) {
    await readChannel(context, entry, progress, () => fillHoles(context, choice, entry, position));
  }
}

/** Reads until no hole is left; holes that do not shrink mean that the channel cannot be read to the end. */
async function fillHoles(
  context: SyncContext,
  choice: WindowChoice,
  entry: PlannedChannel,
  position: ChannelPosition,
): Promise<WindowResult[]> {
  const results: WindowResult[] = [];
  let left = Number.POSITIVE_INFINITY;
  for (;;) {
    const holes = choice.holes(position);
    if (holes.length === 0) return results;
    const size = holes.reduce((sum, { oldest, latest }) => sum + (latest ?? oldest) - oldest, 0);
    if (size >= left) throw noProgress(entry);
    left = size;
    for (const hole of holes) results.push(await readWindow(context, entry, position, hole));
  }
}

/** Reads part of a channel in isolation: what fails here is recorded, and the next channel goes on. */
async function readChannel(
  context: SyncContext,
  { channelId, name }: PlannedChannel,
  progress: ReadProgress,
  read: () => Promise<WindowResult[]>,
): Promise<void> {
  const already = progress.results.get(channelId);
  try {
    const windows = await read();
    if (windows.some(({ isLimited }) => isLimited)) progress.historyLimited.add(channelId);
    const malformed = windows.some((window) => window.malformed > 0);
    settle(
      progress,
      { channelId, name, status: malformed ? 'failed' : 'ok', error: malformed ? 'malformed_message' : null },
      already,
    );
  } catch (error) {
    const failed = failUnit(context, error, { channelId, channel: name });
    const note = `${failed.code}: ${failed.message}`;
    await context.store.transaction((store) =>
      store.positions.noteError(context.teamId, channelId, note, nowIso(context)),
    );
    settle(progress, { channelId, name, status: 'failed', error: note }, already);
  }
}

function settle(progress: ReadProgress, result: ChannelResult, already: ChannelResult | undefined): void {
  progress.unread.delete(result.channelId);
  const worst = already?.status === 'failed' ? already : result;
  progress.results.set(result.channelId, worst);
  const all = [...progress.results.values()];
  progress.channels.ok = all.filter(({ status }) => status === 'ok').length;
  progress.channels.failed = all.length - progress.channels.ok;
}

/** When every channel fails for want of a scope, the command cannot do its work at all. */
function failWithoutScope(context: SyncContext, progress: ReadProgress): void {
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
