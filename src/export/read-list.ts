/** Reads files of an export as what they are: lists of objects, and messages of one day. */
import type { JsonObject, JsonValue } from '../model.ts';
import { isNestedTooDeeply } from '../nesting.ts';
import { asMessage, type Message } from '../normalize/timestamps.ts';
import { type ArchiveFile, ArchiveFileError, type ArchiveReader } from './archive.ts';
import { decodeText, type Element, type ListEnd, parseChunks, parseList } from './json-elements.ts';

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
}

/** Opens a file. Throws `ArchiveFileError` when it cannot be read. */
export function openContent(reader: ArchiveReader, file: ArchiveFile, onChunk?: (chunk: Buffer) => void): FileContent {
  const end: ListEnd = { problem: null };
  if (file.size > wholeFileBytes) {
    return { bytes: null, portions: parseChunks(watched(reader.chunks(file), onChunk), end), end, problem: null };
  }
  const bytes = reader.read(file);
  const { text, problem } = decodeText(bytes);
  return {
    bytes,
    end,
    problem,
    portions: (async function* () {
      const list = parseList(text);
      end.problem = list.end.problem;
      yield list.elements;
    })(),
  };
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
