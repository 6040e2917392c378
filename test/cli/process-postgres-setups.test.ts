/** Postgres as others set it up: what the program relies on it sets itself, and what it cannot work with it says at once. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import { expectClearFailure } from '../support/clear-failure.ts';
import { createPostgres } from '../support/databases.ts';
import { startPooler } from '../support/pooler.ts';
import { type CliResult, runCli, startCli } from '../support/run-cli.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';

const { world, token, channels } = smallWorkspace();
const truth = channels.flatMap((channel) => channel.expectedMessages().map(({ ts }) => ts)).sort();

let slack: StandIn;
beforeAll(async () => {
  slack = await startStandIn({ world, thinPages: smallPages });
});
afterAll(() => slack.close());

const environment = (url: string) => ({ SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: url });
const run = (command: string[], url: string) => runCli(command, { env: environment(url) });
const ingest = (url: string) => run(['ingest', '--backfill-from', smallBackfillFrom], url);

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function expectWhole(done: CliResult, url: string): Promise<void> {
  expect({ code: done.code, stderr: done.stderr }).toMatchObject({ code: 0 });
  const rows = await query<{ ts: string }>(url, 'select ts from messages order by ts collate "C"');
  expect(rows.map(({ ts }) => ts)).toEqual(truth);
}

/** A database of the test's own, with a way to set it up. */
async function createDatabase(how = '') {
  const server = inject('postgresUrl');
  const name = `d_${randomBytes(8).toString('hex')}`;
  await query(server, `create database ${name} template template0 ${how}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    [Symbol.asyncDispose]: async () => void (await query(server, `drop database ${name} with (force)`)),
  };
}

describe('a database', () => {
  it('may have every setting of its own', async () => {
    await using database = await createDatabase();
    const settings = {
      datestyle: 'SQL, DMY',
      intervalstyle: 'sql_standard',
      timezone: 'America/St_Johns',
      extra_float_digits: '-10',
      bytea_output: 'escape',
      standard_conforming_strings: 'off',
      array_nulls: 'off',
      client_encoding: 'LATIN1',
      default_transaction_isolation: 'serializable',
      lock_timeout: '1ms',
      idle_in_transaction_session_timeout: '500ms',
      idle_session_timeout: '900ms',
    };
    for (const [name, value] of Object.entries(settings))
      await query(database.url, `alter database ${database.name} set ${name} = '${value}'`);
    const { cli, go } = await startAndHold(database.url);
    await sleep(1500);
    go();
    await expectWhole(await cli.result, database.url);
    const verified = await run(['verify', '--json'], database.url);
    expect({ code: verified.code, stdout: verified.stdout }).toMatchObject({ code: 0 });
    const status = JSON.parse((await run(['status', '--json'], database.url)).stdout);
    expect(status.workspaces[0].channels[0].last_read_at ?? status.workspaces[0].runs[0].started_at).toMatch(
      /^\d{4}-.*Z$/,
    );
  });

  it.each(['LATIN1', 'SQL_ASCII'])('in %s is refused, with how to make another', async (encoding) => {
    await using database = await createDatabase(`encoding '${encoding}' lc_collate 'C' lc_ctype 'C'`);
    expectClearFailure(await ingest(database.url), { code: 1, says: [encoding, 'createdb --encoding=UTF8'] });
    expect(await query(database.url, `select 1 from pg_class where relname = 'messages'`)).toEqual([]);
  });

  it('that has no such setting says so', async () => {
    const url = new URL(inject('postgresUrl'));
    url.searchParams.set('options', '-cstatement_timeout=soon');
    expectClearFailure(await run(['status'], url.href), { code: 1, says: ['statement_timeout', 'options'] });
  });

  it('that lets nobody write is said to be so', async () => {
    await using database = await createDatabase();
    await query(database.url, `alter database ${database.name} set default_transaction_read_only = on`);
    expectClearFailure(await ingest(database.url), { code: 1, says: ['read-only', 'target_session_attrs=read-write'] });
  });
});

describe('a search path', () => {
  it('of the role leads to a schema of its own, whatever lies in the others', async () => {
    await using database = await createDatabase();
    const role = `r_${randomBytes(4).toString('hex')}`;
    await query(
      database.url,
      `create role ${role} login; create schema mine authorization ${role};
      create table public.messages (id int); create table public.schema_migrations (version text);
      alter role ${role} in database ${database.name} set search_path = nowhere, mine, public`,
    );
    const url = new URL(database.url);
    url.username = role;
    try {
      const done = await ingest(url.href);
      expect({ code: done.code, stderr: done.stderr }).toMatchObject({ code: 0 });
      expect(await query(database.url, 'select 1 from mine.messages')).toHaveLength(truth.length);
    } finally {
      await query(database.url, `drop owned by ${role}; drop role ${role}`);
    }
  });

  it.each(['pg_temp', 'pg_temp, public', 'pg_catalog'])(
    'that begins with %s keeps nothing and is refused',
    async (path) => {
      const url = new URL(inject('postgresUrl'));
      url.searchParams.set('options', `-csearch_path=${path.replaceAll(' ', '')}`);
      expectClearFailure(await ingest(url.href), { code: 1, says: ['search path', path.split(',')[0] ?? ''] });
    },
  );
});

describe('something between that cuts idle connections', () => {
  it('does not end a run that waits for Slack', async () => {
    await using database = await createPostgres();
    await using proxy = await startSilentProxy(database.url, { idleMs: 3500 });
    const { cli, go } = await startAndHold(proxy.url);
    await sleep(5000);
    go();
    await expectWhole(await cli.result, database.url);
    expect(await query(database.url, `select 1 from runs where status <> 'completed'`)).toEqual([]);
  });

  it('leaves a reader the one session that it has', async () => {
    await using database = await createPostgres();
    await database.openMigrated();
    await using proxy = await startSilentProxy(database.url, { idleMs: 3500 });
    const reader = await openDatabase(proxy.url, { access: 'read' });
    const session = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(reader.db)).rows[0];
    const before = await session();
    await sleep(4500);
    expect(await session()).toEqual(before);
    await reader.close();
  });
});

describe('a pooler', () => {
  it('that shares sessions is refused at once, by every command', async () => {
    await using database = await createDatabase();
    await using pooler = await startPooler(database.url, { mode: 'transaction' });
    for (const command of [['ingest'], ['status'], ['migrate'], ['verify', '--offline']])
      expectClearFailure(await run(command, pooler.url), {
        code: 1,
        says: ['transaction pooling', 'pool_mode=session'],
      });
    expect(await query(database.url, `select 1 from pg_class where relname = 'messages'`)).toEqual([]);
    const locks = `select 1 from pg_locks join pg_database d on d.oid = database
      where locktype = 'advisory' and datname = current_database()`;
    expect(await query(database.url, locks)).toEqual([]);
  });

  it.each([false, true])(
    'in session mode works, settings in the URL included (swallows options: %s)',
    async (swallowsOptions) => {
      await using database = await createPostgres();
      const whole = new URL(database.url);
      await using pooler = await startPooler(database.url, { mode: 'session', swallowsOptions });
      await expectWhole(await ingest(`${pooler.url}${whole.search}`), database.url);
    },
  );
});

/** Starts a run that waits for the second page of a history until `go` is called. */
async function startAndHold(url: string) {
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  let arrived = (): void => undefined;
  const isHeld = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let calls = 0;
  const stop = slack.onRequest(async ({ method }) => {
    if (method !== 'conversations.history') return;
    calls += 1;
    if (calls !== 2) return;
    arrived();
    await gate;
  });
  const cli = startCli(['ingest', '--backfill-from', smallBackfillFrom], { env: environment(url) });
  await isHeld;
  return {
    cli,
    go: () => {
      stop();
      go();
    },
  };
}
