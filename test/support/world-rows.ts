/** Compares what is stored with what Slack holds. */
import { expect } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model.ts';
import type { Channel } from '../stand-in/channel.ts';
import type { TestDatabase } from './databases.ts';

/**
 * Expects the database to hold exactly the messages, reactions and files that the channel shows now. `hidden` names the
 * ts of messages that are stored and that Slack no longer shows.
 */
export async function expectWorld(
  database: TestDatabase,
  channels: readonly Channel[],
  { hidden = [] }: { hidden?: readonly string[] } = {},
): Promise<void> {
  for (const channel of channels) {
    const where = `team_id = '${channel.workspace.id}' and channel_id = '${channel.id}'`;
    const expected = channel.expectedMessages({ metadata: true });
    const stored = await database.rows('messages', { where, order: 'ts' });
    const shown = stored.filter(({ ts }) => !hidden.includes(String(ts)));
    // First the keys: a difference in them is easier to read than one in thousands of lines of JSON.
    expect(shown.map(({ ts }) => ts)).toEqual(expected.map(({ ts }) => ts));
    expect(shown.map(columnsOf)).toEqual(expected.map((message) => expectedColumns(message)));

    const reactions = await database.rows('reactions', { where, order: 'ts, name, user_id' });
    expect(reactions.map(({ ts, name, user_id }) => `${ts} ${name} ${user_id}`).sort()).toEqual(
      expected.flatMap(reactionKeys).sort(),
    );
    const files = await database.rows('message_files', { where });
    expect(files.map(({ ts, file_id }) => `${ts} ${file_id}`).sort()).toEqual(expected.flatMap(fileKeys).sort());
  }
}

const columns = [
  'ts',
  'thread_ts',
  'is_reply',
  'user_id',
  'bot_id',
  'subtype',
  'text',
  'edited_ts',
  'reply_count',
  'latest_reply',
] as const;

/** The columns of a stored message that Slack's own object decides. */
export function columnsOf(row: Record<string, unknown>): Record<string, unknown> {
  return {
    ...Object.fromEntries(columns.map((name) => [name, row[name]])),
    raw: withoutRoot(row['raw'] as JsonObject),
  };
}

/** What these columns must hold for a message as Slack serves it. */
export function expectedColumns(received: JsonObject): Record<string, unknown> {
  const message = cleaned(received) as JsonObject;
  const textAt = (key: string): JsonValue => message[key] ?? null;
  const threadTs = textAt('thread_ts');
  const edited = message['edited'] as JsonObject | undefined;
  return {
    ts: message['ts'],
    thread_ts: threadTs,
    is_reply: threadTs !== null && threadTs !== message['ts'],
    user_id: textAt('user'),
    bot_id: textAt('bot_id'),
    subtype: textAt('subtype'),
    text: textAt('text'),
    edited_ts: edited?.['ts'] ?? null,
    reply_count: textAt('reply_count'),
    latest_reply: textAt('latest_reply'),
    raw: withoutRoot(message),
  };
}

/** A broadcast reply carries a copy of its root, which is as old as the last change of the reply itself. */
function withoutRoot({ root: _, ...message }: JsonObject): JsonObject {
  return message;
}

/** What no database keeps is replaced by U+FFFD: U+0000 and lone surrogates, in keys too. */
export function cleaned(value: JsonValue): JsonValue {
  if (typeof value === 'string') return cleanedText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanedText(key), cleaned(inner)]));
}

function cleanedText(text: string): string {
  return text.replace(/\u0000|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

function reactionKeys(message: JsonObject): string[] {
  const reactions = (message['reactions'] ?? []) as unknown as { name: string; users: string[] }[];
  return reactions.flatMap(({ name, users }) => users.map((user) => `${message['ts']} ${name} ${user}`));
}

function fileKeys(message: JsonObject): string[] {
  const files = (message['files'] ?? []) as unknown as { id: string }[];
  return files.map(({ id }) => `${message['ts']} ${id}`);
}

/** Every row of every table, as text. */
export async function dump(database: TestDatabase): Promise<string> {
  const parts: string[] = [];
  for (const table of tables) parts.push(`${table} ${JSON.stringify(await database.rows(table))}`);
  return parts.join('\n');
}

const tables = [
  'workspaces',
  'users',
  'usergroups',
  'channels',
  'messages',
  'message_revisions',
  'reactions',
  'files',
  'message_files',
  'ingestion_state',
  'coverage',
  'threads',
  'run_counts',
  'stored_counts',
  'channel_aliases',
  'runs',
  'run_channels',
  'rate_limits',
  'locks',
];
