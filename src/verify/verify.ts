/**
 * Proves that the database is whole, or lists the gaps: first what it says about itself, then, unless offline, what Slack
 * says. Writes nothing except with `repair`.
 */
import { BudgetEndedError } from '../errors.ts';
import type { Identity } from '../model.ts';
import { identifyChannels, type KnownChannel } from '../sync/channel-identity.ts';
import { canRead } from '../sync/channel-plan.ts';
import { syncChannels } from '../sync/channels.ts';
import type { SyncContext } from '../sync/context.ts';
import { noMessages } from '../sync/counts.ts';
import { ThreadSignal } from '../sync/thread-signal.ts';
import { checkContent, countFuture, type FutureRows } from './check-content.ts';
import { checkPositions } from './check-positions.ts';
import { checkThreads, findUnshown } from './check-threads.ts';
import type { Gap } from './gap.ts';
import { type Findings, type Ledger, lookTwice, type UnshownReplies, type VerifiedChannel } from './ledger.ts';
import { type Repairs, repair } from './repair.ts';
import { type Comparison, compareWithSlack } from './reread.ts';

export interface VerifyOptions {
  identity: Identity;
  /** Slack is not asked. */
  offline: boolean;
  isSelected: (channel: KnownChannel) => boolean;
  /** The replies of threads are read at all. */
  threads: boolean;
  repair: boolean;
  /** For the sample of what is read again. */
  seed: number;
  /** No more threads than these are chosen to be read again. */
  threadLimit: number;
}

/** Filled while it works, so that a run that is stopped can still tell what it found. */
export interface VerifyProgress {
  gaps: Gap[];
  /** Threads of which Slack shows fewer replies than it tells of. */
  unshown: UnshownReplies[];
  channels: ReadonlyMap<string, VerifiedChannel>;
  /** Channels that were never read and that `ingest` cannot read, by id. */
  unread: ReadonlySet<string>;
  /** Messages whose rows were compared with Slack's objects in them. */
  messages: number;
  future: FutureRows;
  /** The checks of the database came to their end. */
  isLedgerChecked: boolean;
  comparison: Comparison | null;
  repairs: Repairs | null;
}

export function newVerifyProgress(): VerifyProgress {
  return {
    gaps: [],
    unshown: [],
    channels: new Map(),
    unread: new Set(),
    messages: 0,
    future: { count: 0, latest: null },
    isLedgerChecked: false,
    comparison: null,
    repairs: null,
  };
}

/**
 * Throws what stops the workspace; an ended budget only ends the comparison with Slack, and is thrown in the end when nothing
 * was compared at all: what nobody looked at is not proved.
 */
export async function verify(context: SyncContext, options: VerifyOptions, progress: VerifyProgress): Promise<void> {
  const looking = lookingOnly(context);
  progress.channels = await verifiedChannels(looking, options);
  const ledger: Ledger = {
    store: context.store,
    teamId: context.teamId,
    channels: progress.channels,
    now: context.now(),
    discards: context.discardRules.length > 0,
    threads: options.threads,
    signal: context.signal,
  };
  const states = await ledger.store.positions.listStates(ledger.teamId);
  const read = new Set(states.map(({ channel_id }) => channel_id));
  const unread = [...ledger.channels.values()].filter(
    ({ channelId, isReadable }) => !isReadable && !read.has(channelId),
  );
  progress.unread = new Set(unread.map(({ channelId }) => channelId));
  const found = await checkLedger(ledger, progress);
  if (options.threads) progress.unshown = await findUnshown(ledger);
  let budgetEnded: BudgetEndedError | null = null;
  if (!options.offline) {
    progress.comparison = {
      windows: { total: 0, read: 0 },
      threads: { total: 0, read: 0 },
      messages: 0,
      newer: 0,
      seed: options.seed,
    };
    const told = { comparison: progress.comparison, gaps: progress.gaps };
    budgetEnded = await unlessBudgetEnds(() => compareWithSlack(looking, ledger, found, options, told));
  }
  if (options.repair && progress.gaps.length > 0) {
    progress.repairs = { windows: 0, threads: 0, rows: 0, checkpoints: 0, recounted: 0 };
    await repair(context, ledger, progress.gaps, progress.repairs);
  }
  if (budgetEnded !== null) throw budgetEnded;
}

async function unlessBudgetEnds(work: () => Promise<void>): Promise<BudgetEndedError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof BudgetEndedError) return error;
    throw error;
  }
}

/** The same run over a store that undoes everything, with counters of its own. */
function lookingOnly(context: SyncContext): SyncContext {
  return {
    ...context,
    store: context.store.undoing(),
    knownUsers: new Set(context.knownUsers),
    discarded: new Map(),
    messages: noMessages(),
    messagesByChannel: new Map(),
    threads: { found: 0, read: 0, unshown: 0 },
    audits: { windows: 0, threads: 0 },
    newThreads: new ThreadSignal(),
  };
}

/** The selected channels, those that are stored and, unless offline, those that Slack lists. */
async function verifiedChannels(
  context: SyncContext,
  { identity, offline, isSelected }: VerifyOptions,
): Promise<Map<string, VerifiedChannel>> {
  const listed = offline ? null : await listedChannels(context, identity);
  const channels = listed ?? (await identifyChannels(context, [], []));
  const verified = channels.filter(isSelected).map((channel): VerifiedChannel => {
    const { channel_id: channelId, name } = channel;
    const isReadable =
      listed === null ? channel.is_member === true : channel.isListed && canRead(channel, identity.isBot);
    return { channelId, name: name ?? channelId, isReadable };
  });
  return new Map(verified.map((channel) => [channel.channelId, channel]));
}

/** Null when the budget does not even suffice for the list: the database can still be checked by itself. */
async function listedChannels(context: SyncContext, identity: Identity): Promise<readonly KnownChannel[] | null> {
  try {
    return (await syncChannels(context, identity)).channels;
  } catch (error) {
    if (error instanceof BudgetEndedError) return null;
    throw error;
  }
}

async function checkLedger(ledger: Ledger, progress: VerifyProgress): Promise<Findings> {
  const found: Findings = { gaps: progress.gaps, suspects: [] };
  for (const check of [checkPositions, checkThreads]) {
    const { gaps, suspects } = await lookTwice(() => check(ledger));
    // One by one: a call has room for some 100,000 arguments.
    for (const gap of gaps) found.gaps.push(gap);
    for (const suspect of suspects) found.suspects.push(suspect);
  }
  for (const channel of ledger.channels.values()) {
    const { gaps, messages, future } = await checkContent(ledger, channel);
    if (future.latest !== null) countFuture(progress.future, future.latest, future.count);
    for (const gap of gaps) found.gaps.push(gap);
    progress.messages += messages;
  }
  progress.isLedgerChecked = true;
  return found;
}
