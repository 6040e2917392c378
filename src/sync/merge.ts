/**
 * Decides what a message that was read does to the row that is stored. Pure: the whole rule of "newer wins" is here.
 *
 * 1. A higher `edited.ts` wins the content; a lower one is stale.
 * 2. At equal versions what the API says beats what an import brought; of two API reads the later one wins.
 * 3. A tombstone marks the row deleted and keeps what its author wrote.
 * 4. An import never brings back a deleted message; the API does, when it shows the message again.
 * 5. Counters and reactions are refreshed by every API read, stale content or not.
 */
import type { StoredMessage } from '../db/repositories/messages.ts';
import type { MessageSourceName } from '../db/schema.ts';
import type { IsoTime } from '../model.ts';
import type { NormalizedMessage } from '../normalize/message.ts';
import { compareTs, isTs, millisToIso } from '../ts.ts';

export type Decision =
  | { kind: 'insert' }
  /** Replace the row; `keepRevision` when what the author wrote differs. */
  | { kind: 'replace'; keepRevision: boolean; deletedAt: IsoTime | null; updatedAt: IsoTime }
  /** Leave the content, change mark and counters only. */
  | { kind: 'mark'; isStale: boolean; deletedAt: IsoTime | null; updatedAt: IsoTime; withState: boolean }
  | { kind: 'unchanged' }
  | { kind: 'stale' };

export interface Observation {
  source: MessageSourceName;
  /** When it was read. */
  at: IsoTime;
}

export function decide(stored: StoredMessage | undefined, read: NormalizedMessage, seen: Observation): Decision {
  if (stored === undefined) return { kind: 'insert' };
  const updatedAt = laterThan(stored.updated_at, seen.at);
  if (read.isTombstone) return decideTombstone(stored, read, seen, updatedAt);

  const fromApi = seen.source !== 'import';
  const version = compareVersions(read.edited_ts, stored.edited_ts);
  const sameContent = read.content_hash === stored.content_hash;
  const sameState = read.state_hash === stored.state_hash;

  if (version < 0) {
    if (!fromApi || sameState) return { kind: 'stale' };
    return { kind: 'mark', isStale: true, deletedAt: stored.deleted_at, updatedAt, withState: true };
  }
  const outranked = version === 0 && !fromApi && stored.source !== 'import';
  if (outranked) return sameContent ? { kind: 'unchanged' } : { kind: 'stale' };

  const deletedAt = fromApi ? null : stored.deleted_at;
  const ranksHigher = fromApi && stored.source === 'import';
  if (sameContent && sameState && deletedAt === stored.deleted_at && !ranksHigher) return { kind: 'unchanged' };
  return { kind: 'replace', keepRevision: !sameContent, deletedAt, updatedAt };
}

function decideTombstone(
  stored: StoredMessage,
  read: NormalizedMessage,
  seen: Observation,
  updatedAt: IsoTime,
): Decision {
  const deletedAt = stored.deleted_at ?? seen.at;
  const sameCounters =
    stored.reply_count === read.reply_count &&
    stored.latest_reply === read.latest_reply &&
    (read.thread_ts === null || stored.thread_ts === read.thread_ts);
  if (stored.deleted_at !== null && sameCounters) return { kind: 'unchanged' };
  return { kind: 'mark', isStale: false, deletedAt, updatedAt, withState: false };
}

/** Negative when `a` is the older version. A message never edited is the oldest version of itself. */
function compareVersions(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (!isTs(a)) return isTs(b) ? -1 : 0;
  return isTs(b) ? compareTs(a, b) : 1;
}

/** Revisions are dated by `updated_at`, so no two versions of a message may share one, however fast they follow. */
function laterThan(previous: IsoTime, at: IsoTime): IsoTime {
  return at > previous ? at : millisToIso(Date.parse(previous) + 1);
}
