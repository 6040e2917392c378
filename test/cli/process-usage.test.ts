/** The program as a person meets it: help, mistakes and their exit codes, and what never gets out. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startStandIn } from '../stand-in/server.ts';
import { expectClearFailure } from '../support/clear-failure.ts';
import { createPostgres, eachDatabase } from '../support/databases.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';
import { smallPages, smallWorkspace } from '../support/small-workspace.ts';

const bin = fileURLToPath(new URL('../../bin/slackingest.js', import.meta.url));
const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const token = 'xoxb-1234567890-ABCDEFsecretsecret';
const { world, token: goodToken } = smallWorkspace();

/** Nobody listens there (any more). */
let deadApi: string;
beforeAll(async () => {
  const gone = await startStandIn({ world });
  deadApi = gone.url;
  await gone.close();
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slackingest-usage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(args: readonly string[], env: Record<string, string | undefined> = {}): Promise<CliResult> {
  return runCli(args, {
    cwd: folder,
    env: {
      HOME: folder,
      DATABASE_URL: `sqlite:${join(folder, 'store.db')}`,
      SLACK_TOKEN: token,
      SLACK_API_URL: deadApi,
      ...env,
    },
  });
}

/** Nothing was started: no database, and no result on stdout but, with --json, the object that says so. */
async function expectUsageError(
  args: readonly string[],
  env: Record<string, string | undefined>,
  says: readonly (string | RegExp)[],
): Promise<CliResult> {
  const result = await run(args, env);
  expectClearFailure(result, { code: 2, says });
  if (!args.includes('--json')) expect(result.stdout).toBe('');
  expect(readdirSync(folder).filter((name) => name.includes('.db'))).toEqual([]);
  return result;
}

describe('help', () => {
  it('is shown without arguments, as a mistake', async () => {
    const result = await run([]);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 2, stdout: '' });
    expect(result.stderr).toContain('Usage: slackingest [options] [command]');
  });

  it('tells commands, options and exit codes, on stdout', async () => {
    const result = await run(['--help']);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    for (const words of [
      'Usage: slackingest [options] [command]',
      'Keeps a complete, queryable copy of Slack workspaces in SQLite or Postgres.',
      ...['--database <url>', '--config <file>', '--json', '--log-format <format>', '--log-level <level>'],
      ...['--quiet', '--no-migrate', '--no-color', '--version', '--help'],
      ...['ingest', 'sync-users', 'migrate'],
      'Exit codes:',
      ...[
        /\n +0 +done/,
        /\n +1 +failed/,
        /\n +2 +usage/,
        /\n +3 +partial/,
        /\n +4 +Slack refused/,
        /\n +75 +another run/,
        /\n +130 +stopped by SIGINT/,
        /\n +143 +stopped by SIGTERM or SIGHUP/,
      ],
      ...['SLACK_TOKEN', 'DATABASE_URL'],
    ]) {
      expect(result.stdout).toMatch(words);
    }
    expect(result.stdout.split('\n').every((line) => line.length <= 120)).toBe(true);
  });

  it('of a command tells its own options and the global ones', async () => {
    const ingest = await run(['ingest', '--help']);
    expect(ingest.code).toBe(0);
    for (const option of [
      ...['--workspace', '--channel', '--exclude', '--backfill-from', '--lookback', '--no-threads', '--max-duration'],
      ...['--max-requests', '--join', '--lock-timeout', '--dry-run', '--database', '--json', '--no-migrate'],
    ]) {
      expect(ingest.stdout).toContain(option);
    }
    const migrate = await run(['migrate', '--help']);
    for (const option of ['--status', '--dry-run', '--to']) expect(migrate.stdout).toContain(option);
    expect((await run(['help', 'ingest'])).stdout).toBe(ingest.stdout);
  });

  it('needs neither token nor database nor a home, and tells the version', async () => {
    const bare = { SLACK_TOKEN: undefined, DATABASE_URL: undefined, HOME: '/nowhere', SLACK_API_URL: undefined };
    const version = await run(['--version'], bare);
    expect(version).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
    expect((await run(['ingest', '--help'], bare)).code).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a mistake ends with exit code 2 before anything is started:', () => {
  it.each<[string, string[], Record<string, string | undefined>, (string | RegExp)[]]>([
    [
      'a workspace given twice',
      ['ingest', '--workspace', 'acme', '--workspace', 'lab'],
      {},
      ['--workspace', 'It can be given once'],
    ],
    ['an unknown command', ['injest'], {}, ["unknown command 'injest'", 'ingest']],
    ['an unknown flag', ['ingest', '--jsno'], {}, ["unknown option '--jsno'", '--json']],
    ['an unknown global flag', ['--frobnicate'], {}, ["unknown option '--frobnicate'"]],
    ['a flag without its value', ['ingest', '--lookback'], {}, ['--lookback']],
    ['an argument too many', ['ingest', 'general'], {}, [/too many arguments/]],
    ['a bad duration', ['ingest', '--lookback', '7 days'], {}, ['--lookback', '7 days', '36h']],
    ['a bad budget of time', ['ingest', '--max-duration', '-5m'], {}, ['--max-duration']],
    ['a budget of no time', ['ingest', '--max-duration', '0s'], {}, ['--max-duration', 'no time']],
    ['a bad budget of requests', ['ingest', '--max-requests', '1e3'], {}, ['--max-requests', 'whole number']],
    ['a bad lock timeout', ['ingest', '--lock-timeout', 'soon'], {}, ['--lock-timeout', 'soon']],
    ['a bad date', ['ingest', '--backfill-from', '2025-02-30'], {}, ['--backfill-from', '2025-02-30', 'calendar']],
    ['a date of another form', ['ingest', '--backfill-from', '01/02/2025'], {}, ['--backfill-from', 'YYYY-MM-DD']],
    ['a date to come', ['ingest', '--backfill-from', '2999-01-01'], {}, ['in the future']],
    ['a bad log level', ['ingest', '--log-level', 'loud'], {}, ['loud', 'debug']],
    ['a bad log format', ['ingest', '--log-format', 'xml'], {}, ['xml', 'json']],
    ['no token', ['ingest'], { SLACK_TOKEN: undefined }, ['no Slack token', 'SLACK_TOKEN', 'SLACK_TOKEN_FILE']],
    ['an empty token', ['ingest'], { SLACK_TOKEN: '' }, ['SLACK_TOKEN', 'empty']],
    ['a token of the wrong kind', ['ingest'], { SLACK_TOKEN: 'xapp-1-A-secretsecret' }, ['app-level token', 'xoxb-']],
    ['no token at all but a word', ['ingest'], { SLACK_TOKEN: 'secretsecret' }, ['does not hold a Slack token']],
    [
      'a token file that is not there',
      ['ingest'],
      { SLACK_TOKEN: undefined, SLACK_TOKEN_FILE: '/nowhere/token' },
      ['/nowhere/token'],
    ],
    ['a workspace nobody configured', ['ingest', '--workspace', 'acme'], {}, ['no workspace "acme"', 'default']],
    ['a config file that is not there', ['ingest', '--config', 'none.yaml'], {}, ['none.yaml']],
    ['a database of no kind', ['ingest', '--database', 'mysql://root@localhost/x'], {}, ['sqlite:', 'postgres://']],
    ['a path in place of the URL', ['ingest', '--database', 'store.db'], {}, ['sqlite:']],
    [
      'a Slack address without encryption',
      ['ingest'],
      { SLACK_API_URL: 'http://slack.example/api/' },
      ['SLACK_API_URL', 'unencrypted'],
    ],
    ['a Slack address of no kind', ['ingest'], { SLACK_API_URL: 'ftp://127.0.0.1/' }, ['SLACK_API_URL']],
    [
      'a Slack address with a password',
      ['ingest'],
      { SLACK_API_URL: 'https://me:secretsecret@slack.com/api/' },
      ['SLACK_API_URL', 'user name or password'],
    ],
    [
      'no pace at the real Slack',
      ['ingest'],
      { SLACK_API_URL: undefined, SLACKINGEST_PACE: 'off' },
      ['SLACKINGEST_PACE', 'faster than Slack allows'],
    ],
    [
      'no pace at another host',
      ['ingest'],
      { SLACK_API_URL: 'https://slack.example/api/', SLACKINGEST_PACE: 'off' },
      ['SLACKINGEST_PACE'],
    ],
    [
      'a pace above 1',
      ['ingest'],
      { SLACK_API_URL: undefined, SLACKINGEST_PACE: '2' },
      ['SLACKINGEST_PACE', 'at most 1'],
    ],
    ['a pace that is none', ['ingest'], { SLACKINGEST_PACE: 'fast' }, ['SLACKINGEST_PACE', 'fast']],
  ])('%s', async (_, args, env, says) => {
    const result = await expectUsageError(args, env, says);
    expect(result.stderr).not.toContain('secretsecret');
  });

  it.each([
    ['databse: sqlite:x.db', ['unknown key "databse"', 'did you mean "database"?']],
    ['channels:\n  inlcude: [general]', ['channels.inlcude', 'did you mean "include"?']],
    ['lookback: soon', ['lookback', 'soon']],
    ['workspaces:\n  - name: acme\n    token_env: xoxb-1-secretsecret', ['workspaces[0].token_env', 'leaked']],
    ['database: postgres://me:secretsecret@host/db', ['password', 'PGPASSWORD']],
    ['{', ['slackingest.yaml:']],
  ])('a config file of %j', async (text, says) => {
    writeFileSync(join(folder, 'slackingest.yaml'), text);
    const result = await expectUsageError(['ingest'], {}, ['slackingest.yaml', ...says]);
    expect(result.stderr).not.toContain('secretsecret');
  });

  it.each([
    [['ingest', '--json'], { SLACK_TOKEN: undefined }],
    [['ingest', '--json', '--database', 'mysql://x'], {}],
    [['ingest', '--json', '--lookback', 'x'], {}],
    [['ingest', '--json', '--backfill-from', '2025-02-30'], {}],
  ])('and is told to programs as well: %j prints one object on stdout', async (args, env) => {
    const result = await run(args, env);
    expect(result.code).toBe(2);
    expect(result.stdout).not.toBe('');
    expect(result.json()).toMatchObject({
      run_id: null,
      command: 'ingest',
      status: 'failed',
      errors: [{ hint: expect.any(String) }],
    });
  });
});

eachDatabase((create, name) => {
  describe('Slack', () => {
    it('refuses the token: exit code 4, on record, one object', async () => {
      await using database = await create();
      await using slack = await startStandIn({ world });
      const env = { DATABASE_URL: database.url, SLACK_API_URL: slack.url };
      const refused = await run(['ingest', '--json'], env);
      expect(refused.code).toBe(4);
      expect(refused.json()).toMatchObject({
        status: 'failed',
        errors: [{ code: 'invalid_auth', hint: expect.any(String) }],
      });
      expect(await database.rows('runs')).toMatchObject([{ status: 'failed', exit_code: 4 }]);
      const forPeople = await run(['ingest'], env);
      expectClearFailure(forPeople, { code: 4, says: ['invalid_auth'] });
      expect(refused.stderr + refused.stdout + forPeople.stderr + forPeople.stdout).not.toContain('secretsecret');
    });

    it('is out of reach: the message speaks of Slack, not of the database', async () => {
      await using database = await create();
      const result = await run(['ingest', '--json'], { DATABASE_URL: database.url });
      expectClearFailure(result, { code: 1, says: ['auth.test', 'did not reach Slack', 'ECONNREFUSED'] });
      expect(result.stdout).not.toMatch(/Postgres|SQLite/);
      expect(result.json()).toMatchObject({ status: 'failed', errors: [{ code: 'ECONNREFUSED' }] });
    });
  });

  it('without --json the result is short, on stdout, and the rest on stderr', async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { DATABASE_URL: database.url, SLACK_API_URL: slack.url, SLACK_TOKEN: goodToken };
    const first = await run(['ingest'], env);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^Small: done in /);
    expect(first.stdout.trimEnd().split('\n').length).toBeLessThan(8);
    expect(first.stderr).toMatch(/brought up to date/);
    const quiet = await run(['ingest', '--quiet'], env);
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const asJson = await run(['ingest', '--json', '--log-format', 'json', '--log-level', 'debug'], env);
    expect(asJson.code).toBe(0);
    expect(asJson.json()).toMatchObject({ status: 'completed', errors: [], remaining: null });
    for (const line of asJson.stderr.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
    expect(name).toBeTypeOf('string');
  });

  it('a token is found nowhere: not in the output, whatever the log level, and not in the database', async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { DATABASE_URL: database.url, SLACK_API_URL: slack.url, SLACK_TOKEN: goodToken };
    const ok = await run(['ingest', '--json', '--log-level', 'debug'], env);
    expect(ok.code).toBe(0);
    slack.faults.add({ method: 'conversations.history', kind: 'html', times: Infinity });
    const failed = await run(['ingest', '--log-level', 'debug', '--lookback', '30d'], env);
    expect(failed.code).toBe(1);
    expect(ok.stdout + ok.stderr + failed.stdout + failed.stderr).not.toContain(goodToken.slice(5));
    for (const table of ['runs', 'run_channels', 'messages', 'workspaces', 'rate_limits', 'ingestion_state']) {
      expect(JSON.stringify(await database.rows(table))).not.toContain(goodToken.slice(5));
    }
  });

  it('a reader that goes away before it has read the result leaves the work as it is, a code and one sentence', async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { DATABASE_URL: database.url, SLACK_API_URL: slack.url, SLACK_TOKEN: goodToken };
    const script = '"$0" "$@" | true; echo "$PIPESTATUS"';
    for (const args of [['--help'], ['migrate', '--dry-run'], ['ingest', '--json']]) {
      const child = spawn('bash', ['-c', script, process.execPath, bin, ...args], {
        env: { PATH: process.env['PATH'], HOME: folder, SLACKINGEST_PACE: 'off', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      let errors = '';
      child.stderr.on('data', (chunk) => (errors += chunk));
      await new Promise((done) => child.once('close', done));
      expect({ args, output }).toEqual({ args, output: '1\n' });
      expect(errors).toContain('error: the result could not be written to standard output: broken pipe (EPIPE)');
      expect(errors).not.toMatch(/\n\s+at /);
    }
    expect(await database.rows('runs')).toMatchObject([{ status: 'completed' }]);
  });
});

it('a stack trace is shown at the log level debug only, and holds no password', async () => {
  await using database = await createPostgres();
  const url = new URL(database.url);
  url.pathname = '/nowhere';
  url.password = 'secretsecret';
  const plain = await run(['ingest', '--json'], { DATABASE_URL: url.href });
  expectClearFailure(plain, { code: 1, says: ['"nowhere" does not exist'] });
  for (const flags of [['--log-level', 'debug'], ['--log-level=debug']]) {
    const debug = await run(['ingest', ...flags], { DATABASE_URL: url.href });
    expect(debug.code).toBe(1);
    expect(debug.stderr).toMatch(/\n\s+at /);
    expect(debug.stderr + plain.stderr + plain.stdout).not.toContain('secretsecret');
  }
});

it('without any setting the database is a private file in the data directory', async () => {
  await using slack = await startStandIn({ world });
  const env = { DATABASE_URL: undefined, SLACK_API_URL: slack.url, SLACK_TOKEN: goodToken };
  expect((await run(['ingest'], env)).code).toBe(0);
  expect(existsSync(join(folder, '.local', 'share', 'slackingest', 'slackingest.db'))).toBe(true);
  expect((await run(['ingest'], { ...env, XDG_DATA_HOME: join(folder, 'xdg') })).code).toBe(0);
  expect(existsSync(join(folder, 'xdg', 'slackingest', 'slackingest.db'))).toBe(true);
});

it('a dry run calls Slack and writes nothing, not even the file', async () => {
  await using slack = await startStandIn({ world, thinPages: smallPages });
  const env = { SLACK_API_URL: slack.url, SLACK_TOKEN: goodToken };
  const result = await run(['ingest', '--dry-run', '--json'], env);
  expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code: 0 });
  expect(result.json()).toMatchObject({ run_id: null, status: 'completed' });
  expect(result.json().messages.inserted).toBeGreaterThan(0);
  expect(slack.requests.length).toBeGreaterThan(3);
  expect(readdirSync(folder)).toEqual([]);
});

it('flags beat the environment, the environment beats .env, and PG* may stand in .env', async () => {
  await using slack = await startStandIn({ world });
  const env = { SLACK_API_URL: slack.url, SLACK_TOKEN: undefined };
  writeFileSync(join(folder, '.env'), `SLACK_TOKEN=${goodToken}\nDATABASE_URL=sqlite:${join(folder, 'dotenv.db')}\n`);
  expect((await run(['ingest'], env)).code).toBe(0);
  expect(readdirSync(folder).filter((file) => file.endsWith('.db'))).toEqual(['store.db']);
  expect((await run(['ingest', '--database', `sqlite:${join(folder, 'flag.db')}`], env)).code).toBe(0);
  expect((await run(['ingest'], { ...env, DATABASE_URL: undefined })).code).toBe(0);
  expect(
    readdirSync(folder)
      .filter((file) => file.endsWith('.db'))
      .sort(),
  ).toEqual(['dotenv.db', 'flag.db', 'store.db']);
});
