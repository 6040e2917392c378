/**
 * What a thread hands over of a day file. One text for each column instead of one for each value: copying a million small
 * texts between threads takes longer than reading them did.
 */
import { JsonText } from '../model.ts';
import type { NormalizedFile } from '../normalize/file.ts';
import type { Reaction, StorableMessage } from '../normalize/message.ts';
import { tsToIso } from '../ts.ts';
import type { DayFileResult } from './read-day-file.ts';

/** Columns of which an empty text is no value, so that it can stand for null. */
const joinedColumns = ['thread_ts', 'user_id', 'bot_id', 'subtype', 'edited_ts', 'latest_reply', 'state_hash'] as const;

type PackedFile = Omit<NormalizedFile, 'raw'> & { raw: string };

export interface PackedResult extends Omit<DayFileResult, 'messages'> {
  count: number;
  /** Values joined by U+0000, which no cleaned text holds. */
  ts: string;
  text: string;
  search: string;
  raw: string;
  hashes: string;
  joined: Partial<Record<(typeof joinedColumns)[number], string>>;
  /** What only few messages have, by their place. */
  replyCounts: [place: number, count: number][];
  reactions: [place: number, reactions: Reaction[]][];
  files: [place: number, files: PackedFile[]][];
  sanitized: number[];
  tombstones: number[];
  oddTexts: [place: number, text: string | null, search: string | null][];
}

const separator = '\u0000';
/** Stands for null, where an empty text is a value; a message that says this and nothing else is told apart. */
const nothing = '\u0001';
const hashLength = 32;

export function packResult({ messages, ...rest }: DayFileResult): PackedResult {
  const packed: PackedResult = {
    ...rest,
    count: messages.length,
    ts: '',
    text: '',
    search: '',
    raw: '',
    hashes: '',
    joined: {},
    replyCounts: [],
    reactions: [],
    files: [],
    sanitized: [],
    tombstones: [],
    oddTexts: [],
  };
  let place = 0;
  for (const message of messages) {
    const { text, search_text: search } = message;
    const before = place === 0 ? '' : separator;
    packed.ts += before + message.ts;
    packed.text += before + (text ?? nothing);
    // Mostly the text itself, and never empty.
    packed.search += before + (search === text ? '' : (search ?? nothing));
    packed.raw += before + message.raw.text;
    packed.hashes += message.content_hash;
    packRare(packed, message, place);
    place += 1;
  }
  for (const column of joinedColumns) {
    if (messages.some((message) => message[column])) {
      packed.joined[column] = messages.map((message) => message[column] ?? '').join(separator);
    }
  }
  return packed;
}

function packRare(packed: PackedResult, message: StorableMessage, place: number): void {
  const { reply_count, reactions, files, is_sanitized, isTombstone, text, search_text } = message;
  if (reply_count !== null) packed.replyCounts.push([place, reply_count]);
  if (reactions.length > 0) packed.reactions.push([place, reactions]);
  if (files.length > 0) packed.files.push([place, files.map(({ raw, ...file }) => ({ ...file, raw: raw.text }))]);
  if (is_sanitized) packed.sanitized.push(place);
  if (isTombstone) packed.tombstones.push(place);
  if (text === nothing || search_text === nothing) packed.oddTexts.push([place, text, search_text]);
}

export function unpackResult(packed: PackedResult): DayFileResult {
  const { sha256, isDone, tally, defects, discarded, filtered } = packed;
  return { sha256, isDone, tally, defects, discarded, filtered, messages: unpackMessages(packed) };
}

function unpackMessages(packed: PackedResult): StorableMessage[] {
  const { count, joined, hashes } = packed;
  if (count === 0) return [];
  const tsValues = packed.ts.split(separator) as StorableMessage['ts'][];
  const texts = packed.text.split(separator);
  const searches = packed.search.split(separator);
  const raws = packed.raw.split(separator);
  const valuesOf = (column: (typeof joinedColumns)[number]) => joined[column]?.split(separator);
  const threads = valuesOf('thread_ts') as (StorableMessage['ts'] | '')[] | undefined;
  const users = valuesOf('user_id');
  const bots = valuesOf('bot_id');
  const subtypes = valuesOf('subtype');
  const edits = valuesOf('edited_ts');
  const latest = valuesOf('latest_reply');
  const states = valuesOf('state_hash');
  const messages: StorableMessage[] = new Array(count);
  for (let i = 0; i < count; i += 1) {
    const ts = at(tsValues, i);
    const thread = threads?.[i] || null;
    const text = at(texts, i) === nothing ? null : at(texts, i);
    const search = at(searches, i);
    messages[i] = {
      ts,
      posted_at: tsToIso(ts),
      thread_ts: thread,
      is_reply: thread !== null && thread !== ts,
      user_id: users?.[i] || null,
      bot_id: bots?.[i] || null,
      subtype: subtypes?.[i] || null,
      text,
      search_text: search === '' ? text : search === nothing ? null : search,
      edited_ts: edits?.[i] || null,
      reply_count: null,
      latest_reply: latest?.[i] || null,
      is_sanitized: false,
      content_hash: hashes.slice(i * hashLength, (i + 1) * hashLength),
      state_hash: states?.[i] ?? '',
      raw: new JsonText(at(raws, i)),
      reactions: none,
      files: none,
      isTombstone: false,
    };
  }
  unpackRare(packed, messages);
  return messages;
}

const none: never[] = [];

function unpackRare(packed: PackedResult, messages: StorableMessage[]): void {
  for (const [place, count] of packed.replyCounts) at(messages, place).reply_count = count;
  for (const [place, reactions] of packed.reactions) at(messages, place).reactions = reactions;
  for (const [place, files] of packed.files) {
    at(messages, place).files = files.map(({ raw, ...file }) => ({ ...file, raw: new JsonText(raw) }));
  }
  for (const place of packed.sanitized) at(messages, place).is_sanitized = true;
  for (const place of packed.tombstones) at(messages, place).isTombstone = true;
  for (const [place, text, search] of packed.oddTexts) {
    at(messages, place).text = text;
    at(messages, place).search_text = search;
  }
}

function at<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new Error('the columns of a day file differ in length');
  return value;
}
