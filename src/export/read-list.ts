/** Reads files of an export as what they are: lists of objects, and messages of one day. */
import type { JsonObject, JsonValue } from '../model.ts';
import { whyOdd } from '../odd-element.ts';
import { asMessage, type Message } from '../timestamps.ts';
import { type ArchiveFile, ArchiveFileError, type ArchiveReader } from './archive.ts';
import {
  decodeText,
  type Element,
  encodingOf,
  isLong,
  type ListEnd,
  parseChunks,
  parsePortions,
  portionsOf,
  type ReadElement,
  slicesOf,
} from './json-elements.ts';
import { RecordFinder } from './record-finder.ts';
import { type FoundRecord, nothingAround, recordsIn } from './records.ts';

/** Files up to this size are read in one go; what is made of them comes in portions. */
const wholeFileBytes = 16 << 20;

/** Something in a file that could not be taken, for the person who wants to know. */
export interface Defect {
  /** Of the element in the list, from 0; null for the file as a whole. */
  position: number | null;
  reason: string;
}

/** So many are told one by one: a file may be made of nothing else, millions of them. */
const toldDefects = 1000;

/** What could not be taken of one file. */
export class Defects {
  readonly told: Defect[] = [];
  count = 0;

  add(defect: Defect): void {
    this.count += 1;
    if (this.count <= toldDefects) this.told.push(defect);
  }
}

/** A file as it was read. */
export interface FileContent {
  /** The bytes, when the file was read whole. */
  bytes: Buffer | null;
  /** The elements in order, in portions that fit into memory. Throws `ArchiveFileError` when the file cannot be read. */
  portions: AsyncIterable<Element[]>;
  end: ListEnd;
  /** What the text suffered from being decoded. */
  problem: string | null;
  /** Channels that a long object around the messages named only behind them; to be looked at when there are no more elements. */
  late: ReadonlySet<string>;
}

/** Opens a file. Throws `ArchiveFileError` when it cannot be read. */
export function openContent(reader: ArchiveReader, file: ArchiveFile, onChunk?: (chunk: Buffer) => void): FileContent {
  const end: ListEnd = { problem: null };
  if (file.size > wholeFileBytes) {
    const late = new Set<string>();
    return {
      bytes: null,
      portions: inPieces(watched(reader.chunks(file), onChunk), end, late),
      end,
      problem: null,
      late,
    };
  }
  const bytes = reader.read(file);
  const { text, problem } = decodeText(bytes);
  return {
    bytes,
    end,
    problem,
    late: new Set(),
    portions: (async function* () {
      let isEmpty = true;
      if (!isLong(text) || beginsAsList(text)) {
        for (const elements of parsePortions(text, end)) {
          isEmpty &&= elements.length === 0;
          yield elements;
        }
      } else end.problem = 'does not begin as a list does';
      if (isEmpty && end.problem !== null) yield* unwrapped(text, end);
    })(),
  };
}

function beginsAsList(text: string): boolean {
  return text.slice(0, 1000).trimStart().startsWith('[');
}

/** The records of a text that is no list of them. Where there are none the problem stays as it is. */
function* unwrapped(text: string, end: ListEnd): Iterable<Element[]> {
  const finder = new RecordFinder();
  let position = 0;
  const take = function* (found: FoundRecord[]): Iterable<Element[]> {
    for (const part of portionsOf(found)) {
      yield elementsOf(part, position);
      position += part.length;
    }
  };
  for (const slice of slicesOf(text)) yield* take(finder.push(slice));
  yield* take(finder.finish());
  if (position > 0) end.problem = finder.problem;
  else if (emptyAnswer.test(text)) end.problem = null;
}

