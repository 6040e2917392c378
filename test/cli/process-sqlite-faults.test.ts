/** What can go wrong with the file of the database: a clear word, exit code 1, and nothing lost. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { bulkWorkspace } from '../stand-in/bulk-workspace.ts';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import { expectClearFailure } from '../support/clear-failure.ts';
import { runWithFileLimit } from '../support/file-limit.ts';
import { type CliResult, type RunningCli, runCli, startCli } from '../support/run-cli.ts';

const { world, token, workspace } = bulkWorkspace({ channels: 3, messages: 1500, users: 20, days: 20 });
const truth = [...workspace.channels.values()]
  .flatMap((channel) => channel.expectedMessages().map(({ ts }) => ts))
  .sort();

let slack: StandIn;
let folder: string;
beforeAll(async () => {
  slack = await startStandIn({
    world,
    thinPages: ({ method, limit }) => (method === 'conversations.history' ? 50 : limit),
  });
});
afterAll(() => slack.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slackingest-faults-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const environment = (path: string) => ({
  SLACK_TOKEN: token,
  SLACK_API_URL: slack.url,
  DATABASE_URL: `sqlite:${path}`,
});

const ingest = (path: string) => runCli(['ingest', '--json'], { env: environment(path) });

async function completes(path: string): Promise<void> {
  const run = await ingest(path);
  expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
  const database = new Database(path, { readonly: true });
  const rows = database.prepare('select ts from messages order by ts').pluck().all();
  expect(rows).toEqual(truth);
  expect(database.prepare('pragma integrity_check').pluck().get()).toBe('ok');
  database.close();
}

it('a path below a file', async () => {
  writeFileSync(join(folder, 'file'), 'content');
  expectClearFailure(await ingest(join(folder, 'file', 'store.db')), {
    code: 1,
    says: ['cannot be opened or created', '--database'],
  });
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('content');
});

it.skipIf(!existsSync('/proc/self'))('a folder that cannot be made', async () => {
  expectClearFailure(await ingest('/proc/slackingest/store.db'), { code: 1, says: ['cannot be opened or created'] });
});

it('a folder that does not exist yet is made', async () => {
  await completes(join(folder, 'some', 'where', 'store.db'));
});

it('a folder in the place of the file', async () => {
  mkdirSync(join(folder, 'store.db'));
  expectClearFailure(await ingest(join(folder, 'store.db')), { code: 2, says: ['names a folder'] });
});

it('a file that is no database, which stays as it is', async () => {
  const path = join(folder, 'notes.txt');
  const text = 'These are my notes.\n'.repeat(200);
  writeFileSync(path, text);
  for (const args of [['ingest', '--json'], ['migrate'], ['migrate', '--status'], ['ingest', '--dry-run']]) {
    const run = await runCli(args, { env: environment(path) });
    expectClearFailure(run, { code: 1, says: ['is not an SQLite database'] });
  }
  expect(readFileSync(path, 'utf8')).toBe(text);
});

it('a damaged database', async () => {
  const path = join(folder, 'store.db');
  await completes(path);
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 4096, bytes.length);
  writeFileSync(path, bytes);
  rmSync(`${path}-wal`, { force: true });
  expectClearFailure(await ingest(path), { code: 1, says: ['damaged', 'backup'] });
});

it('the database of another program', async () => {
  const path = join(folder, 'other.db');
  const other = new Database(path);
  other.exec('create table messages (body text)');
  other.close();
  expectClearFailure(await ingest(path), { code: 1, says: ['that slackingest did not make', 'of its own'] });
});

it('a file that another program keeps locked', async () => {
  const path = join(folder, 'store.db');
  expect((await ingest(path)).code).toBe(0);
  const other = new Database(path);
  other.exec('begin exclusive');
  const before = other.prepare('select count(*) from runs').pluck().get();
  const run = await ingest(path);
  expectClearFailure(run, { code: 1, says: ['stayed locked by another program for 10 seconds'] });
  expect(other.prepare('select count(*) from runs').pluck().get()).toBe(before);
  other.exec('rollback');
  other.close();
  await completes(path);
});

it('a file that another program locks only for a moment', async () => {
  const path = join(folder, 'store.db');
  expect((await ingest(path)).code).toBe(0);
  const other = new Database(path);
  other.exec('begin exclusive');
  const run = ingest(path);
  setTimeout(() => other.exec('rollback'), 2000);
  expect((await run).code).toBe(0);
  other.close();
});

it('a file that another program keeps locked, and a signal to stop while it waits', async () => {
  const path = join(folder, 'store.db');
  await completes(path);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const other = new Database(path);
    other.exec('begin exclusive');
    const cli = startCli(['ingest', '--json'], { env: environment(path) });
    await nextCall('auth.test');
    await sleep(500);
    await expectStopped(cli, signal);
    other.close();
  }
  await completes(path);
});

it('a file that another program locks in the middle of a run, and a signal to stop', async () => {
  const path = join(folder, 'store.db');
  await completes(path);
  const cli = startCli(['ingest', '--json', '--lookback', '30d'], { env: environment(path) });
  const other = new Database(path);
  await nextCall('conversations.history', () => other.exec('begin exclusive'));
  await sleep(500);
  await expectStopped(cli, 'SIGTERM');
  other.close();
  await completes(path);
});

it('a file without write-ahead log that another program keeps locked, and a signal to stop', async () => {
  const path = join(folder, 'other.db');
  const other = new Database(path);
  other.exec('create table notes (body text); begin exclusive');
  const cli = startCli(['ingest', '--json'], { env: environment(path) });
  await sleep(1500);
  await expectStopped(cli, 'SIGTERM');
  other.close();
});

it('a file that is deleted while a run works on it', async () => {
  const path = join(folder, 'store.db');
  const cli = startCli(['ingest', '--json'], { env: environment(path) });
  await nextCall('conversations.history', () => deleteDatabase(path));
  const run = await cli.result;
  expectClearFailure(run, { code: 1, says: ['was deleted or moved away while the run worked on it', 'run again'] });
  expect(run.json()).toMatchObject({ status: 'failed', errors: [{ code: 'database_error' }] });
  await completes(path);
});

it('a file that is deleted while Slack does not answer: the run does not wait for Slack', async () => {
  const path = join(folder, 'store.db');
  slack.faults.add({ kind: 'hang', method: 'conversations.history' });
  const cli = startCli(['ingest', '--json'], { env: environment(path) });
  await nextCall('conversations.history', () => deleteDatabase(path));
  const at = performance.now();
  expectClearFailure(await cli.result, { code: 1, says: ['was deleted or moved away'] });
  expect(performance.now() - at).toBeLessThan(8000);
  slack.faults.clear();
});

it('a file that is replaced while a run works on it, which stays as it is', async () => {
  const path = join(folder, 'store.db');
  await completes(path);
  const backup = join(folder, 'backup.db');
  new Database(path).prepare('vacuum into ?').run(backup);
  const bytes = readFileSync(backup);
  const cli = startCli(['ingest', '--json', '--lookback', '30d'], { env: environment(path) });
  await nextCall('conversations.history', () => {
    deleteDatabase(path);
    renameSync(backup, path);
  });
  expectClearFailure(await cli.result, { code: 1, says: ['was replaced by another file', 'run again'] });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  await completes(path);
});

/** Resolves when Slack is called so for the next time, after `then`; the answer waits for it. */
function nextCall(wanted: string, then: () => void = () => undefined): Promise<void> {
  return new Promise((called) => {
    const stop = slack.onRequest(({ method }) => {
      if (method !== wanted) return;
      stop();
      then();
      called();
    });
  });
}

