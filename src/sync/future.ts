/**
 * What a run under a clock that was ahead left behind: nobody can have read what has not happened yet. Whatever an
 * interval vouches for beyond the newest message in it was taken from that clock, so cutting it there loses no knowledge,
 * and is right even when it is the present clock that is wrong.
 */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { CoverageRow, IngestionStateRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import { compareTs, millisToIso, millisToTs, tsToIso } from '../ts.ts';

/** Two machines that both keep good time differ by less. */
const toleranceMs = 5 * 60_000;

interface Known {
  state: IngestionStateRow;
  coverage: readonly CoverageRow[];
}

/** The same without the future, as seen at `now` (epoch milliseconds). Rows that stay as they are stay themselves. */
export async function withoutFuture(store: TransactionStore, known: Known, now: number): Promise<Known> {
  const moment: Moment = { ts: millisToTs(now + toleranceMs), iso: millisToIso(now + toleranceMs) };
  const coverage: CoverageRow[] = [];
  for (const row of known.coverage) coverage.push(...(await pastOf(store, row, moment)));
  return { state: await stateWithout(store, known.state, coverage, moment), coverage };
}

interface Moment {
  ts: Ts;
  iso: IsoTime;
}

async function pastOf({ integrity }: TransactionStore, row: CoverageRow, moment: Moment): Promise<CoverageRow[]> {
  let to: Ts | null = row.to_ts;
  if (compareTs(to, moment.ts) > 0) {
    to = await integrity.findNewestShown(row.team_id, row.channel_id, row.to_ts);
    if (to === null || compareTs(to, row.from_ts) < 0) return [];
  }
  // It was seen after it was written, and when exactly nobody knows.
  const audited_at = row.audited_at > moment.iso ? tsToIso(to) : row.audited_at;
  return [to === row.to_ts && audited_at === row.audited_at ? row : { ...row, to_ts: to, audited_at }];
}

async function stateWithout(
  { integrity }: TransactionStore,
  state: IngestionStateRow,
  coverage: readonly CoverageRow[],
  { ts, iso }: Moment,
): Promise<IngestionStateRow> {
  const isFuture = (at: Ts | IsoTime | null, now: Ts | IsoTime) => at !== null && at > now;
  const last = coverage.at(-1);
  const changed: Partial<IngestionStateRow> = {};
  if (isFuture(state.last_ts, ts)) {
    const newest =
      last === undefined ? null : await integrity.findNewestShown(state.team_id, state.channel_id, last.to_ts);
    changed.last_ts = newest !== null && last !== undefined && compareTs(newest, last.from_ts) >= 0 ? newest : null;
  }
  if (isFuture(state.oldest_ts, ts)) changed.oldest_ts = last?.from_ts ?? null;
  if (isFuture(state.floor_ts, ts))
    Object.assign(changed, { floor_ts: null, floor_probed_ts: null, floor_probed_at: null });
  if (isFuture(state.floor_probed_at, iso)) changed.floor_probed_at = null;
  if (isFuture(state.expired_to_ts, ts)) changed.expired_to_ts = null;
  if (isFuture(state.audited_at, iso)) changed.audited_at = null;
  if (isFuture(state.audit_began_at, iso) || isFuture(state.audit_ts, ts))
    Object.assign(changed, { audit_ts: null, audit_began_at: null });
  return Object.keys(changed).length === 0 ? state : { ...state, ...changed };
}