/** An answer of the API that holds nothing. */
const emptyAnswer = /^\s*\{\s*"ok"\s*:\s*true\b/;

function elementsOf(found: readonly FoundRecord[], from: number): Element[] {
  return found.map((record, i) => ({ position: from + i, value: record.value, found: record }));
}

/** A file that is too large for memory: a list, or something that holds one. */
async function* inPieces(chunks: AsyncIterable<Buffer>, end: ListEnd, late: Set<string>): AsyncIterable<Element[]> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  const whole = (async function* () {
    if (first.done !== true) yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
  if (first.done !== true && /^\s*\{/.test(decodeText(first.value.subarray(0, 64)).text))
    yield* findInPieces(whole, end, late);
  else yield* parseChunks(whole, end);
}

async function* findInPieces(chunks: AsyncIterable<Buffer>, end: ListEnd, late: Set<string>): AsyncIterable<Element[]> {
  const finder = new RecordFinder();
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let position = 0;
  for await (const chunk of chunks) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    const elements = elementsOf(finder.push(decoder.decode(chunk, { stream: true })), position);
    position += elements.length;
    if (elements.length > 0) yield elements;
    if (finder.problem !== null) break;
  }
  yield elementsOf(finder.finish(), position);
  for (const channel of finder.late) late.add(channel);
  end.problem = finder.problem;
}

async function* watched(chunks: AsyncIterable<Buffer>, onChunk?: (chunk: Buffer) => void): AsyncIterable<Buffer> {
  for await (const chunk of chunks) {
    onChunk?.(chunk);
    yield chunk;
  }
}

/**
 * The objects of a list of people or conversations, in portions. Empty lists are written in many ways: `[]`, `{}`, `null`,
 * or a list that holds one empty text.
 */
export async function* readObjects(
  reader: ArchiveReader,
  file: ArchiveFile,
  onDefect: (defect: Defect) => void,
): AsyncIterable<JsonObject[]> {
  try {
    const content = openContent(reader, file);
    if (content.problem !== null) onDefect({ position: null, reason: content.problem });
    if (content.bytes !== null && isEmptyList(content.bytes)) return;
    for await (const elements of content.portions) {
      yield elements.flatMap((element) => {
        const odd = 'reason' in element ? element.reason : whyOdd(element.value);
        if (odd !== null) onDefect({ position: element.position, reason: odd });
        else if ('reason' in element) return [];
        else if (element.found !== undefined || isWrapper(element.value))
          return recordsOfLists(element).map(({ value }) => value);
        else if (isObject(element.value)) return [element.value];
        else if (element.value !== '') onDefect({ position: element.position, reason: kindOf(element.value) });
        return [];
      });
    }
    if (content.end.problem !== null) onDefect({ position: null, reason: content.end.problem });
  } catch (error) {
    if (!(error instanceof ArchiveFileError)) throw error;
    onDefect({ position: null, reason: error.message });
  }
}

function isEmptyList(bytes: Buffer): boolean {
  return bytes.length < 64 && /^\ufeff?\s*(?:\{\s*\}|null)?\s*$/.test(bytes.toString('utf8'));
}

/** The users, or the conversations, of a file that may hold others besides. Of what cannot be read `readObjects` tells. */
export async function* readListed(
  reader: ArchiveReader,
  file: ArchiveFile,
  kind: 'user' | 'conversation',
): AsyncIterable<JsonObject[]> {
  for await (const elements of openContent(reader, file).portions) {
    yield elements.flatMap((element) =>
      'reason' in element
        ? []
        : recordsOfLists(element).flatMap((record) => (record.kind === kind ? [record.value] : [])),
    );
  }
}

/** Answers of the API in a list: an object without an id that holds others. */
function isWrapper(value: JsonValue): boolean {
  return isObject(value) && value['id'] === undefined && recordsIn(value).some(({ kind }) => kind !== 'foreign');
}

/** The users and conversations that an element is or holds. */
export function recordsOfLists({ value, found }: ReadElement): FoundRecord[] {
  const records = found === undefined ? recordsIn(value) : [found];
  return records.filter(({ kind }) => kind === 'user' || kind === 'conversation');
}

/** The messages that an element is or holds, those that cannot be stored included. */
export function recordsOfTalk({ value, found }: ReadElement): FoundRecord[] {
  const records = found === undefined ? recordsIn(value) : [found];
  return records.filter(({ kind }) => kind === 'message' || kind === 'foreign');
}

/**
 * The messages that an element of a list is or holds: itself, the replies in it, those in an answer of the API; otherwise why
 * there is none.
 */
export function messagesIn({ value, found }: ReadElement): FoundRecord[] | string {
  const all = found === undefined ? recordsIn(value) : [found];
  const records = all.filter(({ kind }) => kind === 'message' || kind === 'foreign');
  if (records.length > 0 || all.length > 0) return records;
  const message = messageOf(value);
  return typeof message === 'string' ? message : [{ kind: 'message', value: message, around: nothingAround }];
}

/** The message of an element, or why it is none; another object than the element where its timestamps were mended. */
export function messageOf(value: JsonValue): Message | string {
  if (!isObject(value)) return kindOf(value);
  return whyOdd(value) ?? asMessage(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: JsonValue): string {
  return `is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}, not an object`;
}
