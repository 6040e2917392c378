/**
 * Day files in the order they are asked for, read ahead of the one who stores them: in a thread of their own where that pays,
 * so that reading and storing take as long as the slower of the two.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Archive } from '../export/archive.ts';
import type { DayFile } from '../export/layout.ts';
import { openReader } from '../export/open-archive.ts';
import { type PackedResult, unpackResult } from './packed-result.ts';
import { type DayFileResult, type DayFileTask, type ReadOptions, readDayFile } from './read-day-file.ts';

export interface ReadFile {
  task: DayFile;
  /** A portion of the file; one that is too large for memory comes in several. */
  result: DayFileResult;
  /** Nothing more of this file follows. */
  isLast: boolean;
}

/** What the thread is given when it starts. */
export interface ReaderSettings extends ReadOptions {
  archive: Pick<Archive, 'kind' | 'address'>;
}

/** What the thread answers: portions of files, in the order of the tasks. */
export interface PackedPortion {
  isLast: boolean;
  result: PackedResult;
}

/** Starting a thread takes longer than reading an export of this size. */
const threadPaysFromBytes = 4 << 20;

/**
 * Reads all day files in their order; `done` tells which contents of each need no storing. Stops the thread when the caller
 * stops asking. Throws what a bug throws.
 */
export function readDayFiles(
  settings: ReaderSettings,
  days: readonly DayFile[],
  done: (day: DayFile) => readonly string[],
): AsyncIterable<ReadFile> {
  const bytes = days.reduce((sum, { file }) => sum + file.size, 0);
  return bytes < threadPaysFromBytes ? readHere(settings, days, done) : readInThread(settings, days, done);
}

async function* readHere(
  settings: ReaderSettings,
  days: readonly DayFile[],
  done: (day: DayFile) => readonly string[],
): AsyncIterable<ReadFile> {
  const reader = openReader(settings.archive);
  try {
    for (const day of days) {
      const task = { ...day, done: done(day) };
      // Signals must get their turn.
      await breathe();
      for await (const { result, isLast } of withLast(readDayFile(reader, task, settings))) {
        yield { task, result, isLast };
      }
    }
  } finally {
    reader.close();
  }
}

/** What the thread has before it, and so about what may wait in memory: more than a batch, or one would wait for the other. */
const tasksAhead = 4000;
const bytesAhead = 4 << 20;

async function* readInThread(
  settings: ReaderSettings,
  days: readonly DayFile[],
  done: (day: DayFile) => readonly string[],
): AsyncIterable<ReadFile> {
  const worker = new Worker(new URL('./reader-thread.js', import.meta.url), { workerData: settings });
  const inbox = new Inbox<PackedPortion[]>();
  worker.on('message', (portions: PackedPortion[]) => inbox.put(portions));
  worker.on('error', (error) => inbox.fail(error));
  worker.on('exit', (code) => inbox.fail(new Error(`the thread that reads the export ended with code ${code}`)));
  let sent = 0;
  let sentBytes = 0;
  let taken = 0;
  const sendAhead = (): void => {
    const batch: DayFileTask[] = [];
    while (sent < days.length && (sent === taken || (sent - taken < tasksAhead && sentBytes < bytesAhead))) {
      const day = days[sent];
      if (day === undefined) break;
      batch.push({ ...day, done: done(day) });
      sentBytes += day.file.size;
      sent += 1;
    }
    if (batch.length > 0) worker.postMessage(batch);
  };
  try {
    sendAhead();
    while (taken < days.length) {
      for (const { isLast, result } of await inbox.take()) {
        const task = days[taken];
        if (task === undefined) throw new Error('the thread that reads the export answered more than it was asked');
        if (isLast) {
          taken += 1;
          sentBytes -= task.file.size;
        }
        yield { task, isLast, result: unpackResult(result) };
      }
      sendAhead();
    }
  } finally {
    await worker.terminate();
  }
}

/** Marks the last of what comes. */
export async function* withLast(
  results: AsyncIterable<DayFileResult>,
): AsyncIterable<{ result: DayFileResult; isLast: boolean }> {
  let held: DayFileResult | undefined;
  for await (const result of results) {
    if (held !== undefined) yield { result: held, isLast: false };
    held = result;
  }
  if (held !== undefined) yield { result: held, isLast: true };
}

/** Messages from the thread until somebody takes them. */
class Inbox<Item> {
  readonly #items: Item[] = [];
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;

  put(item: Item): void {
    this.#items.push(item);
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  async take(): Promise<Item> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
