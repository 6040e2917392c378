/** Commands that only look need no right but to read, leave nothing behind, and work beside one that writes. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import { writeExportFolder } from '../exports/make-export.ts';
import { expectClearFailure } from '../support/clear-failure.ts';
import { createPostgres, createSqlite, eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { type CliOptions, runCli } from '../support/run-cli.ts';
import { dump } from '../support/world-rows.ts';

const isRoot = process.getuid?.() === 0;
/** Every system has this user, and it owns nothing. */
const nobody = 65534;

async function filledLab(create: () => Promise<TestDatabase>): Promise<Lab> {
  const lab = await openLab(create);
  const general = lab.acme.channel('general');
  const ada = lab.acme.user('ada').id;
  const root = general.post({ user: ada, text: 'We launch the shop on Friday' });
  general.reply(root, { user: ada, text: 'Good' });
  expect((await lab.ingest()).code).toBe(0);
  general.post({ user: ada, text: 'The shop is live' });
  return lab;
}

/** Each with a part of what it says when all is well. */
const looking: [args: string[], says: string][] = [
  [['status'], 'Acme'],
  [['verify', '--offline'], 'Acme'],
  [['verify'], 'Acme'],
  [['digest', '--dry-run', '--since', '2d'], 'general'],
  [['migrate', '--status'], 'applied'],
  [['migrate', '--dry-run'], 'nothing to do'],
  [['ingest', '--plan'], 'the next run'],
  [['ingest', '--dry-run'], '1 new'],
];

async function expectAllToLook(lab: Lab, env: Record<string, string>, options: CliOptions = {}): Promise<void> {
  for (const [args, says] of looking) {
    const run = await runCli(args, { ...options, env: { ...lab.env, ...env } });
    expect({ args, code: run.code, stderr: run.stderr }).toMatchObject({ args, code: 0 });
    expect(run.stdout, args.join(' ')).toContain(says);
  }
}

eachDatabase((create, name) => {
  it('what was opened to read cannot be written, except for copies of its own', async () => {
    await using lab = await filledLab(create);
    const before = await dump(lab.database);
    const reader = await openDatabase(lab.database.url, { access: 'read' });
    try {
      const write = () => reader.db.deleteFrom('messages').execute();
      await expect(write()).rejects.toThrow(/read-?only/i);
      await expect(reader.db.transaction().execute((trx) => trx.deleteFrom('users').execute())).rejects.toThrow(
        /read-?only/i,
      );
      await reader.shadow(['messages']);
      const all = () => reader.db.selectFrom('messages').select('ts').execute();
      expect(await all()).toHaveLength(2);
      await write();
      expect(await all()).toEqual([]);
      await expect(reader.db.deleteFrom('users').execute()).rejects.toThrow(/read-?only/i);
      expect(await reader.mayWrite()).toBe(true);
    } finally {
      await reader.close();
    }
    expect(await dump(lab.database)).toBe(before);
  });

  it('a database that is not there is told, and not made', async () => {
    await using database = await create();
    const wrong = database.url.replace('test.db', 'tset.db').replace(/t_\w+/, 't_none');
    const env = { DATABASE_URL: wrong, SLACK_TOKEN: 'xoxb-1-a', SLACK_API_URL: 'http://127.0.0.1:9/' };
    for (const args of [['status'], ['verify', '--offline'], ['digest', '--dry-run'], ['digest'], ['verify']]) {
      const run = await runCli(args, { env });
      expectClearFailure(run, {
        code: 1,
        says: [name === 'sqlite' ? /there is no database \S*tset\.db/ : 'no schema'],
      });
    }
    if (name === 'sqlite') expect(existsSync(wrong.replace('sqlite:', ''))).toBe(false);
  });

  it('a schema that is behind is told with what to do, and left so', async () => {
    await using database = await create();
    const env = { DATABASE_URL: database.url, SLACK_TOKEN: 'xoxb-1-a', SLACK_API_URL: 'http://127.0.0.1:9/' };
    expect((await runCli(['migrate', '--to', '0003_imports'], { env })).code).toBe(0);
    for (const args of [['status'], ['verify', '--offline'], ['digest', '--dry-run'], ['ingest', '--plan']]) {
      const run = await runCli(args, { env });
      expectClearFailure(run, { code: 1, says: ['0004_digests', 'slackingest migrate'] });
    }
    expect((await runCli(['migrate', '--status'], { env })).stdout).toContain('pending  0004_digests');
  });
});

