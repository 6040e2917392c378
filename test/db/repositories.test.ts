/** What every repository promises, on both databases: the same rows go in, the same rows come out. */
import { expect, it } from 'vitest';
import { openStore, type Store } from '../../src/db/repositories/index.ts';
import type { FileRow, MessageRow, ThreadRow, UserRow } from '../../src/db/schema.ts';
import type { JsonObject } from '../../src/model.ts';
import { microsToTs, millisToIso, parseTs } from '../../src/ts.ts';
import { sampleWorkspace } from '../stand-in/sample-workspace.ts';
import { startStandIn } from '../stand-in/server.ts';
import { createPostgres, createSqlite, eachDatabase, type TestDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';
import { storedSlack } from '../support/stored.ts';

const T = 'T1';
const C = 'C1';
const at = millisToIso(Date.parse('2026-01-02T03:04:05.678Z'));
const later = millisToIso(Date.parse('2026-01-02T03:04:05.679Z'));
const ts = (n: number) => microsToTs(1_700_000_000_000_000 + n);

const awkward: JsonObject = {
  text: 'quotes \' " ` backslash \\ newline \n tab \t é 漢字 😀 \u2028 {"a":1} $1 ? :name %s \'); drop table users; --',
  empty: '',
  nothing: null,
  yes: true,
  numbers: [0, -1, 0.1, 1e21, 9_007_199_254_740_991, 1.5e-7],
  ts: '1700000001.123450',
  nested: { list: [[], {}, [null, [false]]] },
  date: '2026-01-02T03:04:05.678Z',
};

function message(fields: Partial<MessageRow> = {}): MessageRow {
  return {
    team_id: T,
    channel_id: C,
    ts: ts(1),
    posted_at: at,
    thread_ts: null,
    is_reply: false,
    user_id: 'U1',
    bot_id: null,
    subtype: null,
    text: 'hello',
    search_text: 'hello',
    edited_ts: null,
    reply_count: null,
    latest_reply: null,
    deleted_at: null,
    source: 'api',
    is_sanitized: false,
    content_hash: 'c',
    state_hash: 's',
    raw: { text: 'hello' },
    first_seen_at: at,
    updated_at: at,
    exported_at: null,
    ...fields,
  };
}

function thread(fields: Partial<ThreadRow> = {}): ThreadRow {
  return {
    team_id: T,
    channel_id: C,
    thread_ts: ts(1),
    claim: '1 -',
    settled_claims: null,
    is_pending: true,
    resume_ts: null,
    last_checked_at: null,
    last_error: null,
    live_replies: null,
    next_audit_run: null,
    audit_interval: null,
    followed_from_ts: null,
    shown_replies: null,
    ...fields,
  };
}

async function storeOf(database: TestDatabase): Promise<Store> {
  return openStore(await database.openMigrated());
}

eachDatabase((create) => {
  it('messages come back as they went in: text, JSON, flags, times, numbers, null', async () => {
    await using database = await create();
    const store = await storeOf(database);
    const rows = [
      message({
        ts: ts(1),
        thread_ts: parseTs('1700000001.123450'),
        is_reply: true,
        text: String(awkward['text']),
        search_text: '',
        reply_count: 2_147_483_647,
        is_sanitized: true,
        deleted_at: later,
        raw: awkward,
      }),
      message({ ts: ts(2), user_id: null, text: null, search_text: null, source: 'import', raw: {} }),
    ];
    await store.transaction((tx) => tx.messages.write(rows));
    expect(await database.rows('messages', { order: 'ts' })).toEqual(rows);
  });

  it('writing replaces the row of the same key, and keeps its neighbours', async () => {
    await using database = await create();
    const store = await storeOf(database);
    await store.transaction((tx) =>
      tx.messages.write([message(), message({ channel_id: 'C2' }), message({ team_id: 'T2' })]),
    );
    const changed = message({ text: 'changed', thread_ts: ts(1), raw: { changed: true }, updated_at: later });
    await store.transaction((tx) => tx.messages.write([changed]));
    expect(await database.rows('messages', { order: 'team_id, channel_id' })).toEqual([
      changed,
      message({ channel_id: 'C2' }),
      message({ team_id: 'T2' }),
    ]);
  });

  it('finds by ts as text, however many are asked for', async () => {
    await using database = await create();
    const store = await storeOf(database);
    const rows = Array.from({ length: 2000 }, (_, n) => message({ ts: ts(n) }));
    await store.transaction((tx) => tx.messages.write(rows));
    const asked = Array.from({ length: 70_000 }, (_, n) => ts(n * 2));
    const found = await store.messages.findForMerge(T, C, asked);
    expect(found.size).toBe(1000);
    expect(found.get(ts(10))).toEqual({
      thread_ts: null,
      ts: ts(10),
      subtype: null,
      search_text: message().search_text,
      edited_ts: null,
      reply_count: null,
      latest_reply: null,
      deleted_at: null,
      source: 'api',
      content_hash: 'c',
      state_hash: 's',
      first_seen_at: at,
      updated_at: at,
      exported_at: null,
    });
    expect((await store.messages.findForMerge(T, C, [])).size).toBe(0);
    expect((await store.messages.findForMerge(T, C, [parseTs('1700000000.1')])).size).toBe(0);
  });

  it('keeps what a message was as a revision, once', async () => {
    await using database = await create();
    const store = await storeOf(database);
    await store.transaction(async (tx) => {
      await tx.messages.write([message({ raw: awkward })]);
      await tx.messages.keepRevisions(T, C, [ts(1), ts(9)]);
      await tx.messages.keepRevisions(T, C, [ts(1)]);
    });
    expect(await database.rows('message_revisions')).toEqual([
      { team_id: T, channel_id: C, ts: ts(1), seen_at: at, text: 'hello', raw: awkward, edited_ts: null },
    ]);
  });

  it('a mark changes counters and deletion, and nothing else', async () => {
    await using database = await create();
    const store = await storeOf(database);
    const change = { thread_ts: ts(1), deleted_at: later, reply_count: 3, latest_reply: ts(5), updated_at: later };
    await store.transaction(async (tx) => {
      await tx.messages.write([message(), message({ ts: ts(2) })]);
      await tx.messages.mark(message(), change);
      await tx.messages.mark(message({ ts: ts(99) }), change);
    });
    expect(await database.rows('messages', { order: 'ts' })).toEqual([message(change), message({ ts: ts(2) })]);
  });

  it('reactions and file links are added once and removed by their key', async () => {
    await using database = await create();
    const store = await storeOf(database);
    const reaction = {
      team_id: T,
      channel_id: C,
      ts: ts(1),
      name: '+1::skin-tone-4',
      user_id: 'U1',
      first_seen_at: at,
    };
    const link = { team_id: T, channel_id: C, ts: ts(1), file_id: 'F1' };
    await store.transaction(async (tx) => {
      await tx.messages.addReactions([reaction, { ...reaction, user_id: 'U2' }]);
      await tx.messages.addReactions([{ ...reaction, first_seen_at: later }]);
      await tx.messages.addFileLinks([link, { ...link, file_id: 'F2' }]);
      await tx.messages.addFileLinks([link]);
      await tx.messages.removeReactions([{ ...reaction, user_id: 'U2' }]);
      await tx.messages.removeFileLinks([{ ...link, file_id: 'F2' }]);
    });
    expect(await store.messages.findReactions(T, C, [ts(1)])).toEqual([reaction]);
    expect(await store.messages.findFileLinks(T, C, [ts(1)])).toEqual([link]);
  });

  it('files keep sizes beyond 32 bits', async () => {
    await using database = await create();
    const store = await storeOf(database);
    const file: FileRow = {
      team_id: T,
      file_id: 'F1',
      name: 'disk.img',
      title: null,
      mimetype: null,
      size: 9_007_199_254_740_991,
      mode: 'hosted',
      url_private: null,
      created_at: at,
      content_hash: 'h',
      raw: awkward,
      updated_at: at,
      exported_at: null,
    };
    await store.transaction((tx) => tx.messages.writeFiles([file, { ...file, file_id: 'F2', size: null }]));
    expect(await database.rows('files', { order: 'file_id' })).toEqual([file, { ...file, file_id: 'F2', size: null }]);
    expect((await store.messages.findFiles(T, ['F1', 'F3'])).get('F1')).toEqual({
      file_id: 'F1',
      content_hash: 'h',
      mode: 'hosted',
      name: 'disk.img',
      raw: awkward,
      updated_at: at,
      exported_at: null,
    });
  });

  it('an unchanged workspace keeps its updated_at, and what it was told of users', async () => {
    await using database = await create();
    const { directory } = await storeOf(database);
    const row = { team_id: T, name: 'Acme', domain: 'acme', url: null, enterprise_id: null, updated_at: at };
    await directory.saveWorkspace(row);
    await directory.markUsersSynced(T, at);
    await directory.saveWorkspace({ ...row, updated_at: later });
    expect(await directory.findWorkspace(T)).toEqual({ ...row, users_synced_at: at });
    await directory.saveWorkspace({ ...row, url: 'https://acme.slack.com/', updated_at: later });
    expect(await directory.findWorkspace(T)).toMatchObject({ updated_at: later, users_synced_at: at });
    expect(await directory.findWorkspace('T2')).toBeUndefined();
  });

  it('a placeholder never covers a user who is known', async () => {
    await using database = await create();
    const store = await storeOf(database);
    const user: UserRow = {
      team_id: T,
      user_id: 'U1',
      name: 'ada',
      real_name: 'Ada',
      display_name: '',
      email: null,
      tz: null,
      is_bot: false,
      is_deleted: true,
      lookup: null,
      content_hash: 'h',
      raw: awkward,
      updated_at: at,
      exported_at: null,
    };
    await store.transaction(async (tx) => {
      await tx.directory.writeUsers([user]);
      await tx.directory.addUserPlaceholders(T, ['U3', 'U1', 'U2'], at);
      await tx.directory.addUserPlaceholders(T, ['U0'], later);
    });
    expect((await store.directory.findUsers(T, ['U1'])).get('U1')).toEqual(user);
    expect(await store.directory.listPendingUserIds(T)).toEqual(['U2', 'U3', 'U0']);
    await store.transaction((tx) => tx.directory.markUserUnknown(T, 'U2', 'user_not_found', later));
    expect(await store.directory.listPendingUserIds(T)).toEqual(['U3', 'U0']);
    expect((await store.directory.listUserIds(T)).sort()).toEqual(['U0', 'U1', 'U2', 'U3']);
  });

  it('lists pending threads latest first, without those that failed in this run', async () => {
    await using database = await create();
    const { positions, transaction } = await storeOf(database);
    await transaction((tx) =>
      tx.positions.writeThreads([
        thread({ thread_ts: ts(1) }),
        thread({ thread_ts: ts(2), is_pending: false, settled_claims: '1 -' }),
        thread({ thread_ts: ts(3), last_checked_at: at, last_error: 'once before' }),
        thread({ thread_ts: ts(4), last_checked_at: later, last_error: 'in this run' }),
        thread({ thread_ts: ts(5), last_checked_at: later }),
        thread({ thread_ts: ts(6), channel_id: 'C2' }),
        thread({ thread_ts: ts(7), team_id: 'T2' }),
      ]),
    );
    const pending = await positions.listPendingThreads(T, [C], { failedBefore: later, now: later, limit: 10 });
    expect(pending.map(({ thread_ts }) => thread_ts)).toEqual([ts(5), ts(3), ts(1)]);
    expect(pending[1]).toEqual(thread({ thread_ts: ts(3), last_checked_at: at, last_error: 'once before' }));
    expect(
      await positions.listPendingThreads(T, [C, 'C2'], { failedBefore: later, now: later, limit: 1 }),
    ).toHaveLength(1);
    expect(await positions.countPendingThreads(T, [C, 'C2'])).toBe(5);
    expect(await positions.countPendingThreads(T, [])).toBe(0);
  });

  it('replaces the coverage of one channel, and touches no row that stays', async () => {
    await using database = await create();
    const { positions, transaction } = await storeOf(database);
    const interval = (from: number, to: number, channel_id = C) => ({
      team_id: T,
      channel_id,
      from_ts: ts(from),
      to_ts: ts(to),
      source: 'api' as const,
      audited_at: at,
    });
    const [one, two, other] = [interval(30, 40), interval(1, 10), interval(1, 99, 'C2')];
    await transaction((tx) => tx.positions.replaceCoverage([], [one, two, other]));
    expect(await positions.listCoverage(T, C)).toEqual([two, one]);
    const joined = interval(1, 40);
    await transaction((tx) => tx.positions.replaceCoverage([two, one], [joined]));
    expect(await positions.listCoverage(T, C)).toEqual([joined]);
    expect(await positions.listCoverage(T, 'C2')).toEqual([other]);
  });

  it('marks only unfinished runs of its own workspace as abandoned', async () => {
    await using database = await create();
    const { runs } = await storeOf(database);
    const run = (run_id: string, team_id: string, status: 'running' | 'completed') => ({
      run_id,
      team_id,
      workspace: 'w',
      command: 'ingest',
      trigger: 'cron' as const,
      status,
      started_at: at,
      finished_at: null,
      heartbeat_at: at,
      exit_code: null,
      counts: awkward,
      error: null,
      config_hash: null,
      app_version: '0',
    });
    for (const row of [run('a', T, 'running'), run('b', T, 'completed'), run('c', 'T2', 'running')])
      await runs.insertRun(row);
    expect(await runs.markAbandoned(T, 'others', later)).toEqual(['a']);
    expect(await runs.markAbandoned(T, 'others', later)).toEqual([]);
    await runs.updateRun('b', { exit_code: 0, finished_at: later });
    expect(await database.rows('runs', { order: 'run_id' })).toEqual([
      { ...run('a', T, 'running'), status: 'failed', finished_at: later, error: expect.stringContaining('abandoned') },
      { ...run('b', T, 'completed'), exit_code: 0, finished_at: later },
      run('c', 'T2', 'running'),
    ]);
  });

  it('remembers the pace to the millisecond', async () => {
    await using database = await create();
    const { runs, transaction } = await storeOf(database);
    const states = [
      {
        method: 'conversations.history',
        notBefore: 0,
        recentCalls: [1_700_000_000_123, 1_700_000_000_456],
        isRestricted: true,
      },
      { method: 'users.list', notBefore: 1_800_000_000_789, recentCalls: [], isRestricted: false },
    ];
    await transaction((tx) => tx.runs.savePaceStates(T, states, at));
    await transaction((tx) => tx.runs.savePaceStates(T, states, later));
    const listed = await runs.listPaceStates(T);
    expect(listed.sort((a, b) => (a.method < b.method ? -1 : 1))).toEqual(states);
    expect(await runs.listPaceStates('T2')).toEqual([]);
  });
});

it('a whole workspace is the same in both databases', async () => {
  const { world, token } = sampleWorkspace({ seed: 7, now: Date.now() - 60_000 });
  await using slack = await startStandIn({ world });
  await using sqlite = await createSqlite();
  await using postgres = await createPostgres();
  for (const { url } of [sqlite, postgres]) {
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: url };
    expect((await runCli(['ingest', '--backfill-from', '2020-01-01'], { env })).code).toBe(0);
    expect((await runCli(['sync-users'], { env })).code).toBe(0);
  }
  const one = await storedSlack(sqlite);
  expect(one).toEqual(await storedSlack(postgres));
  for (const table of ['messages', 'users', 'usergroups', 'channels', 'reactions', 'files', 'threads']) {
    expect(one[table]?.length, table).toBeGreaterThan(0);
  }
});
