/** Where one channel stands: its checkpoint row and what is known to be complete, kept in step with the database. */
import type { Store, TransactionStore } from '../db/repositories/index.ts';
import type { CoverageRow, IngestionStateRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import { microsToTs, tsToMicros } from '../ts.ts';
import { addInterval, holesAfter, type Interval } from './interval.ts';

const dayMs = 24 * 3600 * 1000;

export class ChannelPosition {
  readonly #teamId: string;
  readonly #channelId: string;
  #state: IngestionStateRow;
  #coverage: readonly CoverageRow[];

  constructor(state: IngestionStateRow, coverage: readonly CoverageRow[]) {
    this.#teamId = state.team_id;
    this.#channelId = state.channel_id;
    this.#state = state;
    this.#coverage = coverage;
  }

  /** As stored, or new with `wantedFrom` (microseconds); `began` is when the run began (milliseconds). An earlier `wantedFrom` than the stored one widens what is wanted. */
  static async load(
    store: Store,
    key: { teamId: string; channelId: string },
    stored: IngestionStateRow | undefined,
    { wantedFrom, began }: { wantedFrom: number; began: number },
  ): Promise<ChannelPosition> {
    const state = stored ?? {
      team_id: key.teamId,
      channel_id: key.channelId,
      wanted_from_ts: microsToTs(wantedFrom),
      last_ts: null,
      oldest_ts: null,
      floor_ts: null,
      floor_probed_ts: null,
      floor_probed_at: null,
      last_checked_at: null,
      last_error: null,
      audited_at: null,
      audited_run: null,
      audit_ts: null,
      audit_began_at: null,
      expired_to_ts: null,
    };
    // The bound sent to Slack lies one microsecond before it, and there is no ts before 0.
    const earliest = Math.max(1, Math.min(wantedFrom, tsToMicros(state.wanted_from_ts)));
    const recorded = stored === undefined ? [] : await store.positions.listCoverage(key.teamId, key.channelId);
    // What a clock that was ahead vouched for has not happened yet.
    const coverage = recorded.filter(({ from_ts }) => tsToMicros(from_ts) <= (began + dayMs) * 1000);
    return new ChannelPosition({ ...state, wanted_from_ts: microsToTs(earliest) }, coverage);
  }

  get wantedFrom(): number {
    return tsToMicros(this.#state.wanted_from_ts);
  }

  /** Up to here everything since some earlier point is in; null before the first page. Microseconds. */
  get completeTo(): number | null {
    const last = this.#coverage.at(-1);
    return last === undefined ? null : tsToMicros(last.to_ts);
  }

  /**
   * What is wanted and not covered before the last interval, latest first. What Slack hides by its plan limit is left
   * out, but tried again once a day: an upgraded plan shows it.
   */
  holes(now: number): { oldest: number; latest: number }[] {
    const { floor_ts: floor, floor_probed_ts: probed, floor_probed_at: probedAt } = this.#state;
    const holes = holesAfter(this.wantedFrom, this.#intervals());
    if (floor === null || probed === null || probedAt === null || now - Date.parse(probedAt) >= dayMs) return holes;
    return holes.filter(({ oldest, latest }) => oldest + 1 < tsToMicros(probed) || latest > tsToMicros(floor));
  }

  /**
   * Records, inside the transaction that saves the rows, that `complete` was read without a gap. The object itself
   * changes only through the function returned, to be called after the commit.
   */
  async cover(
    store: TransactionStore,
    complete: Interval | null,
    facts: { at: IsoTime; newest: Ts | null; floor: Floor | null },
  ): Promise<() => void> {
    const coverage =
      complete === null || this.#isKnownEmptyEnd(complete) ? this.#coverage : this.#with(complete, facts.at);
    const state = this.#stateAfter(coverage, facts);
    if (coverage !== this.#coverage) await store.positions.replaceCoverage(this.#coverage, coverage);
    await store.positions.saveState(state);
    return () => {
      this.#state = state;
      this.#coverage = coverage;
    };
  }

  /** A read that found nothing after the checkpoint vouches for no later moment than the checkpoint itself does. */
  #isKnownEmptyEnd({ from, to }: Interval): boolean {
    return from === to && this.completeTo === from - 1;
  }

  #with(complete: Interval, at: IsoTime): CoverageRow[] {
    const known = new Map(this.#coverage.map((row) => [row.from_ts, row]));
    return addInterval(this.#intervals(), complete).map(({ from, to }) => {
      const fromTs = microsToTs(from);
      const toTs = microsToTs(to);
      const row = known.get(fromTs);
      if (row !== undefined && row.to_ts === toTs) return row;
      return {
        team_id: this.#teamId,
        channel_id: this.#channelId,
        from_ts: fromTs,
        to_ts: toTs,
        source: 'api',
        audited_at: at,
      };
    });
  }

  #stateAfter(
    coverage: readonly CoverageRow[],
    { at, newest, floor }: { at: IsoTime; newest: Ts | null; floor: Floor | null },
  ): IngestionStateRow {
    const last = coverage.at(-1);
    const known = this.#state.last_ts;
    const reached =
      newest !== null && last !== undefined && tsToMicros(newest) <= tsToMicros(last.to_ts) ? newest : known;
    const isLater = reached !== null && (known === null || tsToMicros(reached) > tsToMicros(known));
    return {
      ...this.#state,
      last_ts: isLater ? reached : known,
      oldest_ts: last?.from_ts ?? this.#state.oldest_ts,
      last_checked_at: at,
      last_error: null,
      ...this.#floorAfter(floor, at),
    };
  }

  /** A window that does not reach as far back as what is known tells nothing about the limit, cut or not. */
  #floorAfter(floor: Floor | null, at: IsoTime): Partial<IngestionStateRow> {
    if (floor === null) return {};
    const { floor_ts: known, floor_probed_ts: probed } = this.#state;
    const probedFrom = tsToMicros(floor.probedFrom);
    if (floor.visibleFrom === null) {
      const isRefuted = known !== null && probedFrom < tsToMicros(known);
      return isRefuted ? { floor_ts: null, floor_probed_ts: null, floor_probed_at: null } : {};
    }
    if (probed !== null && probedFrom > tsToMicros(probed)) return {};
    return { floor_ts: floor.visibleFrom, floor_probed_ts: floor.probedFrom, floor_probed_at: at };
  }

  #intervals(): Interval[] {
    return this.#coverage.map(({ from_ts, to_ts }) => ({ from: tsToMicros(from_ts), to: tsToMicros(to_ts) }));
  }
}

/** What a whole walk down to `probedFrom` showed: nothing before `visibleFrom`, which is null when nothing is hidden. */
export interface Floor {
  visibleFrom: Ts | null;
  probedFrom: Ts;
}
