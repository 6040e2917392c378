/** What is covered, cut into parts that one call reads. */
import type { CoverageRow, IngestionStateRow } from '../db/schema.ts';
import { ChannelPosition } from '../sync/channel-position.ts';
import type { Interval } from '../sync/interval.ts';
import { homeOf } from '../sync/sender.ts';
import { isTs, tsToMicros } from '../ts.ts';
import type { Ledger, VerifiedChannel } from './ledger.ts';

/** A channel that was read, with the parts of its history that Slack can be asked about. */
export interface CoveredChannel {
  channel: VerifiedChannel;
  state: IngestionStateRow;
  coverage: readonly CoverageRow[];
  windows: readonly Interval[];
}

/** The selected channels that were read, by id. Each window holds at most `room` messages that history shows. */
export async function coveredChannels(ledger: Ledger, room: number): Promise<Map<string, CoveredChannel>> {
  const { store, teamId, channels } = ledger;
  const states = await store.positions.listStates(teamId);
  const coverage = group(await store.integrity.listAllCoverage(teamId), ({ channel_id }) => channel_id);
  const cuts = group(await store.integrity.listWindowCuts(teamId, room), ({ channel_id, from_ts }) =>
    [channel_id, from_ts].join(' '),
  );
  const covered = new Map<string, CoveredChannel>();
  for (const state of states) {
    const channel = channels.get(state.channel_id);
    if (channel === undefined) continue;
    const rows = coverage.get(state.channel_id) ?? [];
    const visibleFrom = await comparedFrom(ledger, state, rows);
    const windows = rows.flatMap((row) => {
      const at = (cuts.get([row.channel_id, row.from_ts].join(' ')) ?? []).map(({ ts }) => tsToMicros(ts));
      return cutAt(row, at);
    });
    covered.set(state.channel_id, {
      channel,
      state,
      coverage: rows,
      windows: windows
        .map(({ from, to }) => ({ from: Math.max(from, visibleFrom), to }))
        // Of a channel without messages only the moment at which that was seen is covered.
        .filter(({ from, to }) => from < to || (from === to && state.last_ts !== null)),
    });
  }
  return covered;
}

/** What expired need not be asked for; in a shared channel other organisations' messages stay where ours have gone. */
async function comparedFrom(
  { store, teamId }: Ledger,
  state: IngestionStateRow,
  rows: readonly CoverageRow[],
): Promise<number> {
  const { visibleFrom, hiddenBefore } = new ChannelPosition(state, rows);
  if (visibleFrom === hiddenBefore) return visibleFrom;
  return (await homeOf(store, teamId, state.channel_id)).isShared ? hiddenBefore : visibleFrom;
}

function cutAt({ from_ts, to_ts }: CoverageRow, cuts: readonly number[]): Interval[] {
  if (!isTs(from_ts) || !isTs(to_ts)) return [];
  const starts = [tsToMicros(from_ts), ...cuts];
  return starts.map((from, n) => ({ from, to: (starts[n + 1] ?? tsToMicros(to_ts) + 1) - 1 }));
}

function group<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [row]);
    else known.push(row);
  }
  return groups;
}
