/** What cannot be written (a full disk, a reader that is gone) is said where that works, and changes nothing else. */
import { closeSync, openSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { startStandIn } from '../stand-in/server.ts';
import { createSqlite } from '../support/databases.ts';
import { type CliOptions, runCli, startCli } from '../support/run-cli.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';

const { world, token } = smallWorkspace();
const ingest = ['ingest', '--backfill-from', smallBackfillFrom];
const isLinux = process.platform === 'linux';

/** Every write to it fails as on a disk without room (full(4)); there is one on Linux only. */
function fullDisk(): number {
  const fd = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(fd));
  return fd;
}

async function openLab() {
  const database = await createSqlite();
  const slack = await startStandIn({ world, thinPages: smallPages });
  const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
  return {
    database,
    run: (args: readonly string[], options: CliOptions = {}) => runCli(args, { ...options, env }),
    start: (args: readonly string[], options: CliOptions = {}) => startCli(args, { ...options, env }),
    async [Symbol.asyncDispose]() {
      await slack.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

it.runIf(isLinux).each([
  { outputs: ['stderr'], json: false, code: 0 },
  { outputs: ['stdout'], json: false, code: 1 },
  { outputs: ['stdout', 'stderr'], json: true, code: 1 },
] as const)('copies and records everything when $outputs stand on a full disk', async ({ outputs, json, code }) => {
  await using lab = await openLab();
  const full = fullDisk();
  const args = [...ingest, '--log-level', 'debug', ...(json ? ['--json'] : [])];
  const run = await lab.run(args, Object.fromEntries(outputs.map((output) => [output, full])));
  expect({ code: run.code, stdout: run.stdout.split('\n')[0] }).toEqual({
    code,
    stdout: code === 0 ? expect.stringMatching(/: done in /) : '',
  });
  expect(await lab.database.rows('runs')).toMatchObject([{ status: 'completed', exit_code: 0 }]);
  expect(await lab.database.rows('messages')).not.toEqual([]);
});

it.runIf(isLinux)('says in one sentence that the result could not be written', async () => {
  await using lab = await openLab();
  const { code, stderr } = await lab.run([...ingest, '--log-level', 'error'], { stdout: fullDisk() });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: the result could not be written to standard output: no space left on device .*\n$/);
});

it.runIf(isLinux).each([
  [['--help'], 1],
  [['--version'], 1],
  [['status', '--json'], 1],
  [['migrate', '--status'], 1],
  [['ingest', '--nonsense', '--json'], 2],
  [[], 2],
])('ends with a code and no stack when the output of %j has no room', async (args, code) => {
  await using lab = await openLab();
  const full = fullDisk();
  const run = await lab.run(args, { stdout: full });
  expect(run.code).toBe(code);
  expect(run.stderr).not.toMatch(/\n\s+at /);
  expect((await lab.run(args, { stdout: full, stderr: full })).code).toBe(code);
});

it('goes on to the end when whoever read its log and its result is gone', async () => {
  await using lab = await openLab();
  const { process: child, result } = lab.start([...ingest, '--log-level', 'debug', '--json']);
  child.stdout?.destroy();
  child.stderr?.destroy();
  const { code, signal } = await result;
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  expect(await lab.database.rows('runs')).toMatchObject([{ status: 'completed', exit_code: 0 }]);
});

it('goes on to the end while nobody reads its log', async () => {
  await using lab = await openLab();
  const { process: child, result } = lab.start([...ingest, '--log-level', 'debug', '--log-format', 'json']);
  child.stderr?.pause();
  const { stdout } = child;
  await new Promise((done) => stdout?.once('data', done));
  expect(await lab.database.rows('runs')).toMatchObject([{ status: 'completed', exit_code: 0 }]);
  child.stderr?.resume();
  expect((await result).code).toBe(0);
});
