/**
 * One day file from its bytes to rows that can be merged: the work that needs no database, and so may be done in a thread
 * beside the one that writes.
 */
import { createHash, type Hash, hash } from 'node:crypto';
import { type ArchiveFile, ArchiveFileError, type ArchiveReader } from '../export/archive.ts';
import { type Defect, Defects, openContent } from '../export/read-list.ts';
import type { Routes } from '../export/records.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { objectsOf } from '../normalize/json-access.ts';
import { normalizeMessage, reactionCount, type StorableMessage } from '../normalize/message.ts';
import { type ToldName, ToldNames } from '../normalize/told-names.ts';
import { type DiscardRule, matchingRule } from '../sync/discard.ts';
import { tsToMicros } from '../ts.ts';
import { type SortedMessages, sortElements } from './sort-elements.ts';

/** Microseconds, both included; what lies outside is left out. */
export interface TimeRange {
  since: number;
  until: number;
}

export interface DayFileTask extends ArchiveFile {
  /** Contents of this path that were imported before and leave nothing to do, by their hash. */
  done: readonly string[];
  folder: string;
  routes: Routes | null;
}

/** What a day file holds, for the report. */
export interface Tally {
  messages: number;
  replies: number;
  reactions: number;
  files: number;
  /** Every thread that a message names, once. */
  threads: string[];
  /** Microseconds; null without messages. */
  first: number | null;
  last: number | null;
}

export interface DayFileResult {
  /** Of whose conversation these messages are; null for that of the file's own folder. */
  folder: string | null;
  /** They stood inside of something else than a list, so that nobody knows whether it is the whole day. */
  isWrapped: boolean;
  /** Of the content, as hex digits; '' when it could not be read. */
  sha256: string;
  /** It was imported before, and its messages are not here again. */
  isDone: boolean;
  messages: StorableMessage[];
  tally: Tally;
  /** The first of them. */
  defects: Defect[];
  /** Of all. */
  defectCount: number;
  /** Messages dropped, by the rule's label. */
  discarded: [label: string, n: number][];
  /** Messages outside of the time range. */
  filtered: number;
  /** Messages whose timestamps were not in Slack's form, and are now. */
  mended: number;
  /** Of people, as the messages tell them. */
  names: readonly ToldName[];
}

export interface ReadOptions {
  range: TimeRange;
  rules: readonly DiscardRule[];
  /** Channel ids by all that conversations of this export are called: id, name, folder. */
  channels: ReadonlyMap<string, string>;
}

/**
 * Reads one day file in portions: one, unless it is too large for memory. The last has the hash and the defects of all. Never
 * throws for what the file holds.
 */
export async function* readDayFile(
  reader: ArchiveReader,
  task: DayFileTask,
  options: ReadOptions,
): AsyncIterable<DayFileResult> {
  const defects = new Defects();
  let sha256 = '';
  let result = emptyResult();
  try {
    let digest: Hash | undefined;
    const content = openContent(reader, task, (chunk) => {
      digest ??= createHash('sha256');
      digest.update(chunk);
    });
    if (content.bytes !== null) sha256 = hash('sha256', content.bytes, 'hex');
    if (content.problem !== null) defects.add({ position: null, reason: content.problem });
    const isDone = sha256 !== '' && task.done.includes(sha256);
    let isFirst = true;
    for await (const elements of content.portions) {
      for (const part of sortElements(elements, task, options.channels, defects)) {
        if (!isFirst) yield result;
        isFirst = false;
        result = takeMessages(part, isDone, options, defects);
      }
    }
    if (content.bytes === null) sha256 = digest?.digest('hex') ?? '';
    if (content.end.problem !== null) defects.add({ position: null, reason: content.end.problem });
  } catch (error) {
    if (!(error instanceof ArchiveFileError)) throw error;
    defects.add({ position: null, reason: error.message });
  }
  yield { ...result, sha256, defects: defects.told, defectCount: defects.count };
}

function emptyResult(): DayFileResult {
  const tally: Tally = { messages: 0, replies: 0, reactions: 0, files: 0, threads: [], first: null, last: null };
  return {
    folder: null,
    isWrapped: false,
    sha256: '',
    isDone: false,
    messages: [],
    tally,
    defects: [],
    defectCount: 0,
    discarded: [],
    filtered: 0,
    mended: 0,
    names: [],
  };
}

function takeMessages(
  { folder, isWrapped, messages }: SortedMessages,
  isDone: boolean,
  { range, rules }: ReadOptions,
  defects: Defects,
): DayFileResult {
  const result = { ...emptyResult(), folder, isWrapped, isDone };
  const threads = new Set<string>();
  const discarded = new Map<string, number>();
  const names = new ToldNames();
  const mended = new Map<string, JsonValue>();
  for (const { position, message, isMended } of messages) {
    if (isMended) {
      const other = mended.get(message.ts);
      if (other !== undefined && JSON.stringify(other) !== JSON.stringify(message)) {
        defects.add({ position, reason: 'has a ts that was cut: another message has the same one' });
        continue;
      }
      mended.set(message.ts, message);
    }
    const at = tsToMicros(message.ts);
    if (at < range.since || at > range.until) {
      result.filtered += 1;
      continue;
    }
    if (!isDone) {
      const normalized = normalizeMessage(message);
      const rule = rules.length === 0 ? null : matchingRule(rules, normalized.message);
      if (rule === null) result.messages.push(normalized);
      else discarded.set(rule.label, (discarded.get(rule.label) ?? 0) + 1);
    }
    names.add(message);
    count(result.tally, message, at);
    if (typeof message['thread_ts'] === 'string') threads.add(message['thread_ts']);
  }
  result.mended = mended.size;
  return {
    ...result,
    tally: { ...result.tally, threads: [...threads] },
    discarded: [...discarded],
    names: names.take(),
  };
}

function count(tally: Tally, message: JsonObject, at: number): void {
  const { ts, thread_ts: threadTs, reactions, files, file } = message;
  tally.messages += 1;
  if (typeof threadTs === 'string' && threadTs !== ts) tally.replies += 1;
  for (const reaction of objectsOf(reactions)) tally.reactions += reactionCount(reaction);
  tally.files += Array.isArray(files) ? files.length : typeof file === 'object' && file !== null ? 1 : 0;
  tally.first = tally.first === null ? at : Math.min(tally.first, at);
  tally.last = tally.last === null ? at : Math.max(tally.last, at);
}
