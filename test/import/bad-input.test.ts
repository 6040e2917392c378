/** What is no export, or cannot be imported at all: exit code 2, a sentence that says why, and no database made for it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBigExport } from '../exports/big-export.ts';
import { type ExportFile, makeExport, writeExportFolder, writeExportZip } from '../exports/make-export.ts';
import { writeZip, type ZipEntry } from '../exports/zip-writer.ts';
import { expectClearFailure } from '../support/clear-failure.ts';
import { createPostgres, createSqlite } from '../support/databases.ts';
import { nowhere, openExportLab, withFiles } from '../support/export-lab.ts';
import { runWithFileLimit } from '../support/file-limit.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { type Stored, storedSlack } from '../support/stored.ts';

const folder = mkdtempSync(join(tmpdir(), 'slackingest-bad-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (n: number): string => `${1_704_916_800 + n}.000100`;
const said = (...ns: number[]) => ns.map((n) => ({ ts: at(n), user: 'U0ALICE', text: `message ${n}` }));
const files = makeExport({
  users: [{ id: 'U0ALICE', name: 'alice' }],
  channels: [
    { id: 'C0GENERAL', name: 'general', messages: said(1, 2, 3) },
    { id: 'C0RANDOM', name: 'random', messages: said(4) },
  ],
});
const good = join(folder, 'good.zip');
writeExportZip(good, files);
const goodBytes = readFileSync(good);
const goodEntries: ZipEntry[] = files.map(({ path, content }) => ({ name: path, content }));

const written = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const zipped = (name: string, entries: ZipEntry[]): string => {
  const path = join(folder, name);
  writeZip(path, entries);
  return path;
};
const unpacked = (name: string, of: readonly ExportFile[]): string => {
  const path = join(folder, name);
  mkdirSync(path);
  writeExportFolder(path, of);
  return path;
};

/** Nothing of it may come into being. */
let databases = 0;
async function refused(args: readonly string[], says: (string | RegExp)[]): Promise<void> {
  databases += 1;
  const database = join(folder, `none-${databases}`, 'store.db');
  const env = { DATABASE_URL: `sqlite:${database}`, SLACK_API_URL: nowhere };
  const run = await runCli(['import', ...args, '--json'], { env });
  expectClearFailure(run, { code: 2, says });
  expect(run.json()).toMatchObject({ command: 'import', status: 'failed', run_id: null });
  expect(existsSync(join(database, '..'))).toBe(false);
}

