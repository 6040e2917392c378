/** Whether what vouches for messages, checkpoints and coverage, can be true, and what of a channel was not read. */
import type { ChannelEnd, RowCount } from '../db/repositories/integrity.ts';
import type { CoverageRow, IngestionStateRow } from '../db/schema.ts';
import type { Ts } from '../model.ts';
import { ChannelPosition, coveredIntervals } from '../sync/channel-position.ts';
import type { Interval } from '../sync/interval.ts';
import { compareTs, isTs, microsToTs, tsToMicros } from '../ts.ts';
import { type Gap, gapIn } from './gap.ts';
import type { Findings, Ledger, Suspect, VerifiedChannel } from './ledger.ts';

const dayMs = 24 * 3600 * 1000;

/** One channel as the ledger has it. */
interface Position {
  channel: VerifiedChannel;
  state: IngestionStateRow | undefined;
  coverage: readonly CoverageRow[];
  end: ChannelEnd | undefined;
  rows: RowCount | undefined;
}

export async function checkPositions(ledger: Ledger): Promise<Findings> {
  const { store, teamId, channels } = ledger;
  const rows = byChannel(await store.integrity.listRowCounts(teamId));
  const states = byChannel(await store.positions.listStates(teamId));
  const ends = byChannel(await store.integrity.listEnds(teamId));
  const coverage = new Map<string, CoverageRow[]>();
  for (const row of await store.integrity.listAllCoverage(teamId)) {
    const known = coverage.get(row.channel_id);
    if (known === undefined) coverage.set(row.channel_id, [row]);
    else known.push(row);
  }
  const gaps: Gap[] = [];
  const suspects: Suspect[] = [];
  for (const [id, channel] of channels) {
    const position = {
      channel,
      state: states.get(id),
      coverage: coverage.get(id) ?? [],
      end: ends.get(id),
      rows: rows.get(id),
    };
    gaps.push(...checkRowCount(position), ...checkPosition(ledger, position));
    suspects.push(...suspectsIn(position));
  }
  return { gaps, suspects };
}

function byChannel<Row extends { channel_id: string }>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.channel_id, row]));
}

function checkRowCount({ channel, rows }: Position): Gap[] {
  if (rows === undefined || rows.stored === rows.counted) return [];
  const { stored, counted } = rows;
  if (stored > counted) {
    const message = `${stored} messages are stored and ${counted} were counted: others than slackingest wrote them.`;
    return [gapIn(channel, { kind: 'uncounted_rows', message, remedy: { recount: true } })];
  }
  const message = `${counted - stored} of the ${counted} messages that were stored are gone.`;
  return [gapIn(channel, { kind: 'lost_rows', message, remedy: { reread: 'all', recount: true } })];
}

function checkPosition(ledger: Ledger, position: Position): Gap[] {
  const { channel, state, coverage, rows } = position;
  if (state === undefined) {
    if (coverage.some(({ source }) => source !== 'import') || (rows?.first_read ?? null) !== null) {
      const message = 'Messages were read, and nothing says how far: the row in ingestion_state is missing.';
      return [gapIn(channel, { kind: 'no_checkpoint', message, remedy: { checkpoint: true } })];
    }
    return channel.isReadable && coverage.length === 0
      ? [gapIn(channel, { kind: 'never_read', message: 'The channel was never read.' })]
      : [];
  }
  const failed =
    state.last_error === null
      ? []
      : [gapIn(channel, { kind: 'channel_failed', message: `The last try to read it failed: ${state.last_error}` })];
  const impossible = checkIntervals(ledger, channel, coverage);
  if (impossible.length > 0) return [...failed, ...impossible];
  return [
    ...failed,
    ...checkCheckpoint(ledger, state, position),
    ...uncovered(position),
    ...(failed.length === 0 ? notRead(state, position) : []),
  ];
}

/** Intervals are well-formed, apart from each other, and in the past. */
function checkIntervals({ now }: Ledger, channel: VerifiedChannel, coverage: readonly CoverageRow[]): Gap[] {
  // A clock that is a little ahead may have vouched for what it took for the past.
  const latest = (now + dayMs) * 1000;
  const gaps: Gap[] = [];
  let before: Interval | null = null;
  for (const { from_ts, to_ts } of coverage) {
    const wrong = (message: string, reread: Interval | 'all') =>
      gaps.push(gapIn(channel, { kind: 'coverage', from_ts, to_ts, message, remedy: { reread, checkpoint: true } }));
    if (!isTs(from_ts) || !isTs(to_ts)) {
      wrong('A bound of this covered interval is no ts.', 'all');
      continue;
    }
    const interval: Interval = { from: tsToMicros(from_ts), to: tsToMicros(to_ts) };
    if (interval.from > interval.to) wrong('The covered interval ends before it begins.', reversed(interval));
    else if (interval.to > latest) wrong('The covered interval ends in the future.', interval);
    else if (before !== null && interval.from <= before.to) {
      wrong('The covered interval overlaps the one before it.', {
        from: before.from,
        to: Math.max(before.to, interval.to),
      });
    }
    before = interval;
  }
  return gaps;
}