/** Soon, by the signal's exit code, and with the one object on stdout. */
async function expectStopped(cli: RunningCli, signal: 'SIGTERM' | 'SIGINT'): Promise<void> {
  const sentAt = performance.now();
  cli.process.kill(signal);
  const run = await cli.result;
  // Half a second on a machine that has nothing else to do; without it the ten of the wait.
  expect(performance.now() - sentAt).toBeLessThan(4000);
  expectClearFailure(run, { code: signal === 'SIGTERM' ? 143 : 130, says: [] });
  expect(run.json()).toMatchObject({ status: 'interrupted' });
}

/** With the write-ahead log and its index, as `rm store.db*` does. */
function deleteDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

it('a disk that fills up in the middle of a run (by a limit of file size)', async () => {
  const path = join(folder, 'store.db');
  const run = await ingestWithFileLimit(path, (await emptyBytes()) + 600_000);
  expectClearFailure(run, { code: 1, says: ['the disk is full', 'Free some space'] });
  const kept = new Database(path, { readonly: true });
  expect(kept.prepare('select count(*) from messages').pluck().get()).toBeGreaterThan(0);
  kept.close();
  await completes(path);
});

it('a disk that is full before the schema is there (by a limit of file size)', async () => {
  const path = join(folder, 'store.db');
  expectClearFailure(await ingestWithFileLimit(path, 50_000), { code: 1, says: ['the disk is full'] });
  await completes(path);
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();

it.skipIf(!canMount)('a disk that is really full', async () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  // The file and its write-ahead log both hold the schema.
  asRoot('mount', '-t', 'tmpfs', '-o', `size=${2 * (await emptyBytes()) + 600_000}`, 'tmpfs', disk);
  try {
    const path = join(disk, 'store.db');
    const run = await ingest(path);
    expectClearFailure(run, { code: 1, says: ['the disk is full', 'Free some space'] });
    asRoot('mount', '-o', 'remount,size=64m', disk);
    await completes(path);
  } finally {
    asRoot('umount', '-l', disk);
  }
});

it.skipIf(!canMount)('a disk that may only be read', async () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  asRoot('mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk);
  try {
    const path = join(disk, 'store.db');
    await completes(path);
    asRoot('mount', '-o', 'remount,ro', disk);
    expectClearFailure(await ingest(path), { code: 1, says: [/cannot be (written|opened)/] });
    expectClearFailure(await ingest(join(disk, 'new.db')), { code: 1, says: [/cannot be (written|opened)/] });
    asRoot('mount', '-o', 'remount,rw', disk);
    await completes(path);
  } finally {
    asRoot('umount', '-l', disk);
  }
});

function asRoot(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: 'ignore' });
}

function tryMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'slackingest-mount-'));
  try {
    asRoot('mount', '-t', 'tmpfs', 'tmpfs', place);
    asRoot('umount', place);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Of a database that holds the schema and no rows: what a limit must leave room for to be met in the middle of a run. */
async function emptyBytes(): Promise<number> {
  const path = join(folder, 'empty.db');
  expect(await runCli(['migrate'], { env: environment(path) })).toMatchObject({ code: 0 });
  return statSync(path).size;
}

function ingestWithFileLimit(path: string, bytes: number): Promise<CliResult> {
  return runWithFileLimit(['ingest', '--json'], { HOME: folder, SLACKINGEST_PACE: 'off', ...environment(path) }, bytes);
}
