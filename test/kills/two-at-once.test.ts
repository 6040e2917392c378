/** Two runs never work on one workspace at the same time, and a lock never outlives its owner for long. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { describe, expect, it } from 'vitest';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import { World } from '../stand-in/world.ts';
import { createPostgres, createSqlite, eachDatabase, type TestDatabase } from '../support/databases.ts';
import { locksLeft } from '../support/locks.ts';
import { type RunningCli, runCli, startCli } from '../support/run-cli.ts';
import { addSmallWorkspace, smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';
import { stored, storedSlack } from '../support/stored.ts';

const { world, token, workspace } = smallWorkspace();
const ingest = ['ingest', '--json', '--backfill-from', smallBackfillFrom];

eachDatabase((create) => {
  it('lets one work and turns the other away, which writes nothing and says who works', async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const { first, finish } = await startAndHold(slack, env);
    const before = await stored(database);

    const second = await runCli(['ingest'], { env });
    expect(second.code).toBe(75);
    expect(second.stderr).toContain('another run is working on Small');
    expect(second.stderr).toContain(`process ${first.process.pid} `);
    expect(second.stderr).toContain('--lock-timeout');
    expect(second.stdout).toBe('');
    const inJson = await runCli(['ingest', '--json'], { env });
    expect(inJson.code).toBe(75);
    expect(inJson.json()).toMatchObject({ run_id: null, status: 'failed', errors: [{ code: 'locked' }] });
    const users = await runCli(['sync-users'], { env });
    expect(users.code).toBe(75);
    expect(withoutHeartbeat(await stored(database))).toEqual(withoutHeartbeat(before));

    expect((await finish()).code).toBe(0);
    expect((await runCli(['ingest'], { env })).code).toBe(0);
    expect(await database.rows('runs')).toHaveLength(2);
  });

  it('waits as long as --lock-timeout allows for a run that keeps its lock alive, and then works', async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const { finish } = await startAndHold(slack, env);

    const impatient = await runCli(['ingest', '--lock-timeout', '1s'], { env });
    expect(impatient.code).toBe(75);
    const patient = startCli(['ingest', '--json', '--lock-timeout', '20s'], { env });
    const [before] = await database.rows('locks');
    const [began] = await database.rows('runs');
    // Long enough for many looks at the lock, and for a heartbeat of the run that only waits for Slack.
    await sleep(7000);
    const [after] = await database.rows('locks');
    expect(after).toMatchObject({ owner: before?.['owner'] });
    expect(String(after?.['expires_at']) > String(before?.['expires_at'])).toBe(true);
    const [beating] = await database.rows('runs', { where: `run_id = '${began?.['run_id']}'` });
    expect(String(beating?.['heartbeat_at']) > String(began?.['heartbeat_at'])).toBe(true);
    expect((await finish()).code).toBe(0);
    const second = await patient.result;
    expect({ code: second.code, stderr: second.stderr }).toMatchObject({ code: 0 });
    expect(second.stderr).not.toMatch(/warning/i);
    expect(second.json()).toMatchObject({ status: 'completed', messages: { inserted: 0, updated: 0 } });
    expect(await locksLeft(database, workspace.id)).toEqual([]);
  });

  it('takes over at once from a run that was killed, and puts that on record', async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const { first, finish } = await startAndHold(slack, env);
    first.process.kill('SIGKILL');
    await finish();

    const startedAt = performance.now();
    const next = await runCli(ingest, { env });
    expect({ code: next.code, stderr: next.stderr }).toMatchObject({ code: 0 });
    expect(performance.now() - startedAt).toBeLessThan(8000);
    expect(next.stderr).toMatch(/warning: 1 earlier run/);
    expect(await database.rows('runs', { order: 'started_at' })).toMatchObject([
      { status: 'failed', error: expect.stringContaining('abandoned'), finished_at: expect.any(String) },
      { status: 'completed', exit_code: 0, error: null },
    ]);
    expect(await locksLeft(database, workspace.id)).toEqual([]);
  });

  it('leaves two workspaces in one new database alone with each other', async () => {
    await using database = await create();
    const both = new World({ start: Date.now() - 100 * 86_400_000 });
    const small = [addSmallWorkspace(both), addSmallWorkspace(both, { id: 'T0OTHER', name: 'Other' })];
    await using slack = await startStandIn({ world: both, thinPages: smallPages });
    const runs = await Promise.all(
      small.map(({ token: own }) =>
        runCli(ingest, { env: { SLACK_TOKEN: own, SLACK_API_URL: slack.url, DATABASE_URL: database.url } }),
      ),
    );
    expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toMatchObject([{ code: 0 }, { code: 0 }]);
    for (const { workspace: one, channels } of small) {
      const truth = channels.flatMap((channel) => channel.expectedMessages().map(({ ts }) => ts));
      const rows = await database.rows('messages', { where: `team_id = '${one.id}'` });
      expect(rows.map(({ ts }) => ts).sort()).toEqual(truth.sort());
    }
    expect(await database.rows('locks')).toEqual([]);
  });

  it('lets several start on an empty database at once: one works, none breaks', async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const runs = await Promise.all(Array.from({ length: 4 }, () => runCli(ingest, { env })));
    for (const { code, stderr } of runs) expect([0, 75], stderr).toContain(code);
    expect(runs.map(({ code }) => code)).toContain(0);
    await using undisturbed = await create();
    await runCli(ingest, { env: { ...env, DATABASE_URL: undisturbed.url } });
    expect(await storedSlack(database)).toEqual(await storedSlack(undisturbed));
  });
});

describe('a lock row in SQLite', () => {
  it('that another run took over stops the run that stood still: it writes nothing more', async () => {
    await using database = await createSqlite();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const { finish } = await startAndHold(slack, env);
    // As another run does that finds the lock expired.
    await execute(database, `update locks set owner = 'another', host = 'elsewhere', pid = 4711`);
    const before = await storedSlack(database);

    const overtaken = await finish();
    expect(overtaken.code).toBe(75);
    expect(overtaken.stderr + overtaken.stdout).toContain('lost its lock');
    expect(await storedSlack(database)).toEqual(before);
    // What is not ours is not ours to release.
    expect(await database.rows('locks')).toMatchObject([{ owner: 'another', pid: 4711 }]);
  });

  it.each([
    { who: 'another machine', host: 'elsewhere', expiresIn: 30_000, code: 75 },
    { who: 'another machine, expired', host: 'elsewhere', expiresIn: -1, code: 0 },
    { who: 'this machine, by a process that lives', host: 'here', expiresIn: 30_000, code: 75 },
    { who: 'this machine, by a process that lives, expired', host: 'here', expiresIn: -1, code: 0 },
  ])('of $who ends with exit code $code', async ({ host, expiresIn, code }) => {
    await using database = await createSqlite();
    await using slack = await startStandIn({ world });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    await leaveLock(slack, env, database, { host, pid: process.pid, expiresIn });

    const run = await runCli(ingest, { env });
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code });
    if (code === 75) {
      expect(run.stderr).toContain(`process ${process.pid} on `);
      if (host === 'elsewhere') expect(run.stderr).toContain('on elsewhere');
    } else {
      expect(await database.rows('locks')).toEqual([]);
    }
  });
});

it('a lock row in Postgres blocks nobody when no session holds the lock', async () => {
  await using database = await createPostgres();
  await using slack = await startStandIn({ world });
  const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
  await leaveLock(slack, env, database, { host: 'elsewhere', pid: 4711, expiresIn: 30_000 });
  expect((await runCli(ingest, { env })).code).toBe(0);
  expect(await database.rows('locks')).toEqual([]);
});

type Environment = Record<string, string>;

/** Starts a run and keeps it waiting for an answer of Slack until `finish` is called. */
async function startAndHold(slack: StandIn, env: Environment) {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  let arrived = (): void => undefined;
  const isHeld = new Promise<void>((resolve) => (arrived = resolve));
  let stop = (): void => undefined;
  let isFirst = true;
  stop = slack.onRequest(async ({ method }) => {
    if (method !== 'conversations.history' || !isFirst) return;
    isFirst = false;
    arrived();
    await gate;
  });
  const first: RunningCli = startCli(ingest, { env });
  await isHeld;
  const finish = () => {
    stop();
    open();
    return first.result;
  };
  return { first, finish };
}

/** Leaves the row of a killed run, changed to tell of another owner. `here` keeps the machine. */
async function leaveLock(
  slack: StandIn,
  env: Environment,
  database: TestDatabase,
  lock: { host: string; pid: number; expiresIn: number },
): Promise<void> {
  const { first, finish } = await startAndHold(slack, env);
  first.process.kill('SIGKILL');
  await finish();
  const host = lock.host === 'here' ? 'host' : `'${lock.host}'`;
  const expiresAt = new Date(Date.now() + lock.expiresIn).toISOString();
  await execute(database, `update locks set host = ${host}, pid = ${lock.pid}, expires_at = '${expiresAt}'`);
  expect(await database.rows('locks')).toHaveLength(1);
}

async function execute(database: TestDatabase, statement: string): Promise<void> {
  const dialect = await database.open();
  await dialect.db.executeQuery(CompiledQuery.raw(statement));
}

function withoutHeartbeat(found: Awaited<ReturnType<typeof stored>>) {
  const still = (row: Record<string, unknown>) => ({ ...row, heartbeat_at: null, expires_at: null });
  return { ...found, runs: found['runs']?.map(still), locks: found['locks']?.map(still), rate_limits: null };
}