const inputs: Record<string, [() => string, ...(string | RegExp)[]]> = {
  'a path where nothing is': [() => join(folder, 'nowhere.zip'), 'nowhere.zip', 'there is nothing of that name'],
  'a path below a file': [() => join(good, 'deeper'), 'there is nothing of that name'],
  'an empty file': [() => written('empty.zip', ''), 'empty.zip', 'the file is empty'],
  'an empty folder': [() => unpacked('empty', []), 'the folder is empty'],
  'an empty zip': [() => zipped('nothing.zip', []), 'the zip holds no readable file'],
  'a folder of photos': [
    () => unpacked('photos', [{ path: 'a.jpg', content: 'x' }]),
    'neither a list (users.json, channels.json) nor a folder with day files',
  ],
  'a zip of a web page': [
    () => zipped('page.zip', [{ name: 'index.html', content: '<html>' }]),
    'neither a list (users.json, channels.json) nor a folder with day files',
  ],
  'the folder of one channel': [
    () => unpacked('general', [{ path: '2024-01-10.json', content: '[]' }]),
    'the folder of one channel; give the folder around it',
  ],
  'a JSON file': [() => written('users.json', '[\n]'), 'one JSON file; give the folder'],
  'a text': [() => written('notes.txt', 'These are my notes.\n'.repeat(50)), 'neither a zip nor a folder'],
  'a photo': [() => written('photo.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16])), 'it is a picture'],
  'a PDF': [() => written('export.pdf', '%PDF-1.7\n'), 'it is a PDF'],
  'a tar.gz': [() => written('export.tar.gz', gzipSync('x'.repeat(5000))), 'packed by gzip', 'tar xzf'],
  'a tar': [() => written('export.tar', tarHeader()), 'it is a tar archive'],
  'a 7z': [() => written('export.7z', Buffer.from('377abcaf271c0004', 'hex')), 'it is a 7z archive'],
  'an export as text': [
    () =>
      zipped('text.zip', [
        { name: 'channels/general.txt', content: 'alice: hello' },
        { name: 'dms/alice.txt', content: 'alice: hello' },
      ]),
    'an export in text form',
    'ask Slack for the JSON form',
  ],
  'two exports in one folder': [
    () =>
      unpacked(
        'two',
        ['one', 'two'].flatMap((name) => files.map(({ path, content }) => ({ path: `${name}/${path}`, content }))),
      ),
    'holds more than one export: one, two',
  ],
  'a zip with a password': [
    () =>
      zipped(
        'secret.zip',
        goodEntries.map((entry) => ({ ...entry, encrypted: true })),
      ),
    'is protected by a password',
    'Unpack it with its password',
  ],
  'a zip that is cut off': [() => written('cut.zip', goodBytes.subarray(0, goodBytes.length - 300)), /cut off/],
  'a zip that is cut off early': [() => written('cut-early.zip', goodBytes.subarray(0, 100)), /cut off/],
  'a zip without its beginning': [() => written('headless.zip', goodBytes.subarray(1000)), /damaged|neither a zip/],
  'a zip whose files lie upon each other': [
    () => written('overlapping.zip', withSharedContent(goodEntries)),
    'a zip made to explode',
  ],
  'a zip that says it holds terabytes': [
    () =>
      zipped('terabytes.zip', [
        ...goodEntries,
        { name: 'general/2024-01-20.json', content: '[]', claims: { size: 5e12 }, zip64: true },
      ]),
    'a zip made to explode, or a damaged one',
  ],
};

describe('what is no export is refused with a word why:', () => {
  for (const [name, [make, ...says]] of Object.entries(inputs)) {
    it(name, () => refused([make()], says));
  }

  it.skipIf(process.getuid?.() === 0)('a file that may not be read', () => {
    const path = written('locked.zip', goodBytes);
    return refused([path], ['permission denied']);
  });
});

it('in words for people the sentence stands on stderr', async () => {
  const run = await runCli(['import', join(folder, 'nowhere.zip')], { env: { SLACK_API_URL: nowhere } });
  expectClearFailure(run, { code: 2, says: ['there is nothing of that name'] });
  expect(run.stdout).toBe('');
});

it('a file that explodes costs itself', async () => {
  await using lab = await openExportLab(createSqlite);
  const path = join(lab.folder, 'bomb.zip');
  const spaces = (megabytes: number) => Array.from({ length: megabytes }, () => Buffer.alloc(1 << 20, ' '));
  writeZip(path, [
    ...goodEntries,
    { name: 'general/2024-01-20.json', content: spaces(40) },
    { name: 'general/2024-01-21.json', content: Buffer.alloc(1000, ' '), claims: { size: 10 } },
    { name: 'general/2024-01-22.json', content: '[]', claims: { size: 900_000_000 } },
    { name: 'general/2024-01-23.json', content: '[]', claims: { crc32: 7 } },
    { name: 'general/2024-01-24.json', content: '[]', claims: { method: 12 } },
    { name: 'general/2024-01-25.json', content: '[]', encrypted: true },
    { name: 'general/2024-01-26.json', content: '[]', method: 'store', claims: { size: 1 } },
  ]);
  const run = await lab.import(path);
  expect(run.code).toBe(3);
  expect(run.out.quarantined.map((one: { path: string }) => one.path).sort()).toEqual(
    [20, 21, 22, 23, 24, 25, 26].map((day) => `general/2024-01-${day}.json`),
  );
  expect(run.errors.join('\n')).not.toMatch(/undefined|Error/);
  expect(await lab.database.rows('messages')).toHaveLength(4);
});

describe('what is asked for and cannot be', () => {
  it.each([
    [['--since', 'yesterday'], ['--since: "yesterday" is not a date']],
    [['--since', '2024-02-30'], ['does not exist in the calendar']],
    [['--since', '2999-01-01'], ['is in the future']],
    [['--until', '2024-13-01'], ['--until']],
    [['--since', '2024-02-01', '--until', '2024-01-31'], ['--until (2024-01-31) lies before --since (2024-02-01)']],
    [['--workspace', 'nobody'], ['"nobody" is neither a team id nor the name of a workspace']],
  ])('%j: refused', (args, says) => refused([good, ...args], says));

  it('a channel that is not in the export: told of, the others are in', async () => {
    await using lab = await openExportLab(createSqlite);
    const run = await lab.import(files, '--channel', 'general', '--channel', 'typo');
    expect(run.code).toBe(3);
    expect(run.errors).toEqual(['There is no channel "typo" in this export.']);
    expect(await lab.database.rows('messages')).toHaveLength(3);
  });

  it('a workspace of an organisation that is not in it', async () => {
    const inTeams = ['T0EAST', 'T0WEST'].flatMap((team) =>
      makeExport({
        team,
        users: [{ id: 'U0A', name: 'a' }],
        channels: [{ id: 'C0A', name: 'a', messages: said(1) }],
      }).map(({ path, content }) => ({ path: `teams/${team.toLowerCase()}/${path}`, content })),
    );
    const path = join(folder, 'organisation.zip');
    writeExportZip(path, inTeams);
    await refused([path, '--workspace', 'north'], ['holds no workspace "north"', 't0east (T0EAST), t0west (T0WEST)']);
  });
});

describe('an export that does not say whose it is', () => {
  const anonymous = withFiles(
    files.map(({ path, content }) => ({
      path,
      content: String(content).replace(/\s*"(?:team|team_id|user_team|source_team)": "[^"]*",/g, ''),
    })),
    { 'users.json': null },
  );
  const path = join(folder, 'anonymous.zip');
  writeExportZip(path, anonymous);

  it('is refused, with what to do', () =>
    refused([path], ['tells which workspace it is of', '--workspace T0123ABCD', 'app.slack.com/client']));

  it('is imported as the workspace that --workspace names', async () => {
    await using lab = await openExportLab(createSqlite);
    const run = await lab.import(path, '--workspace', 'T0MINE');
    expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
    expect((await lab.database.rows('messages')).map(({ team_id }) => team_id)).toEqual(Array(4).fill('T0MINE'));
  });

  it('is recognised by its channels once the workspace is stored', async () => {
    await using lab = await openExportLab(createSqlite);
    await lab.import(files);
    const run = await lab.import(path);
    expect(run.code).toBe(0);
    expect(run.out.messages).toMatchObject({ inserted: 0 });
    expect((await lab.database.rows('workspaces')).map(({ team_id }) => team_id)).toEqual(['T0EXPORT']);
  });
});

describe('a database that fails in the middle of an import', () => {
  const big = join(folder, 'big.zip');
  let whole: Stored;
  beforeAll(async () => {
    writeBigExport(big, { messages: 6000, channels: 10, users: 50, days: 200 });
    await using undisturbed = await createSqlite();
    await completes(undisturbed.url);
    whole = await storedSlack(undisturbed);
  });

  it('a disk that is full (by a limit of file size): told so, and the next import completes it', async () => {
    await using database = await createSqlite();
    const run = await runWithFileLimit(
      ['import', big, '--json'],
      { HOME: folder, DATABASE_URL: database.url, SLACK_API_URL: nowhere },
      2_000_000,
    );
    expectClearFailure(run, { code: 1, says: ['the disk is full', 'Free some space'] });
    await completes(database.url);
    expect(await storedSlack(database)).toEqual(whole);
  });

  it.skipIf(process.env['SLACKINGEST_TEST_DATABASE'] === 'sqlite')(
    'a server that ends its sessions: told so, and the next import completes it',
    async () => {
      await using database = await createPostgres();
      await using client = await connected(database.url);
      await database.openMigrated();
      const cli = startCli(['import', big, '--json'], { env: { DATABASE_URL: database.url, SLACK_API_URL: nowhere } });
      for (;;) {
        if ((await client.query('select 1 from messages limit 1')).rowCount === 1) break;
        await sleep(10);
      }
      await client.query(
        `select pg_terminate_backend(a.pid) from pg_stat_activity a join pg_locks l on l.pid = a.pid
          where a.application_name = 'slackingest' and l.locktype = 'advisory'
          and (l.classid::bigint << 32 | l.objid::bigint) = (
            select ('x' || substr(md5('slackingest:' || current_schema() || ':workspace:T0BENCH'), 1, 16))::bit(64)::bigint)`,
      );
      const run = await cli.result;
      expectClearFailure(run, { code: 1, says: ['connection to Postgres', 'was lost'] });
      await completes(database.url);
      expect(await storedSlack(database)).toEqual(whole);
    },
  );

  async function completes(url: string): Promise<void> {
    const run = await runCli(['import', big, '--json', '--lock-timeout', '10s'], {
      env: { DATABASE_URL: url, SLACK_API_URL: nowhere },
    });
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
  }
});

async function connected(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** The first block of a tar, as far as it tells what it is. */
function tarHeader(): Buffer {
  const block = Buffer.alloc(1024);
  block.write('channels.json', 0);
  block.write('ustar', 257);
  return block;
}

/** Every entry of the directory a hundred times, all of them with the same content. */
function withSharedContent(entries: ZipEntry[]): Buffer {
  const path = join(folder, 'shared.zip');
  const content = Buffer.from(`[${'0,'.repeat(50_000)}0]`);
  writeZip(path, [...entries, { name: 'general/2024-01-20.json', content, method: 'store' }]);
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const start = bytes.readUInt32LE(end + 16);
  const last = bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
  const copies = Array.from({ length: 100 }, (_, n) => {
    const copy = Buffer.from(bytes.subarray(last, end));
    copy.write(String(1000 + n), 46 + 'general/'.length);
    return copy;
  });
  const record = Buffer.from(bytes.subarray(end));
  const count = record.readUInt16LE(10) + copies.length;
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(end - start + copies.length * (end - last), 12);
  return Buffer.concat([bytes.subarray(0, end), ...copies, record]);
}
