/**
 * Decides what a message that was read does to the row that is stored. Pure: the whole rule of "newer wins" is here.
 *
 * 1. A higher `edited.ts` wins the content; a lower one is stale.
 * 2. At equal versions what the API says beats what an import brought; of two API reads the later one wins, of two exports
 *    the newer one, whichever was imported first.
 * 3. A tombstone that is known to stand for a deletion marks the row deleted, and any keeps what its author wrote, even if that comes later, from an older export.
 * 4. An import never brings back a deleted message; the API does, when it shows the message again.
 * 5. Counters and reactions are refreshed by every API read, stale content or not.
 *
 * Of the imports alone the rows are the maximum of one total order (edit, export, then the contents), so the order in which they arrive
 * does not matter.
 */
import type { StoredMessage } from '../db/repositories/messages.ts';
import type { IsoTime, Ts } from '../model.ts';
import { isCleanedAnew } from '../normalize/export-token.ts';
import type { StorableMessage } from '../normalize/message.ts';
import { compareTs, isTs, millisecondAfter } from '../ts.ts';

export type Decision =
  | { kind: 'insert' }
  /** Replace the row; `keepRevision` when what the author wrote differs. */
  | {
      kind: 'replace';
      keepRevision: boolean;
      deletedAt: IsoTime | null;
      updatedAt: IsoTime;
      /** The stored thread and its counters are newer than those that were read. */
      keepThread?: true;
      /** The same message in another form, as Slack tells it or a newer export. But for reactions nobody would see a change. */
      isSame?: true;
    }
  /** Leave the content, change mark and counters only. */
  | {
      kind: 'mark';
      isStale: boolean;
      deletedAt: IsoTime | null;
      updatedAt: IsoTime;
      withState: boolean;
      /** What was read tells nothing of the thread. */
      keepThread?: true;
    }
  /** `confirms`: a newer export tells the same, so the object is kept as that has it; nothing of it is news. */
  | { kind: 'unchanged'; confirms?: true }
  /** `keepRevision`: what was read is a former state of what the author wrote. */
  | { kind: 'stale'; keepRevision?: true };

export type Observation =
  | {
      source: 'api' | 'event';
      /** When it was read. */
      at: IsoTime;
      /** Tombstones of which nothing tells whether a person deleted the message or it expired: they mark nothing. */
      unproven?: ReadonlySet<Ts>;
    }
  | {
      source: 'import';
      at: IsoTime;
      /** The newest moment that the export holds. */
      exportedAt: IsoTime;
    };

export function decide(stored: StoredMessage | undefined, read: StorableMessage, seen: Observation): Decision {
  if (stored === undefined) return { kind: 'insert' };
  const updatedAt = laterThan(stored.updated_at, seen.at);
  if (seen.source === 'import') return decideImport(stored, read, seen.exportedAt, { at: seen.at, updatedAt });
  if (read.isTombstone) return decideTombstone(stored, read, seen, updatedAt);

  const version = compareVersions(read.edited_ts, stored.edited_ts);
  const sameContent = read.content_hash === stored.content_hash;
  const sameState = read.state_hash === stored.state_hash;

  if (version < 0) {
    if (sameState) return { kind: 'stale' };
    return { kind: 'mark', isStale: true, deletedAt: stored.deleted_at, updatedAt, withState: true };
  }
  const isImported = stored.source === 'import';
  if (sameContent && sameState && stored.deleted_at === null && !isImported) return { kind: 'unchanged' };
  // The same message is another object in an export (docs.slack.dev names no such difference; every real export has
  // them): only other words are a revision.
  const isSameVersion = version === 0 && (isImported || isCleanedAnew(stored.search_text, read.search_text));
  const keepRevision = isSameVersion ? !hasSameWords(stored, read) : !sameContent;
  const isSame = isImported && !keepRevision && stored.deleted_at === null && looksAlike(stored, read);
  return { kind: 'replace', keepRevision, deletedAt: null, updatedAt, ...(isSame ? { isSame } : {}) };
}

function decideTombstone(
  stored: StoredMessage,
  read: StorableMessage,
  seen: Observation,
  updatedAt: IsoTime,
): Decision {
  const deletedAt = stored.deleted_at ?? tombstoneMark(read, seen);
  const sameCounters =
    stored.reply_count === read.reply_count &&
    stored.latest_reply === read.latest_reply &&
    (read.thread_ts === null || stored.thread_ts === read.thread_ts);
  if (stored.deleted_at === deletedAt && sameCounters) return { kind: 'unchanged' };
  return { kind: 'mark', isStale: false, deletedAt, updatedAt, withState: false };
}

