/**
 * When a thread is read again though nothing told of a change. The interval is counted in runs, for only a run can look, and
 * doubles whenever nothing had changed: a thread that somebody answers or edits is looked at often, a dead one seldom.
 */
import type { ThreadRow } from '../db/schema.ts';
import type { IsoTime } from '../model.ts';
import { isTs, tsToMicros } from '../ts.ts';

export const firstInterval = 3;
export const longestInterval = 24;

/** Threads with at most this interval changed not long ago. */
export const livelyInterval = 6;

/** Threads without a reply for longer than this begin further down. */
const deadAfterMs = 30 * 24 * 3600 * 1000;
const firstIntervalOfDead = 12;

/** Replies that one call reads; a thread of many pages is read the less often. */
const repliesPerCall = 200;

/** The schedule of a thread that was just read to its end in `run`. */
export function nextAudit(
  row: ThreadRow,
  {
    run,
    isChanged,
    live,
    at,
    isDoubtful,
  }: { run: number; isChanged: boolean; live: number; at: IsoTime; isDoubtful: boolean },
): Pick<ThreadRow, 'next_audit_run' | 'audit_interval'> {
  const interval = isChanged ? firstIntervalOf(row, at, isDoubtful) : longerInterval(row);
  return { audit_interval: interval, next_audit_run: run + interval * Math.max(1, Math.ceil(live / repliesPerCall)) };
}

/** The thread could not be read this time, and there is no haste. */
export function auditLater(row: ThreadRow, run: number): ThreadRow {
  const interval = longerInterval(row);
  return { ...row, audit_interval: interval, next_audit_run: run + interval };
}

/** What Slack says and does not show it may show in a moment: then from the next run on, until the interval is that of all. */
function firstIntervalOf(row: ThreadRow, at: IsoTime, isDoubtful: boolean): number {
  if (isDoubtful) return 1;
  return isDead(row, at) ? firstIntervalOfDead : firstInterval;
}

function longerInterval(row: ThreadRow): number {
  return Math.min(longestInterval, 2 * (row.audit_interval ?? firstInterval));
}

/** Read for the first time, long after its last reply. */
function isDead(row: ThreadRow, at: IsoTime): boolean {
  const latest = row.claim.split(' ')[1];
  return row.audit_interval === null && isTs(latest) && Date.parse(at) - tsToMicros(latest) / 1000 > deadAfterMs;
}
