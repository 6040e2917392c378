/** The thread that reads: takes tasks, answers with what the files hold, in portions large enough to be worth a message. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Archive } from '../export/archive.ts';
import { openReader } from '../export/open-archive.ts';
import { type PackedPortion, type ReaderMessage, withLast } from './day-file-source.ts';
import { packResult } from './packed-result.ts';
import { type DayFileTask, type ReadOptions, readDayFile } from './read-day-file.ts';

const messagesAtOnce = 1000;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a thread');
// Handed over by the one place that starts this thread.
const reader = openReader(workerData as Pick<Archive, 'kind' | 'address'>);
let waiting: DayFileTask[] = [];
let reading: { read: number; options: ReadOptions } | null = null;
let isBusy = false;

port.on('message', (message: ReaderMessage) => {
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
  let portions: PackedPortion[] = [];
  let messages = 0;
  const send = (): void => {
    port?.postMessage(portions);
    portions = [];
    messages = 0;
  };
  for (let task = waiting.shift(); task !== undefined && reading !== null; task = waiting.shift()) {
    const { read, options } = reading;
    for await (const { result, isLast } of withLast(readDayFile(reader, task, options))) {
      portions.push({ read, isLast, result: packResult(result) });
      messages += result.messages.length + 1;
      if (messages >= messagesAtOnce) send();
    }
  }
  if (portions.length > 0) send();
  isBusy = false;
}
