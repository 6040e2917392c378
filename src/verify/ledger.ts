/** What the checks of the database are given, and what they find. */
import type { Store } from '../db/repositories/index.ts';
import type { Ts } from '../model.ts';
import { type Gap, keyOf, type NamedChannel } from './gap.ts';

export interface VerifiedChannel extends NamedChannel {
  /** `ingest` would read it. */
  isReadable: boolean;
}

export interface Ledger {
  store: Store;
  teamId: string;
  /** The selected channels, by id. */
  channels: ReadonlyMap<string, VerifiedChannel>;
  /** Epoch milliseconds. */
  now: number;
  /** Rules keep messages out of the database, so that one that is not stored may be missing with reason. */
  discards: boolean;
  /** Replies are read at all. */
  threads: boolean;
  signal: AbortSignal;
}

/** Not wrong by what is recorded, but the first to look at when Slack is asked. */
export type Suspect = { channelId: string } & ({ ts: Ts } | { threadTs: Ts });

/** A thread of which Slack itself shows fewer replies than it tells of: no gap of ours, and nobody knows what is missing. */
export interface UnshownReplies extends NamedChannel {
  ts: Ts;
  says: number;
  shows: number;
}

export interface Findings {
  gaps: Gap[];
  suspects: Suspect[];
}

/**
 * Looks twice when something is found, and keeps what is found both times: a run may commit between two statements, and
 * what it is just writing is no gap.
 */
export async function lookTwice(check: () => Promise<Findings>): Promise<Findings> {
  const first = await check();
  if (first.gaps.length === 0) return first;
  const again = await check();
  const known = new Set(first.gaps.map(keyOf));
  return { gaps: again.gaps.filter((gap) => known.has(keyOf(gap))), suspects: again.suspects };
}
