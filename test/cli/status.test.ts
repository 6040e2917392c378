/** `status` tells from the database alone how things stand. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { describe, expect, it } from 'vitest';
import { eachDatabase, hasTable, type TestDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';

const history = 'conversations.history';

/** No token, no Slack: what makes tests fast is not allowed then. */
function cli(args: readonly string[], url: string) {
  return runCli(args, { env: { DATABASE_URL: url, SLACKINGEST_PACE: undefined } });
}

function status(database: TestDatabase, ...args: string[]) {
  return cli(['status', ...args], database.url);
}

async function execute(database: TestDatabase, statement: string): Promise<void> {
  const { db } = await database.open();
  await db.executeQuery(CompiledQuery.raw(statement));
}

eachDatabase((create, name) => {
  it('says that nothing is stored yet, and creates nothing', async () => {
    await using database = await create();
    if (name === 'sqlite') writeFileSync(database.url.replace('sqlite:', ''), '');
    const text = await status(database);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain('nothing is stored yet');
    const { out, code } = await jsonOf(database);
    expect(code).toBe(0);
    expect(out).toMatchObject({ command: 'status', database: { is_empty: true, size_bytes: null }, workspaces: [] });
    if (name === 'sqlite') expect(statSync(database.url.replace('sqlite:', '')).size).toBe(0);
    else expect(await hasTable(await database.open(), 'schema_migrations')).toBe(false);
  });

  it('tells runs, freshness and coverage of what was read, without a token', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    lab.acme.channel('elsewhere', { isMember: false });
    const root = general.post({ text: 'hello' });
    general.reply(root, { text: 'hi' });
    await lab.ingest();
    general.post({ text: 'more' });
    await lab.ingest();

    const { out } = await jsonOf(lab.database);
    expect(out.database).toMatchObject({ is_empty: false, schema: { pending: [] } });
    expect(out.database.size_bytes).toBeGreaterThan(10_000);
    const [workspace] = out.workspaces;
    expect(workspace).toMatchObject({
      team_id: 'T0ACME',
      name: 'Acme',
      ingest: { runs: 2, since: expect.any(String) },
      ingest_runs_per_day: null,
      totals: { channels: 1, failed: 0, with_holes: 0, messages: 3, threads: 1 },
      channels_not_read: 1,
      remaining: { threads: 0, holes: 0, requests: 0, seconds: 0 },
      limits: [],
    });
    expect(workspace.runs).toHaveLength(2);
    expect(workspace.runs[0]).toMatchObject({
      command: 'ingest',
      status: 'completed',
      exit_code: 0,
      error: null,
      messages: { inserted: 1 },
    });
    expect(workspace.runs[1]).toMatchObject({ messages: { inserted: 2, updated: 0, deleted: 0 } });
    expect(workspace.runs[1].requests).toBeGreaterThanOrEqual(5);
    const [channel] = workspace.channels;
    expect(channel).toMatchObject({
      channel_id: general.id,
      name: 'general',
      messages: 3,
      threads: { total: 1, pending: 0, failed: 0 },
      holes: [],
      error: null,
    });
    expect(channel.coverage).toHaveLength(1);
    expect(channel.complete_from).toBe(channel.coverage[0].from);
    expect(channel.last_checked_at > workspace.runs[0].started_at).toBe(true);

    const { stdout } = await status(lab.database);
    for (const words of [
      'Acme (T0ACME)',
      '1 read, 0 failed',
      '1 more not read',
      'completed',
      '#general',
      'audited every',
    ])
      expect(stdout).toContain(words);
  });

  it('shows what is missing: failed channels first, then holes, then threads that wait, and the time they take', async () => {
    await using lab = await openLab(create);
    const { clock } = lab.world;
    const [fine, holed, failing] = ['fine', 'holed', 'failing'].map((channel) => lab.acme.channel(channel));
    for (const channel of [fine, holed, failing]) channel?.post({ ts: clock.daysAgo(2), text: 'hello' });
    await lab.ingest();
    lab.slack.faults.add({
      kind: 'error',
      error: 'access_denied',
      method: history,
      channel: failing?.id ?? '',
    });
    await lab.ingest('--channel', 'failing');
    await execute(
      lab.database,
      `update ingestion_state set wanted_from_ts = '1600000000.000000' where channel_id = '${holed?.id}'`,
    );
    await execute(
      lab.database,
      `insert into threads (team_id, channel_id, thread_ts, claim, is_pending) values ('T0ACME', '${fine?.id}', '1700000000.000100', '1 1700000001.000100', ${name === 'sqlite' ? '1' : 'true'})`,
    );
    const { out } = await jsonOf(lab.database);
    const [workspace] = out.workspaces;
    expect(workspace.channels.map((channel: { name: string }) => channel.name)).toEqual(['failing', 'holed', 'fine']);
    expect(workspace.channels[0].error).toContain('access_denied');
    expect(workspace.channels[1].holes).toHaveLength(1);
    expect(workspace.channels[1].holes[0].from).toBe('2020-09-13T12:26:40.000Z');
    expect(workspace.channels[2].threads.pending).toBe(1);
    expect(workspace.remaining).toMatchObject({ threads: 1, holes: 1, requests: 2 });

    const { stdout } = await status(lab.database);
    expect(stdout).toContain('1 thread, 1 hole: at least 2 requests');
    expect(stdout).toContain('! access_denied');
    expect(stdout).toContain('not read: 2020-09-13 12:26 to');
    expect(stdout.lastIndexOf('#failing')).toBeLessThan(stdout.lastIndexOf('#holed'));
    expect(stdout.lastIndexOf('#holed')).toBeLessThan(stdout.lastIndexOf('#fine'));
  });

  it('tells what Slack limits, and forgets a rest that is over', async () => {
    await using lab = await openLab(create);
    lab.acme.channel('general').post({ text: 'hello' });
    await lab.ingest();
    const soon = new Date(Date.now() + 600_000).toISOString();
    await execute(lab.database, `update rate_limits set not_before_at = '${soon}' where method = '${history}'`);
    await execute(
      lab.database,
      `update rate_limits set is_restricted = ${name === 'sqlite' ? '1' : 'true'} where method = '${history}'`,
    );
    await execute(
      lab.database,
      "update rate_limits set not_before_at = '2020-01-01T00:00:00.000Z' where method = 'users.list'",
    );
    const { out } = await jsonOf(lab.database);
    expect(out.workspaces[0].limits).toEqual([{ method: history, not_before_at: soon, is_restricted: true }]);
    const { stdout } = await status(lab.database);
    expect(stdout).toContain(`${history} rests until ${soon.slice(0, 10)} ${soon.slice(11, 16)}`);
    expect(stdout).toContain('one call a minute');
  });

  it('shows a run that failed before Slack said whose token it is', async () => {
    await using lab = await openLab(create);
    await lab.run(['ingest'], { env: { SLACK_TOKEN: 'xoxb-0000000000-wrong' } });
    const first = await jsonOf(lab.database);
    expect(first.out.workspaces).toEqual([]);
    expect(first.out.other_runs).toHaveLength(1);
    expect((await status(lab.database)).stdout).toContain('failed');

    lab.acme.channel('general').post({ text: 'hello' });
    await lab.ingest();
    const { out } = await jsonOf(lab.database);
    expect(out.other_runs).toEqual([]);
    expect(out.workspaces[0].runs.map((run: { status: string }) => run.status)).toEqual(['completed', 'failed']);
    expect(out.workspaces[0].runs[1].error).toContain('invalid_auth');
  });

  it('chooses the workspace by its id, its name or the one in the config file, and refuses any other', async () => {
    await using lab = await openLab(create);
    lab.acme.channel('general').post({ text: 'hello' });
    await lab.ingest();
    await execute(
      lab.database,
      `insert into workspaces (team_id, name, updated_at) values ('T0LAB', 'Lab', '2026-01-01T00:00:00.000Z')`,
    );
    const folder = mkdtempSync(join(tmpdir(), 'slackingest-status-'));
    const config = join(folder, 'config.yaml');
    writeFileSync(config, 'workspaces: [{ name: mine, token_env: MINE, team_id: T0ACME }]\n');
    try {
      for (const wanted of ['T0ACME', 'acme', 'mine']) {
        const { out } = await jsonOf(lab.database, '--config', config, '--workspace', wanted);
        expect(out.workspaces.map(({ team_id }: { team_id: string }) => team_id)).toEqual(['T0ACME']);
      }
      const all = await jsonOf(lab.database);
      expect(all.out.workspaces).toHaveLength(2);
      const other = await status(lab.database, '--workspace', 'other');
      expect(other.code).toBe(2);
      expect(other.stderr).toContain('Acme (T0ACME)');
      expect(other.stderr).toContain('Lab (T0LAB)');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('lets nothing from Slack move the cursor or show a secret, and keeps to the width', async () => {
    await using lab = await openLab(create);
    await lab.ingest();
    const hostile = 'evil\u001b[2Jname xoxb-1234567890-abcdef '.repeat(4);
    const insert = (table: string, columns: string, values: string) =>
      execute(lab.database, `insert into ${table} (${columns}) values (${values})`);
    await insert(
      'ingestion_state',
      'team_id, channel_id, wanted_from_ts, last_error',
      `'T0ACME', 'C0EVIL', '1700000000.000000', 'broken: ${hostile}'`,
    );
    const no = name === 'sqlite' ? '0' : 'false';
    await insert(
      'channels',
      'team_id, channel_id, name, kind, is_archived, content_hash, raw, updated_at',
      `'T0ACME', 'C0EVIL', '${hostile}', 'public', ${no}, '', '{}', '2026-01-01T00:00:00.000Z'`,
    );
    const { stdout } = await status(lab.database);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('1234567890');
    const [, ...lines] = stdout.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const { out, stdout: json } = await jsonOf(lab.database);
    expect(json).not.toContain('1234567890');
    expect(out.workspaces[0].channels[0].channel_id).toBe('C0EVIL');
  });

  it('lists the worst of many channels, and all of them with --json', async () => {
    await using lab = await openLab(create);
    await lab.ingest();
    const rows = Array.from(
      { length: 60 },
      (_, n) =>
        `('T0ACME', 'C${String(n).padStart(3, '0')}', '1700000000.000000', '2026-01-01T00:${String(n).padStart(2, '0')}:00.000Z')`,
    );
    await execute(
      lab.database,
      `insert into ingestion_state (team_id, channel_id, wanted_from_ts, last_checked_at) values ${rows.join(', ')}`,
    );
    const { stdout } = await status(lab.database);
    expect(stdout).toContain('C000');
    expect(stdout).toContain('C019');
    expect(stdout).not.toContain('C020');
    expect(stdout).toContain('and 40 more; --json lists all');
    expect((await jsonOf(lab.database)).out.workspaces[0].channels).toHaveLength(60);
  });

  it('states in how many runs any edit of an old message is found', async () => {
    await using lab = await openLab(create);
    const { clock } = lab.world;
    const channels = ['a', 'b'].map((channel) => lab.acme.channel(channel));
    for (const channel of channels)
      for (let n = 0; n < 1_000; n += 1) channel.post({ ts: clock.daysAgo(100 - n / 20), text: `message ${n}` });
    const folder = mkdtempSync(join(tmpdir(), 'slackingest-status-'));
    const config = join(folder, 'config.yaml');
    writeFileSync(config, 'audit_requests: 1\n');
    try {
      const from = new Date(Date.now() - 120 * 86_400_000).toISOString().slice(0, 10);
      await lab.ingest('--backfill-from', from, '--config', config);
      const { audit } = (await jsonOf(lab.database, '--config', config)).out.workspaces[0];
      expect(audit).toMatchObject({ requests_per_run: 1, pages: 4, histories: { every_runs: 4 } });
      // Wherever the audits have come to by now.
      for (let n = 0; n < 4; n += 1) await lab.ingest('--config', config);
      for (const channel of channels) {
        for (const message of channel.expectedMessages().filter((_, n) => n % 300 === 0))
          channel.edit(String(message['ts']), { text: 'edited long after' });
      }
      for (let n = 0; n < audit.histories.every_runs; n += 1) await lab.ingest('--config', config);
      const edited = await lab.database.rows('messages', { where: "text = 'edited long after'" });
      expect(edited).toHaveLength(8);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says that the schema is behind, and leaves it so', async () => {
    await using database = await create();
    await cli(['migrate', '--to', '0001_init'], database.url);
    const { out, code } = await jsonOf(database);
    expect(code).toBe(1);
    expect(out.database).toMatchObject({ is_empty: false, schema: { applied: ['0001_init'] } });
    expect(out.database.schema.pending).toContain('0002_audits');
    expect((await status(database)).stdout).toContain('slackingest migrate');
    expect((await jsonOf(database)).out.database.schema.applied).toEqual(['0001_init']);
  });
});

async function jsonOf(database: TestDatabase, ...args: string[]) {
  const result = await status(database, '--json', ...args);
  return { ...result, out: result.json() };
}

describe('a file that is there and empty', () => {
  it('stays as it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slackingest-status-'));
    try {
      const file = join(folder, 'empty.db');
      writeFileSync(file, '');
      const result = await cli(['status'], `sqlite:${file}`);
      expect(result.code).toBe(0);
      expect(result.stdout).toContain('nothing is stored yet');
      expect(statSync(file).size).toBe(0);
      expect(readdirSync(folder)).toEqual(['empty.db']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a database out of reach', () => {
  it('is an error, told as JSON too', async () => {
    const url = 'postgres://nobody@127.0.0.1:1/nothing';
    const result = await cli(['status', '--json'], url);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ command: 'status', status: 'failed', errors: [{ code: 'database_error' }] });
  });
});
