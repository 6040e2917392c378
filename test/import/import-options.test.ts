/** What the flags of `import` do, what it tells, and what it remembers of the files it has imported. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExportSpec, makeExport } from '../exports/make-export.ts';
import { createSqlite, eachDatabase } from '../support/databases.ts';
import { type ExportLab, nowhere, openExportLab, withFiles } from '../support/export-lab.ts';
import { runCli } from '../support/run-cli.ts';
import { stored } from '../support/stored.ts';

/** Noon in Los Angeles, 2024-01-10. */
const noon = 1_704_916_800;
const at = (days: number, n = 0): string => `${noon + days * 86_400 + n}.000100`;
const users = [
  { id: 'U0ALICE', name: 'alice' },
  { id: 'U0BOB', name: 'bob' },
];
const daily = (text: string) =>
  [0, 1, 2, 3].map((day) => ({
    ts: at(day),
    user: 'U0ALICE',
    text: `${text} ${day}`,
    ...(day === 0 ? { replies: [{ ts: at(1, 60), user: 'U0BOB', text: 'late' }] } : {}),
    ...(day === 1 ? { reactions: { tada: ['U0ALICE', 'U0BOB'] } } : {}),
    ...(day === 2 ? { files: [`F0${text.toUpperCase()}`] } : {}),
  }));
const spec: ExportSpec = {
  users,
  channels: [
    { id: 'C0GENERAL', name: 'general', members: ['U0ALICE'], messages: daily('general') },
    { id: 'C0PROJA', name: 'proj-a', messages: daily('proja') },
    { id: 'C0PROJB', name: 'proj-b', messages: daily('projb') },
    { id: 'C0EMPTY', name: 'empty' },
    { id: 'G0SECRET', name: 'secret', kind: 'private', messages: daily('secret') },
    { id: 'D0ALICEBOB', kind: 'dm', members: ['U0ALICE', 'U0BOB'], messages: daily('dm') },
  ],
};
const files = makeExport(spec);

async function channelsIn({ database }: ExportLab): Promise<string[]> {
  return [...new Set((await database.rows('messages')).map(({ channel_id }) => String(channel_id)))].sort();
}

describe('--channel and --exclude', () => {
  it.each([
    [['--channel', 'general'], ['C0GENERAL']],
    [
      ['--channel', '#general', '--channel', 'G0SECRET'],
      ['C0GENERAL', 'G0SECRET'],
    ],
    [
      ['--channel', 'proj-*'],
      ['C0PROJA', 'C0PROJB'],
    ],
    [['--channel', 'proj-*', '--exclude', 'C0PROJB'], ['C0PROJA']],
    [
      ['--exclude', 'proj-?', '--exclude', 'D*'],
      ['C0GENERAL', 'G0SECRET'],
    ],
    [['--channel', 'D0ALICEBOB'], ['D0ALICEBOB']],
  ])('%j: messages of %j only', async (args, expected) => {
    await using lab = await openExportLab(createSqlite);
    const run = await lab.import(files, ...args);
    expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
    expect(await channelsIn(lab)).toEqual(expected);
    expect(run.out.channels).toMatchObject({ total: 6, failed: 0 });
    expect(run.out.channels.ok + run.out.channels.skipped).toBe(6);
    expect(run.out.left_out.channels_not_selected).toBe(run.out.channels.skipped);
  });

  it('what was left out comes with the next import without them', async () => {
    await using lab = await openExportLab(createSqlite);
    await lab.import(files, '--channel', 'general');
    await lab.import(files);
    const rows = await lab.rows();
    await using whole = await openExportLab(createSqlite);
    await whole.import(files);
    expect(rows).toEqual(await whole.rows());
  });
});

