import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CompiledQuery } from 'kysely';
import { build } from 'rolldown';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Migration } from '../../migrations/column-types.ts';
import { migrations } from '../../migrations/index.ts';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import { sqlitePath } from '../../src/db/dialects/sqlite-url.ts';
import { migrate, migrationStatus, requireCurrentSchema } from '../../src/db/migrate.ts';
import { openDatabase } from '../../src/db/open.ts';
import { DatabaseError, UsageError } from '../../src/errors.ts';
import { createSqlite, eachDatabase, hasTable } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';

/** Without SLACK_API_URL the pace of tests is refused. */
const noStandIn = { SLACKINGEST_PACE: undefined };

const now = Date.now;
const newest = migrations.at(-1)?.name ?? '';
const all = migrations.map(({ name }) => name);

const next: Migration = {
  name: '9001_next',
  statements: ({ text, tableOptions }) => [
    `create table next_things (name ${text} not null primary key)${tableOptions}`,
    `insert into next_things (name) select name from schema_migrations`,
  ],
};
const afterNext: Migration = {
  name: '9002_after_next',
  statements: () => ['alter table next_things add column x text'],
};
const broken: Migration = {
  name: '9001_broken',
  statements: ({ text }) => [
    `create table half_done (name ${text})`,
    `update locks set name = 'changed'`,
    'create table half_done (again text)',
  ],
};

