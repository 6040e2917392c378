/** What can go wrong with the server of the database: a clear word, exit code 1, no password shown, and nothing lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import { expectClearFailure } from '../support/clear-failure.ts';
import { createPostgres } from '../support/databases.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';

const { world, token, channels } = smallWorkspace();
const truth = channels.flatMap((channel) => channel.expectedMessages().map(({ ts }) => ts)).sort();
const args = ['ingest', '--json', '--backfill-from', smallBackfillFrom];
const password = 'hunter2/s3cr@t';

let slack: StandIn;
beforeAll(async () => {
  slack = await startStandIn({ world, thinPages: smallPages });
});
afterAll(() => slack.close());

const environment = (url: string) => ({ SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: url });
const ingest = (url: string, env: Record<string, string> = {}) =>
  runCli(args, { env: { ...environment(url), ...env } });

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function completes(url: string): Promise<void> {
  const run = await ingest(url);
  expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
  expect(
    (await query<{ ts: string }>(url, 'select ts from messages order by ts collate "C"')).map(({ ts }) => ts),
  ).toEqual(truth);
  expect(await query(url, 'select 1 from locks')).toEqual([]);
  expect(await query(url, "select 1 from runs where status = 'running'")).toEqual([]);
}

/** The shared server's URL with something changed. */
function changed(change: (url: URL) => void): string {
  const url = new URL(inject('postgresUrl'));
  change(url);
  return url.href;
}

describe('a server that is there', () => {
  it('refuses a connection where nobody listens', async () => {
    const url = changed((each) => {
      each.port = '1';
    });
    expectClearFailure(await ingest(url), {
      code: 1,
      says: ['127.0.0.1:1/postgres refuses the connection', 'DATABASE_URL'],
    });
  });

  it('has a host that does not exist', async () => {
    const url = changed((each) => {
      each.hostname = 'no-such-host.invalid';
    });
    expectClearFailure(await ingest(url), { code: 1, says: ['no-such-host.invalid', 'cannot be found'] });
  });

  it('has no such database', async () => {
    const url = changed((each) => {
      each.pathname = '/nowhere';
    });
    expectClearFailure(await ingest(url), { code: 1, says: ['"nowhere" does not exist', 'createdb'] });
  });

  it('has no such role', async () => {
    const url = changed((each) => {
      each.username = 'nobody_knows';
    });
    expectClearFailure(await ingest(url), { code: 1, says: ['nobody_knows'] });
  });

  it('has no such schema', async () => {
    const url = changed((each) => each.searchParams.set('options', '-csearch_path=nowhere'));
    expectClearFailure(await ingest(url), { code: 1, says: ['schema'] });
  });

  it('may only be read, before there are tables and afterwards', async () => {
    await using database = await createPostgres();
    const url = new URL(database.url);
    url.searchParams.set('options', `${url.searchParams.get('options')} -cdefault_transaction_read_only=on`);
    expectClearFailure(await ingest(url.href), { code: 1, says: ['read-only'] });
    await completes(database.url);
    expectClearFailure(await ingest(url.href), { code: 1, says: ['does not let this user write'] });
    await completes(database.url);
  });

  it('gives this user no rights', async () => {
    await using database = await createPostgres();
    const role = `reader_${Date.now()}`;
    await query(database.url, `create role ${role} login`);
    const url = new URL(database.url);
    url.username = role;
    try {
      expectClearFailure(await ingest(url.href), { code: 1, says: [/permission denied|no schema/] });
    } finally {
      await query(database.url, `drop role ${role}`);
    }
    await completes(database.url);
  });

  it('fills what the URL leaves out from PGHOST, PGPORT, PGUSER and PGDATABASE', async () => {
    await using database = await createPostgres();
    const whole = new URL(database.url);
    const schema = whole.searchParams.get('options') ?? '';
    const run = await ingest(`postgres:///?options=${encodeURIComponent(schema)}`, {
      PGHOST: whole.hostname,
      PGPORT: whole.port,
      PGUSER: whole.username,
      PGDATABASE: whole.pathname.slice(1),
    });
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
    await completes(database.url);
  });

  it('cannot be asked by a URL that is none', async () => {
    const run = await ingest(`postgres://user:${encodeURIComponent('hunter2')}@[half/db`);
    expectClearFailure(run, { code: 2, says: ['cannot be read'] });
    expect(run.stderr + run.stdout).not.toContain('hunter2');
  });

  it('ends every session of the run in the middle of it', async () => {
    await using database = await createPostgres();
    const { cli, go } = await startAndHold(database.url);
    const ended = await endSessions(database.url);
    expect(ended).toBeGreaterThan(0);
    go();
    const run = await cli.result;
    expectClearFailure(run, { code: 1, says: ['connection to Postgres', 'was lost', 'kept'] });
    expect(run.json()).toMatchObject({ status: 'failed' });
    // It says so itself, though its lock is lost, and is not found "running" until the next one.
    expect(await query(database.url, 'select status, error from runs')).toEqual([
      { status: 'failed', error: expect.stringContaining('was lost') },
    ]);
    await completes(database.url);
  });

  it('ends the sessions while Slack does not answer: the run does not wait for Slack', async () => {
    await using database = await createPostgres();
    const { cli, go } = await startAndHold(database.url);
    await endSessions(database.url);
    const at = performance.now();
    const run = await cli.result;
    go();
    expect(performance.now() - at).toBeLessThan(8000);
    expectClearFailure(run, { code: 1, says: ['was lost'] });
    await completes(database.url);
  });
});