describe('--since and --until', () => {
  eachDatabase((create) => {
    it('leave out what lies outside, say so, and the next import without them brings it', async () => {
      await using lab = await openExportLab(create);
      const run = await lab.import(files, '--since', '2024-01-11', '--until', '2024-01-12');
      expect(run.code).toBe(0);
      const held = (await lab.database.rows('messages', { where: "channel_id = 'C0GENERAL'", order: 'ts' })).map(
        ({ ts }) => ts,
      );
      expect(held).toEqual([at(1), at(1, 60), at(2)]);
      expect(run.out.found.messages).toBe(15);
      expect(run.out.left_out.messages_out_of_range).toBe(10);
      // Nothing is vouched for that was not read.
      for (const { from_ts, to_ts } of await lab.database.rows('coverage')) {
        expect(Number(from_ts)).toBeGreaterThanOrEqual(Date.parse('2024-01-11T00:00:00Z') / 1000);
        expect(Number(to_ts)).toBeLessThan(Date.parse('2024-01-13T00:00:00Z') / 1000);
      }
      const ledger = await lab.database.rows('import_files');
      expect(ledger.every(({ status, error }) => (status === 'done' || status === 'partial') && error === null)).toBe(
        true,
      );

      expect((await lab.import(files)).out.messages).toMatchObject({ inserted: 10, updated: 0 });
      const rows = await lab.rows();
      await using whole = await openExportLab(create);
      await whole.import(files);
      expect(rows).toEqual(await whole.rows());
    });
  });

  it('a range without messages is no error', async () => {
    await using lab = await openExportLab(createSqlite);
    const run = await lab.import(files, '--since', '2024-06-01');
    expect(run.code).toBe(0);
    expect(run.out.found).toMatchObject({ messages: 0, first_ts: null, last_ts: null });
    expect(run.out.day_files.total).toBe(0);
  });
});

describe('--dry-run', () => {
  /** What differs between two runs of the same, by nature. */
  const report = ({
    run_id: _,
    started_at: __,
    finished_at: ___,
    duration_ms: ____,
    ...rest
  }: Record<string, unknown>) => rest;

  it('makes no database file and tells what an import would do', async () => {
    await using lab = await openExportLab(createSqlite);
    const path = lab.zip(files);
    const url = `sqlite:${join(lab.folder, 'none', 'store.db')}`;
    const rehearsal = await runCli(['import', path, '--json', '--dry-run'], {
      env: { DATABASE_URL: url, SLACK_API_URL: nowhere },
    });
    expect(rehearsal.code).toBe(0);
    expect(existsSync(join(lab.folder, 'none'))).toBe(false);
    expect(rehearsal.json().run_id).toBeNull();
    const { threads: _, ...told } = report(rehearsal.json());
    const { threads: __, ...done } = report((await lab.import(path)).out);
    expect(told).toEqual(done);
  });

  eachDatabase((create) => {
    it('changes no row, leaves no run, and tells the same of an export with faults', async () => {
      await using lab = await openExportLab(create);
      await lab.import(files, '--channel', 'general');
      const before = await stored(lab.database);
      const damaged = lab.zip(withFiles(files, { 'proj-a/2024-01-10.json': '[null]', 'users.json': '[' }));
      const rehearsal = await lab.import(damaged, '--dry-run');
      expect(rehearsal.code).toBe(3);
      expect(rehearsal.out.status).toBe('partial');
      expect(await stored(lab.database)).toEqual(before);
      // What is missing of threads is looked up among what is stored, which a rehearsal undoes.
      const known = ({ threads: _, needs_token: __, ...told }: ReturnType<typeof report>) => told;
      const done = known(report((await lab.import(damaged)).out));
      expect(known(report(rehearsal.out))).toEqual(done);
    });
  });

  it('says to people that nothing was written', async () => {
    await using lab = await openExportLab(createSqlite);
    const run = await runCli(['import', lab.zip(files), '--dry-run'], { env: lab.env });
    expect(run.stdout).toContain('(dry run, nothing written)');
  });
});

