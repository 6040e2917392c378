/**
 * Stores what is read of the day files, as it comes, in transactions of many files: messages and the ledger's lines of their
 * files commit together. What is said of a file is counted once it is committed.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { TransactionStore } from '../db/repositories/index.ts';
import type { ImportFileRow } from '../db/schema.ts';
import { RefusedContentError } from '../errors.ts';
import { type MessageFile, withinSection } from '../export/layout.ts';
import type { Defect } from '../export/read-list.ts';
import type { IsoTime } from '../model.ts';
import { cleanText } from '../normalize/clean.ts';
import { ToldNames } from '../normalize/told-names.ts';
import { nowIso, type SyncContext } from '../sync/context.ts';
import { addCounts, noMessages } from '../sync/counts.ts';
import { type ExportDays, HeldDays } from './cover-days.ts';
import type { ReadFile } from './day-file-source.ts';
import type { PlannedSection } from './export-plan.ts';
import {
  addTally,
  addToReport,
  type ConversationReport,
  type ImportProgress,
  least,
  most,
  quarantine,
} from './import-report.ts';
import type { DayFileResult, Tally } from './read-day-file.ts';
import { type SavedPortion, saveInHalves, savePortion } from './save-portion.ts';

/** Large enough that the pages of indexes which many messages touch are written once. */
const transactionMessages = 10_000;
const transactionBytes = 16 << 20;
/** Of files that were imported before, which bring nothing to be stored. */
const transactionFiles = 500;
/** Portions that are stored together: small ones, so that what is read lives shortly. */
const portionMessages = 1000;

interface Job {
  section: PlannedSection;
  exportedAt: IsoTime;
  work: { days: readonly MessageFile[]; conversations: ReadonlyMap<string, ConversationReport> };
  /** Channels of which rows were lost since they were stored, with the number that was stored. */
  lost: ReadonlyMap<string, number>;
  days: ExportDays;
  progress: ImportProgress;
  /** Reads all day files in the order of `work`. */
  read(): AsyncIterable<ReadFile>;
  /** One of them once more, from its beginning. */
  readAgain(day: MessageFile): AsyncIterable<ReadFile>;
}

/** A file of which a part was taken. */
interface OpenFile {
  conversations: Set<ConversationReport>;
  isWrapped: boolean;
  rows: number;
  leftOut: number;
  first: number | null;
  last: number | null;
}

/** What one transaction does, to be counted once it is committed. Sums, not results: there may be thousands of files in it. */
interface Part {
  days: Set<MessageFile>;
  files: ImportFileRow[];
  messages: number;
  bytes: number;
  saved: SavedPortion[];
  tallies: Map<ConversationReport, Tally>;
  /** Without a day for messages of which nobody knows whether they are the whole day. */
  held: { channelId: string; day: Parameters<HeldDays['add']>[0] | null }[];
  damaged: { path: string; conversation: ConversationReport | null; defects: readonly Defect[]; count: number }[];
  /** Messages of files that were imported before. */
  unchanged: number;
  filtered: number;
  /** Messages that the database cannot hold. */
  refused: number;
  mended: number;
  discarded: Map<string, number>;
  read: number;
  importedBefore: number;
  fileBytes: number;
}

export class DayImport {
  /** By channel id, the days of which the export has a file. */
  readonly held = new Map<string, HeldDays>();
  /** What all messages that were read tell of names, those of files that were imported before included. */
  readonly names = new ToldNames();
  readonly #context: SyncContext;
  readonly #job: Job;
  readonly #totalBytes: number;
  #doneBytes = 0;
  #open: OpenFile = newFile();
  /** Read and not stored yet, of one conversation. */
  #waiting: { channelId: string; messages: DayFileResult['messages'] } | null = null;

  constructor(context: SyncContext, job: Job) {
    this.#context = context;
    this.#job = job;
    this.#totalBytes = job.work.days.reduce((sum, { size }) => sum + size, 0);
  }