eachDatabase((create) => {
  it('builds an empty database, and does nothing when asked again', async () => {
    await using database = await create();
    const dialect = await database.open();
    expect(await migrationStatus(dialect)).toMatchObject({
      applied: [],
      pending: migrations.map(({ name }) => ({ name })),
    });
    expect(await migrate(dialect, { now })).toEqual({ applied: all, backup: null });
    expect(await hasTable(dialect, 'messages')).toBe(true);
    expect((await migrationStatus(dialect)).pending).toEqual([]);
    const records = await database.rows('schema_migrations');
    for (let times = 0; times < 3; times += 1) {
      expect(await migrate(dialect, { now })).toEqual({ applied: [], backup: null });
    }
    expect(await database.rows('schema_migrations')).toEqual(records);
    await requireCurrentSchema(dialect);
  });

  it('runs each migration as a whole or not at all', async () => {
    await using database = await create();
    const dialect = await database.open();
    const list = [...migrations, broken];
    const failure = await migrate(dialect, { now, migrations: list }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DatabaseError);
    expect(failure).toMatchObject({ message: expect.stringContaining('9001_broken'), exitCode: 1 });
    expect(await hasTable(dialect, 'half_done')).toBe(false);
    expect(await migrationStatus(dialect, list)).toMatchObject({
      applied: migrations.map(({ name }) => ({ name })),
      pending: [{ name: '9001_broken' }],
    });
    expect(await migrate(dialect, { now, migrations: [...migrations, next] })).toMatchObject({ applied: [next.name] });
  });

  it('leaves nothing behind when the very first migration fails', async () => {
    await using database = await create();
    const dialect = await database.open();
    const first = {
      ...broken,
      statements: (types: Parameters<Migration['statements']>[0]) => [
        ...(migrations[0]?.statements(types) ?? []),
        'this is no SQL',
      ],
    };
    await expect(migrate(dialect, { now, migrations: [first] })).rejects.toBeInstanceOf(DatabaseError);
    expect(await hasTable(dialect, 'schema_migrations')).toBe(false);
    expect(await hasTable(dialect, 'messages')).toBe(false);
  });

  it('goes one step further without losing a row', async () => {
    await using database = await create();
    const dialect = await database.openMigrated();
    await fill(dialect, 1000);
    const before = await database.rows('files', { order: 'file_id' });
    expect(before).toHaveLength(1000);
    const list = [...migrations, next, afterNext];
    expect(await migrate(dialect, { now, migrations: list })).toMatchObject({ applied: [next.name, afterNext.name] });
    expect(await database.rows('files', { order: 'file_id' })).toEqual(before);
    expect(await database.rows('next_things')).toContainEqual({ name: newest, x: null });
  });

  it('stops at --to, and goes on from there', async () => {
    await using database = await create();
    const dialect = await database.open();
    const list = [...migrations, next, afterNext];
    expect((await migrate(dialect, { now, migrations: list, to: newest })).applied).toEqual(all);
    expect((await migrate(dialect, { now, migrations: list, to: next.name })).applied).toEqual([next.name]);
    expect((await migrate(dialect, { now, migrations: list, to: next.name })).applied).toEqual([]);
    await expect(migrate(dialect, { now, migrations: list, to: newest })).rejects.toBeInstanceOf(UsageError);
    await expect(migrate(dialect, { now, migrations: list, to: 'nothing' })).rejects.toBeInstanceOf(UsageError);
    expect((await migrate(dialect, { now, migrations: list })).applied).toEqual([afterNext.name]);
  });

  it('refuses a migration that was edited after it was applied', async () => {
    await using database = await create();
    const dialect = await database.open();
    await migrate(dialect, { now, migrations: [...migrations, next] });
    const edited = { ...next, statements: () => ['create table next_things (other text)'] };
    for (const attempt of [
      migrationStatus(dialect, [...migrations, edited]),
      migrate(dialect, { now, migrations: [...migrations, edited, afterNext] }),
    ]) {
      await expect(attempt).rejects.toMatchObject({
        message: expect.stringContaining('9001_next is not the one that was applied'),
        hint: expect.any(String),
      });
    }
  });

  it('refuses a database that a newer program has upgraded, and says so', async () => {
    await using database = await create();
    const dialect = await database.open();
    await migrate(dialect, { now, migrations: [...migrations, next] });
    await expect(migrate(dialect, { now })).rejects.toMatchObject({
      message: expect.stringMatching(/newer slackingest.*9001_next/),
      hint: expect.stringContaining('Upgrade slackingest'),
    });
    for (const args of [
      ['migrate'],
      ['migrate', '--status'],
      ['ingest'],
      ['ingest', '--no-migrate'],
      ['ingest', '--dry-run'],
    ]) {
      const run = await runCli(args, { env: { DATABASE_URL: database.url, SLACK_TOKEN: 'xoxb-1-a', ...noStandIn } });
      expect({ args, code: run.code, stdout: run.stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(run.stderr).toContain('Upgrade slackingest');
      expect(run.stderr).not.toMatch(/\n\s+at /);
    }
  });

  it('refuses a database where something else has its messages', async () => {
    await using database = await create();
    const dialect = await database.open();
    await dialect.db.executeQuery(CompiledQuery.raw('create table messages (body text)'));
    await expect(migrate(dialect, { now })).rejects.toMatchObject({
      message: expect.stringContaining('"messages" that slackingest did not make'),
    });
    expect(await hasTable(dialect, 'schema_migrations')).toBe(false);
  });

  it('several processes upgrading a database that is in use: one does it, the others find nothing to do', async () => {
    await using database = await create();
    await fill(await database.openMigrated(), 100);
    const program = await buildUpgrade();
    const results = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { stdout } = await promisify(execFile)(process.execPath, [program, database.url]);
        return JSON.parse(stdout);
      }),
    );
    expect(results.flatMap(({ applied }) => applied)).toEqual(['9001_next']);
    const backups = results.flatMap(({ backup }) => backup ?? []);
    expect(new Set(backups).size).toBe(backups.length);
    expect(await database.rows('files')).toHaveLength(100);
  });

  it('several processes at once: one builds, the others wait and find nothing to do', async () => {
    await using database = await create();
    const runs = await Promise.all(
      Array.from({ length: 5 }, () =>
        runCli(['migrate', '--json'], { env: { DATABASE_URL: database.url, ...noStandIn } }),
      ),
    );
    for (const { code, stderr } of runs) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // After each migration whoever waits goes on with the next.
    expect(runs.flatMap((run) => run.json().applied).sort()).toEqual(all);
  });

  it('the command tells what is applied and what is not, and changes nothing by telling', async () => {
    await using database = await create();
    const env = { DATABASE_URL: database.url, ...noStandIn };
    const before = await runCli(['migrate', '--status'], { env });
    expect({ code: before.code, stderr: before.stderr }).toEqual({ code: 0, stderr: '' });
    expect(before.stdout).toContain(`pending  ${newest}`);
    const sql = await runCli(['migrate', '--dry-run'], { env });
    expect(sql.code).toBe(0);
    expect(sql.stdout).toContain(`-- ${newest}`);
    expect(sql.stdout).toContain('create table messages (');
    expect(sql.stdout.trimEnd()).toMatch(/;$/);
    const behind = await runCli(['ingest', '--no-migrate'], { env: { ...env, SLACK_TOKEN: 'xoxb-1-a' } });
    expect(behind.code).toBe(1);
    expect(behind.stderr).toMatch(/out of date: .*not applied/);
    expect(behind.stderr).toContain('slackingest migrate');
    expect(await hasTable(await database.open(), 'messages')).toBe(false);

    expect((await runCli(['migrate', '--to', 'nothing'], { env })).code).toBe(2);
    const done = await runCli(['migrate', '--to', newest], { env });
    expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: '' });
    expect(done.stdout).toContain(newest);
    expect((await runCli(['migrate'], { env })).stdout).toContain('nothing to do');
    const after = await runCli(['migrate', '--status', '--json'], { env });
    expect(after.json()).toMatchObject({ applied: migrations.map(({ name }) => ({ name })), pending: [] });
    expect((await runCli(['migrate', '--dry-run'], { env })).stdout).toBe('-- nothing to do\n');
  });
});

