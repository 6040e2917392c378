/**
 * Compares what is stored with Slack, by the very code that `ingest` reads with: over a store that undoes every
 * transaction, so that whatever a page would have changed is a gap.
 */
import type { ThreadRow } from '../db/schema.ts';
import { BudgetEndedError, SlackError } from '../errors.ts';
import type { Ts } from '../model.ts';
import { type NormalizedMessage, normalizeMessage } from '../normalize/message.ts';
import { ChannelPosition } from '../sync/channel-position.ts';
import { failUnit, pageRoom, type SyncContext } from '../sync/context.ts';
import { readWindow } from '../sync/history.ts';
import type { Interval } from '../sync/interval.ts';
import type { SavedPage } from '../sync/save-page.ts';
import { auditThread } from '../sync/threads.ts';
import type { MessageChange } from '../sync/write-messages.ts';
import { isTs, microsToTs, tsToMicros } from '../ts.ts';
import { type Gap, type GapKind, gapIn, keyOf, type Remedy } from './gap.ts';
import type { Findings, Ledger } from './ledger.ts';
import { Reservoir, randomFrom, shuffled } from './sample.ts';
import { type CoveredChannel, coveredChannels } from './windows.ts';

/** So many units in a row that Slack does not answer, and it is down. */
const failureLimit = 3;

const threadBatch = 1000;

/** How much was compared with Slack. */
export interface Comparison {
  windows: { total: number; read: number };
  threads: { total: number; read: number };
  /** Messages that Slack showed. */
  messages: number;
  /** What changed in Slack since the last run looked: no gaps. */
  newer: number;
  /** With it the same sample is chosen from the same database. */
  seed: number;
}

/** What is read as a whole: a part of a history, or a thread. */
type Unit = { covered: CoveredChannel } & ({ window: Interval } | { thread: ThreadRow });

interface SampleOptions {
  seed: number;
  /** No more threads than these are chosen, beside suspicious ones. */
  threadLimit: number;
}

/**
 * Reads again until everything was read or the budget ends, what is suspicious first, then windows and threads by turns
 * in random order. `comparison` and `gaps` are filled on the way. Throws what stops the workspace, and `BudgetEndedError` when
 * the budget ended before anything was read.
 */
export async function compareWithSlack(
  context: SyncContext,
  ledger: Ledger,
  found: Findings,
  options: SampleOptions,
  { comparison, gaps }: { comparison: Comparison; gaps: Gap[] },
): Promise<void> {
  const units = await chooseUnits(ledger, found, options, pageRoom(context), comparison);
  const unreadable = new Set<string>();
  const known = new Set<string>();
  let failures = 0;
  for (const unit of units) {
    const { channelId, name } = unit.covered.channel;
    if (unreadable.has(channelId)) continue;
    try {
      const { pages, seen } = await readUnit(context, unit);
      failures = 0;
      comparison.messages += seen;
      if ('window' in unit) comparison.windows.read += 1;
      else comparison.threads.read += 1;
      const imported = await importedAmong(ledger, channelId, pages);
      for (const gap of pages.flatMap((page) => gapsIn(unit, page, comparison, imported))) {
        if (!known.has(keyOf(gap))) gaps.push(gap);
        known.add(keyOf(gap));
      }
    } catch (error) {
      if (error instanceof BudgetEndedError) {
        if (comparison.windows.read + comparison.threads.read === 0) throw error;
        return;
      }
      failUnit(context, error, { channelId, channel: name });
      if (error instanceof SlackError && error.kind === 'channel') unreadable.add(channelId);
      failures += 1;
      if (failures >= failureLimit) return;
    }
  }
}

async function chooseUnits(
  ledger: Ledger,
  found: Findings,
  { seed, threadLimit }: SampleOptions,
  room: number,
  comparison: Comparison,
): Promise<Unit[]> {
  const channels = await coveredChannels(ledger, room);
  const random = randomFrom(seed);
  const suspicious = suspicionOf(found);

  const windows = [...channels.values()].flatMap((covered) => covered.windows.map((window) => ({ covered, window })));
  comparison.windows.total = windows.length;
  const isSuspicious = ({ covered, window }: { covered: CoveredChannel; window: Interval }) =>
    suspicious.holds(covered.channel.channelId, window);
  const threads = ledger.threads
    ? await sampleThreads(ledger, channels, threadLimit, random)
    : { total: 0, chosen: [] };
  comparison.threads.total = threads.total;
  const first = ledger.threads ? await suspiciousThreads(ledger, channels, suspicious.threads) : [];
  const firstKeys = new Set(first.map(keyOfThread));
  return [
    ...windows.filter(isSuspicious),
    ...first,
    ...byTurns(
      shuffled(
        windows.filter((unit) => !isSuspicious(unit)),
        random,
      ),
      shuffled(threads.chosen, random).filter((unit) => !firstKeys.has(keyOfThread(unit))),
    ),
  ];
}

function keyOfThread({ thread }: { thread: ThreadRow }): string {
  return [thread.channel_id, thread.thread_ts].join(' ');
}