  /** Stores all day files. Throws when told to stop, after what was read is committed, and when the database fails. */
  async run(): Promise<void> {
    const { signal, emit, messages } = this.#context;
    const reads = this.#job.read()[Symbol.asyncIterator]();
    try {
      for (let isMore = true; isMore; ) {
        isMore = await this.#transaction(reads);
        await breathe();
        emit({ type: 'import', messages: messages.seen, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
        signal.throwIfAborted();
      }
    } finally {
      await reads.return?.();
    }
  }

  async #transaction(reads: AsyncIterator<ReadFile>): Promise<boolean> {
    const part = newPart();
    let isMore = true;
    try {
      await this.#context.store.transaction(async (tx) => {
        while (!isFull(part) && !this.#context.signal.aborted) {
          const next = await reads.next();
          if (next.done === true) {
            isMore = false;
            break;
          }
          await this.#take(tx, part, next.value);
        }
        await this.#storeWaiting(tx, part);
        await this.#recountLost(tx, part);
        if (part.files.length > 0) await tx.imports.saveFiles(lastOfEach(part.files));
      });
    } catch (error) {
      this.#waiting = null;
      this.#open = newFile();
      if (!(error instanceof RefusedContentError)) throw error;
      for (const day of part.days) await this.#storeAlone(day);
      return isMore;
    }
    this.#count(part);
    return isMore;
  }

  /** One portion of a file, in the order in which they are read. */
  async #take(tx: TransactionStore, part: Part, { task, result, isLast }: ReadFile): Promise<void> {
    const conversation = this.#conversationOf(task, result);
    part.days.add(task);
    const { messages } = result;
    if (conversation === null) this.#open.leftOut += messages.length;
    else if (messages.length > 0) {
      if (this.#waiting !== null && this.#waiting.channelId !== conversation.channelId)
        await this.#storeWaiting(tx, part);
      if (this.#waiting === null) this.#waiting = { channelId: conversation.channelId, messages };
      else for (const message of messages) this.#waiting.messages.push(message);
      part.messages += messages.length;
      for (const { raw } of messages) part.bytes += raw.text.length;
      if (this.#waiting.messages.length >= portionMessages) await this.#storeWaiting(tx, part);
    }
    if (conversation !== null) this.#addResult(part, conversation, result);
    if (isLast) this.#finish(part, task, result);
  }

  /** Null for one that the person does not want. */
  #conversationOf({ folder }: MessageFile, result: DayFileResult): ConversationReport | null {
    return this.#job.work.conversations.get(result.folder ?? folder) ?? null;
  }

  async #storeWaiting(tx: TransactionStore, part: Part): Promise<void> {
    if (this.#waiting === null) return;
    const { channelId, messages } = this.#waiting;
    this.#waiting = null;
    // SQLite and the messages of a thread answer without a pause: signals, timers and the terminal must get their turn.
    await breathe();
    part.saved.push(await savePortion(this.#context, tx, channelId, messages, this.#job.exportedAt));
  }

  /** A file by itself, because one of several holds what the database refuses: all of it but that. */
  async #storeAlone(day: MessageFile): Promise<void> {
    const { store } = this.#context;
    const part = newPart();
    const reasons: string[] = [];
    for await (const { task, result, isLast } of this.#job.readAgain(day)) {
      const conversation = this.#conversationOf(task, result);
      if (conversation === null) this.#open.leftOut += result.messages.length;
      else {
        const { channelId } = conversation;
        const { saved, refused } = await saveInHalves(this.#context, channelId, result.messages, this.#job.exportedAt);
        part.saved.push(...saved);
        part.refused += refused.length;
        for (const { message, reason } of refused) {
          reasons.push(`holds a message (ts ${message.ts}) that is refused: ${reason}`);
        }
        this.#addResult(part, conversation, result);
      }
      if (!isLast) continue;
      const defects = [...result.defects, ...reasons.map((reason) => ({ position: null, reason }))];
      this.#finish(part, task, { ...result, defects, defectCount: result.defectCount + reasons.length });
    }
    await store.transaction(async (tx) => {
      await this.#recountLost(tx, part);
      await tx.imports.saveFiles(lastOfEach(part.files));
    });
    this.#count(part);
  }

  /**
   * Rows that come back are counted a second time when they are stored. Put right with them, not at the end: whoever is
   * killed before would leave a count that no import reaches any more. Whether others are still missing shows as long as
   * there are fewer than there were.
   */
  async #recountLost(tx: TransactionStore, part: Part): Promise<void> {
    for (const channelId of new Set(part.saved.map((saved) => saved.channelId))) {
      const before = this.#job.lost.get(channelId);
      if (before !== undefined) await tx.integrity.recount(this.#context.teamId, channelId, before);
    }
  }

  #addResult(part: Part, conversation: ConversationReport, result: DayFileResult): void {
    const { tally, isDone, filtered, mended, discarded, names } = result;
    for (const told of names) this.names.put(told);
    const sum = part.tallies.get(conversation);
    if (sum === undefined) part.tallies.set(conversation, { ...tally, threads: [...tally.threads] });
    else addTally(sum, tally);
    part.filtered += filtered;
    part.mended += mended;
    let dropped = 0;
    for (const [label, n] of discarded) {
      part.discarded.set(label, (part.discarded.get(label) ?? 0) + n);
      dropped += n;
    }
    if (isDone) part.unchanged += tally.messages;
    this.#open.conversations.add(conversation);
    this.#open.isWrapped ||= result.isWrapped;
    this.#open.rows += tally.messages - dropped;
    this.#open.leftOut += filtered + dropped;
    this.#open.first = least(this.#open.first, tally.first);
    this.#open.last = most(this.#open.last, tally.last);
  }

  #count(part: Part): void {
    const { messages, messagesByChannel, knownUsers, discarded } = this.#context;
    const { progress } = this.#job;
    for (const { channelId, counts, copies, authors } of part.saved) {
      progress.repeated += copies;
      const ofChannel = messagesByChannel.get(channelId) ?? noMessages();
      messagesByChannel.set(channelId, ofChannel);
      addCounts(ofChannel, counts);
      addCounts(messages, counts);
      for (const author of authors) knownUsers.add(author);
    }
    for (const [label, n] of part.discarded) {
      discarded.set(label, (discarded.get(label) ?? 0) + n);
      messages.discarded += n;
      messages.seen += n;
    }
    messages.seen += part.unchanged;
    messages.unchanged += part.unchanged;
    for (const [conversation, tally] of part.tallies) addToReport(conversation, tally);
    for (const { channelId, day } of part.held) {
      const days = this.held.get(channelId) ?? new HeldDays(this.#job.days);
      this.held.set(channelId, days);
      if (day !== null) days.add(day);
    }
    for (const { path, conversation, defects, count } of part.damaged) {
      for (const defect of defects) quarantine(this.#context, progress, { path, ...defect }, conversation);
      progress.quarantinedCount += count - defects.length;
    }
    progress.filtered += part.filtered;
    progress.refused += part.refused;
    progress.mended += part.mended;
    progress.dayFiles.read += part.read;
    progress.dayFiles.imported_before += part.importedBefore;
    progress.dayFiles.damaged += part.damaged.length;
    this.#doneBytes += part.fileBytes;
  }

  #finish(part: Part, task: MessageFile, { sha256, isDone, defects, defectCount }: DayFileResult): void {
    const { section, exportedAt } = this.#job;
    const { rows, leftOut, first, last, conversations, isWrapped } = this.#open;
    this.#open = newFile();
    const isWhole = defectCount === 0;
    const holdsDay = isWhole && !isWrapped && rows + leftOut > 0;
    const day = task.routes === null ? { date: task.date, first, last, isWhole: holdsDay } : null;
    for (const { channelId } of conversations) part.held.push({ channelId, day });
    const [conversation = null] = conversations;
    if (!isWhole) part.damaged.push({ path: task.path, conversation, defects, count: defectCount });
    if (isDone) part.importedBefore += 1;
    else part.read += 1;
    part.fileBytes += task.size;
    if (isDone) return;
    part.files.push({
      team_id: this.#context.teamId,
      sha256,
      path: cleanText(withinSection(task.path, section.prefix)),
      rows,
      status: isWhole && leftOut === 0 ? 'done' : rows === 0 && !isWhole ? 'failed' : 'partial',
      error: defects[0] === undefined ? null : errorText(defects[0], defectCount),
      exported_at: exportedAt,
      updated_at: nowIso(this.#context),
    });
  }
}

function isFull({ messages, bytes, importedBefore }: Part): boolean {
  return messages >= transactionMessages || bytes >= transactionBytes || importedBefore >= transactionFiles;
}

function newFile(): OpenFile {
  return { conversations: new Set(), isWrapped: false, rows: 0, leftOut: 0, first: null, last: null };
}

function newPart(): Part {
  return {
    days: new Set(),
    files: [],
    messages: 0,
    bytes: 0,
    saved: [],
    tallies: new Map(),
    held: [],
    damaged: [],
    unchanged: 0,
    filtered: 0,
    refused: 0,
    mended: 0,
    discarded: new Map(),
    read: 0,
    importedBefore: 0,
    fileBytes: 0,
  };
}

/** The same file may stand in a zip twice; rows of one statement must differ in their keys. */
function lastOfEach(files: readonly ImportFileRow[]): ImportFileRow[] {
  return [...new Map(files.map((file) => [`${file.sha256} ${file.path}`, file])).values()];
}

function errorText({ position, reason }: { position: number | null; reason: string }, n: number): string {
  const first = position === null ? reason : `element ${position + 1}: ${reason}`;
  return n === 1 ? first : `${first}, and ${n - 1} more`;
}