describe('what it tells', () => {
  it('--json: exactly one object, with the keys that every command has and its own', async () => {
    await using lab = await openExportLab(createSqlite);
    const run = await lab.import(files);
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(Object.keys(run.out)).toEqual(
      expect.arrayContaining([
        ...['run_id', 'command', 'status', 'workspace', 'started_at', 'finished_at', 'duration_ms', 'requests'],
        ...['rate_limited', 'channels', 'messages', 'errors', 'remaining'],
        ...['export', 'found', 'day_files', 'conversations', 'threads', 'left_out', 'quarantined', 'quarantined_total'],
      ]),
    );
    expect(run.out).toMatchObject({
      command: 'import',
      status: 'completed',
      workspace: 'T0EXPORT',
      requests: {},
      rate_limited: 0,
      channels: { total: 6, ok: 6, failed: 0, skipped: 0 },
      messages: { seen: 25, inserted: 25, updated: 0, unchanged: 0, deleted: 0, discarded: 0, stale: 0 },
      errors: [],
      remaining: null,
      export: { kind: 'zip', newest_at: '2024-01-13T20:00:00.000Z', days_cut_in: 'America/Los_Angeles' },
      found: {
        users: 2,
        channels: 6,
        messages: 25,
        threads: 5,
        replies: 5,
        reactions: 10,
        files: 5,
        first_ts: at(0),
        last_ts: at(3),
      },
      day_files: { total: 20, read: 20, imported_before: 0, damaged: 0 },
      quarantined: [],
      quarantined_total: 0,
    });
    const general = run.out.conversations.find((one: { name: string }) => one.name === 'general');
    expect(general).toEqual({
      channel_id: 'C0GENERAL',
      name: 'general',
      folder: 'general',
      kind: 'public',
      found_by: 'list',
      messages: 5,
      threads: 1,
      replies: 1,
      reactions: 2,
      files: 1,
      first_ts: at(0),
      last_ts: at(3),
      first_at: '2024-01-10T20:00:00.000Z',
      last_at: '2024-01-13T20:00:00.000Z',
    });
    const [recorded] = await lab.database.rows('runs');
    expect(recorded).toMatchObject({ run_id: run.out.run_id, command: 'import', status: 'completed' });
  });

  it('people get a few lines on stdout, progress and log go to stderr', async () => {
    await using lab = await openExportLab(createSqlite);
    const run = await runCli(['import', lab.zip(files)], { env: lab.env });
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/: done in .*\n {2}found {5}25 messages in 6 conversations, 2 users\n/);
    expect(run.stdout).toContain('stored    25 new, 0 changed, 0 deleted, 0 unchanged');
    expect(run.stdout).toMatch(/#general +5 +1 +2024-01-10 +2024-01-13/);
    expect(run.stdout).toContain('and 1 without messages');
    expect(run.stderr).toContain('schema brought up to date');
    expect(run.stderr).not.toContain('found');
    expect(run.stdout + run.stderr).not.toMatch(/undefined|NaN|\[object/);
  });

  it('--quiet says nothing of a success, and with --json only the object', async () => {
    await using lab = await openExportLab(createSqlite);
    const path = lab.zip(files);
    const run = await runCli(['import', path, '--quiet'], { env: lab.env });
    expect([run.code, run.stdout, run.stderr]).toEqual([0, '', '']);
    expect((await lab.import(path, '--quiet')).stderr).toBe('');
  });

  it('names from an export cannot reach the terminal as control sequences', async () => {
    await using lab = await openExportLab(createSqlite);
    const evil = makeExport({
      users,
      channels: [{ id: 'C0EVIL', name: 'evil\u001b]0;gotcha\u0007', folder: 'evil', messages: daily('x') }],
    });
    const run = await runCli(['import', lab.zip(withFiles(evil, { 'e\u009bvil/2024-01-10.json': '[null]' }))], {
      env: lab.env,
    });
    expect(run.code).toBe(3);
    expect(run.stdout + run.stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  });
});

describe('the ledger of files', () => {
  eachDatabase((create) => {
    it('names every day file by its place in the export and its content, and done ones are not stored again', async () => {
      await using lab = await openExportLab(create);
      await lab.import(files);
      const ledger = await lab.database.rows('import_files', { order: 'path' });
      const days = files.map(({ path }) => path).filter((path) => path.includes('/'));
      expect(ledger.map(({ path }) => path).sort()).toEqual(days.sort());
      expect(ledger.map(({ rows }) => rows).reduce((sum: number, n) => sum + Number(n), 0)).toBe(25);
      expect(new Set(ledger.map(({ status }) => status))).toEqual(new Set(['done']));
      for (const { sha256 } of ledger) expect(sha256).toMatch(/^[0-9a-f]{64}$/);

      // In a folder with another one around it the paths are the same.
      const again = await lab.import(
        lab.unpacked(files.map(({ path, content }) => ({ path: `Acme export/${path}`, content }))),
      );
      expect(again.out.day_files).toMatchObject({ total: 20, read: 0, imported_before: 20 });
      expect(again.out.messages).toMatchObject({ seen: 25, inserted: 0, updated: 0, unchanged: 25 });
      expect(await lab.database.rows('import_files', { order: 'path' })).toEqual(ledger);
    });

    it('a damaged file is tried again each time, and is done when it is mended', async () => {
      await using lab = await openExportLab(create);
      const path = 'general/2024-01-11.json';
      const statusOf = async () =>
        (await lab.database.rows('import_files', { where: `path = '${path}'`, order: 'updated_at' })).map(
          ({ status, error, rows }) => [status, error, rows],
        );
      const text = String(files.find((file) => file.path === path)?.content);
      const damaged = withFiles(files, { [path]: text.replace('"general 1"', '"general 1') });
      for (const _ of [1, 2]) {
        const run = await lab.import(damaged);
        expect(run.code).toBe(3);
        expect(run.errors).toEqual([`${path}, element 1: is no JSON`]);
        expect(run.out.day_files.damaged).toBe(1);
        expect(await statusOf()).toEqual([['partial', 'element 1: is no JSON', 1]]);
      }
      const empty = await lab.import(withFiles(files, { [path]: '' }));
      expect(empty.code).toBe(3);
      expect(await statusOf()).toContainEqual(['failed', 'is empty', 0]);
      const mended = await lab.import(files);
      expect(mended.out.day_files).toMatchObject({ read: 1, imported_before: 19, damaged: 0 });
      expect(mended.out.messages).toMatchObject({ inserted: 1 });
      expect(await statusOf()).toContainEqual(['done', null, 2]);
    });

    it('lost rows come back by importing again', async () => {
      await using lab = await openExportLab(create);
      await lab.import(files);
      const before = await lab.rows();
      const dialect = await lab.database.open();
      await dialect.db
        .deleteFrom('messages')
        .where('channel_id', '=', 'C0PROJA')
        .where('is_reply', '=', false)
        .execute();
      const run = await lab.import(files);
      expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
      expect(run.out.messages).toMatchObject({ inserted: 4 });
      expect(await lab.rows()).toEqual(before);
      expect((await lab.import(files)).out.day_files).toMatchObject({ read: 0, imported_before: 20 });
      const proof = await runCli(['verify', '--offline', '--json'], { env: lab.env });
      expect([proof.code, proof.json().gap_counts]).toEqual([0, {}]);
    });
  });

  it('every import is a run on record, and what two of them stored passes verify', async () => {
    await using lab = await openExportLab(createSqlite);
    await lab.import(files);
    await lab.import(files);
    const proof = await runCli(['verify', '--offline', '--json'], { env: lab.env });
    expect([proof.code, proof.json().gap_counts]).toEqual([0, {}]);
    expect(await lab.database.rows('runs')).toHaveLength(2);
  });
});