function byTurns<A, B>(first: readonly A[], second: readonly B[]): (A | B)[] {
  const turns: (A | B)[] = [];
  for (let n = 0; n < Math.max(first.length, second.length); n += 1) {
    const [a, b] = [first[n], second[n]];
    if (a !== undefined) turns.push(a);
    if (b !== undefined) turns.push(b);
  }
  return turns;
}

/** Where the checks of the database point to. */
function suspicionOf({ gaps, suspects }: Findings): {
  holds: (channelId: string, window: Interval) => boolean;
  threads: Map<string, Set<Ts>>;
} {
  const whole = new Set<string>();
  const moments = new Map<string, Set<number>>();
  const threads = new Map<string, Set<Ts>>();
  const suspectThread = (channelId: string, ts: Ts) =>
    threads.set(channelId, (threads.get(channelId) ?? new Set()).add(ts));
  const suspectMoment = (channelId: string, at: number) =>
    moments.set(channelId, (moments.get(channelId) ?? new Set()).add(at));
  for (const { channel_id: channelId, ts, remedy } of gaps) {
    if (remedy.reread === 'all') whole.add(channelId);
    else if (remedy.reread !== undefined) suspectMoment(channelId, remedy.reread.from);
    else if (isTs(ts)) suspectMoment(channelId, tsToMicros(ts));
    for (const thread of remedy.threads ?? []) suspectThread(channelId, thread);
  }
  for (const suspect of suspects) {
    if ('threadTs' in suspect) suspectThread(suspect.channelId, suspect.threadTs);
    else suspectMoment(suspect.channelId, tsToMicros(suspect.ts));
  }
  const holds = (channelId: string, { from, to }: Interval) =>
    whole.has(channelId) || [...(moments.get(channelId) ?? [])].some((at) => from <= at && at <= to);
  return { holds, threads };
}

async function suspiciousThreads(
  { store, teamId }: Ledger,
  channels: ReadonlyMap<string, CoveredChannel>,
  suspicious: ReadonlyMap<string, ReadonlySet<Ts>>,
): Promise<{ covered: CoveredChannel; thread: ThreadRow }[]> {
  const units: { covered: CoveredChannel; thread: ThreadRow }[] = [];
  for (const [channelId, ts] of suspicious) {
    const covered = channels.get(channelId);
    if (covered === undefined) continue;
    for (const thread of (await store.positions.findThreads(teamId, channelId, [...ts])).values()) {
      if (!thread.is_pending && thread.last_error === null) units.push({ covered, thread });
    }
  }
  return units;
}

async function sampleThreads(
  { store, teamId }: Ledger,
  channels: ReadonlyMap<string, CoveredChannel>,
  limit: number,
  random: () => number,
): Promise<{ total: number; chosen: readonly { covered: CoveredChannel; thread: ThreadRow }[] }> {
  const reservoir = new Reservoir<{ covered: CoveredChannel; thread: ThreadRow }>(limit, random);
  for (const [channelId, covered] of channels) {
    let after: Ts | null = null;
    for (;;) {
      const batch: ThreadRow[] = await store.integrity.listReadThreads(teamId, channelId, after, threadBatch);
      for (const thread of batch) reservoir.show({ covered, thread });
      after = batch.at(-1)?.thread_ts ?? null;
      if (after === null) break;
    }
  }
  return { total: reservoir.shown, chosen: reservoir.kept };
}

/** What `ingest` would do with the unit, page by page. */
async function readUnit(context: SyncContext, unit: Unit): Promise<UnitReading> {
  const first = await readOnce(context, unit);
  if (!first.pages.some(({ changes }) => changes.some(isGone))) return first;
  // A run beside this one may have stored the message after Slack had answered. What was stored before the second answer and is
  // in neither is gone.
  const again = await readOnce(context, unit);
  const gone = new Set(again.pages.flatMap(({ changes }) => changes.filter(isGone).map(({ ts }) => ts)));
  const isSure = (change: MessageChange) => !isGone(change) || gone.has(change.ts);
  return { ...first, pages: first.pages.map((page) => ({ ...page, changes: page.changes.filter(isSure) })) };
}

interface UnitReading {
  pages: SavedPage[];
  seen: number;
}

function isGone({ kind, read }: MessageChange): boolean {
  return kind === 'deleted' && read === null;
}

async function readOnce(context: SyncContext, unit: Unit): Promise<UnitReading> {
  const pages: SavedPage[] = [];
  const { channel, state, coverage } = unit.covered;
  const looking = { ...context, onPage: (_channelId: string, page: SavedPage) => void pages.push(page) };
  if ('thread' in unit) {
    await auditThread(looking, channel, unit.thread);
  } else {
    const { from, to } = unit.window;
    // What no ts bounds is told as a gap already.
    const known = coverage.filter((row) => isTs(row.from_ts) && isTs(row.to_ts));
    await readWindow(looking, channel, new ChannelPosition(state, known), { oldest: from - 1, latest: to + 1 });
  }
  return { pages, seen: pages.reduce((sum, { counts }) => sum + counts.seen, 0) };
}

