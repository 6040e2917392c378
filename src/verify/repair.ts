/**
 * Makes the next run of `ingest` mend what was found. What follows from the database alone is put right at once; of
 * everything else it is taken back that it was read, so that it is read again. Wants the workspace's lock.
 */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { CoverageRow, IngestionStateRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import { newState } from '../sync/channel-position.ts';
import { nowIso, pageRoom, type SyncContext } from '../sync/context.ts';
import { type Interval, rangesOf, rangesToText, subtractInterval } from '../sync/interval.ts';
import { queuedThread } from '../sync/thread-news.ts';
import { compareTs, isTs, microsToTs, tsToMicros } from '../ts.ts';
import { isWithin } from './check-positions.ts';
import type { Gap, Remedy } from './gap.ts';
import type { Ledger } from './ledger.ts';
import { mendRows } from './mend-rows.ts';
import { type CoveredChannel, coveredChannels } from './windows.ts';

/** What was done. `windows` and `threads` are queued for `ingest`, the rest is mended. */
export interface Repairs {
  windows: number;
  threads: number;
  rows: number;
  checkpoints: number;
  recounted: number;
}

/** Each channel in one transaction. Counts into `repairs`. */
export async function repair(
  context: SyncContext,
  ledger: Ledger,
  gaps: readonly Gap[],
  repairs: Repairs,
): Promise<void> {
  const covered = await coveredChannels(ledger, pageRoom(context));
  const rows = await ledger.store.integrity.listRowCounts(ledger.teamId);
  const firstRead = new Map(rows.map(({ channel_id, first_read }) => [channel_id, first_read]));
  for (const [channelId, remedies] of remediesByChannel(gaps)) {
    await context.store.transaction(async (store) => {
      const channel: Patient = {
        teamId: ledger.teamId,
        channelId,
        covered: covered.get(channelId),
        firstRead: firstRead.get(channelId) ?? null,
        at: nowIso(context),
      };
      await repairChannel(store, channel, remedies, repairs);
    });
  }
}

function remediesByChannel(gaps: readonly Gap[]): Map<string, Remedy[]> {
  const remedies = new Map<string, Remedy[]>();
  for (const { channel_id, remedy } of gaps) {
    const known = remedies.get(channel_id);
    if (known === undefined) remedies.set(channel_id, [remedy]);
    else known.push(remedy);
  }
  return remedies;
}

interface Patient {
  teamId: string;
  channelId: string;
  covered: CoveredChannel | undefined;
  firstRead: Ts | null;
  at: IsoTime;
}

async function repairChannel(
  store: TransactionStore,
  channel: Patient,
  remedies: readonly Remedy[],
  repairs: Repairs,
): Promise<void> {
  const { teamId, channelId, at } = channel;
  const ts = [...new Set(remedies.flatMap(({ rows = [] }) => rows))];
  repairs.rows += await mendRows(store, { teamId, channelId }, ts, at);

  const unknown = remedies.flatMap(({ newThreads = [] }) => newThreads);
  await store.positions.writeThreads(unknown.map(({ ts, claim }) => queuedThread({ teamId, channelId }, ts, claim)));
  const threads = [...new Set(remedies.flatMap(({ threads = [] }) => threads))];
  await store.positions.queueWholeThreads(teamId, channelId, threads);
  repairs.threads += unknown.length + threads.length;

  if (remedies.some(({ reread, checkpoint }) => reread !== undefined || checkpoint === true)) {
    await uncover(
      store,
      channel,
      remedies.flatMap(({ reread }) => reread ?? []),
      repairs,
    );
  }
  // Last: what is lost is queued by now.
  if (remedies.some(({ recount }) => recount === true)) {
    await store.integrity.recount(teamId, channelId);
    repairs.recounted += 1;
  }
}

/** Takes coverage back, and makes the checkpoint agree with what is left of it. */
async function uncover(
  store: TransactionStore,
  channel: Patient,
  rereads: readonly (Interval | 'all')[],
  repairs: Repairs,
): Promise<void> {
  const { teamId, channelId, covered } = channel;
  const before = await store.positions.listCoverage(teamId, channelId);
  const removed = removedBy(rereads, covered?.windows ?? []);
  const after = removed.reduce<CoveredRow[]>(subtractInterval, before.flatMap(coveredRow)).map(({ from, to, row }) => {
    const bounds = { from_ts: microsToTs(from), to_ts: microsToTs(to) };
    return bounds.from_ts === row.from_ts && bounds.to_ts === row.to_ts ? row : { ...row, ...bounds };
  });
  after.sort((a, b) => compareTs(a.from_ts, b.from_ts));
  await store.positions.replaceCoverage(before, after);
  repairs.windows += removed.length;

  const state = await stateAfter(store, channel, { after, removed });
  const known = covered?.state;
  if (known === undefined || known.last_ts !== state.last_ts || known.oldest_ts !== state.oldest_ts)
    repairs.checkpoints += 1;
  await store.positions.saveState(state);
}

type CoveredRow = Interval & { row: CoverageRow };

/** Nothing for a row whose bounds cannot be bounds. */
function coveredRow(row: CoverageRow): CoveredRow[] {
  if (!isTs(row.from_ts) || !isTs(row.to_ts)) return [];
  const interval = { from: tsToMicros(row.from_ts), to: tsToMicros(row.to_ts), row };
  return interval.from <= interval.to ? [interval] : [];
}

/** Whole windows, because a call reads a window as fast as one message of it; what lies in none as it is. */
function removedBy(rereads: readonly (Interval | 'all')[], windows: readonly Interval[]): Interval[] {
  if (rereads.includes('all')) return [...windows];
  const removed = new Set<Interval>();
  for (const reread of rereads) {
    if (reread === 'all') continue;
    const touched = windows.filter(({ from, to }) => from <= reread.to && to >= reread.from);
    for (const interval of touched.length === 0 ? [reread] : touched) removed.add(interval);
  }
  return [...removed];
}

async function stateAfter(
  store: TransactionStore,
  { teamId, channelId, covered, firstRead }: Patient,
  { after, removed }: { after: readonly CoverageRow[]; removed: readonly Interval[] },
): Promise<IngestionStateRow> {
  // Where nothing says what was wanted once, what was read surely was.
  const earliest = [
    ...removed.map(({ from }) => from),
    ...after.slice(0, 1).map(({ from_ts }) => tsToMicros(from_ts)),
    ...(firstRead === null ? [] : [tsToMicros(firstRead)]),
  ];
  const wanted = covered?.state.wanted_from_ts ?? microsToTs(Math.max(1, Math.min(...earliest)));
  const state = covered?.state ?? newState({ teamId, channelId }, wanted);
  const isBefore = ({ from }: Interval) => from < tsToMicros(wanted);
  const last = after.at(-1);
  const newest = last === undefined ? null : await store.integrity.findNewestShown(teamId, channelId, last.to_ts);
  const isInside = newest !== null && after.some((row) => isWithin(newest, row));
  // Of a channel of which only old history was read there is no checkpoint.
  const hasCheckpoint = covered === undefined || state.last_ts !== null;
  return {
    ...state,
    wanted_from_ts: wanted,
    // What was read before that is to be read again, and nothing between it.
    reread_ranges: rangesToText([...rangesOf(state.reread_ranges), ...removed.filter(isBefore)]),
    last_ts: isInside && hasCheckpoint ? newest : null,
    oldest_ts: last?.from_ts ?? null,
  };
}