describe('a server that asks for a password', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ password });
  });
  afterAll(() => server.stop());

  it('refuses a wrong one, which is not shown', async () => {
    const url = new URL(server.url);
    url.password = 'wrong-hunter3';
    for (const level of ['info', 'debug']) {
      const run = await runCli([...args, '--log-level', level], { env: environment(url.href) });
      expect(run.code).toBe(1);
      expect(run.stderr).toContain('refuses the user or the password');
      expect(run.stderr + run.stdout).not.toMatch(/hunter|s3cr/);
      if (level === 'info') expectClearFailure(run, { code: 1, says: ['PGPASSWORD'] });
    }
  });

  it('refuses none', async () => {
    const url = new URL(server.url);
    url.password = '';
    expectClearFailure(await ingest(url.href), { code: 1, says: ['refuses the user or the password', 'PGPASSWORD'] });
  });

  it('takes the right one, from the URL or from PGPASSWORD, and it is nowhere to be seen', async () => {
    const first = await runCli([...args, '--log-level', 'debug'], { env: environment(server.url) });
    expect({ code: first.code, stderr: first.stderr }).toMatchObject({ code: 0 });
    const url = new URL(server.url);
    url.password = '';
    const second = await ingest(url.href, { PGPASSWORD: password });
    expect(second.code).toBe(0);
    expect(first.stderr + first.stdout + second.stderr + second.stdout).not.toMatch(/hunter|s3cr/);
    const tables = await query<{ text: string }>(
      server.url,
      `select table_name as text from information_schema.tables where table_schema = 'public'`,
    );
    for (const { text: table } of tables) {
      const rows = await query<{ row: string }>(server.url, `select t::text as row from ${table} t`);
      for (const { row } of rows) expect(row).not.toMatch(/hunter|s3cr|xox[bp]-/);
    }
  });
});

describe('a server with few connections', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 6 });
  });
  afterAll(() => server.stop());

  it('lets a run wait until one is free', async () => {
    const others = await occupy(server.url);
    const cli = startCli(args, { env: environment(server.url) });
    await sleep(1500);
    expect(cli.process.exitCode).toBeNull();
    for (const other of others) await other.end();
    const run = await cli.result;
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
    await completes(server.url);
  });

  it('makes a run give up after a while', async () => {
    const others = await occupy(server.url);
    const run = await ingest(server.url);
    for (const other of others) await other.end();
    expectClearFailure(run, { code: 1, says: ['no connection left', 'max_connections'] });
    await completes(server.url);
  });

  it('does not keep a run that is told to stop', async () => {
    const others = await occupy(server.url);
    const cli = startCli(args, { env: environment(server.url) });
    await sleep(1500);
    const at = performance.now();
    cli.process.kill('SIGTERM');
    const run = await cli.result;
    for (const other of others) await other.end();
    expect(run.code ?? run.signal).toBe(143);
    expect(performance.now() - at).toBeLessThan(3000);
  });
});

describe('a server that goes away', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(() => query(server.url, 'drop schema public cascade; create schema public'));

  it('in the middle of a run', async () => {
    const { cli, go } = await startAndHold(server.url);
    await server.halt();
    go();
    const run = await cli.result;
    await server.restart();
    expectClearFailure(run, { code: 1, says: [/was lost|refuses the connection/] });
    await completes(server.url);
  });

  it('and comes back before the run needs it again', async () => {
    const { cli, go } = await startAndHold(server.url);
    await server.halt();
    await server.restart();
    go();
    // Its lock went away with the server, and another run may have begun: it must not go on.
    expectClearFailure(await cli.result, { code: 1, says: ['was lost'] });
    await completes(server.url);
  });
});

