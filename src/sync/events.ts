/**
 * What a running command tells about itself while it works. The CLI turns these into a progress line or log
 * lines; nothing in them decides anything.
 */
import type { SlackErrorKind } from '../errors.ts';

export type RunEvent =
  /** The list of channels is known; `total` are going to be read. */
  | { type: 'channels'; total: number; skipped: number }
  /**
   * Work on the i-th channel (1-based) begins: its new messages, a part of it that is read again, or old history. `total` is
   * null where nobody knows how many there will be. `name` comes from Slack.
   */
  | {
      type: 'channel';
      part: 'new' | 'again' | 'old';
      index: number;
      total: number | null;
      channelId: string;
      name: string;
    }
  /** No history is being read any more; replies of threads may be. */
  | { type: 'histories_done' }
  /** The replies of a thread of this channel are going to be read. */
  | { type: 'thread'; channelId: string; name: string }
  /** At the pace in force, what is known to be left takes about so long. */
  | { type: 'time_left'; ms: number }
  /** Messages were committed; all are the run's totals. `found` threads are or were to be read, earlier runs' included. */
  | { type: 'progress'; messages: number; threads: { found: number; read: number } }
  /** Part of an export was committed; all are the run's totals. Bytes as they are in the day files, unpacked. */
  | { type: 'import'; messages: number; doneBytes: number; totalBytes: number }
  /** A call was sent; `requests` is the run's total. */
  | { type: 'request'; method: string; requests: number }
  /** The next call of `method` waits: for the pace we keep, for Slack's Retry-After, or before a retry. */
  | { type: 'waiting'; method: string; reason: 'pace' | 'rate_limit' | 'retry'; ms: number }
  /** A call failed and will be tried again. */
  | { type: 'retry'; method: string; attempt: number; code: string; message: string }
  /** Slack answered 429; `retryAfterMs` is how long this method rests. */
  | { type: 'rate_limited'; method: string; retryAfterMs: number }
  /** Something a person should know that is no failure (history limited by the plan, a kind of channel not covered, ...). */
  | { type: 'notice'; message: string }
  /** One unit (channel, thread, user, capability) failed; the rest goes on. */
  | {
      type: 'unit_failed';
      channelId: string | null;
      channel: string | null;
      code: string;
      kind: SlackErrorKind | 'internal';
      message: string;
    };

export type Emit = (event: RunEvent) => void;