/** When the message was seen to be deleted, so far as what was read says so. */
export function tombstoneMark(read: StorableMessage, seen: Observation): IsoTime | null {
  if (!read.isTombstone) return null;
  return seen.source !== 'import' && seen.unproven?.has(read.ts) === true ? null : seen.at;
}

function decideImport(
  stored: StoredMessage,
  read: StorableMessage,
  exportedAt: IsoTime,
  { at, updatedAt }: { at: IsoTime; updatedAt: IsoTime },
): Decision {
  const storedTombstone = stored.subtype === 'tombstone';
  if (read.isTombstone && !storedTombstone) return decideImportedTombstone(stored, at, updatedAt);
  if (storedTombstone && !read.isTombstone) {
    const replace = { kind: 'replace', keepRevision: false, deletedAt: stored.deleted_at, updatedAt } as const;
    return stored.source === 'import' ? replace : { ...replace, keepThread: true };
  }
  const version = compareVersions(read.edited_ts, stored.edited_ts);
  const sameContent = read.content_hash === stored.content_hash;
  if (stored.source !== 'import' || stored.exported_at === null) {
    if (version > 0) return { kind: 'replace', keepRevision: !sameContent, deletedAt: stored.deleted_at, updatedAt };
    return version === 0 && sameContent ? { kind: 'unchanged' } : stale(stored, read);
  }
  const newer = version || compareText(exportedAt, stored.exported_at);
  if (sameContent && read.state_hash === stored.state_hash) {
    return newer > 0 ? { kind: 'unchanged', confirms: true } : { kind: 'unchanged' };
  }
  // One message that was read from a damaged file and from the whole one: what could not be read was never its content.
  const isMending = newer === 0 && unreadableIn(read) !== unreadableIn(stored);
  if ((newer || compareContents(read, stored)) < 0) return isMending ? { kind: 'stale' } : stale(stored, read);
  const keepRevision = version > 0 ? !sameContent : !isMending && !hasSameWords(stored, read);
  return {
    kind: 'replace',
    keepRevision,
    deletedAt: stored.deleted_at,
    updatedAt,
    ...(!keepRevision && looksAlike(stored, read) ? { isSame: true } : {}),
  };
}

/** What it tells of the thread is left out: an older export that brings the message itself may come later. */
function decideImportedTombstone(stored: StoredMessage, at: IsoTime, updatedAt: IsoTime): Decision {
  if (stored.deleted_at !== null) return { kind: 'unchanged' };
  return { kind: 'mark', isStale: false, deletedAt: at, updatedAt, withState: false, keepThread: true };
}

function stale(stored: StoredMessage, read: StorableMessage): Decision {
  return hasSameWords(stored, read) ? { kind: 'stale' } : { kind: 'stale', keepRevision: true };
}

/** What earlier versions cleaned otherwise is no edit. */
/** Exports leave out and put in much beside (profiles, teams, blocks), so their objects nearly always differ from Slack's. */
function looksAlike(stored: StoredMessage, read: StorableMessage): boolean {
  return (
    hasSameWords(stored, read) && stored.reply_count === read.reply_count && stored.latest_reply === read.latest_reply
  );
}

function hasSameWords(stored: StoredMessage, read: StorableMessage): boolean {
  return read.search_text === stored.search_text || isCleanedAnew(stored.search_text, read.search_text);
}

/**
 * Which of two messages with one ts in one export counts: the later edit, the later reply, the one that could be read;
 * between equal ones any rule will do that is always the same.
 */
export function compareCopies(a: StorableMessage, b: StorableMessage): number {
  if (a.isTombstone !== b.isTombstone) return a.isTombstone ? -1 : 1;
  return compareVersions(a.edited_ts, b.edited_ts) || compareContents(a, b);
}

type Contents = Pick<StoredMessage, 'latest_reply' | 'search_text' | 'content_hash' | 'state_hash'>;

function compareContents(a: Contents, b: Contents): number {
  return (
    compareVersions(a.latest_reply, b.latest_reply) ||
    unreadableIn(b) - unreadableIn(a) ||
    compareText(a.content_hash, b.content_hash) ||
    compareText(a.state_hash, b.state_hash)
  );
}

/** Characters that stand for bytes that nobody could read. */
function unreadableIn({ search_text: text }: Pick<StoredMessage, 'search_text'>): number {
  return text === null || !text.includes('\ufffd') ? 0 : text.split('\ufffd').length - 1;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Negative when `a` is the older version. A message never edited is the oldest version of itself. */
function compareVersions(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (!isTs(a)) return isTs(b) ? -1 : 0;
  return isTs(b) ? compareTs(a, b) : 1;
}

/** Revisions are dated by `updated_at`, so no two versions of a message may share one, however fast they follow. */
function laterThan(previous: IsoTime, at: IsoTime): IsoTime {
  return at > previous ? at : millisecondAfter(previous);
}
