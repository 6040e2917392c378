/**
 * Day files in the order they are asked for, read ahead of the one who stores them: in a thread of their own where that pays,
 * so that reading and storing take as long as the slower of the two.
 */
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AppError } from '../errors.ts';
import type { ArchiveAddress } from '../export/archive.ts';
import type { MessageFile } from '../export/layout.ts';
import { openReader } from '../export/open-archive.ts';
import { type PackedResults, unpackResults } from './packed-result.ts';
import { type DayFileResult, type DayFileTask, type ReadOptions, readDayFile } from './read-day-file.ts';

export interface ReadFile {
  task: MessageFile;
  /** A portion of the file; one that is too large for memory comes in several. */
  result: DayFileResult;
  /** Nothing more of this file follows. */
  isLast: boolean;
}

/** Tells which contents of a day file need no storing. */
export type DoneBefore = (day: MessageFile) => readonly string[];

/** Reads day files of one archive. Close it. */
export interface DayFileSource {
  /**
   * All of them in their order, up to the moment when the signal fires, however long a disk takes. A later call ends an
   * earlier one. What a bug throws is thrown here.
   */
  read(
    options: ReadOptions,
    days: readonly MessageFile[],
    done: DoneBefore,
    signal: AbortSignal,
  ): AsyncIterable<ReadFile>;
  /** One of them, while a `read` is under way. */
  readAgain(options: ReadOptions, day: MessageFile): AsyncIterable<ReadFile>;
  close(): Promise<void>;
}

/** What the thread is told: first how to read, then what, and of each answer that it was taken. `read` counts the readings. */
export type ReaderMessage =
  | { read: number; options: ReadOptions }
  | { read: number; tasks: DayFileTask[] }
  | { isTaken: true };

/** What the thread answers: portions of files, in the order of the tasks, and which of them are the last of their file. */
export interface PackedPortions {
  read: number;
  lasts: boolean[];
  packed: PackedResults;
}

/** Starting a thread takes longer than reading an export of this size. */
const threadPaysFromBytes = 4 << 20;

/** For an archive of so many bytes. Starts the thread at once where there will be one, so that it is ready when the database is. */
export function openDayFileSource({ kind, address, identity }: ArchiveAddress, bytes: number): DayFileSource {
  const archive = { kind, address, identity };
  return bytes < threadPaysFromBytes ? new InlineSource(archive) : new ThreadSource(archive);
}

/** For what the thread makes and forgets at once. With more of it an import is a little faster and takes 40 to 80 MB more. */
const youngMb = 12;

class InlineSource implements DayFileSource {
  readonly #archive: ArchiveAddress;

  constructor(archive: ArchiveAddress) {
    this.#archive = archive;
  }

  async *read(
    options: ReadOptions,
    days: readonly MessageFile[],
    done: DoneBefore,
    signal: AbortSignal,
  ): AsyncIterable<ReadFile> {
    const reader = openReader(this.#archive);
    try {
      for (const day of days) {
        // Signals must get their turn.
        await breathe();
        if (signal.aborted) return;
        for await (const portion of withLast(readDayFile(reader, taskOf(day, done(day)), options))) {
          yield { task: day, ...portion };
          await breathe();
        }
      }
    } finally {
      reader.close();
    }
  }

  readAgain(options: ReadOptions, day: MessageFile): AsyncIterable<ReadFile> {
    return this.read(options, [day], () => [], new AbortController().signal);
  }

  async close(): Promise<void> {}
}

/** Plain, because what reaches a thread has lost its methods. */
function taskOf(file: MessageFile, done: readonly string[]): DayFileTask {
  const { path, stored, size, offset, compressedSize, method, crc32, folder, routes } = file;
  return { path, stored, size, offset, compressedSize, method, crc32, folder, routes, done };
}

/** What the thread has before it, and so about what may wait in memory. */
const tasksAhead = 4000;
const bytesAhead = 6 << 20;

class ThreadSource implements DayFileSource {
  readonly #archive: ArchiveAddress;
  readonly #worker: Worker;
  readonly #inbox = new Inbox<PackedPortions>();
  #reads = 0;

  constructor(archive: ArchiveAddress) {
    this.#archive = archive;
    this.#worker = new Worker(new URL('./reader-thread.js', import.meta.url), {
      workerData: archive,
      resourceLimits: { maxYoungGenerationSizeMb: youngMb },
    });
    // Until somebody asks for something it must not keep the process alive.
    this.#worker.unref();
    this.#worker.on('message', (portions: PackedPortions) => this.#inbox.put(portions));
    this.#worker.on('error', (error) => this.#inbox.fail(asTold(error)));
    this.#worker.on('exit', (code) =>
      this.#inbox.fail(new Error(`the thread that reads the export ended with ${code}`)),
    );
  }

  async *read(
    options: ReadOptions,
    days: readonly MessageFile[],
    done: DoneBefore,
    signal: AbortSignal,
  ): AsyncIterable<ReadFile> {
    this.#reads += 1;
    const read = this.#reads;
    this.#worker.ref();
    this.#tell({ read, options });
    let sent = 0;
    let taken = 0;
    let bytes = 0;
    const sendAhead = (): void => {
      const tasks: DayFileTask[] = [];
      while (sent < days.length && (sent === taken || (sent - taken < tasksAhead && bytes < bytesAhead))) {
        const day = days[sent];
        if (day === undefined) break;
        tasks.push(taskOf(day, done(day)));
        bytes += day.size;
        sent += 1;
      }
      if (tasks.length > 0) this.#tell({ read, tasks });
    };
    sendAhead();
    const wake = (): void => this.#inbox.wake();
    signal.addEventListener('abort', wake);
    try {
      while (taken < days.length) {
        const portions = await this.#inbox.take(signal);
        if (portions === null) return;
        this.#tell({ isTaken: true });
        const { read: of, lasts, packed } = portions;
        // Of a reading that nobody waits for any more.
        if (of !== read) continue;
        for (const [i, result] of unpackResults(packed).entries()) {
          const task = days[taken];
          if (task === undefined) throw new Error('the thread that reads the export answered more than it was asked');
          const isLast = lasts[i] === true;
          if (isLast) {
            taken += 1;
            bytes -= task.size;
          }
          yield { task, isLast, result };
        }
        sendAhead();
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#worker.unref();
    }
  }

  readAgain(options: ReadOptions, day: MessageFile): AsyncIterable<ReadFile> {
    return new InlineSource(this.#archive).readAgain(options, day);
  }

  #tell(message: ReaderMessage): void {
    this.#worker.postMessage(message);
  }

  /** A thread that waits for a disk that does not answer cannot be ended: then the program does not wait for it too. */
  async close(): Promise<void> {
    const waiting = new AbortController();
    const deadline = pause(closeGraceMs, undefined, { ref: false, signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.#worker.terminate(), deadline]);
    waiting.abort();
    this.#worker.unref();
  }
}

const closeGraceMs = 3000;

/** An error that came over from the thread has lost its class, and kept what it carries. */
function asTold(error: Error & { exitCode?: unknown; hint?: unknown }): Error {
  if (error.exitCode === undefined) return error;
  return new AppError(error.message, { cause: error, ...(typeof error.hint === 'string' ? { hint: error.hint } : {}) });
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
    this.wake();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.wake();
  }

  /** Whoever waits looks again. */
  wake(): void {
    this.#wake?.();
  }

  /** Null once the signal has fired; whoever fires it wakes. */
  async take(signal: AbortSignal): Promise<Item | null> {
    for (;;) {
      if (signal.aborted) return null;
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.#failure !== undefined) throw this.#failure.error;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
