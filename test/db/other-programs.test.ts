/** A database in which another program lives is recognised by every command, before anything is created in it. */
import { readFileSync } from 'node:fs';
import { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import { expectClearFailure } from '../support/clear-failure.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';

/** What others have, the name that is told, and what it is. */
const others: [statements: string[], told: string][] = [
  [['create table users (id integer)'], 'a table "users"'],
  [['create table schema_migrations (version text)', 'create table posts (id integer)'], 'a table "schema_migrations"'],
  [['create table kysely_migration (name text)', 'create table posts (id integer)'], 'a table "kysely_migration"'],
  [['create table things (id integer)', 'create view events as select id from things'], 'a view "events"'],
  [['create table things (id integer)', 'create index messages_by_time on things (id)'], 'an index "messages_by_time"'],
];

const commands = [
  ['ingest'],
  ['ingest', '--dry-run'],
  ['ingest', '--plan'],
  ['ingest', '--no-migrate'],
  ['sync-users'],
  ['status'],
  ['verify', '--offline'],
  ['digest'],
  ['digest', '--dry-run'],
  ['migrate'],
  ['migrate', '--status'],
  ['migrate', '--dry-run'],
];

function run(database: TestDatabase, args: readonly string[]) {
  return runCli(args, {
    env: { DATABASE_URL: database.url, SLACK_TOKEN: 'xoxb-1-a', SLACK_API_URL: 'http://127.0.0.1:9/' },
  });
}

async function execute(database: TestDatabase, ...statements: string[]): Promise<void> {
  const dialect = await database.open();
  for (const statement of statements) await dialect.db.executeQuery(CompiledQuery.raw(statement));
}

eachDatabase((create, name) => {
  it.each(others)('%j', async (statements, told) => {
    await using database = await create();
    await execute(database, ...statements);
    const before = await (await database.open()).relations();
    const run1 = await run(database, ['ingest']);
    expectClearFailure(run1, { code: 1, says: [`holds ${told} that slackingest did not make`, 'of its own'] });
    const run2 = await run(database, ['status']);
    expectClearFailure(run2, { code: 1, says: [`holds ${told} that slackingest did not make`, 'of its own'] });
    expect(await (await database.open()).relations()).toEqual(before);
  });

  it('every command says so, and the database stays as it is', async () => {
    await using database = await create();
    await execute(database, 'create table users (id integer)', 'insert into users (id) values (1)');
    const file = name === 'sqlite' ? readFileSync(database.url.replace('sqlite:', '')) : null;
    for (const args of commands) {
      const result = await run(database, args);
      expectClearFailure(result, { code: 1, says: ['holds a table "users" that slackingest did not make'] });
    }
    if (file !== null) expect(readFileSync(database.url.replace('sqlite:', '')).equals(file)).toBe(true);
    expect(await (await database.open()).relations()).toEqual([{ name: 'users', kind: 'table' }]);
  });

  it('in a database of ours, a table of others is in the way only where the next version needs its name', async () => {
    await using database = await create();
    expect((await run(database, ['migrate', '--to', '0002_audits'])).code).toBe(0);
    await execute(database, 'create table notes (body text)');
    expect((await run(database, ['migrate', '--status'])).code).toBe(0);
    await execute(database, 'create table digests (body text)');
    const upgrade = await run(database, ['migrate']);
    expectClearFailure(upgrade, {
      code: 1,
      says: ['holds a table "digests" that slackingest did not make', 'Rename it'],
    });
    await execute(database, 'drop table digests');
    expect((await run(database, ['migrate'])).code).toBe(0);
  });

  it.runIf(name === 'postgres')("what is in other schemas of the server is nobody's business", async () => {
    await using database = await create();
    await using neighbour = await create();
    const schemaOf = (url: string) => new URL(url).searchParams.get('options')?.split('=')[1] ?? '';
    await execute(neighbour, 'create table users (id integer)', 'create table schema_migrations (version text)');
    const url = new URL(database.url);
    url.searchParams.set('options', `-csearch_path=${schemaOf(database.url)},${schemaOf(neighbour.url)}`);
    const env = { DATABASE_URL: url.href, SLACKINGEST_PACE: undefined };
    const before = await runCli(['status'], { env });
    expect({ code: before.code, stdout: before.stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing is stored yet'),
    });
    expect((await runCli(['migrate'], { env })).code).toBe(0);
    expect((await runCli(['status'], { env })).stdout).toContain('No workspace was read yet');
  });
});
