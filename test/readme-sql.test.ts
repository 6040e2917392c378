/**
 * The SQL of the README gives the same answers on both databases, order included, over an export made here and over the real
 * ones that SLACK_EXPORTS names (see test/import/real-exports.test.ts).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CompiledQuery } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../src/db/dialects/dialect.ts';
import type { ExportFile } from './exports/make-export.ts';
import { createPostgres, createSqlite, type TestDatabase } from './support/databases.ts';
import { openExportLab } from './support/export-lab.ts';
import { runCli } from './support/run-cli.ts';

const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
const queries = Array.from(readme.matchAll(/^```sql\n(.*?)^```$/gms), ([, text = '']) => text)
  .flatMap((block) => block.split(';'))
  .map((query) => query.trim())
  .filter((query) => query !== '');

const titleOf = (query: string) => query.split('\n')[0]?.replace(/^-- /, '') ?? query;

/** With the team's id, as the README asks for, and as far back as there may be anything. */
function filledIn(query: string, team: string): string {
  return query.replaceAll('T0123ABCD', team).replace('2026-01-01T', '1970-01-01T');
}

const created = { sqlite: createSqlite, postgres: createPostgres } as const;
const only = process.env['SLACKINGEST_TEST_DATABASE'];
const isBoth = only === undefined || only === '';

/** The answers of each database to each query, over what `fill` stores. */
async function answers(fill: (database: TestDatabase) => Promise<string>, edit = (query: string) => query) {
  const all: Record<keyof typeof created, unknown[]> = { sqlite: [], postgres: [] };
  for (const name of ['sqlite', 'postgres'] as const) {
    await using database = await created[name]();
    const team = await fill(database);
    const dialect = await database.open();
    for (const query of queries) all[name].push(await ask(dialect, edit(filledIn(query, team))));
  }
  return all;
}

async function ask({ db }: Dialect, query: string): Promise<unknown[]> {
  return (await db.executeQuery(CompiledQuery.raw(query))).rows;
}

const teamId = 'T0TEST';

/** Capitals outside of ASCII, threads of equal length, roots without a count and without a row, ties, and nulls. */
function madeExport(): ExportFile[] {
  const ts = (n: number) => `${1_577_880_000 + n}.000100`;
  const users = [
    { id: 'U1', team_id: teamId, name: 'ada', real_name: 'Ada Ärlig' },
    { id: 'U2', team_id: teamId, name: 'ängel' },
  ];
  const channels = [
    { id: 'C1', name: 'general' },
    { id: 'C2', name: 'überall' },
    { id: 'C3', name: 'Zebra' },
  ];
  const message = (n: number, user: string | null, text: string, more: object = {}) => ({
    type: 'message',
    ts: ts(n),
    ...(user === null ? { bot_id: 'B1', subtype: 'bot_message' } : { user }),
    text,
    ...more,
  });
  const replies = (root: number, count: number) =>
    Array.from({ length: count }, (_, n) => message(root + n + 1, 'U2', `Antwort ${n}`, { thread_ts: ts(root) }));
  const days: Record<string, object[]> = {
    general: [
      message(0, 'U1', 'Wir treffen uns im CAFÉ', { thread_ts: ts(0), reply_count: 3 }),
      ...replies(0, 3),
      message(10, 'U1', 'Im Café, wie immer 👩‍👩‍👧 und noch viel mehr Text, damit er abgeschnitten werden muss', {
        thread_ts: ts(10),
      }),
      ...replies(10, 3),
      message(20, null, 'café &amp; Kuchen'),
    ],
    überall: [message(0, 'U3', 'niemand kennt mich, und im café war ich auch'), ...replies(400, 5)],
    Zebra: [message(0, 'U2', 'Cafe ohne Akzent'), message(500, 'U1', 'CafÉ in seltsamer Schreibung')],
  };
  return [
    { path: 'users.json', content: JSON.stringify(users) },
    { path: 'channels.json', content: JSON.stringify(channels) },
    ...Object.entries(days).map(([folder, list]) => ({
      path: `${folder}/2020-01-01.json`,
      content: JSON.stringify(list),
    })),
  ];
}

