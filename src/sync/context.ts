import {
  AppError,
  BudgetEndedError,
  DatabaseError,
  InterruptedError,
  LockedError,
  SlackError,
  type SlackErrorKind,
  sentences,
} from '../errors.ts';
import type { IsoTime, SlackApi } from '../model.ts';
import { maskSecrets } from '../secrets.ts';
import { millisToIso } from '../ts.ts';
import { addCounts, type MessageCounts, noMessages } from './counts.ts';
import type { Emit } from './events.ts';
import type { PageContext, SavedPage } from './save-page.ts';
import { ThreadSignal } from './thread-signal.ts';
import { WriteLog } from './write-log.ts';

/** One unit of work that failed while the rest went on. */
export interface UnitError {
  channelId: string | null;
  channel: string | null;
  code: string;
  message: string;
  hint: string | null;
}

/** What the parts of one run on one workspace share. */
export interface SyncContext extends PageContext {
  slack: SlackApi;
  emit: Emit;
  /** Fires when the run must stop: a signal, a lost lock, or a failure that stops the workspace. */
  signal: AbortSignal;
  /** Fires `signal` with the reason, so that whatever runs side by side stops. */
  stop: (reason: unknown) => void;
  /** Epoch milliseconds. */
  now: () => number;
  /** When the run began. */
  began: IsoTime;
  /** What the workspace's retention settings delete by themselves: nothing, what is older than so many ms, or nobody said. */
  retention: 'unknown' | 'none' | number;
  /** Messages in the smallest page of a history that was not the last one. */
  historyPage: number;
  /** How many runs of ingest there were, this one included. */
  runNumber: number;
  /** What was done to messages, in all and by channel id. */
  messages: MessageCounts;
  messagesByChannel: Map<string, MessageCounts>;
  /** Threads to be read, those of earlier runs included; threads read; those of which Slack turned out to hide replies. */
  threads: { found: number; read: number; unshown: number };
  /** What was read again although nothing told of a change: windows of histories and threads. */
  audits: { windows: number; threads: number };
  /** What each lane stored while the other was at work. */
  writes: WriteLog;
  /** Tells the lane that reads threads of new ones. */
  newThreads: ThreadSignal;
  errors: UnitError[];
  /** Elements of Slack's answers that were set apart, and the one error that counts those beyond the first ones. */
  malformed: { count: number; more: UnitError | null };
  /** Told of every page that was saved, for whoever wants to know which rows it changed. */
  onPage?: (channelId: string, page: SavedPage) => void;
}

export function syncContext(
  base: Omit<
    SyncContext,
    | 'began'
    | 'messages'
    | 'messagesByChannel'
    | 'historyPage'
    | 'runNumber'
    | 'threads'
    | 'audits'
    | 'newThreads'
    | 'errors'
    | 'malformed'
    | 'discarded'
    | 'writes'
  >,
): SyncContext {
  return {
    ...base,
    began: millisToIso(base.now()),
    messages: noMessages(),
    messagesByChannel: new Map(),
    historyPage: Number.MAX_SAFE_INTEGER,
    runNumber: 0,
    threads: { found: 0, read: 0, unshown: 0 },
    audits: { windows: 0, threads: 0 },
    newThreads: new ThreadSignal(),
    errors: [],
    malformed: { count: 0, more: null },
    discarded: new Map(),
    writes: new WriteLog(),
  };
}

/** Adds what one page did, and tells it. */
export function countPage(context: SyncContext, channelId: string, saved: SavedPage): void {
  const { counts: page, newlyPending } = saved;
  context.onPage?.(channelId, saved);
  const ofChannel = context.messagesByChannel.get(channelId) ?? noMessages();
  context.messagesByChannel.set(channelId, ofChannel);
  addCounts(ofChannel, page);
  addCounts(context.messages, page);
  context.threads.found += newlyPending;
  if (newlyPending > 0) context.newThreads.raise();
  context.emit({
    type: 'progress',
    messages: context.messages.seen,
    threads: { found: context.threads.found, read: context.threads.read },
  });
}

export function nowIso(context: { now: () => number }): IsoTime {
  return millisToIso(context.now());
}

/**
 * Whether an error ends the work on this workspace: the token is refused, the budget ended, the run is being stopped, the
 * database failed. Every other one concerns one unit only, a bug that one message brings to light included.
 */
function stopsWorkspace(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return true;
  if (error instanceof SlackError) return error.kind === 'auth';
  return error instanceof AppError;
}

/** Records a unit that failed; throws the error on when it must stop the workspace. */
export function failUnit(
  context: SyncContext,
  error: unknown,
  unit: { channelId: string | null; channel: string | null },
): UnitError {
  if (stopsWorkspace(error, context.signal)) throw error;
  const told = describe(error);
  return failedUnit(context, { ...unit, ...told }, error instanceof SlackError ? error.kind : 'internal');
}

/** Records what failed of a unit, in words of the caller's. */
export function failedUnit(
  context: Pick<SyncContext, 'errors' | 'emit'>,
  unit: UnitError,
  kind: SlackErrorKind | 'internal' = 'internal',
): UnitError {
  // It is stored with the run, and a channel's name or an error's text may hold anything.
  const failed = { ...unit, message: maskSecrets(unit.message) };
  context.errors.push(failed);
  context.emit({
    type: 'unit_failed',
    channelId: unit.channelId,
    channel: unit.channel,
    code: failed.code,
    kind,
    message: sentences(failed.message, failed.hint),
  });
  return failed;
}

/** An error in the terms of the `--json` object. */
export function describe(error: unknown): { code: string; message: string; hint: string | null } {
  if (error instanceof AppError) return { code: codeOf(error), message: error.message, hint: error.hint ?? null };
  return { code: 'internal_error', message: error instanceof Error ? error.message : String(error), hint: null };
}

function codeOf(error: AppError): string {
  if (error instanceof SlackError) return error.code;
  if (error instanceof DatabaseError) return 'database_error';
  if (error instanceof LockedError) return 'locked';
  if (error instanceof BudgetEndedError) return 'budget_ended';
  if (error instanceof InterruptedError) return 'interrupted';
  return 'error';
}

/** Messages of a page that are left for those already stored, so that new ones do not make a second page of it. */
const roomForNew = 99;

/** How many stored messages a window may hold so that one page brings them, new ones included. */
export function pageRoom({ slack, historyPage }: SyncContext): number {
  return roomIn(Math.min(slack.pageSize('conversations.history'), historyPage));
}

/** The same for pages of `size` messages. */
export function roomIn(size: number): number {
  return size > 10 * roomForNew ? size - roomForNew : size;
}

/** Whether Slack restricts the app to small pages, each of which takes a minute. */
export function isSlowed({ slack }: SyncContext): boolean {
  return slack.pageSize('conversations.history') < roomForNew;
}

/** Learns from a page that was cut how many messages Slack puts into one. */
export function notePageSize(
  context: SyncContext,
  page: { messages: readonly unknown[]; nextCursor: string | undefined; isReduced?: boolean },
): void {
  if (page.nextCursor !== undefined && page.isReduced !== true)
    context.historyPage = Math.min(context.historyPage, Math.max(page.messages.length, 1));
}

/** Waits for all; the first failure stops the others, and is thrown when they have stopped. */
export async function sideBySide(context: SyncContext, lanes: readonly Promise<void>[]): Promise<void> {
  let first: { error: unknown } | undefined;
  await Promise.all(
    lanes.map((lane) =>
      lane.catch((error: unknown) => {
        first ??= { error };
        context.stop(error);
      }),
    ),
  );
  if (first !== undefined) throw first.error;
}
