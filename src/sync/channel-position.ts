/** Where one channel stands: its checkpoint row and what is known to be complete, kept in step with the database. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { CoverageRow, IngestionStateRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import { compareTs, microsToTs, tsToMicros } from '../ts.ts';
import { withoutFuture } from './future.ts';
import {
  addInterval,
  holesAfter,
  holesWithin,
  type Interval,
  joinTouching,
  rangesOf,
  rangesToText,
  subtractInterval,
} from './interval.ts';

const dayMs = 24 * 3600 * 1000;

/** The state of a channel of which nothing was read yet. */
export function newState(key: { teamId: string; channelId: string }, wantedFrom: Ts): IngestionStateRow {
  return {
    team_id: key.teamId,
    channel_id: key.channelId,
    wanted_from_ts: wantedFrom,
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
    followed_from_ts: null,
    reread_ranges: null,
  };
}

export class ChannelPosition {
  readonly #teamId: string;
  readonly #channelId: string;
  #state: IngestionStateRow;
  #coverage: readonly CoverageRow[];
  /** As the database has it: the same, but for what is taken out when it is loaded. */
  #stored: readonly CoverageRow[];

  constructor(state: IngestionStateRow, coverage: readonly CoverageRow[], stored = coverage) {
    this.#teamId = state.team_id;
    this.#channelId = state.channel_id;
    this.#state = state;
    this.#coverage = coverage;
    this.#stored = stored;
  }

  /**
   * As stored, or new with `wantedFrom` (microseconds). An earlier `wantedFrom` than the stored one widens what is wanted.
   * `now` is Slack's time in milliseconds: what lies behind it is left out. Null for who cannot know it.
   */
  static async load(
    store: TransactionStore,
    key: { teamId: string; channelId: string },
    stored: IngestionStateRow | undefined,
    { wantedFrom, now }: { wantedFrom: number; now: number | null },
  ): Promise<ChannelPosition> {
    const recorded = await store.positions.listCoverage(key.teamId, key.channelId);
    const known = { state: stored ?? newState(key, microsToTs(wantedFrom)), coverage: recorded };
    const { state, coverage } = now === null ? known : await withoutFuture(store, known, now);
    // The bound sent to Slack lies one microsecond before it, and there is no ts before 0.
    const earliest = Math.max(1, Math.min(wantedFrom, tsToMicros(state.wanted_from_ts)));
    return new ChannelPosition({ ...state, wanted_from_ts: microsToTs(earliest) }, coverage, recorded);
  }

