/**
 * What a thread hands over of a day file. Columns instead of objects: copying a list of texts between threads takes a
 * fraction of copying objects with the same texts in them.
 */
import { JsonText } from '../model.ts';
import type { NormalizedFile } from '../normalize/file.ts';
import type { Reaction, StorableMessage } from '../normalize/message.ts';
import type { DayFileResult } from './read-day-file.ts';

type PlainColumn = Exclude<keyof StorableMessage, 'raw' | 'reactions' | 'files'>;

const plainColumns = [
  'ts',
  'posted_at',
  'thread_ts',
  'is_reply',
  'user_id',
  'bot_id',
  'subtype',
  'text',
  'search_text',
  'edited_ts',
  'reply_count',
  'latest_reply',
  'is_sanitized',
  'content_hash',
  'state_hash',
  'isTombstone',
] as const satisfies readonly PlainColumn[];

type Columns = { [Column in PlainColumn]: StorableMessage[Column][] };

type PackedFile = Omit<NormalizedFile, 'raw'> & { raw: string };

export interface PackedResult extends Omit<DayFileResult, 'messages'> {
  columns: Columns;
  raw: string[];
  /** Of the few messages that have any, by their place. */
  reactions: [place: number, reactions: Reaction[]][];
  files: [place: number, files: PackedFile[]][];
}

export function packResult({ messages, ...rest }: DayFileResult): PackedResult {
  const columns = Object.fromEntries(
    plainColumns.map((column) => [column, messages.map((message) => message[column])]),
  ) as Columns;
  return {
    ...rest,
    columns,
    raw: messages.map(({ raw }) => raw.text),
    reactions: messages.flatMap(({ reactions }, place) =>
      reactions.length === 0 ? [] : [[place, reactions] satisfies PackedResult['reactions'][number]],
    ),
    files: messages.flatMap(({ files }, place) =>
      files.length === 0 ? [] : [[place, files.map(packFile)] satisfies PackedResult['files'][number]],
    ),
  };
}

function packFile({ raw, ...file }: NormalizedFile): PackedFile {
  return { ...file, raw: raw.text };
}

export function unpackResult({ columns, raw, reactions, files, ...rest }: PackedResult): DayFileResult {
  const {
    ts,
    posted_at,
    thread_ts,
    is_reply,
    user_id,
    bot_id,
    subtype,
    text,
    search_text,
    edited_ts,
    reply_count,
    latest_reply,
    is_sanitized,
    content_hash,
    state_hash,
    isTombstone,
  } = columns;
  const messages: StorableMessage[] = new Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) {
    messages[i] = {
      ts: at(ts, i),
      posted_at: at(posted_at, i),
      thread_ts: at(thread_ts, i),
      is_reply: at(is_reply, i),
      user_id: at(user_id, i),
      bot_id: at(bot_id, i),
      subtype: at(subtype, i),
      text: at(text, i),
      search_text: at(search_text, i),
      edited_ts: at(edited_ts, i),
      reply_count: at(reply_count, i),
      latest_reply: at(latest_reply, i),
      is_sanitized: at(is_sanitized, i),
      content_hash: at(content_hash, i),
      state_hash: at(state_hash, i),
      raw: new JsonText(at(raw, i)),
      reactions: none,
      files: none,
      isTombstone: at(isTombstone, i),
    };
  }
  for (const [place, ofMessage] of reactions) at(messages, place).reactions = ofMessage;
  for (const [place, ofMessage] of files) at(messages, place).files = ofMessage.map(unpackFile);
  return { ...rest, messages };
}

const none: never[] = [];

function unpackFile({ raw, ...file }: PackedFile): NormalizedFile {
  return { ...file, raw: new JsonText(raw) };
}

function at<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new Error('the columns of a day file differ in length');
  return value;
}
