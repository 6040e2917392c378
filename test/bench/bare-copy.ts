/**
 * The floor of an ingest, as a process of its own: fetches the pages one after the other and stores channel, ts and the
 * raw JSON text, one transaction per page, and nothing else. No pace, no checks, no checkpoint, no second run.
 *
 *   node build/test/bench/bare-copy.js --database sqlite:bare.db --reach 30 [--no-replies]
 *
 * Without --database the pages are parsed and dropped.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import pg from 'pg';

interface Message {
  ts: string;
  thread_ts?: string;
}

interface Answer {
  ok: boolean;
  channels: { id: string }[];
  messages: Message[];
  response_metadata?: { next_cursor?: string };
}

interface Target {
  save(channel: string, messages: readonly Message[]): void | Promise<void>;
  close(): void | Promise<void>;
}

const createTable = 'create table bare_messages (channel text, ts text, raw text, primary key (channel, ts))';

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    reach: { type: 'string' },
    'no-replies': { type: 'boolean', default: false },
  },
});
const oldest = `${Math.floor(Date.now() / 1000 - Number(values.reach) * 86_400)}.000000`;
const target = await openTarget(values.database);
let requests = 0;

for await (const { channels } of pages('conversations.list', {
  limit: '999',
  types: 'public_channel,private_channel,mpim,im',
})) {
  for (const { id } of channels) await copyChannel(id);
}
await target.close();
process.stdout.write(JSON.stringify({ requests }));

async function copyChannel(channel: string): Promise<void> {
  const threads: string[] = [];
  for await (const { messages } of pages('conversations.history', { channel, oldest, limit: '999' })) {
    await target.save(channel, messages);
    for (const { ts, thread_ts } of messages) if (ts === thread_ts) threads.push(ts);
  }
  if (values['no-replies']) return;
  for (const ts of threads) {
    for await (const { messages } of pages('conversations.replies', { channel, ts, limit: '200' })) {
      await target.save(channel, messages);
    }
  }
}

async function* pages(method: string, args: Record<string, string>): AsyncGenerator<Answer> {
  let cursor: string | undefined;
  do {
    requests += 1;
    const response = await fetch(`${process.env['SLACK_API_URL']}${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${process.env['SLACK_TOKEN']}` },
      body: new URLSearchParams(cursor === undefined ? args : { ...args, cursor }),
    });
    const answer = (await response.json()) as Answer;
    if (!answer.ok) throw new Error(JSON.stringify(answer));
    yield answer;
    cursor = answer.response_metadata?.next_cursor || undefined;
  } while (cursor !== undefined);
}

async function openTarget(url: string | undefined): Promise<Target> {
  if (url === undefined) return { save: () => undefined, close: () => undefined };
  return url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url);
}

function openSqlite(path: string): Target {
  mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path);
  db.pragma('journal_mode = wal');
  db.pragma('synchronous = normal');
  db.exec(createTable);
  const insert = db.prepare('insert into bare_messages values (?, ?, ?) on conflict do nothing');
  return {
    save: db.transaction((channel: string, messages: readonly Message[]) => {
      for (const message of messages) insert.run(channel, message.ts, JSON.stringify(message));
    }),
    close: () => void db.close(),
  };
}

async function openPostgres(url: string): Promise<Target> {
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  await db.query(createTable);
  return {
    async save(channel, messages) {
      if (messages.length === 0) return;
      const rows = messages.map((_, row) => `($${row * 3 + 1}, $${row * 3 + 2}, $${row * 3 + 3})`);
      await db.query('begin');
      await db.query(
        `insert into bare_messages values ${rows.join(', ')} on conflict do nothing`,
        messages.flatMap((message) => [channel, message.ts, JSON.stringify(message)]),
      );
      await db.query('commit');
    },
    close: () => db.end(),
  };
}