function reversed({ from, to }: Interval): Interval {
  return { from: to, to: from };
}

function checkCheckpoint(
  { discards }: Ledger,
  { last_ts, oldest_ts }: IngestionStateRow,
  { channel, coverage, end }: Position,
): Gap[] {
  const last = coverage.at(-1);
  const gap = (message: string, ts: Ts | null, reread?: Interval) =>
    gapIn(channel, {
      kind: 'checkpoint',
      ...(ts === null ? {} : { ts }),
      message,
      remedy: { checkpoint: true, ...(reread === undefined ? {} : { reread }) },
    });
  if (last === undefined) {
    return last_ts === null && oldest_ts === null
      ? []
      : [gap('The checkpoint says that messages are in, and nothing is covered.', last_ts)];
  }
  const gaps: Gap[] = [];
  if (last_ts !== null) {
    // Not always the last one: when nothing was newer once, that moment may be covered by itself.
    const around = coverage.find((row) => isWithin(last_ts, row));
    if (around === undefined) gaps.push(gap('The checkpoint lies outside of what is covered.', last_ts));
    else if ((end?.stored_last ?? null) === null && !discards) {
      const message = 'There is no message at the checkpoint: it was moved, or the message is lost.';
      gaps.push(gap(message, last_ts, tail(around, end)));
    }
  }
  const first = coveredIntervals(coverage).at(-1)?.from;
  if (first !== undefined && oldest_ts !== microsToTs(first)) {
    gaps.push(gap('oldest_ts is not where the last covered interval begins.', oldest_ts));
  }
  return gaps;
}

export function isWithin(ts: Ts, { from_ts, to_ts }: CoverageRow): boolean {
  return compareTs(from_ts, ts) <= 0 && compareTs(ts, to_ts) <= 0;
}

/** What of the interval lies behind the newest message that is stored. */
function tail({ from_ts, to_ts }: CoverageRow, end: ChannelEnd | undefined): Interval {
  const newest = end?.newest ?? null;
  const from = Math.max(tsToMicros(from_ts), newest === null ? 0 : tsToMicros(newest) + 1);
  return { from: Math.min(from, tsToMicros(to_ts)), to: tsToMicros(to_ts) };
}

/** Top-level messages and what covers them commit together, so none can be newer than the last interval. */
function uncovered({ channel, coverage, end }: Position): Gap[] {
  const newest = end?.newest ?? null;
  const last = coverage.at(-1);
  if (newest === null || (last !== undefined && compareTs(newest, last.to_ts) <= 0)) return [];
  const message = 'Newer messages are stored than anything that is covered.';
  const from = last === undefined ? {} : { from_ts: last.to_ts };
  return [gapIn(channel, { kind: 'uncovered', ...from, to_ts: newest, message })];
}

function notRead(state: IngestionStateRow, { channel, coverage }: Position): Gap[] {
  if (coverage.length === 0) {
    // Everything may be hidden by the plan.
    if (state.floor_ts !== null) return [];
    const message = 'Nothing was read to its end yet.';
    return [gapIn(channel, { kind: 'not_read', from_ts: state.wanted_from_ts, message })];
  }
  return new ChannelPosition(state, coverage).visibleHoles.map(({ oldest, latest }) =>
    gapIn(channel, {
      kind: 'not_read',
      from_ts: microsToTs(oldest + 1),
      to_ts: microsToTs(latest - 1),
      message: 'This part of the history is wanted and was not read.',
    }),
  );
}

/** An interval may end behind the newest message: nobody wrote any more, or an old one was read up to a date. Or it is false. */
function suspectsIn({ channel, coverage, end }: Position): Suspect[] {
  const last = coverage.at(-1);
  const newest = end?.newest ?? null;
  if (last === undefined || newest === null || !isTs(last.to_ts) || compareTs(last.to_ts, newest) <= 0) return [];
  return [{ channelId: channel.channelId, ts: last.to_ts }];
}
