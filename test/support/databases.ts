/** The databases every behaviour is tested on: a real SQLite file and a real Postgres server. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, inject } from 'vitest';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openDatabase } from '../../src/db/open.ts';

export type DatabaseName = 'sqlite' | 'postgres';

/** An empty database of the test's own. */
export interface TestDatabase extends AsyncDisposable {
  name: DatabaseName;
  url: string;
  /** A new connection, closed together with the database. */
  open(): Promise<Dialect>;
  /** The same with the schema in place. */
  openMigrated(): Promise<Dialect>;
  /** Every row of a table, ordered by `order`, without the columns in `without`. */
  rows(
    table: string,
    options?: { order?: string; without?: readonly string[]; where?: string },
  ): Promise<Record<string, unknown>[]>;
}

/** Describes the behaviour once for each database. `SLACKINGEST_TEST_DATABASE=sqlite` narrows it for a fast loop. */
export function eachDatabase(body: (create: () => Promise<TestDatabase>, name: DatabaseName) => void): void {
  const only = process.env['SLACKINGEST_TEST_DATABASE'];
  for (const name of ['sqlite', 'postgres'] as const) {
    if (only !== undefined && only !== '' && only !== name) continue;
    describe(name, () => body(() => (name === 'sqlite' ? createSqlite() : createPostgres()), name));
  }
}

export async function createSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-test-'));
  return testDatabase('sqlite', `sqlite:${join(folder, 'test.db')}`, async () => {
    rmSync(folder, { recursive: true, force: true });
  });
}

export function createPostgres(): Promise<TestDatabase> {
  return createPostgresOn(inject('postgresUrl'));
}

/** The same on any server: its own schema there, dropped in the end. */
export async function createPostgresOn(server: string): Promise<TestDatabase> {
  const schema = `t_${randomBytes(8).toString('hex')}`;
  await onServer(server, `create schema ${schema}`);
  const url = new URL(server);
  url.searchParams.set('options', `-csearch_path=${schema}`);
  return testDatabase('postgres', url.href, () => onServer(server, `drop schema ${schema} cascade`));
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function testDatabase(name: DatabaseName, url: string, remove: () => Promise<void>): TestDatabase {
  const opened: Dialect[] = [];
  const open = async () => {
    const dialect = await openDatabase(url);
    opened.push(dialect);
    return dialect;
  };
  const openMigrated = async () => {
    const dialect = await open();
    await migrate(dialect, { now: Date.now });
    return dialect;
  };
  return {
    name,
    url,
    open,
    openMigrated,
    async rows(table, { order, without = [], where } = {}) {
      const dialect = opened[0] ?? (await open());
      const text = `select * from ${table}${where === undefined ? '' : ` where ${where}`}${order === undefined ? '' : ` order by ${order}`}`;
      const { CompiledQuery } = await import('kysely');
      const { rows } = await dialect.db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text));
      return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => !without.includes(column))));
    },
    async [Symbol.asyncDispose]() {
      for (const dialect of opened) await dialect.close();
      await remove();
    },
  };
}

/** Whether the table is there, as an outsider sees it. */
export async function hasTable(dialect: Dialect, table: string): Promise<boolean> {
  return (await dialect.columnsOf(table)).length > 0;
}