  get wantedFrom(): number {
    return tsToMicros(this.#state.wanted_from_ts);
  }

  /** Up to here everything since some earlier point is in; null before the first page. Microseconds. */
  get completeTo(): number | null {
    const last = this.#coverage.at(-1);
    return last === undefined ? null : tsToMicros(last.to_ts);
  }

  /** The same, once the newest messages were read; null for a channel of which only older ones are known. */
  get checkpoint(): number | null {
    return this.#state.last_ts === null ? null : this.completeTo;
  }

  /** From here on everything is in without a gap, so far as Slack shows it; null before the first page. */
  get latestFrom(): number | null {
    const last = this.#intervals().at(-1);
    return last === undefined ? null : Math.max(last.from, this.visibleFrom);
  }

  /** Whether all of it is covered already. */
  covers({ from, to }: Interval): boolean {
    return this.#intervals().some((known) => known.from <= from && known.to >= to);
  }

  /** Whether nothing that is covered is older than `from`. */
  isAllFrom(from: number): boolean {
    return this.coveredBefore(from) === null;
  }

  /** The latest covered interval that begins before `before`, cut there. */
  coveredBefore(before: number): Interval | null {
    const interval = this.#intervals().findLast(({ from }) => from < before);
    return interval === undefined ? null : { from: interval.from, to: Math.min(interval.to, before - 1) };
  }

  /**
   * Older messages of ours are hidden by the plan, or expired; of other organisations' in a shared channel only `hiddenBefore`
   * tells. Microseconds.
   */
  get visibleFrom(): number {
    const { expired_to_ts: expired } = this.#state;
    return Math.max(this.hiddenBefore, expired === null ? 0 : tsToMicros(expired) + 1);
  }

  /** The plan hides older messages, whoever wrote them. Microseconds. */
  get hiddenBefore(): number {
    const { floor_ts: floor } = this.#state;
    return floor === null ? 0 : tsToMicros(floor);
  }

  /** Up to here messages vanished as they do when they expire. */
  get expiredTo(): Ts | null {
    return this.#state.expired_to_ts;
  }

  /** Whether part of what is wanted is known to be hidden by the plan. */
  get isCutByPlan(): boolean {
    return wantedHoles(this.#state, this.#intervals()).length > this.visibleHoles.length;
  }

  get audit(): AuditState {
    const { audited_at, audited_run, audit_ts, audit_began_at } = this.#state;
    return {
      auditedAt: audited_at,
      auditedRun: audited_run,
      underWay:
        audit_ts === null || audit_began_at === null ? null : { from: tsToMicros(audit_ts), began: audit_began_at },
    };
  }

  /**
   * What is wanted and not covered before the last interval, latest first. What Slack hides by its plan limit is left
   * out, but tried again once a day: an upgraded plan shows it.
   */
  holes(now: number): { oldest: number; latest: number }[] {
    return this.#withoutHidden(wantedHoles(this.#state, this.#intervals()), now - dayMs);
  }

  /**
   * What is not covered between `from` and `to` (microseconds, both included), latest first; without what was found hidden
   * since `began` (milliseconds).
   */
  holesWithin(from: number, to: number, began: number): { oldest: number; latest: number }[] {
    return this.#withoutHidden(holesWithin({ from, to }, this.#intervals()), began);
  }

  /** What is wanted and not covered before the last interval, without what Slack is known to hide. */
  get visibleHoles(): { oldest: number; latest: number }[] {
    return this.#withoutHidden(wantedHoles(this.#state, this.#intervals()), 0);
  }

  #withoutHidden(holes: { oldest: number; latest: number }[], since: number): { oldest: number; latest: number }[] {
    const { floor_ts: floor, floor_probed_ts: probed, floor_probed_at: probedAt } = this.#state;
    if (floor === null || probed === null || probedAt === null || Date.parse(probedAt) <= since) return holes;
    return holes.filter(({ oldest, latest }) => oldest + 1 < tsToMicros(probed) || latest > tsToMicros(floor));
  }

  /**
   * Records, inside the transaction that saves the rows, that `complete` was read without a gap. The object itself
   * changes only through the function returned, to be called after the commit.
   */
  async cover(store: TransactionStore, complete: Interval | null, facts: CoverFacts): Promise<() => void> {
    const coverage =
      complete === null || this.#isKnownEmptyEnd(complete) ? this.#coverage : this.#with(complete, facts.at);
    const state = this.#stateAfter(coverage, { ...facts, newest: await this.#newestKnown(store, complete, facts) });
    if (coverage !== this.#stored) await store.positions.replaceCoverage(this.#stored, coverage);
    await store.positions.saveState(state);
    return () => {
      this.#state = state;
      this.#coverage = coverage;
      this.#stored = coverage;
    };
  }

  /**
   * The newest message that the channel has. When the first look behind what an export or `backfill` brought finds nothing, it
   * is the last of what they brought.
   */
  async #newestKnown(
    { integrity }: TransactionStore,
    complete: Interval | null,
    { isLive, newestShown }: CoverFacts,
  ): Promise<Ts | null> {
    if (!isLive) return null;
    if (newestShown !== null) return newestShown;
    if (this.#state.last_ts !== null || complete === null || !this.#isKnownEmptyEnd(complete)) return null;
    return integrity.findNewestShown(this.#teamId, this.#channelId, microsToTs(complete.from));
  }

  /** A read that found nothing after the checkpoint vouches for no later moment than the checkpoint itself does. */
  #isKnownEmptyEnd({ from, to }: Interval): boolean {
    return from === to && this.completeTo === from - 1;
  }

  /** What Slack's API shows takes the place of what an export vouched for. */
  #with(complete: Interval, at: IsoTime): CoverageRow[] {
    const fromApi = this.#coverage.filter(({ source }) => source !== 'import');
    const known = new Map(fromApi.map((row) => [row.from_ts, row]));
    const read = addInterval(fromApi.map(intervalOf), complete);
    const rows = read.map(({ from, to }) => {
      const row = known.get(microsToTs(from));
      if (row !== undefined && row.to_ts === microsToTs(to)) return row;
      return this.#coverageRow({ from, to }, 'api', oldestAudit(fromApi, { from, to }, at));
    });
    return sorted([...rows, ...this.#imported(this.#coverage.filter(isImported).map(intervalOf), read, at)]);
  }

  /** The intervals that exports vouch for, without what was read from the API. Rows that stay as they are stay themselves. */
  #imported(intervals: readonly Interval[], read: readonly Interval[], at: IsoTime): CoverageRow[] {
    const rows = this.#coverage.filter(isImported);
    const known = new Map(rows.map((row) => [row.from_ts, row]));
    let left: Interval[] = [...intervals];
    for (const one of read) {
      // Most exports and reads do not meet at all, and there may be an interval for every day of ten years.
      if (left.some(({ from, to }) => from <= one.to && to >= one.from)) left = subtractInterval(left, one);
    }
    return left.map((interval) => {
      const row = known.get(microsToTs(interval.from));
      if (row !== undefined && row.to_ts === microsToTs(interval.to)) return row;
      return this.#coverageRow(interval, 'import', oldestAudit(rows, interval, at));
    });
  }

  #coverageRow({ from, to }: Interval, source: CoverageRow['source'], audited_at: IsoTime): CoverageRow {
    return {
      team_id: this.#teamId,
      channel_id: this.#channelId,
      from_ts: microsToTs(from),
      to_ts: microsToTs(to),
      source,
      audited_at,
    };
  }

  /**
   * Records that an export made at `exportedAt` holds everything in these intervals. How far the API was read stays as it
   * is; a channel that it never read gets no checkpoint by this.
   */
  async coverImported(store: TransactionStore, intervals: readonly Interval[], exportedAt: IsoTime): Promise<void> {
    const fromApi = this.#coverage.filter((row) => !isImported(row));
    const known = this.#coverage.filter(isImported).map(intervalOf);
    const all = joinTouching([...known, ...intervals].sort((a, b) => a.from - b.from));
    const coverage = sorted([...fromApi, ...this.#imported(all, fromApi.map(intervalOf), exportedAt)]);
    const added = coverage.filter((row) => !this.#coverage.includes(row));
    await store.positions.replaceCoverage(this.#stored, coverage);
    this.#coverage = coverage;
    this.#stored = coverage;
    if (this.#state.last_checked_at === null) return;
    const before = this.#state;
    this.#state = this.#withImported(coverage, added);
    const isSame = (Object.keys(before) as (keyof IngestionStateRow)[]).every(
      (key) => this.#state[key] === before[key],
    );
    if (!isSame) await store.positions.saveState(this.#state);
  }

  /** An audit that is under way has passed what it now would have to look at: it begins anew. */
  #withImported(coverage: readonly CoverageRow[], added: readonly CoverageRow[]): IngestionStateRow {
    const { audit_ts: reached, audited_at } = this.#state;
    const isPassed = reached !== null && added.some(({ to_ts }) => compareTs(to_ts, reached) >= 0);
    return {
      ...this.#state,
      oldest_ts: this.#oldestTs(coverage),
      audited_at: audited_at === null ? null : oldestSeen(added, audited_at),
      ...(isPassed ? { audit_ts: null, audit_began_at: null } : {}),
    };
  }

  /** From here on everything is in. */
  #oldestTs(coverage: readonly CoverageRow[]): Ts | null {
    const last = coveredIntervals(coverage).at(-1);
    return last === undefined ? this.#state.oldest_ts : microsToTs(last.from);
  }

  #stateAfter(
    coverage: readonly CoverageRow[],
    { at, run, oldestProof, newest, isLive, isLast, floor, expiredTo }: CoverFacts & { newest: Ts | null },
  ): IngestionStateRow {
    const last = coverage.at(-1);
    const known = this.#state.last_ts;
    const reached =
      newest !== null && last !== undefined && tsToMicros(newest) <= tsToMicros(last.to_ts) ? newest : known;
    const isLater = reached !== null && (known === null || tsToMicros(reached) > tsToMicros(known));
    // However many pages and runs it takes to get there: what they bring is the first copy.
    const isThere = isLive && isLast;
    return {
      ...this.#state,
      last_ts: isLater ? reached : known,
      followed_from_ts: this.#state.followed_from_ts ?? (isThere ? reached : null),
      oldest_ts: this.#oldestTs(coverage),
      last_checked_at: at,
      last_error: null,
      // All that is covered was read after this, here or by an export.
      audited_at: this.#state.audited_at ?? oldestSeen(coverage, at),
      audited_run: this.#state.audited_run ?? run,
      expired_to_ts: this.#expiredAfter(oldestProof, expiredTo),
      reread_ranges: this.#rereadAfter(coverage),
      ...this.#floorAfter(floor, at),
    };
  }

  /** What was to be read again and is not covered yet. */
  #rereadAfter(coverage: readonly CoverageRow[]): string | null {
    const known = coveredIntervals(coverage);
    return rangesToText(rangesOf(this.#state.reread_ranges).filter((range) => holesWithin(range, known).length > 0));
  }

  /** A message that would have expired too refutes that what is newer than it did. */
  #expiredAfter(oldestProof: Ts | null, expiredTo: Ts | null): Ts | null {
    const known = this.#state.expired_to_ts;
    if (expiredTo !== null && (known === null || compareTs(expiredTo, known) > 0)) return expiredTo;
    return known !== null && oldestProof !== null && compareTs(oldestProof, known) <= 0 ? null : known;
  }

  /**
   * Records that everything covered from `from` (microseconds) up was read again since `began`. The audit ends, in `run`,
   * when nothing older is left.
   */
  async recordAudit(
    store: TransactionStore,
    { from, began, run }: { from: number; began: IsoTime; run: number },
  ): Promise<() => void> {
    const isWhole = this.isAllFrom(from);
    const state: IngestionStateRow = isWhole
      ? { ...this.#state, audited_at: began, audited_run: run, audit_ts: null, audit_began_at: null }
      : { ...this.#state, audit_ts: microsToTs(from), audit_began_at: began };
    const coverage = isWhole
      ? this.#coverage.map((row) => (row.audited_at < began ? { ...row, audited_at: began } : row))
      : this.#coverage;
    if (coverage.length !== this.#stored.length || coverage.some((row, index) => row !== this.#stored[index]))
      await store.positions.replaceCoverage(this.#stored, coverage);
    await store.positions.saveState(state);
    return () => {
      this.#state = state;
      this.#coverage = coverage;
      this.#stored = coverage;
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
    return coveredIntervals(this.#coverage);
  }
}

/**
 * What is wanted and not covered, latest first: from the wanted start on, and what is to be read again before it. What lies
 * between two ranges that were read nobody asked for. Nothing before `floor` (microseconds).
 */
export function wantedHoles(
  { wanted_from_ts, reread_ranges }: Pick<IngestionStateRow, 'wanted_from_ts' | 'reread_ranges'>,
  intervals: readonly Interval[],
  floor = 1,
): { oldest: number; latest: number }[] {
  const from = Math.max(floor, tsToMicros(wanted_from_ts));
  const earlier = rangesOf(reread_ranges)
    .map((range) => ({ from: Math.max(floor, range.from), to: Math.min(range.to, from - 1) }))
    .filter((range) => range.from <= range.to)
    .reverse();
  return [...holesAfter(from, intervals), ...earlier.flatMap((range) => holesWithin(range, intervals))];
}

/** What is covered, whoever vouches for it: intervals of two sources that touch are one. */
export function coveredIntervals(coverage: readonly CoverageRow[]): Interval[] {
  return joinTouching(coverage.map(intervalOf));
}

function intervalOf({ from_ts, to_ts }: CoverageRow): Interval {
  return { from: tsToMicros(from_ts), to: tsToMicros(to_ts) };
}

function isImported({ source }: CoverageRow): boolean {
  return source === 'import';
}

function sorted(coverage: readonly CoverageRow[]): CoverageRow[] {
  return [...coverage].sort((a, b) => compareTs(a.from_ts, b.from_ts));
}

function oldestSeen(rows: readonly CoverageRow[], at: IsoTime): IsoTime {
  return rows.reduce((oldest, { audited_at }) => (audited_at < oldest ? audited_at : oldest), at);
}

/** When the oldest part of what lies within the interval was seen. */
function oldestAudit(rows: readonly CoverageRow[], { from, to }: Interval, at: IsoTime): IsoTime {
  return rows
    .filter((row) => tsToMicros(row.from_ts) <= to && tsToMicros(row.to_ts) >= from)
    .reduce((oldest, row) => (row.audited_at < oldest ? row.audited_at : oldest), at);
}

export interface AuditState {
  /** Whatever is covered was seen at or after this moment. */
  auditedAt: IsoTime | null;
  /** The number of the run in which the last audit ended. */
  auditedRun: number | null;
  /** An audit that has not ended: it has read everything from `from` (microseconds) up since `began`. */
  underWay: { from: number; began: IsoTime } | null;
}

/** What one page showed, besides what it completes. */
export interface CoverFacts {
  at: IsoTime;
  /** The number of this run. */
  run: number;
  /** Null for a page without messages. */
  newestShown: Ts | null;
  /** The oldest message on it that our retention would have taken; null when there is none, or nothing expired before. */
  oldestProof: Ts | null;
  /** The page belongs to a window without end, so its newest message is the channel's. */
  isLive: boolean;
  /** The window is read to its end. */
  isLast: boolean;
  floor: Floor | null;
  /** Up to here messages vanished as they do when they expire. */
  expiredTo: Ts | null;
}

/** What a whole walk down to `probedFrom` showed: nothing before `visibleFrom`, which is null when nothing is hidden. */
export interface Floor {
  visibleFrom: Ts | null;
  probedFrom: Ts;
}
