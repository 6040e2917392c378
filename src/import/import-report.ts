/** What an import found and did, kept while it works, so that one that is stopped can still tell. */
import type { RejectedFile } from '../export/archive.ts';
import type { Defect } from '../export/read-list.ts';
import { groupRejected, printable } from '../export/rejected.ts';
import { failedUnit, type SyncContext } from '../sync/context.ts';
import { toldElements } from '../sync/malformed.ts';
import { microsToTs } from '../ts.ts';
import type { FolderChannel } from './folders.ts';
import type { Tally } from './read-day-file.ts';

/** One conversation of the export. */
export interface ConversationReport extends FolderChannel {
  folder: string | null;
  messages: number;
  threads: Set<string>;
  replies: number;
  reactions: number;
  files: number;
  /** Microseconds. */
  first: number | null;
  last: number | null;
  /** Something in it could not be read. */
  isDamaged: boolean;
}

export interface Quarantined extends Defect {
  path: string;
}

export interface ImportProgress {
  users: number;
  /** By channel id. */
  conversations: Map<string, ConversationReport>;
  channels: { total: number; failed: number; skipped: number };
  dayFiles: { total: number; read: number; imported_before: number; damaged: number };
  /** Messages outside of `--since` and `--until`. */
  filtered: number;
  /** Copies of messages within the export, and messages that the database cannot hold: found, and not among what was stored. */
  repeated: number;
  refused: number;
  /** Messages whose timestamps were not in Slack's form. */
  mended: number;
  /** The first of them; all are counted. */
  quarantined: Quarantined[];
  quarantinedCount: number;
  incompleteThreads: number;
  /** Threads whose first message is not there. */
  rootlessThreads: number;
  /** Authors whom nothing names. */
  namelessAuthors: number;
  /** Everything was imported, threads and coverage included. */
  isFinished: boolean;
}

export function newImportProgress(): ImportProgress {
  return {
    users: 0,
    conversations: new Map(),
    channels: { total: 0, failed: 0, skipped: 0 },
    dayFiles: { total: 0, read: 0, imported_before: 0, damaged: 0 },
    filtered: 0,
    repeated: 0,
    refused: 0,
    mended: 0,
    quarantined: [],
    quarantinedCount: 0,
    incompleteThreads: 0,
    rootlessThreads: 0,
    namelessAuthors: 0,
    isFinished: false,
  };
}

export function newConversation(channel: FolderChannel, folder: string | null): ConversationReport {
  return {
    ...channel,
    folder,
    messages: 0,
    threads: new Set(),
    replies: 0,
    reactions: 0,
    files: 0,
    first: null,
    last: null,
    isDamaged: false,
  };
}

type Counted = Omit<Tally, 'threads'>;

/** Adds one file's tally to the sum of others. */
export function addTally(sum: Tally, tally: Tally): void {
  addCounted(sum, tally);
  for (const thread of tally.threads) sum.threads.push(thread);
}

export function addToReport(conversation: ConversationReport, tally: Tally): void {
  addCounted(conversation, tally);
  for (const thread of tally.threads) conversation.threads.add(thread);
}

function addCounted(sum: Counted, tally: Counted): void {
  sum.messages += tally.messages;
  sum.replies += tally.replies;
  sum.reactions += tally.reactions;
  sum.files += tally.files;
  sum.first = least(sum.first, tally.first);
  sum.last = most(sum.last, tally.last);
}

export function least(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

export function most(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** The sums over all conversations, in the words of the `--json` object. */
export function totalsOf({ users, conversations }: ImportProgress) {
  const all = [...conversations.values()];
  const sum = (pick: (one: ConversationReport) => number) => all.reduce((total, one) => total + pick(one), 0);
  const first = all.reduce<number | null>((found, one) => least(found, one.first), null);
  const last = all.reduce<number | null>((found, one) => most(found, one.last), null);
  return {
    users,
    channels: all.length,
    messages: sum(({ messages }) => messages),
    threads: sum(({ threads }) => threads.size),
    replies: sum(({ replies }) => replies),
    reactions: sum(({ reactions }) => reactions),
    files: sum(({ files }) => files),
    first_ts: first === null ? null : microsToTs(first),
    last_ts: last === null ? null : microsToTs(last),
  };
}

/** Sets aside whole files. All of them are named in the result; many with one reason are one error. */
export function quarantineFiles(
  context: SyncContext,
  progress: ImportProgress,
  rejected: readonly RejectedFile[],
): void {
  for (const { path, reason } of rejected) progress.quarantined.push({ path, position: null, reason });
  progress.quarantinedCount += rejected.length;
  for (const { text } of groupRejected(rejected)) {
    failedUnit(context, { channelId: null, channel: null, code: 'unreadable_file', message: text, hint: null });
  }
}

/** Sets aside what cannot be read, with its reason; the rest goes in. */
export function quarantine(
  context: SyncContext,
  progress: ImportProgress,
  defect: Quarantined,
  conversation: ConversationReport | null,
): void {
  if (conversation !== null) conversation.isDamaged = true;
  progress.quarantinedCount += 1;
  if (progress.quarantined.length >= toldElements) return;
  progress.quarantined.push(defect);
  const { position, reason } = defect;
  const path = printable(defect.path);
  const code = position === null ? 'unreadable_file' : 'unreadable_element';
  const message = position === null ? `${path} ${reason}` : `${path}, element ${position + 1}: ${reason}`;
  failedUnit(context, {
    channelId: conversation?.channelId ?? null,
    channel: conversation?.name ?? null,
    code,
    message,
    hint: null,
  });
}
