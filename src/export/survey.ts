/** What a file holds whose path does not tell. */
import type { Message } from '../timestamps.ts';
import { type ArchiveFile, ArchiveFileError, type ArchiveReader } from './archive.ts';
import { decodeText } from './json-elements.ts';
import { packingOf } from './packing.ts';
import { messageOf, openContent, recordsOfLists, recordsOfTalk } from './read-list.ts';
import { type Around, routeOf } from './records.ts';

export interface Survey {
  /** Messages by what stands around them, with how many there are; the key is that of `routeOf`. */
  messages: Map<string, { around: Around; count: number }>;
  /** Channels that were named behind their messages. */
  late: ReadonlySet<string>;
  users: number;
  conversations: number;
  /** What looks like messages and is none that can be stored. */
  foreign: number;
  /** Why nothing, or not all of it, can be read. */
  problem: string | null;
}

const nothing: Survey = {
  messages: new Map(),
  late: new Set(),
  users: 0,
  conversations: 0,
  foreign: 0,
  problem: null,
};

/** A name that promises JSON, so that it must be said when it cannot be read. */
const jsonName = /\.(?:json|jsonl|ndjson)$/i;

/** What stands in every message, for a text that cannot be read as JSON. */
const traceOfMessages = /"ts"\s*:\s*"?\d{10}\b/;

/**
 * Looks through a file from beginning to end when it begins as JSON does. `onMessage` is told of every message that may be
 * stored. Null for a file that holds nothing of an export.
 */
export async function survey(
  reader: ArchiveReader,
  file: ArchiveFile,
  onMessage: (message: Message) => void,
): Promise<Survey | null> {
  try {
    const start = await startOf(reader, file);
    const packing = packingOf(start);
    if (packing !== null)
      return { ...nothing, problem: `is ${packing.what}: ${packing.unpack} and import what is in it` };
    const { text } = decodeText(start);
    if (!/^\s*[[{]/.test(text)) return null;
    const found = await lookThrough(reader, file, onMessage);
    if (found.messages.size + found.users + found.conversations + found.foreign > 0) return found;
    return found.problem !== null && traceOfMessages.test(text) ? { ...nothing, problem: found.problem } : null;
  } catch (error) {
    if (!(error instanceof ArchiveFileError)) throw error;
    return jsonName.test(file.path) ? { ...nothing, problem: error.message } : null;
  }
}

async function startOf(reader: ArchiveReader, file: ArchiveFile): Promise<Buffer> {
  for await (const chunk of reader.chunks(file)) return chunk.subarray(0, 4096);
  return Buffer.alloc(0);
}

async function lookThrough(
  reader: ArchiveReader,
  file: ArchiveFile,
  onMessage: (message: Message) => void,
): Promise<Survey> {
  const content = openContent(reader, file);
  const found: Survey = { ...nothing, messages: new Map(), late: content.late };
  for await (const elements of content.portions) {
    for (const element of elements) {
      if ('reason' in element) {
        found.problem ??= `element ${element.position + 1}: ${element.reason}`;
        continue;
      }
      for (const { kind } of recordsOfLists(element)) found[kind === 'user' ? 'users' : 'conversations'] += 1;
      for (const { kind, value, around } of recordsOfTalk(element)) {
        if (kind === 'foreign') {
          found.foreign += 1;
          continue;
        }
        const key = routeOf(around);
        const known = found.messages.get(key);
        if (known === undefined) found.messages.set(key, { around, count: 1 });
        else known.count += 1;
        const message = messageOf(value);
        if (typeof message !== 'string') onMessage(message);
      }
    }
  }
  return { ...found, problem: found.problem ?? content.end.problem ?? content.problem };
}
