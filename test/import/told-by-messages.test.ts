/** What an export's messages tell of people, names of channels and threads, where its lists do not. */
import { expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model.ts';
import { type ExportFile, slackJson } from '../exports/make-export.ts';
import { createSqlite, eachDatabase } from '../support/databases.ts';
import { type ExportLab, openExportLab } from '../support/export-lab.ts';
import { runCli } from '../support/run-cli.ts';

const noon = Date.parse('2024-01-10T20:00:00Z') / 1000;
const ts = (n: number) => `${noon + n}.000100`;
const general = [{ id: 'C0GENERAL', name: 'general', created: 1 }];

function filesOf(messages: readonly JsonObject[], lists: Record<string, JsonValue> = {}): ExportFile[] {
  const all = { channels: general, ...lists };
  return [
    ...Object.entries(all).map(([name, list]) => ({ path: `${name}.json`, content: slackJson(list) })),
    { path: 'general/2024-01-10.json', content: slackJson(messages.map((one) => ({ type: 'message', ...one }))) },
  ];
}

const workspace = ['--workspace', 'T0EXPORT'] as const;

async function peopleIn({ database }: ExportLab) {
  const rows = await database.rows('users', { order: 'user_id' });
  return rows.map(({ user_id, name, real_name, display_name }) => [user_id, name, real_name, display_name]);
}

const ada = (name: string) => ({ name: name.toLowerCase(), real_name: name, display_name: '' });
const older = filesOf([
  { ts: ts(1), user: 'U0ADA', text: 'one', user_profile: ada('Ada') },
  { ts: ts(2), user: 'U0BOB', text: 'two' },
  { ts: ts(3), user: 'U0CY', text: 'nobody knows me' },
]);
const newer = filesOf([
  { ts: ts(4), user: 'U0ADA', text: 'hello <@U0BOB|bob> and <@U0DI|di>', user_profile: ada('Countess') },
  { ts: ts(5), user: 'U0DI', text: 'hello' },
]);
const named = [
  ['U0ADA', 'countess', 'Countess', null],
  ['U0BOB', 'bob', null, null],
  ['U0CY', null, null, null],
  ['U0DI', 'di', null, null],
];

eachDatabase((create) => {
  it.each([
    ['older first', [older, newer]],
    ['newer first, and all of it twice', [newer, older, newer, older]],
  ])('authors without users.json have the names that messages tell, the newest of them: %s', async (_, exports) => {
    await using lab = await openExportLab(create);
    for (const files of exports) expect((await lab.import(files, ...workspace)).code).toBe(0);
    expect(await peopleIn(lab)).toEqual(named);
    const again = await lab.import(older, ...workspace);
    expect(again.out.needs_token).toEqual({ author_names: 1, thread_roots: 0 });
    const told = await runCli(['import', lab.zip(older), ...workspace], { env: lab.env });
    expect(told.stdout).toContain('not in the export: the names of 1 author; ingest asks Slack, with a token');
  });

  it('a list of people counts before what messages tell, whichever comes first', async () => {
    const listed = filesOf([{ ts: ts(6), user: 'U0ADA', text: 'six' }], {
      users: [{ id: 'U0ADA', team_id: 'T0EXPORT', name: 'lovelace', profile: { real_name: 'A. Lovelace' } }],
    });
    for (const exports of [
      [listed, newer],
      [newer, listed],
    ]) {
      await using lab = await openExportLab(create);
      for (const files of exports) await lab.import(files, ...workspace);
      expect((await peopleIn(lab))[0]).toEqual(['U0ADA', 'lovelace', 'A. Lovelace', null]);
    }
  });

  it('every thread has a row, also where its first message is missing or says nothing of replies', async () => {
    await using lab = await openExportLab(create);
    const replies = (root: number, ...all: number[]) =>
      all.map((n) => ({ ts: ts(n), user: 'U0ADA', text: 'reply', thread_ts: ts(root) }));
    const files = filesOf([
      ...[{ ts: ts(10), user: 'U0ADA', text: 'root', thread_ts: ts(10), reply_count: 1, latest_reply: ts(11) }],
      ...[...replies(10, 11), { ts: ts(12), user: 'U0ADA', text: 'a root that lies' }, ...replies(12, 13, 14)],
      ...[...replies(-9000, 15, 16, 17), { ts: ts(18), user: 'U0ADA', text: 'no thread' }],
    ]);
    const run = await lab.import(files, ...workspace);
    expect(run.out.needs_token).toMatchObject({ thread_roots: 1 });
    const rows = await lab.database.rows('threads', { order: 'thread_ts' });
    expect(
      rows.map(({ thread_ts, live_replies, is_pending }) => [thread_ts, live_replies, Boolean(is_pending)]),
    ).toEqual([
      [ts(-9000), 3, false],
      [ts(10), 1, false],
      [ts(12), 2, false],
    ]);
    // What comes later belongs to it, and what is there twice changes nothing.
    await lab.import(filesOf(replies(-9000, 19)), ...workspace);
    expect((await lab.import(files, ...workspace)).out.messages).toMatchObject({ inserted: 0 });
    expect((await lab.database.rows('threads', { order: 'thread_ts' }))[0]).toMatchObject({ live_replies: 4 });
    const verified = await runCli(['verify', '--offline', '--json'], { env: lab.env });
    expect({ code: verified.code, gaps: JSON.parse(verified.stdout).gaps }).toEqual({ code: 0, gaps: [] });
  });

  it('a renaming is remembered, and status knows the last message of what was only imported', async () => {
    await using lab = await openExportLab(create);
    const renamed = (n: number, subtype: string, old_name: JsonValue, name: string) => {
      return { ts: ts(n), user: 'U0ADA', subtype, old_name, name, text: 'has renamed the channel' };
    };
    const files = filesOf([
      renamed(1, 'channel_name', 'lobby', 'hall'),
      renamed(2, 'group_name', 'hall', 'general'),
      renamed(3, 'channel_name', null, 'general'),
    ]);
    for (let times = 0; times < 2; times += 1) await lab.import(files, ...workspace);
    const aliases = await lab.database.rows('channel_aliases', { order: 'alias' });
    expect(aliases.map(({ kind, alias, channel_id }) => [kind, alias, channel_id])).toEqual([
      ['name', 'hall', 'C0GENERAL'],
      ['name', 'lobby', 'C0GENERAL'],
    ]);
    const status = await runCli(['status', '--json'], { env: lab.env });
    const [one] = JSON.parse(status.stdout).workspaces;
    expect(one.channels).toMatchObject([{ channel_id: 'C0GENERAL', last_message_at: '2024-01-10T20:00:03.000Z' }]);
  });
});

it('names told before a kill are told again by the import that goes on', async () => {
  await using lab = await openExportLab(createSqlite);
  await lab.import(older, ...workspace);
  const dialect = await lab.database.open();
  await dialect.db.deleteFrom('told_names').execute();
  await dialect.db.updateTable('users').set({ name: null, real_name: null, display_name: null }).execute();
  const again = await lab.import(older, ...workspace);
  expect(again.out.day_files).toMatchObject({ imported_before: 1 });
  expect((await peopleIn(lab))[0]).toEqual(['U0ADA', 'ada', 'Ada', null]);
});
