/** The thread that reads: takes tasks, answers with what the files hold, in portions large enough to be worth a message. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ArchiveAddress } from '../export/archive.ts';
import { openReader } from '../export/open-archive.ts';
import { type PackedPortions, type ReaderMessage, withLast } from './day-file-source.ts';
import { ResultPacker } from './packed-result.ts';
import { type DayFileTask, type ReadOptions, readDayFile } from './read-day-file.ts';

/** What a message between threads is worth, and no more: what lives long in the reader's heap is copied by its collector. */
const messagesAtOnce = 1000;
const charactersAtOnce = 1 << 17;

/** Answers that may wait to be taken: of one file that is large there may be thousands, and storing takes longer. */
const answersAhead = 16;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a thread');
// Handed over by the one place that starts this thread.
const reader = openReader(workerData as ArchiveAddress);
let waiting: DayFileTask[] = [];
let reading: { read: number; options: ReadOptions } | null = null;
let isBusy = false;
let untaken = 0;
let goOn = (): void => undefined;

port.on('message', (message: ReaderMessage) => {
  if ('isTaken' in message) {
    untaken -= 1;
    goOn();
    return;
  }
  if ('options' in message) {
    reading = message;
    waiting = [];
    return;
  }
  waiting.push(...message.tasks);
  if (!isBusy) void work();
});

async function work(): Promise<void> {
  isBusy = true;
  const packer = new ResultPacker();
  let lasts: boolean[] = [];
  let messages = 0;
  let of = 0;
  const send = async (): Promise<void> => {
    if (lasts.length === 0) return;
    const portions: PackedPortions = { read: of, lasts, packed: packer.take() };
    port?.postMessage(portions);
    lasts = [];
    messages = 0;
    untaken += 1;
    while (untaken >= answersAhead) {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    }
  };
  for (let task = waiting.shift(); task !== undefined && reading !== null; task = waiting.shift()) {
    const { read, options } = reading;
    if (read !== of) await send();
    of = read;
    for await (const { result, isLast } of withLast(readDayFile(reader, task, options))) {
      packer.add(result);
      lasts.push(isLast);
      messages += result.messages.length + 1;
      if (messages >= messagesAtOnce || packer.size >= charactersAtOnce) await send();
      // Nobody waits for the rest of it any more.
      if (reading?.read !== of) break;
    }
  }
  await send();
  isBusy = false;
  // What was told to be done while the last answer waited.
  if (waiting.length > 0) void work();
}