/** Changed messages that came from an export, as it had them. */
async function importedAmong(
  { store, teamId }: Ledger,
  channelId: string,
  pages: readonly SavedPage[],
): Promise<Map<Ts, NormalizedMessage>> {
  const changes = pages.flatMap((page) => page.changes);
  const imported = changes.filter(({ read, was }) => read !== null && was?.source === 'import').map(({ ts }) => ts);
  if (imported.length === 0) return new Map();
  const rows = await store.integrity.findForCheck(teamId, channelId, imported);
  return new Map(rows.map((row) => [row.ts, normalizeMessage({ ...row.raw, ts: row.ts })]));
}

function gapsIn(
  unit: Unit,
  page: SavedPage,
  comparison: Comparison,
  imported: ReadonlyMap<Ts, NormalizedMessage>,
): Gap[] {
  const { channel, state } = unit.covered;
  const remedy: Remedy = 'window' in unit ? { reread: unit.window } : { threads: [unit.thread.thread_ts] };
  const looked = state.last_checked_at === null ? 0 : Date.parse(state.last_checked_at) * 1000;
  const gaps: Gap[] = [];
  for (const change of page.changes) {
    const difference = differenceOf(change, imported.get(change.ts));
    if (difference === null) continue;
    if (isNewer(change, looked)) comparison.newer += 1;
    else gaps.push(gapIn(channel, { ...difference, ts: change.ts, remedy }));
  }
  if (page.changes.length === 0 && page.newlyPending > 0 && 'window' in unit) {
    const { from, to } = unit.window;
    const message = `Slack tells of ${page.newlyPending} threads something else than when they were read.`;
    gaps.push(gapIn(channel, { kind: 'differs', from_ts: microsToTs(from), to_ts: microsToTs(to), message, remedy }));
  }
  return gaps;
}

function differenceOf(
  { kind, read, was }: MessageChange,
  imported: NormalizedMessage | undefined,
): { kind: GapKind; message: string } | null {
  if (kind === 'inserted') return { kind: 'missing', message: 'Slack shows this message, and it is not stored.' };
  if (kind === 'deleted') return { kind: 'not_marked_deleted', message: 'Slack does not show this message any more.' };
  if (read === null || was === null) return null;
  if (was.deleted_at !== null && !read.isTombstone) {
    return { kind: 'wrongly_deleted', message: 'The message is marked deleted, and Slack shows it.' };
  }
  const differs = imported === undefined ? differsFromRow(read, was) : differsFromExport(read, imported);
  const parts = [
    ...(differs.content && !read.isTombstone ? ['what its author wrote'] : []),
    ...(read.reply_count === was.reply_count && read.latest_reply === was.latest_reply ? [] : ['its thread counters']),
    ...(differs.state && !read.isTombstone ? ['what others added (reactions, replies, pins)'] : []),
  ];
  if (parts.length === 0) return null;
  return { kind: 'differs', message: `Slack shows the message otherwise: ${parts.join(', ')}.` };
}

interface Difference {
  content: boolean;
  state: boolean;
}

function differsFromRow(read: NormalizedMessage, was: NonNullable<MessageChange['was']>): Difference {
  return { content: read.content_hash !== was.content_hash, state: read.state_hash !== was.state_hash };
}

/**
 * An export writes the very same message otherwise than the API: with the author's profile and teams, with a list of the
 * replies, with other addresses of files. What it says must be the same.
 */
function differsFromExport(read: NormalizedMessage, imported: NormalizedMessage): Difference {
  const columns = ['search_text', 'edited_ts', 'subtype', 'user_id', 'bot_id', 'is_reply'] as const;
  return {
    content: columns.some((column) => read[column] !== imported[column]) || fileIds(read) !== fileIds(imported),
    state: reactors(read) !== reactors(imported),
  };
}

function fileIds({ files }: NormalizedMessage): string {
  return [...new Set(files.map(({ file_id }) => file_id))].sort().join(' ');
}

/** Whoever is missing where Slack cut the list is not known to be missing. */
function reactors({ reactions }: NormalizedMessage): string {
  return reactions
    .map(({ name, userIds, isComplete }) => (isComplete ? [name, ...userIds.toSorted()].join(' ') : name))
    .sort()
    .join('|');
}

/** Whether the change happened after the last run looked at the channel (microseconds), as far as Slack tells when. */
function isNewer({ kind, ts, read, was }: MessageChange, looked: number): boolean {
  const isLater = (at: string | null) => isTs(at) && tsToMicros(at) > looked;
  if (kind === 'inserted') return isLater(ts);
  if (read === null || was === null) return false;
  // Its hash differs whatever happened.
  if (was.source === 'import') return isLater(read.edited_ts) || isLater(read.latest_reply);
  return read.content_hash === was.content_hash ? isLater(read.latest_reply) : isLater(read.edited_ts);
}
