/** Reads files of an export as what they are: lists of objects, and messages of one day. */
import type { JsonObject, JsonValue } from '../model.ts';
import { isNestedTooDeeply } from '../nesting.ts';
import { asMessage, type Message } from '../timestamps.ts';
import { type ArchiveFile, ArchiveFileError, type ArchiveReader } from './archive.ts';
import {
  decodeText,
  type Element,
  encodingOf,
  type ListEnd,
  parseChunks,
  parseList,
  type ReadElement,
} from './json-elements.ts';
import { RecordFinder } from './record-finder.ts';
import { type FoundRecord, nothingAround, recordsIn } from './records.ts';

/** Files up to this size are read whole; a day file of Slack's has a megabyte at most. */
const wholeFileBytes = 16 << 20;

/** Something in a file that could not be taken, for the person who wants to know. */
export interface Defect {
  /** Of the element in the list, from 0; null for the file as a whole. */
  position: number | null;
  reason: string;
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
      const list = parseList(text);
      const wrapped = list.elements.length === 0 && list.end.problem !== null ? unwrapped(text) : null;
      end.problem = wrapped === null ? list.end.problem : wrapped.problem;
      yield wrapped?.elements ?? list.elements;
    })(),
  };
}

/** The records of a text that is no list of them; null when there are none. */
function unwrapped(text: string): { elements: Element[]; problem: string | null } | null {
  const finder = new RecordFinder();
  const found = [...finder.push(text), ...finder.finish()];
  if (found.length > 0) return { elements: elementsOf(found, 0), problem: finder.problem };
  return emptyAnswer.test(text) ? { elements: [], problem: null } : null;
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
        if ('reason' in element) onDefect({ position: element.position, reason: element.reason });
        else if (isNestedTooDeeply(element.value)) onDefect({ position: element.position, reason: tooDeep });
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
  return isNestedTooDeeply(value) ? tooDeep : asMessage(value);
}

const tooDeep = 'is nested too deeply';

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: JsonValue): string {
  return `is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}, not an object`;
}
