/** What `status` tells of each channel. Pure: rows in, one object per channel out. */
import type { ChannelFacts, MessageCount, ThreadCount } from '../db/repositories/overview.ts';
import type { UnshownThread } from '../db/repositories/positions.ts';
import type { CoverageRow, IngestionStateRow, RunChannelRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import { coveredIntervals, wantedHoles } from '../sync/channel-position.ts';
import { claimedReplies } from '../sync/thread-news.ts';
import { compareTs, microsToTs, tsToIso, tsToMicros } from '../ts.ts';

export interface ChannelStatus {
  channel_id: string;
  name: string | null;
  is_archived: boolean;
  last_checked_at: IsoTime | null;
  last_message_at: IsoTime | null;
  /** From here on everything is in. Older ranges that were read, by `backfill` or in part, stand in `coverage`. */
  complete_from: IsoTime | null;
  coverage: { from: IsoTime; to: IsoTime; source: string; audited_at: IsoTime }[];
  /** Wanted and not read, latest first. */
  holes: { from: IsoTime; to: IsoTime }[];
  /** Slack hides what is older, because of the plan. */
  history_limited_before: IsoTime | null;
  /** Everything stored was seen at or after this moment. */
  audited_at: IsoTime | null;
  /** Rows, replies and deleted messages included. */
  messages: number;
  threads: { total: number; pending: number; failed: number };
  /** Threads of which Slack shows fewer replies than it says there are, latest first. */
  unshown_replies: { ts: Ts; says: number; shows: number }[];
  error: string | null;
}

/** What the database knows, one row per channel but for coverage. */
export interface ChannelRows {
  facts: readonly ChannelFacts[];
  states: readonly IngestionStateRow[];
  /** Ascending by `from_ts` within a channel. */
  coverage: readonly CoverageRow[];
  messages: readonly MessageCount[];
  threads: readonly ThreadCount[];
  unshown: readonly UnshownThread[];
  /** Of the last run. */
  failures: readonly Pick<RunChannelRow, 'channel_id' | 'error'>[];
}

/** Every channel that was read, imported, or tried and failed; the ones that need a look first. */
export function channelStatuses(rows: ChannelRows): ChannelStatus[] {
  const facts = byChannel(rows.facts);
  const states = byChannel(rows.states);
  const messages = byChannel(rows.messages);
  const threads = byChannel(rows.threads);
  const failures = byChannel(rows.failures);
  const coverage = new Map<string, CoverageRow[]>();
  for (const row of rows.coverage) coverage.set(row.channel_id, [...(coverage.get(row.channel_id) ?? []), row]);
  const unshown = new Map<string, ChannelStatus['unshown_replies']>();
  for (const { channel_id: id, thread_ts: ts, claim, shown_replies: shows } of rows.unshown)
    unshown.set(id, [...(unshown.get(id) ?? []), { ts, says: claimedReplies(claim), shows }]);
  const ids = [...new Set([...states.keys(), ...failures.keys(), ...coverage.keys(), ...messages.keys()])];
  return ids
    .map((id) => ({
      ...placeOf(id, facts.get(id), states.get(id), coverage.get(id) ?? []),
      last_message_at: lastMessageAt(states.get(id), messages.get(id)),
      messages: messages.get(id)?.messages ?? 0,
      threads: threadsOf(threads.get(id)),
      unshown_replies: unshown.get(id) ?? [],
      error: states.get(id)?.last_error ?? failures.get(id)?.error ?? null,
    }))
    .sort(worstFirst);
}

function byChannel<Row extends { channel_id: string }>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.channel_id, row]));
}

function placeOf(
  channelId: string,
  facts: ChannelFacts | undefined,
  state: IngestionStateRow | undefined,
  coverage: readonly CoverageRow[],
): Omit<ChannelStatus, 'last_message_at' | 'messages' | 'threads' | 'unshown_replies' | 'error'> {
  const last = coveredIntervals(coverage).at(-1);
  return {
    channel_id: channelId,
    name: facts?.name ?? null,
    is_archived: facts?.is_archived ?? false,
    last_checked_at: state?.last_checked_at ?? null,
    complete_from: last === undefined ? null : tsToIso(microsToTs(last.from)),
    coverage: coverage.map(({ from_ts, to_ts, source, audited_at }) => ({
      from: tsToIso(from_ts),
      to: tsToIso(to_ts),
      source,
      audited_at,
    })),
    holes: state === undefined ? [] : holesOf(state, coverage),
    history_limited_before: state?.floor_ts ? tsToIso(state.floor_ts) : null,
    audited_at: state?.audited_at ?? null,
  };
}

/** A checkpoint is where reading ended; what was imported has none. */
function lastMessageAt(state: IngestionStateRow | undefined, count: MessageCount | undefined): IsoTime | null {
  const [last] = [state?.last_ts ?? null, count?.last_ts ?? null]
    .filter((ts) => ts !== null)
    .sort(compareTs)
    .reverse();
  return last === undefined ? null : tsToIso(last);
}

/** What the plan hides is no hole: nobody can fill it. */
function holesOf(state: IngestionStateRow, coverage: readonly CoverageRow[]): ChannelStatus['holes'] {
  const intervals = coverage.map(({ from_ts, to_ts }) => ({ from: tsToMicros(from_ts), to: tsToMicros(to_ts) }));
  const floor = state.floor_ts === null ? 0 : tsToMicros(state.floor_ts);
  return wantedHoles(state, intervals, Math.max(1, floor)).map(({ oldest, latest }) => ({
    from: tsToIso(microsToTs(oldest + 1)),
    to: tsToIso(microsToTs(latest - 1)),
  }));
}

function threadsOf(count: ThreadCount | undefined): ChannelStatus['threads'] {
  return { total: count?.threads ?? 0, pending: count?.pending ?? 0, failed: count?.failed ?? 0 };
}

/** Failed ones, then those with holes, then the longest unchecked. */
function worstFirst(a: ChannelStatus, b: ChannelStatus): number {
  return (
    Number(b.error !== null) - Number(a.error !== null) ||
    Number(b.holes.length > 0) - Number(a.holes.length > 0) ||
    Number(b.unshown_replies.length > 0) - Number(a.unshown_replies.length > 0) ||
    compareText(minuteOf(a), minuteOf(b)) ||
    b.threads.pending - a.threads.pending ||
    compareText(b.last_message_at ?? '', a.last_message_at ?? '')
  );
}

/**
 * Channels of one run are checked moments apart, which makes none of them worse. Those that were only imported come last: it
 * may be that no run can ever see them.
 */
function minuteOf({ last_checked_at }: ChannelStatus): string {
  return last_checked_at?.slice(0, 16) ?? 'never';
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