async function fillByHand(database: TestDatabase): Promise<string> {
  await using lab = await openExportLab(async () => ({ ...database, [Symbol.asyncDispose]: async () => undefined }));
  const run = await lab.import(madeExport());
  expect([run.code, run.errors]).toEqual([0, []]);
  const { db } = await database.open();
  const at = '2026-01-01T00:00:00.000Z';
  const state = (channel: string, checked: string | null, error: string | null) =>
    db
      .insertInto('ingestion_state')
      .columns(['team_id', 'channel_id', 'wanted_from_ts', 'last_checked_at', 'last_error'])
      .values({
        team_id: teamId,
        channel_id: channel,
        wanted_from_ts: '1577880000.000000',
        last_checked_at: checked,
        last_error: error,
        last_ts: null,
        oldest_ts: null,
        floor_ts: null,
        floor_probed_ts: null,
        floor_probed_at: null,
      } as never)
      .execute();
  await state('C1', at, null);
  await state('C2', null, null);
  await state('C3', null, 'not_in_channel');
  await state('C4', at, 'not_in_channel');
  for (const channel of ['C1', 'C3']) {
    await db.executeQuery(
      CompiledQuery.raw(
        `insert into message_revisions (team_id, channel_id, ts, seen_at, text, raw) values ('${teamId}', '${channel}', '1577880000.000100', '${at}', 'früher', '{}')`,
      ),
    );
  }
  return teamId;
}

describe('the SQL of the README', () => {
  it('is found by this test, and every query names the workspace', () => {
    expect(queries.length).toBeGreaterThanOrEqual(4);
    for (const query of queries) expect(query).toContain(`team_id = 'T0123ABCD'`);
  });

  it.runIf(isBoth)('gives the same answers on both databases', async () => {
    const { sqlite, postgres } = await answers(fillByHand);
    expect(postgres).toEqual(sqlite);
    const rows = Object.fromEntries(queries.map((query, n) => [titleOf(query).split(/[,:]| since/)[0], sqlite[n]]));
    expect(rows['The busiest channels']).toEqual([
      { channel: 'general', messages: 9, people: 2 },
      { channel: 'überall', messages: 6, people: 2 },
      { channel: 'Zebra', messages: 2, people: 2 },
    ]);
    expect(rows['Search']).toMatchObject([
      { text: 'café &amp; Kuchen', author: 'B1' },
      { author: 'Ada Ärlig' },
      { text: 'Wir treffen uns im CAFÉ' },
      { author: 'U3', channel: 'überall' },
    ]);
    expect(rows['The longest threads']).toMatchObject([
      { channel: 'überall', replies: 5, begins: null },
      { channel: 'general', replies: 3, begins: expect.stringContaining('Im Café') },
      { channel: 'general', replies: 3, begins: 'Wir treffen uns im CAFÉ' },
    ]);
    expect(rows['Channels read before']).toMatchObject([
      { channel: 'Zebra', last_checked_at: null },
      { channel: 'C4' },
      { channel: 'überall', last_checked_at: null },
      { channel: 'general' },
    ]);
    expect(rows['What was edited']).toHaveLength(2);
  });

  it('reads no table of messages from end to end', async () => {
    await using database = await createSqlite();
    const dialect = await database.openMigrated();
    for (const query of queries) {
      const plan = await ask(dialect, `explain query plan ${filledIn(query, teamId)}`);
      const steps = plan.map((step) => (step as { detail: string }).detail);
      expect(
        steps.filter((step) => /^SCAN (?!t$|\(subquery)/.test(step)),
        titleOf(query),
      ).toEqual([]);
    }
  });
});

const given = process.env['SLACK_EXPORTS'];
const exportsFolder = given === undefined ? '' : resolve(given);
const names = existsSync(exportsFolder)
  ? readdirSync(exportsFolder).flatMap((file) => /^(.*)\.truth\.json$/.exec(file)?.[1] ?? [])
  : [];

/** A word that people on Slack write everywhere. */
const searchData = (query: string) =>
  query.replaceAll('café', 'data').replaceAll('Café', 'Data').replaceAll('CAFÉ', 'DATA');

describe.skipIf(names.length === 0 || !isBoth)('the SQL of the README over real exports', () => {
  it.each(names)(
    '%s',
    async (name) => {
      const { sqlite, postgres } = await answers(async (database) => {
        const env = { DATABASE_URL: database.url, SLACK_API_URL: 'http://127.0.0.1:9/' };
        const run = await runCli(['import', join(exportsFolder, `${name}.zip`), '--json', '--quiet'], { env });
        expect([run.code, run.stderr]).toEqual([0, '']);
        return run.json().workspace;
      }, searchData);
      expect(postgres).toEqual(sqlite);
      expect(sqlite.filter((rows) => Array.isArray(rows) && rows.length > 0).length).toBeGreaterThanOrEqual(2);
    },
    300_000,
  );
});