// Side by side: each of them waits long.
describe.concurrent('a server that falls silent', { timeout: 120_000 }, () => {
  it('in the middle of a run', async ({ expect }) => {
    await using database = await createPostgres();
    await using proxy = await startSilentProxy(database.url);
    await using own = await startStandIn({ world, thinPages: smallPages });
    const { cli, go } = await startAndHold(proxy.url, own);
    proxy.silence();
    go();
    const at = performance.now();
    const run = await cli.result;
    expect(performance.now() - at).toBeLessThan(60_000);
    expectClearFailure(run, { code: 1, says: ['has fallen silent: it answers neither', 'next run goes on'] });
    expect(run.json()).toMatchObject({ status: 'failed' });
    // The server does not know yet; it would notice by its own keepalive.
    await proxy[Symbol.asyncDispose]();
    await completes(database.url);
  });

  it('while the run waits for Slack', async ({ expect }) => {
    await using database = await createPostgres();
    await using proxy = await startSilentProxy(database.url);
    await using own = await startStandIn({ world, thinPages: smallPages });
    const { cli, go } = await startAndHold(proxy.url, own);
    proxy.silence();
    const at = performance.now();
    expectClearFailure(await cli.result, { code: 1, says: ['has fallen silent'] });
    expect(performance.now() - at).toBeLessThan(60_000);
    go();
  });

  it('before the run begins', async ({ expect }) => {
    await using database = await createPostgres();
    await using proxy = await startSilentProxy(database.url);
    proxy.silence();
    const at = performance.now();
    expectClearFailure(await ingest(proxy.url), { code: 1, says: ['does not answer within 10 seconds', 'firewall'] });
    expect(performance.now() - at).toBeLessThan(30_000);
  });

  it('which a signal to stop does not wait for', async ({ expect }) => {
    await using database = await createPostgres();
    await using proxy = await startSilentProxy(database.url);
    await using own = await startStandIn({ world, thinPages: smallPages });
    const { cli, go } = await startAndHold(proxy.url, own);
    proxy.silence();
    go();
    await sleep(500);
    const at = performance.now();
    cli.process.kill('SIGTERM');
    const run = await cli.result;
    // After the eight seconds of grace; the wait itself would be longer.
    expect(performance.now() - at).toBeLessThan(15_000);
    expect(run.code ?? run.signal).toBe('SIGTERM');
    expect(run.stderr).toContain('stopped by SIGTERM without waiting longer for the database');
  });

  it('is not taken for one that works on a long statement', async ({ expect }) => {
    await using database = await createPostgres();
    await using own = await startStandIn({ world, thinPages: smallPages });
    const { cli, go } = await startAndHold(database.url, own);
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin; lock table messages in access exclusive mode');
    go();
    await sleep(30_000);
    expect(cli.process.exitCode).toBeNull();
    await other.query('rollback');
    await other.end();
    const run = await cli.result;
    expect(run.stderr + run.stdout).toContain(`"status":"completed"`);
    expect(run.code).toBe(0);
    await completes(database.url);
  });
});

/** Starts a run that waits for the second page of a history until `go` is called. */
async function startAndHold(url: string, standIn = slack) {
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  let arrived = (): void => undefined;
  const isHeld = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let calls = 0;
  const stop = standIn.onRequest(async ({ method }) => {
    if (method !== 'conversations.history') return;
    calls += 1;
    if (calls !== 2) return;
    arrived();
    await gate;
  });
  const cli = startCli(args, { env: { ...environment(url), SLACK_API_URL: standIn.url } });
  await isHeld;
  return {
    cli,
    go: () => {
      stop();
      go();
    },
  };
}

/** Ends the sessions of the run that works in this URL's schema. */
async function endSessions(url: string): Promise<number> {
  const rows = await query(
    url,
    `select pg_terminate_backend(a.pid) from pg_stat_activity a join pg_locks l on l.pid = a.pid
      where a.application_name = 'slackingest' and l.locktype = 'advisory'
      and (l.classid::bigint << 32 | l.objid::bigint) = (
        select ('x' || substr(md5('slackingest:' || current_schema() || ':workspace:T0SMALL'), 1, 16))::bit(64)::bigint)`,
  );
  return rows.length;
}

/** Takes every connection the server has left. */
async function occupy(url: string): Promise<pg.Client[]> {
  const clients: pg.Client[] = [];
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      clients.push(client);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === '53300') return clients;
      throw error;
    }
  }
}
