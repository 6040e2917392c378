/** Takes what is read of the day files, stores it in batches, and remembers of each file what it was. */
import type { ImportFileRow } from '../db/schema.ts';
import type { DayFile } from '../export/layout.ts';
import type { IsoTime } from '../model.ts';
import { nowIso, type SyncContext } from '../sync/context.ts';
import type { HeldDay } from './cover-days.ts';
import type { ReadFile } from './day-file-source.ts';
import type { PlannedSection } from './export-plan.ts';
import { addTally, type ConversationReport, type ImportProgress, least, most, quarantine } from './import-report.ts';
import type { DayFileResult } from './read-day-file.ts';
import { type ChannelMessages, type RefusedMessage, saveBatch } from './save-batch.ts';

/** A transaction this large takes long enough to be worth its commit, and little enough memory. */
const batchMessages = 5000;
const batchBytes = 4 << 20;

interface Job {
  section: PlannedSection;
  exportedAt: IsoTime;
  work: { days: readonly DayFile[]; conversations: ReadonlyMap<string, ConversationReport> };
  progress: ImportProgress;
}

/** A file of which a part was taken. */
interface OpenFile {
  rows: number;
  leftOut: number;
  first: number | null;
  last: number | null;
}

export class DayImport {
  /** By channel id, the days of which the export has a file. */
  readonly held = new Map<string, HeldDay[]>();
  /** Channels into which messages went. */
  readonly touched = new Set<string>();
  readonly #context: SyncContext;
  readonly #job: Job;
  readonly #totalBytes: number;
  #doneBytes = 0;
  #channels: ChannelMessages[] = [];
  #files: ImportFileRow[] = [];
  #messages = 0;
  #bytes = 0;
  #open: OpenFile = newFile();

  constructor(context: SyncContext, job: Job) {
    this.#context = context;
    this.#job = job;
    this.#totalBytes = job.work.days.reduce((sum, { file }) => sum + file.size, 0);
  }

  /** Takes one portion of a file, in the order in which they are read. Stores what has come together when it is enough. */
  async take({ task, result, isLast }: ReadFile): Promise<void> {
    const conversation = this.#job.work.conversations.get(task.folder);
    if (conversation === undefined) return;
    this.#count(conversation, result);
    this.#add(conversation.channelId, result);
    if (isLast) this.#finish(conversation, task, result);
    if (this.#messages >= batchMessages || this.#bytes >= batchBytes) await this.flush();
  }

  /** Stores what was taken and is not stored yet. */
  async flush(): Promise<void> {
    const batch = { channels: this.#channels, files: this.#files };
    if (batch.channels.length === 0 && batch.files.length === 0) return;
    this.#channels = [];
    this.#files = [];
    this.#messages = 0;
    this.#bytes = 0;
    await saveBatch(this.#context, batch, this.#job.exportedAt, (refused) => this.#refuse(refused));
    const { messages, emit } = this.#context;
    emit({ type: 'import', messages: messages.seen, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }

  #count(conversation: ConversationReport, { tally, isDone, filtered, discarded }: DayFileResult): void {
    const { messages, discarded: byRule } = this.#context;
    addTally(conversation, tally);
    this.#job.progress.filtered += filtered;
    let dropped = 0;
    for (const [label, n] of discarded) {
      byRule.set(label, (byRule.get(label) ?? 0) + n);
      dropped += n;
    }
    messages.discarded += dropped;
    messages.seen += dropped;
    if (isDone) {
      messages.seen += tally.messages;
      messages.unchanged += tally.messages;
    }
    const open = this.#open;
    open.rows += tally.messages - dropped;
    open.leftOut += filtered + dropped;
    open.first = least(open.first, tally.first);
    open.last = most(open.last, tally.last);
  }

  #add(channelId: string, { messages }: DayFileResult): void {
    if (messages.length === 0) return;
    this.touched.add(channelId);
    this.#messages += messages.length;
    for (const { raw } of messages) this.#bytes += raw.text.length;
    const last = this.#channels.at(-1);
    if (last?.channelId === channelId) for (const message of messages) last.messages.push(message);
    else this.#channels.push({ channelId, messages });
  }

  #finish(conversation: ConversationReport, task: ReadFile['task'], { sha256, isDone, defects }: DayFileResult): void {
    const { section, exportedAt, progress } = this.#job;
    const { rows, leftOut, first, last } = this.#open;
    this.#open = newFile();
    this.#doneBytes += task.file.size;
    for (const defect of defects)
      quarantine(this.#context, progress, { path: task.file.path, ...defect }, conversation);
    if (isDone) progress.dayFiles.imported_before += 1;
    else progress.dayFiles.read += 1;
    if (defects.length > 0) progress.dayFiles.damaged += 1;

    const isWhole = defects.length === 0;
    const day: HeldDay = { date: task.date, first, last, isWhole };
    const known = this.held.get(conversation.channelId);
    if (known === undefined) this.held.set(conversation.channelId, [day]);
    else known.push(day);
    if (isDone) return;
    this.#files.push({
      team_id: this.#context.teamId,
      sha256,
      path: task.file.path.slice(section.prefix.length),
      rows,
      status: isWhole && leftOut === 0 ? 'done' : rows === 0 && !isWhole ? 'failed' : 'partial',
      error: defects[0] === undefined ? null : errorText(defects[0], defects.length),
      exported_at: exportedAt,
      updated_at: nowIso(this.#context),
    });
  }

  #refuse({ channelId, message, reason }: RefusedMessage): void {
    const { progress } = this.#job;
    const conversation = progress.conversations.get(channelId) ?? null;
    const path = `${this.#job.section.prefix}${conversation?.folder ?? channelId}/`;
    const text = `holds a message (ts ${message.ts}) that the database refuses: ${reason}`;
    quarantine(this.#context, progress, { path, position: null, reason: text }, conversation);
    // Of which day it was is not looked up: the channel's days are read again from Slack, all of them.
    for (const day of this.held.get(channelId) ?? []) day.isWhole = false;
  }
}

function newFile(): OpenFile {
  return { rows: 0, leftOut: 0, first: null, last: null };
}

function errorText({ position, reason }: { position: number | null; reason: string }, n: number): string {
  const first = position === null ? reason : `element ${position + 1}: ${reason}`;
  return n === 1 ? first : `${first}, and ${n - 1} more`;
}
