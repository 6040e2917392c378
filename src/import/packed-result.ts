/**
 * What a thread hands over of day files. One text for each column of all their messages instead of one for each value:
 * copying a million small texts between threads takes longer than reading them did.
 */
import { JsonText } from '../model.ts';
import type { NormalizedFile } from '../normalize/file.ts';
import type { Reaction, StorableMessage } from '../normalize/message.ts';
import { type ToldName, ToldNames } from '../normalize/told-names.ts';
import { tsToIso } from '../ts.ts';
import type { DayFileResult } from './read-day-file.ts';

/** Columns of which an empty text is no value, so that it can stand for null. */
const joinedColumns = ['thread_ts', 'user_id', 'bot_id', 'subtype', 'edited_ts', 'latest_reply', 'state_hash'] as const;
type JoinedColumn = (typeof joinedColumns)[number];

type PackedFile = Omit<NormalizedFile, 'raw'> & { raw: string };

export interface PackedResults {
  /** What is not said of single messages, and how many of them there are. */
  results: (Omit<DayFileResult, 'messages' | 'names'> & { count: number })[];
  /** Of all messages together, as JSON: of each person the newest. */
  names: string;
  /** Values joined by U+0000, which no cleaned text holds. */
  ts: string;
  text: string;
  search: string;
  raw: string;
  hashes: string;
  joined: Partial<Record<JoinedColumn, string>>;
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

/** Gathers results until they are worth a message. Of what was added only what is sent is kept. */
export class ResultPacker {
  #packed = noResults();
  #columns = newColumns();
  readonly #names = new ToldNames();
  /** Characters of the messages added. */
  size = 0;

  add({ messages, names, ...rest }: DayFileResult): void {
    for (const told of names) this.#names.put(told);
    this.#packed.results.push({ ...rest, count: messages.length });
    const columns = this.#columns;
    for (const message of messages) {
      const { text, search_text: search } = message;
      packRare(this.#packed, message, columns.ts.length);
      columns.ts.push(message.ts);
      columns.text.push(text ?? nothing);
      // Mostly the text itself, and never empty.
      columns.search.push(search === text ? '' : (search ?? nothing));
      columns.raw.push(message.raw.text);
      this.size += message.raw.text.length;
      columns.hashes.push(message.content_hash);
      for (const column of joinedColumns) columns.joined[column].push(message[column] ?? '');
    }
  }

  /** What was added since the last call. */
  take(): PackedResults {
    const { ts, text, search, raw, hashes, joined } = this.#columns;
    const packed = this.#packed;
    packed.ts = ts.join(separator);
    packed.text = text.join(separator);
    packed.search = search.join(separator);
    packed.raw = raw.join(separator);
    packed.hashes = hashes.join('');
    for (const column of joinedColumns) {
      if (joined[column].some((value) => value !== '')) packed.joined[column] = joined[column].join(separator);
    }
    packed.names = JSON.stringify(this.#names.take());
    this.#packed = noResults();
    this.#columns = newColumns();
    this.size = 0;
    return packed;
  }
}

function noResults(): PackedResults {
  return {
    results: [],
    names: '[]',
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
}

function newColumns() {
  const joined: Record<JoinedColumn, string[]> = {
    thread_ts: [],
    user_id: [],
    bot_id: [],
    subtype: [],
    edited_ts: [],
    latest_reply: [],
    state_hash: [],
  };
  const always: Record<'ts' | 'text' | 'search' | 'raw' | 'hashes', string[]> = {
    ts: [],
    text: [],
    search: [],
    raw: [],
    hashes: [],
  };
  return { ...always, joined };
}

function packRare(packed: PackedResults, message: StorableMessage, place: number): void {
  const { reply_count, reactions, files, is_sanitized, isTombstone, text, search_text } = message;
  if (reply_count !== null) packed.replyCounts.push([place, reply_count]);
  if (reactions.length > 0) packed.reactions.push([place, reactions]);
  if (files.length > 0) packed.files.push([place, files.map(({ raw, ...file }) => ({ ...file, raw: raw.text }))]);
  if (is_sanitized) packed.sanitized.push(place);
  if (isTombstone) packed.tombstones.push(place);
  if (text === nothing || search_text === nothing) packed.oddTexts.push([place, text, search_text]);
}

export function unpackResults(packed: PackedResults): DayFileResult[] {
  const all = unpackMessages(packed);
  const names: ToldName[] = JSON.parse(packed.names);
  let next = 0;
  return packed.results.map(({ count, ...rest }, i) => {
    const from = next;
    next += count;
    return { ...rest, messages: all.slice(from, next), names: i === 0 ? names : [] };
  });
}

function unpackMessages(packed: PackedResults): StorableMessage[] {
  const { joined, hashes } = packed;
  if (hashes === '') return [];
  const tsValues = packed.ts.split(separator) as StorableMessage['ts'][];
  const texts = packed.text.split(separator);
  const searches = packed.search.split(separator);
  const raws = packed.raw.split(separator);
  const valuesOf = (column: JoinedColumn) => joined[column]?.split(separator);
  const threads = valuesOf('thread_ts') as (StorableMessage['ts'] | '')[] | undefined;
  const users = valuesOf('user_id');
  const bots = valuesOf('bot_id');
  const subtypes = valuesOf('subtype');
  const edits = valuesOf('edited_ts');
  const latest = valuesOf('latest_reply');
  const states = valuesOf('state_hash');
  const messages: StorableMessage[] = new Array(tsValues.length);
  for (const [i, ts] of tsValues.entries()) {
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

function unpackRare(packed: PackedResults, messages: StorableMessage[]): void {
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
  if (value === undefined) throw new Error('the columns of day files differ in length');
  return value;
}
