/**
 * Reads the planned channels in three rounds, what is worth most first: what is new, then what was read before and may
 * have changed unnoticed, then old history. In each round two lanes run side by side, because Slack limits each method by
 * itself: one reads histories, the other the replies of the threads that the first finds.
 */
import { BudgetEndedError, SlackError } from '../errors.ts';
import { auditHistories, type OpenChannel, recordReread } from './audit.ts';
import { bridgeHoles } from './bridge-holes.ts';
import type { PlannedChannel } from './channel-plan.ts';
import type { ChannelPosition } from './channel-position.ts';
import type { RecentWindows } from './channel-windows.ts';
import { failUnit, nowIso, type SyncContext, sideBySide } from './context.ts';
import { noProgress, readWindow, type WindowResult } from './history.ts';
import type { Window } from './interval.ts';
import { ThreadSignal } from './thread-signal.ts';
import { auditThreads, readPendingThreads } from './threads.ts';

/** Which windows of a channel to read. */
export interface WindowChoice {
  open(channel: PlannedChannel): Promise<ChannelPosition>;
  /** What is read first of all; null when there is nothing but old history to read. */
  recent(channel: PlannedChannel, position: ChannelPosition): Promise<RecentWindows | null>;
  /** What is still to be read, latest first; empty when nothing is. */
  holes(position: ChannelPosition): Window[];
}

export interface ReadOptions {
  /** Read the replies of threads. */
  threads: boolean;
  /**
   * One lane after the other: a budget of requests is then spent on what is worth most, not by whichever lane is faster.
   */
  inTurn: boolean;
  /** Calls to spend on audits, for each method. */
  auditRequests: number;
  /** Other work waits that comes after the channels. */
  isMoreWaiting: boolean;
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
  /** Channels that were opened, and what of them is still to be read once `unread` is. */
  opened: OpenChannel[];
  holes: WindowChoice['holes'];
  results: Map<string, ChannelResult>;
  historyLimited: Set<string>;
}

export function newReadProgress(): ReadProgress {
  return {
    channels: { total: 0, ok: 0, failed: 0, skipped: 0 },
    unread: new Set(),
    opened: [],
    holes: () => [],
    results: new Map(),
    historyLimited: new Set(),
  };
}

/**
 * Reads every planned channel. What fails in one is recorded in `progress`, and the next one goes on. Throws what stops
 * the workspace, and `SlackError` of kind scope when no channel at all can be read for want of one.
 */
export async function readChannels(
  context: SyncContext,
  choice: WindowChoice,
  planned: readonly PlannedChannel[],
  options: ReadOptions,
  progress: ReadProgress,
): Promise<void> {
  for (const { channelId } of planned) progress.unread.add(channelId);
  const { opened } = progress;
  progress.holes = choice.holes;
  const readable = () => new Map(opened.map(({ entry }) => [entry.channelId, entry]));

  const recent: RecentWork = { total: planned.length, queue: [...planned], again: [] };
  const everyChannel = new Map(planned.map((entry) => [entry.channelId, entry]));
  const readNew = (reserved: number) =>
    round(context, options, {
      histories: () => readRecent(context, choice, recent, opened, progress, reserved),
      threads: () => readPendingThreads(context, everyChannel),
    });
  const audit = () =>
    round(context, options, {
      histories: () => untilBudgetEnds(() => readAudits(context, opened, options.auditRequests, progress)),
      threads: async () => {
        await untilBudgetEnds(() => auditThreads(context, readable(), options.auditRequests));
        await readPendingThreads(context, readable());
      },
    });
  const readOld = () =>
    round(context, options, {
      histories: () => readHoles(context, choice, opened, progress),
      threads: () => readPendingThreads(context, readable()),
    });

  await readNew(reserve(context, planned.length));
  const isCut = recent.queue.length + recent.again.length > 0;
  if (!isCut && isTurnOfAudits(context, choice, opened, options)) await audit();
  await readOld();
  if (isCut) {
    await readNew(0);
    await readOld();
    if (options.auditRequests > 0) await audit();
  }
  failWithoutScope(context, progress);
}

/** What of the first round is still to be done. */
interface RecentWork {
  total: number;
  queue: PlannedChannel[];
  /** Look-back windows that take pages of their own. */
  again: { channel: OpenChannel; window: Window }[];
}

/**
 * Calls to leave to the later rounds. New messages come first, but a budget of requests that does not even suffice for all
 * channels would never get to anything else: so in every other run they have half of it, and the channels take turns.
 */
function reserve({ slack: { requestsLeft }, runNumber }: SyncContext, channels: number): number {
  const isShort = requestsLeft !== null && requestsLeft <= channels;
  return isShort && runNumber % 2 === 0 ? Math.ceil(requestsLeft / 2) : 0;
}

/**
 * Audits come before old history. But where a budget of requests is small they could take all of it, run after run, and the
 * rest would never be done: so while something else waits, every other run leaves them out.
 */
function isTurnOfAudits(
  { runNumber }: SyncContext,
  choice: WindowChoice,
  opened: readonly OpenChannel[],
  { inTurn, isMoreWaiting, auditRequests }: ReadOptions,
): boolean {
  if (auditRequests === 0) return false;
  if (!inTurn || runNumber % 2 === 1) return true;
  return !isMoreWaiting && opened.every(({ position }) => choice.holes(position).length === 0);
}

async function round(
  context: SyncContext,
  { threads, inTurn }: ReadOptions,
  lanes: { histories: () => Promise<void>; threads: () => Promise<void> },
): Promise<void> {
  context.newThreads = new ThreadSignal();
  const histories = () =>
    lanes.histories().finally(() => {
      context.newThreads.close();
      context.emit({ type: 'histories_done' });
    });
  if (!threads) return histories();
  if (!inTurn) return sideBySide(context, [histories(), lanes.threads()]);
  await histories();
  await lanes.threads();
}