describe('an SQLite file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slackingest-migrate-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is not created by looking, and is private once created, its folder too', async () => {
    const path = join(folder, 'new', 'store.db');
    const env = { DATABASE_URL: `sqlite:${path}`, ...noStandIn };
    for (const args of [
      ['migrate', '--status'],
      ['migrate', '--dry-run'],
    ]) {
      expect((await runCli(args, { env })).code).toBe(0);
      expect(existsSync(dirname(path))).toBe(false);
    }
    expect((await runCli(['migrate'], { env })).code).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(path))).toEqual(['store.db']);
  });

  it('is copied before each upgrade, whole, private and under a name of its own', async () => {
    await using database = await createSqlite();
    const dialect = await database.openMigrated();
    await fill(dialect, 10);
    const at = Date.parse('2026-02-03T04:05:06.789Z');
    const first = await migrate(dialect, { now: () => at, migrations: [...migrations, next] });
    const path = sqlitePath(database.url);
    expect(first.backup).toBe(`${path}.before-9001_next.20260203T040506Z.bak`);
    const second = await migrate(dialect, { now: () => at, migrations: [...migrations, next, afterNext] });
    expect(second.backup).not.toBe(first.backup);

    const copy = await openDatabase(`sqlite:${first.backup}`);
    expect((await migrationStatus(copy)).pending).toEqual([]);
    const { rows } = await copy.db.executeQuery(CompiledQuery.raw('select * from files'));
    expect(rows).toHaveLength(10);
    expect(await hasTable(copy, 'next_things')).toBe(false);
    await copy.close();
    expect(statSync(first.backup ?? '').mode & 0o777).toBe(0o600);
  });

  it('gets a backup even when a failed upgrade of the same second left one', async () => {
    await using database = await createSqlite();
    const dialect = await database.openMigrated();
    const at = Date.now();
    const bad = { ...broken, name: '9001_next' };
    await expect(migrate(dialect, { now: () => at, migrations: [...migrations, bad] })).rejects.toThrow('9001_next');
    const mended = await migrate(dialect, { now: () => at, migrations: [...migrations, next] });
    expect(mended.applied).toEqual([next.name]);
    expect(mended.backup).toMatch(/-2\.bak$/);
  });
});

/** `upgrade.ts` as a file that Node can run, where it finds the drivers. */
async function buildUpgrade(): Promise<string> {
  const file = fileURLToPath(new URL(`../../build/upgrade-${process.pid}.js`, import.meta.url));
  await build({
    input: fileURLToPath(new URL('upgrade.ts', import.meta.url)),
    platform: 'node',
    external: ['better-sqlite3', 'pg'],
    transform: { target: 'node20' },
    output: { file, codeSplitting: false },
  });
  return file;
}

async function fill(dialect: Dialect, count: number): Promise<void> {
  const at = '2026-01-01T00:00:00.000Z';
  for (let n = 0; n < count; n += 1) {
    await dialect.db.executeQuery(
      CompiledQuery.raw(
        `insert into files (team_id, file_id, content_hash, raw, updated_at) values ('T1', 'F${n}', 'h', '{"n":${n}}', '${at}')`,
      ),
    );
  }
}