describe('postgres', () => {
  it('a user with the right to select, and no other, sees all of it', async () => {
    await using lab = await filledLab(createPostgres);
    const role = `reader_${Date.now()}`;
    const url = new URL(lab.database.url);
    const schema = url.searchParams.get('options')?.split('=')[1] ?? '';
    await query(lab, `create role ${role} login`);
    url.username = role;
    const env = { DATABASE_URL: url.href };
    try {
      await query(lab, `grant usage on schema ${schema} to ${role}`);
      const refused = await runCli(['status'], { env: { ...lab.env, ...env } });
      expectClearFailure(refused, { code: 1, says: ['does not let this user read', 'grant select'] });
      await query(lab, `grant select on all tables in schema ${schema} to ${role}`);
      const before = await dump(lab.database);
      await expectAllToLook(lab, env);
      expect(await dump(lab.database)).toBe(before);
      const writer = await runCli(['ingest'], { env: { ...lab.env, ...env } });
      expectClearFailure(writer, { code: 1, says: ['does not let this user write'] });
    } finally {
      await query(lab, `drop owned by ${role}; drop role ${role}`);
    }
  });

  async function query(lab: Lab, statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: lab.database.url });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  }
});

describe('sqlite', () => {
  const pathOf = ({ database }: Lab) => database.url.replace('sqlite:', '');

  /** Makes the file one that may only be read, in a folder that may only be read: by another user, or by us. */
  function lockAway(path: string): { options: CliOptions; unlock: () => void } {
    for (const file of readdirSync(dirname(path))) chmodSync(join(dirname(path), file), isRoot ? 0o644 : 0o444);
    chmodSync(dirname(path), isRoot ? 0o755 : 0o555);
    return { options: isRoot ? { uid: nobody } : {}, unlock: () => chmodSync(dirname(path), 0o700) };
  }

  const filesBeside = (path: string) =>
    readdirSync(dirname(path)).map((file) => [file, statSync(join(dirname(path), file)).uid]);

  async function expectUntouched(path: string, work: () => Promise<void>): Promise<void> {
    const files = filesBeside(path);
    const bytes = readFileSync(path);
    await work();
    expect(filesBeside(path)).toEqual(files);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  }

  it('a file of somebody else, in a folder of somebody else, at rest', async () => {
    await using lab = await filledLab(createSqlite);
    const path = pathOf(lab);
    const { options, unlock } = lockAway(path);
    const archive = mkdtempSync(join(tmpdir(), 'slackingest-readers-'));
    chmodSync(archive, 0o755);
    writeExportFolder(archive, [
      { path: 'users.json', content: '[{"id":"U1","team_id":"T0ACME","name":"ada"}]' },
      { path: 'channels.json', content: '[{"id":"C0NEW","name":"new"}]' },
      { path: 'new/2020-01-01.json', content: '[{"type":"message","user":"U1","text":"hi","ts":"1577880000.000100"}]' },
    ]);
    try {
      await expectUntouched(path, async () => {
        await expectAllToLook(lab, {}, options);
        const imported = await runCli(['import', '--dry-run', archive], { ...options, env: lab.env });
        expect({ code: imported.code, stderr: imported.stderr }).toMatchObject({ code: 0 });
        expect(imported.stdout).toContain('1 new');
        const writer = await runCli(['ingest'], { ...options, env: lab.env });
        expectClearFailure(writer, { code: 1, says: [/this user may not write \S+test\.db/] });
      });
    } finally {
      unlock();
      rmSync(archive, { recursive: true });
    }
  });

  it.each([
    ['with what a killed run left beside it', ['-wal', '-shm']],
    ['with the write-ahead log of a killed run, and not its index', ['-wal']],
  ])('%s', async (_, kept) => {
    await using lab = await filledLab(createSqlite);
    const path = pathOf(lab);
    // What was committed stands in the log alone.
    const writer = new Database(path);
    writer.pragma('wal_autocheckpoint = 0');
    writer.exec("update workspaces set name = 'Acme the Second'");
    const left = Object.fromEntries(['', '-wal', '-shm'].map((end) => [end, readFileSync(path + end)]));
    writer.close();
    for (const [end, bytes] of Object.entries(left)) {
      if (end === '' || kept.includes(end)) writeFileSync(path + end, bytes);
      else rmSync(path + end, { force: true });
    }
    const { options, unlock } = lockAway(path);
    try {
      await expectUntouched(path, async () => {
        const run = await runCli(['status'], { ...options, env: lab.env });
        expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
        expect(run.stdout).toContain('Acme the Second');
      });
    } finally {
      unlock();
    }
  });

  it('while somebody writes, and holds the file', async () => {
    await using lab = await filledLab(createSqlite);
    const path = pathOf(lab);
    const writer = new Database(path);
    writer.exec("update workspaces set domain = 'second'");
    writer.exec("begin immediate; update workspaces set name = 'Not yet'");
    const { options, unlock } = lockAway(path);
    try {
      await expectAllToLook(lab, {}, options);
      // With the right to write they do not wait either, where what they write is little.
      for (const args of [['status'], ['verify', '--offline'], ['digest', '--dry-run'], ['ingest', '--plan']]) {
        const run = await runCli(args, { env: lab.env });
        expect({ args, code: run.code, stderr: run.stderr }).toMatchObject({ args, code: 0 });
      }
      writer.exec('commit');
    } finally {
      writer.close();
      unlock();
    }
    expect((await lab.ingest()).code).toBe(0);
  });

  it('leaves no files beside the database that would keep its owner out', async () => {
    await using lab = await filledLab(createSqlite);
    const path = pathOf(lab);
    await expectUntouched(path, () => expectAllToLook(lab, {}));
    expect(readdirSync(dirname(path))).toEqual(['test.db']);
  });

  it.skipIf(!isRoot)('the file at fault is named, which need not be the database itself', async () => {
    await using lab = await filledLab(createSqlite);
    const path = pathOf(lab);
    chmodSync(dirname(path), 0o755);
    chownSync(dirname(path), nobody, nobody);
    chownSync(path, nobody, nobody);
    const holder = new Database(path);
    holder.prepare('select 1 from users').get();
    chownSync(`${path}-wal`, 0, 0);
    chmodSync(`${path}-wal`, 0o600);
    const options = { uid: nobody, env: lab.env };
    const says = [`${path}-wal, which belongs to root`];
    expectClearFailure(await runCli(['ingest'], options), { code: 1, says: ['this user may not write', ...says] });
    expectClearFailure(await runCli(['status'], options), { code: 1, says: ['this user may not read', ...says] });
    holder.close();
    expect((await runCli(['ingest'], options)).code).toBe(0);
  });

  it('a run that makes a folder for its database says so', async () => {
    await using lab = await filledLab(createSqlite);
    const folder = join(dirname(pathOf(lab)), 'no', 'where');
    const run = await runCli(['ingest'], { env: { ...lab.env, DATABASE_URL: `sqlite:${folder}/x.db` } });
    expect(run.code).toBe(0);
    expect(run.stderr).toContain(`Created the folder ${dirname(folder)} for the database ${folder}/x.db.`);
  });
});
