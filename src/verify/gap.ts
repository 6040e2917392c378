/** What `verify` finds: something that should be stored and is not, or that is stored and should not be. */
import type { Ts } from '../model.ts';
import type { Interval } from '../sync/interval.ts';

/**
 * In the database alone:
 * - `lost_rows`, `uncounted_rows`: a channel has fewer or more messages than were stored in it
 * - `missing_replies`, `surplus_replies`: a thread has fewer or more replies than when it was read to the end
 * - `unproven_replies`: it was never read to the end, and its root tells of another number
 * - `reply_count`: the root's counters are not those for which its replies were read
 * - `unknown_thread`, `thread_pending`: replies that are still to be read, unknown to `ingest` or queued
 * - `not_read`: wanted and not covered; `never_read`, `channel_failed`: of a whole channel
 * - `no_checkpoint`, `checkpoint`, `coverage`, `uncovered`: what vouches for messages is missing or cannot be true
 * - `changed_row`, `changed_reactions`, `changed_files`: columns or rows that do not follow from Slack's object
 * Compared with Slack:
 * - `missing`, `differs`: a message that is not stored, or not as Slack shows it
 * - `not_marked_deleted`, `wrongly_deleted`
 */
export type GapKind =
  | 'lost_rows'
  | 'uncounted_rows'
  | 'missing_replies'
  | 'surplus_replies'
  | 'unproven_replies'
  | 'reply_count'
  | 'unknown_thread'
  | 'thread_pending'
  | 'not_read'
  | 'never_read'
  | 'channel_failed'
  | 'no_checkpoint'
  | 'checkpoint'
  | 'coverage'
  | 'uncovered'
  | 'changed_row'
  | 'changed_reactions'
  | 'changed_files'
  | 'missing'
  | 'differs'
  | 'not_marked_deleted'
  | 'wrongly_deleted';

export interface Gap {
  kind: GapKind;
  channel_id: string;
  /** The channel's name; its id where there is none. */
  channel: string;
  /** The message, or the thread's root. */
  ts?: Ts;
  from_ts?: Ts;
  to_ts?: Ts;
  /** For people: what is wrong, a sentence. */
  message: string;
  remedy: Remedy;
}

/** What makes the next run of `ingest` mend a gap. Empty where it does so by itself. */
export interface Remedy {
  /** To be read again: no longer covered. */
  reread?: Interval | 'all';
  /** Threads to be read from the first reply on. */
  threads?: readonly Ts[];
  /** Threads that the ledger does not know, with what their roots claim. */
  newThreads?: readonly { ts: Ts; claim: string }[];
  /** Messages whose columns, reactions and file links are to be derived from Slack's object again. */
  rows?: readonly Ts[];
  /** The rows are to be counted anew. */
  recount?: boolean;
  /** Checkpoint and coverage are to be made to agree. */
  checkpoint?: boolean;
}

/** A channel as far as gaps name it. */
export interface NamedChannel {
  channelId: string;
  name: string;
}

/** A gap in this channel. */
export function gapIn(
  { channelId, name }: NamedChannel,
  gap: Omit<Gap, 'channel_id' | 'channel' | 'remedy'> & { remedy?: Remedy },
): Gap {
  return { remedy: {}, ...gap, channel_id: channelId, channel: name };
}

/** Tells two gaps apart; equal for the same gap found twice. */
export function keyOf({ kind, channel_id, ts, from_ts, to_ts }: Gap): string {
  return [kind, channel_id, ts ?? '', from_ts ?? '', to_ts ?? ''].join(' ');
}
