/**
 * The floor of an import, as a process of its own: reads the day files of an export one after the other and stores folder,
 * ts and the raw JSON text, all in one transaction, and nothing else. No lists, no checks, no report, no second run.
 *
 *   node build/test/bench/bare-import.js export.zip --database sqlite:bare.db
 *
 * Without --database the files are parsed and dropped.
 */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import pg from 'pg';
import { ZipReader } from '../exports/read-zip.ts';

interface DayFile {
  folder: string;
  read(): Buffer;
}

interface Target {
  save(folder: string, messages: readonly { ts: string }[]): void | Promise<void>;
  close(): void | Promise<void>;
}

const createTable = 'create table bare_messages (channel text, ts text, raw text, primary key (channel, ts))';
/** Three values each; Postgres takes 65,535 in one statement. */
const rowsPerInsert = 1000;

const { values, positionals } = parseArgs({ options: { database: { type: 'string' } }, allowPositionals: true });
const [path = ''] = positionals;
const target = await openTarget(values.database);
let messages = 0;
let dayFiles = 0;
for (const { folder, read } of statSync(path).isDirectory() ? inFolder(path) : inZip(path)) {
  const ofDay: { ts: string }[] = JSON.parse(read().toString('utf8'));
  const saved = target.save(folder, ofDay);
  if (saved !== undefined) await saved;
  messages += ofDay.length;
  dayFiles += 1;
}
await target.close();
process.stdout.write(JSON.stringify({ messages, day_files: dayFiles }));

function* inZip(zipPath: string): Iterable<DayFile> {
  const zip = new ZipReader(zipPath);
  for (const entry of zip.entries) {
    const [, folder] = /(?:^|\/)([^/]+)\/\d{4}-\d{2}-\d{2}\.json$/.exec(entry.name) ?? [];
    if (folder !== undefined) yield { folder, read: () => zip.content(entry) };
  }
  zip.close();
}

function* inFolder(root: string): Iterable<DayFile> {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const name of readdirSync(join(root, entry.name))) {
      if (!/^\d{4}-\d{2}-\d{2}\.json$/.test(name)) continue;
      yield { folder: entry.name, read: () => readFileSync(join(root, entry.name, name)) };
    }
  }
}

async function openTarget(url: string | undefined): Promise<Target> {
  if (url === undefined) return { save: () => undefined, close: () => undefined };
  return url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url);
}

function openSqlite(file: string): Target {
  mkdirSync(dirname(file), { recursive: true });
  const db = new Database(file);
  db.pragma('journal_mode = wal');
  db.pragma('synchronous = normal');
  db.exec(createTable);
  db.exec('begin');
  const insert = db.prepare('insert into bare_messages values (?, ?, ?) on conflict do nothing');
  return {
    save(folder, ofDay) {
      for (const message of ofDay) insert.run(folder, message.ts, JSON.stringify(message));
    },
    close() {
      db.exec('commit');
      db.close();
    },
  };
}

async function openPostgres(url: string): Promise<Target> {
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  await db.query(createTable);
  await db.query('begin');
  const pending: string[] = [];
  const flush = async (): Promise<void> => {
    const count = pending.length / 3;
    if (count === 0) return;
    const rows = Array.from({ length: count }, (_, row) => `($${row * 3 + 1}, $${row * 3 + 2}, $${row * 3 + 3})`);
    const text = `insert into bare_messages values ${rows.join(', ')} on conflict do nothing`;
    // Of one length but the last: by its name it is planned once.
    await db.query(
      count === rowsPerInsert
        ? { name: 'insert', text, values: pending.splice(0) }
        : { text, values: pending.splice(0) },
    );
  };
  return {
    async save(folder, ofDay) {
      for (const message of ofDay) {
        pending.push(folder, message.ts, JSON.stringify(message));
        if (pending.length === rowsPerInsert * 3) await flush();
      }
    },
    async close() {
      await flush();
      await db.query('commit');
      await db.end();
    },
  };
}