/**
 * Audits take what the budget has left and no more: that they could have gone on makes no run partial. What they found and
 * could not read any more does, in the round after.
 */
async function untilBudgetEnds(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BudgetEndedError)) throw error;
  }
}

/**
 * New messages of every channel come before any channel's look-back window that takes pages of its own. Stops, and leaves
 * the rest in `work`, when no more than `reserved` calls of the budget are left.
 */
async function readRecent(
  context: SyncContext,
  choice: WindowChoice,
  work: RecentWork,
  opened: OpenChannel[],
  progress: ReadProgress,
  reserved: number,
): Promise<void> {
  const { queue, again, total } = work;
  const isReserved = () => reserved > 0 && (context.slack.requestsLeft ?? Number.POSITIVE_INFINITY) <= reserved;
  for (let entry = queue[0]; entry !== undefined && !isReserved(); entry = queue[0]) {
    queue.shift();
    await readNewest(context, choice, { entry, index: total - queue.length, total }, work, opened, progress);
  }
  for (const { channel } of again) progress.unread.add(channel.entry.channelId);
  const windows = again.length;
  for (let next = again[0]; next !== undefined && !isReserved(); next = again[0]) {
    again.shift();
    const { channel, window } = next;
    tellChannel(context, channel.entry, 'again', { index: windows - again.length, total: windows });
    await readChannel(context, channel.entry, progress, async () => {
      const result = await readWindow(context, channel.entry, channel.position, window);
      await recordReread(context, channel);
      return [result];
    });
  }
}

async function readNewest(
  context: SyncContext,
  choice: WindowChoice,
  { entry, index, total }: { entry: PlannedChannel; index: number; total: number },
  { again }: RecentWork,
  opened: OpenChannel[],
  progress: ReadProgress,
): Promise<void> {
  tellChannel(context, entry, 'new', { index, total });
  await readChannel(context, entry, progress, async () => {
    const began = nowIso(context);
    const position = await choice.open(entry);
    const recent = await choice.recent(entry, position);
    if (recent === null) {
      opened.push({ entry, position, rereadFrom: Number.MAX_SAFE_INTEGER, began });
      return [];
    }
    const channel = { entry, position, rereadFrom: recent.rereadFrom, began };
    const result = await readWindow(context, entry, position, recent.fresh);
    opened.push(channel);
    if (recent.again !== null) again.push({ channel, window: recent.again });
    else await recordReread(context, channel);
    return [result];
  });
}

async function readAudits(
  context: SyncContext,
  opened: readonly OpenChannel[],
  requests: number,
  progress: ReadProgress,
): Promise<void> {
  const wellRead = opened.filter(({ entry }) => progress.results.get(entry.channelId)?.status === 'ok');
  const begun = new Set<string>();
  await auditHistories(context, wellRead, requests, (entry, work) => {
    begun.add(entry.channelId);
    tellChannel(context, entry, 'again', { index: begun.size, total: null });
    return readChannel(context, entry, progress, work);
  });
}

async function readHoles(
  context: SyncContext,
  choice: WindowChoice,
  opened: readonly OpenChannel[],
  progress: ReadProgress,
): Promise<void> {
  const withHoles = opened.filter(({ position }) => choice.holes(position).length > 0);
  for (const { entry } of withHoles) progress.unread.add(entry.channelId);
  for (const [n, { entry, position }] of withHoles.entries()) {
    tellChannel(context, entry, 'old', { index: n + 1, total: withHoles.length });
    await readChannel(context, entry, progress, () => fillHoles(context, choice, entry, position));
  }
  for (const { entry, position } of opened) if (position.isCutByPlan) progress.historyLimited.add(entry.channelId);
}

function tellChannel(
  { emit }: SyncContext,
  { channelId, name }: PlannedChannel,
  part: 'new' | 'again' | 'old',
  { index, total }: { index: number; total: number | null },
): void {
  emit({ type: 'channel', part, index, total, channelId, name });
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
    const size = holes.reduce((sum, { oldest, latest }) => sum + (latest ?? context.now() * 1000) - oldest, 0);
    if (size >= left) throw noProgress(entry);
    left = size;
    for (const window of await bridgeHoles(context, entry, position, holes)) {
      results.push(await readWindow(context, entry, position, window));
    }
  }
}

/** Reads part of a channel in isolation: what fails is recorded, and the next channel goes on. Returns whether it was read. */
async function readChannel(
  context: SyncContext,
  { channelId, name }: PlannedChannel,
  progress: ReadProgress,
  read: () => Promise<WindowResult[]>,
): Promise<boolean> {
  const already = progress.results.get(channelId);
  try {
    const windows = await read();
    if (windows.some(({ isLimited }) => isLimited)) progress.historyLimited.add(channelId);
    // Read it is, but for what was set apart: that makes the run partial, and fails no channel.
    const error = windows.some(({ malformed }) => malformed > 0) ? 'malformed_message' : (already?.error ?? null);
    settle(progress, { channelId, name, status: 'ok', error }, already);
    return true;
  } catch (error) {
    const failed = failUnit(context, error, { channelId, channel: name });
    const note = `${failed.code}: ${failed.message}`;
    await context.store.transaction((store) =>
      store.positions.noteError(context.teamId, channelId, note, nowIso(context)),
    );
    settle(progress, { channelId, name, status: 'failed', error: note }, already);
    return false;
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
