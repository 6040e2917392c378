import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { acquireLock } from '../../src/db/lock.ts';
import { migrate } from '../../src/db/migrate.ts';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';
import { dump } from '../support/world-rows.ts';
import { openVault } from './vault.ts';

const day = 86_400;
const nowhere = 'http://127.0.0.1:9/';

eachDatabase((create, name) => {
  it('needs no token offline, and says what it found to people and to machines', async () => {
    await using vault = await openVault(create);
    const { lab, planted } = vault;
    const env = { DATABASE_URL: lab.database.url, SLACK_API_URL: lab.slack.url };
    const sound = await runCli(['verify', '--offline'], { env });
    expect(sound.code).toBe(0);
    expect(sound.stdout).toContain('Acme: no gap found');
    expect((await runCli(['verify'], { env: lab.env })).stdout).toContain('Acme: whole');

    await vault.change(`delete from messages where ts = '${planted.plain}'`);
    const words = await runCli(['verify', '--offline'], { env });
    expect(words.code).toBe(3);
    expect(words.stdout).toContain('Acme: 1 gap');
    expect(words.stdout).toContain('vault: 1 of the 11 messages that were stored are gone.');
    expect(words.stdout).toContain('slackingest verify --repair');

    const { out } = await vault.verify();
    expect(out).toMatchObject({ command: 'verify', status: 'partial', channels: { total: 2, ok: 1, failed: 1 } });
    expect(out.gap_counts).toEqual({ lost_rows: 1, missing: 1 });
    expect(out.gaps[1]).toEqual({
      kind: 'missing',
      channel_id: vault.channel.id,
      channel: 'vault',
      ts: planted.plain,
      message: expect.any(String),
    });

    const repaired = await runCli(['verify', '--offline', '--repair'], { env });
    expect(repaired.code).toBe(3);
    expect(repaired.stdout).toContain('now run "slackingest ingest"');
    await lab.ingest();
    expect((await vault.verify()).code).toBe(0);
  });

  it('reports a repair as a run, and a mere look not at all', async () => {
    await using vault = await openVault(create);
    const { lab } = vault;
    const runs = async () => (await lab.database.rows('runs', { where: "command = 'verify'" })).length;
    expect((await vault.verify()).out.run_id).toBeNull();
    expect(await runs()).toBe(0);
    await vault.change('update stored_counts set message_rows = message_rows + 1');
    const repaired = await vault.verify('--repair', '--offline');
    expect(repaired.out.run_id).not.toBeNull();
    expect(repaired.out.repairs).toMatchObject({ recounted: 1 });
    expect(await runs()).toBe(1);
  });

  it('looks beside a run that holds the lock, and repairs only when it is over', async () => {
    await using vault = await openVault(create);
    const dialect = await vault.lab.database.open();
    const lock = await acquireLock(dialect, 'workspace:T0ACME', Date.now);
    expect((await vault.verify()).code).toBe(0);
    expect((await vault.verify('--repair')).code).toBe(75);
    if ('release' in lock) await lock.release();
    expect((await vault.verify('--repair')).code).toBe(0);
  });

  it('tells apart what was missed and what happened in Slack since the last run', async () => {
    await using vault = await openVault(create);
    const { lab, channel, planted } = vault;
    lab.world.clock.advance(day);
    channel.post({ text: 'New.' });
    channel.reply(planted.root, { text: 'A new reply.' });
    channel.edit(planted.plain, { text: 'A late edit.' });
    const { code, out } = await vault.verify();
    expect(out.gaps).toEqual([]);
    expect(code).toBe(0);
    expect(out.checked.slack.newer).toBeGreaterThanOrEqual(2);
  });

  it('chooses a sample when the requests do not suffice for everything, and says its share and its seed', async () => {
    await using lab = await openLab(create);
    const channel = lab.acme.channel('threads');
    for (let n = 0; n < 30; n += 1) channel.reply(channel.post({ text: `Question ${n}` }), { text: 'Answer.' });
    expect((await lab.ingest()).code).toBe(0);

    const sample = await lab.run(['verify', '--max-requests', '13', '--seed', '7']);
    expect(sample.code).toBe(0);
    expect(sample.count()).toBe(13);
    expect(sample.out.checked.slack).toMatchObject({
      windows: { total: 1, read: 1 },
      threads: { total: 30, read: 10 },
      share: 0.354,
      seed: 7,
    });
    const threadsOf = (run: typeof sample) =>
      run.requests.filter(({ method }) => method === 'conversations.replies').map(({ params }) => params['ts']);
    expect(threadsOf(await lab.run(['verify', '--max-requests', '13', '--seed', '7']))).toEqual(threadsOf(sample));
    expect(threadsOf(await lab.run(['verify', '--max-requests', '13', '--seed', '8']))).not.toEqual(threadsOf(sample));

    const words = await runCli(['verify', '--max-requests', '13', '--seed', '7'], { env: lab.env });
    expect(words.stdout).toContain('no gap found');
    expect(words.stdout).toContain('10 of 30 threads compared; a sample, --seed 7');

    // Too few to begin with: the database is checked all the same, and nothing is proved of Slack.
    const poor = await lab.run(['verify', '--max-requests', '1']);
    expect(poor.code).toBe(3);
    expect(poor.out.checked).toMatchObject({ is_complete: true, slack: { share: 0 } });
  });

  it('looks first where the database itself is suspicious', async () => {
    await using lab = await openLab(create);
    const channel = lab.acme.channel('threads');
    const roots = Array.from({ length: 30 }, (_, n) => channel.post({ text: `Question ${n}` }));
    for (const root of roots) for (const text of ['One.', 'Two.']) channel.reply(root, { text });
    expect((await lab.ingest()).code).toBe(0);
    const dialect = await lab.database.open();
    const [root = ''] = roots.slice(17);
    await dialect.db
      .deleteFrom('messages')
      .where('thread_ts', '=', root as never)
      .where('is_reply', '=', true)
      .execute();

    const { out, requests } = await lab.run(['verify', '--max-requests', '4']);
    expect(requests.at(-1)).toMatchObject({ method: 'conversations.replies', params: { ts: root } });
    expect(out.gap_counts).toEqual({ lost_rows: 1, missing_replies: 1, missing: 2 });
  });

  it('goes on where Slack fails in one channel, and does not call the rest proved', async () => {
    await using lab = await openLab(create);
    const [first, second, third] = ['first', 'second', 'third'].map((each) => lab.acme.channel(each));
    for (const channel of [first, second, third]) channel?.post({ text: 'Hello.' });
    expect((await lab.ingest()).code).toBe(0);
    lab.slack.faults.add({ kind: 'error', error: 'channel_not_found', channel: second?.id ?? '', times: 9 });
    const refused = await lab.run(['verify']);
    expect(refused.code).toBe(3);
    expect(refused.out).toMatchObject({ status: 'partial', gaps: [] });
    expect(refused.out.errors).toMatchObject([{ channel: 'second', code: 'channel_not_found' }]);
    expect(refused.out.checked.slack.windows).toEqual({ total: 3, read: 2 });
    lab.slack.faults.clear();

    lab.slack.faults.add({
      kind: 'http',
      status: 500,
      method: 'conversations.history',
      times: Number.POSITIVE_INFINITY,
    });
    const down = await lab.run(['verify']);
    expect(down.code).toBe(3);
    expect(down.out.gaps).toEqual([]);
    expect(down.out.checked).toMatchObject({ is_complete: true, slack: { share: 0 } });
    lab.slack.faults.clear();

    lab.world.revokeToken(lab.acme.botToken);
    expect((await lab.run(['verify'])).code).toBe(4);
    expect((await lab.run(['verify', '--offline'])).code).toBe(0);
  });

  it('does not take for gaps what is gone together with its root, and what retention took', async () => {
    await using vault = await openVault(create);
    const { lab, channel, planted } = vault;
    const broadcast = channel.reply(planted.plain, { text: 'To all.' }, { broadcast: true });
    expect((await lab.ingest('--lookback', '60d')).code).toBe(0);
    for (const reply of planted.replies) channel.deleteMessage(reply);
    channel.deleteMessage(planted.root);
    channel.deleteMessage(broadcast);
    expect((await lab.ingest('--lookback', '60d')).code).toBe(0);
    expect((await vault.verify()).out.gaps).toEqual([]);

    channel.expireBefore(lab.world.clock.daysAgo(30));
    expect((await vault.verify()).out.gaps).toEqual([]);
    expect((await lab.ingest('--lookback', '60d')).code).toBe(0);
    const { code, out } = await vault.verify();
    expect(out.gaps).toEqual([]);
    expect(code).toBe(0);
  });

  it('does not take for gaps what rules discard, the message at the checkpoint among them', async () => {
    await using lab = await openLab(create);
    await using folder = temporaryFolder();
    const config = join(folder.path, 'slackingest.yaml');
    writeFileSync(config, 'discard: [{ field: text, op: starts_with, value: Noise }]\n');
    const channel = lab.acme.channel('noisy');
    const root = channel.post({ text: 'Signal.' });
    channel.reply(root, { text: 'Noise in the thread.' });
    channel.post({ text: 'Noise.' });
    expect((await lab.ingest('--config', config)).code).toBe(0);
    for (const args of [['--offline'], []]) {
      const { code, out } = await lab.run(['verify', '--config', config, ...args]);
      expect(out.gaps).toEqual([]);
      expect(code).toBe(0);
    }
    // Without the rules it cannot know.
    expect((await lab.run(['verify'])).out.gap_counts).toMatchObject({ missing: 2 });
  });

  it('does not take for gaps what the plan hides', async () => {
    await using vault = await openVault(create);
    const { lab } = vault;
    lab.acme.plan = 'free';
    lab.acme.hideBefore(lab.world.clock.daysAgo(35));
    expect((await lab.ingest('--lookback', '60d')).code).toBe(0);
    const { code, out } = await vault.verify();
    expect(out.gaps).toEqual([]);
    expect(code).toBe(0);
  });

  it('keeps its hands off a database of another version, unless it may repair', async () => {
    await using database = await create();
    await migrate(await database.open(), { now: Date.now, to: '0001_init' });
    const file = database.url.replace('sqlite:', '');
    const bytes = name === 'sqlite' ? readFileSync(file) : null;
    for (const args of [['--offline'], []]) {
      const env = { DATABASE_URL: database.url, SLACK_TOKEN: 'xoxb-1', SLACK_API_URL: nowhere };
      const behind = await runCli(['verify', '--json', ...args], { env });
      expect(behind.code).toBe(1);
      expect(behind.stderr).toContain('out of date');
      expect(behind.json()).toMatchObject({ command: 'verify', status: 'failed' });
    }
    if (bytes !== null) expect(readFileSync(file).equals(bytes)).toBe(true);
    else expect(await database.rows('schema_migrations')).toHaveLength(1);
  });

  it('says so when there is nothing to verify, and creates no database', async () => {
    await using database = await create();
    const { code, stderr } = await runCli(['verify', '--offline'], {
      env: { DATABASE_URL: database.url, SLACK_API_URL: nowhere },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(name === 'sqlite' ? 'there is no database' : 'holds no workspace yet');
    if (name === 'sqlite') expect(existsSync(database.url.replace('sqlite:', ''))).toBe(false);
  });

  it('verifies each workspace of a database by itself', async () => {
    await using vault = await openVault(create);
    const { lab } = vault;
    const zeta = lab.world.workspace('T0ZETA', { name: 'Zeta', domain: 'zeta' });
    zeta.channel('vault').post({ text: 'Of another workspace.' });
    const ingested = await lab.run(['ingest'], { env: { SLACK_TOKEN: zeta.botToken } });
    expect(ingested.code).toBe(0);
    await vault.change("delete from messages where team_id = 'T0ZETA'");

    const both = await vault.verify('--offline');
    expect(both.code).toBe(3);
    expect(both.out.workspaces).toMatchObject([
      { workspace: 'T0ACME', gap_counts: {} },
      { workspace: 'T0ZETA', gap_counts: { lost_rows: 1, checkpoint: 1 } },
    ]);
    for (const wanted of ['Acme', 't0acme']) {
      const one = await vault.verify('--offline', '--workspace', wanted);
      expect(one.code).toBe(0);
      expect(one.out.workspace).toBe('T0ACME');
    }
    const unknown = await vault.verify('--offline', '--workspace', 'nobody');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('Acme (T0ACME)');

    const before = await dump(lab.database);
    const narrowed = await vault.verify('--offline', '--exclude', 'vault');
    expect(narrowed.code).toBe(0);
    expect(await dump(lab.database)).toBe(before);
  });
});

function temporaryFolder(): AsyncDisposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'slackingest-test-'));
  return {
    path,
    async [Symbol.asyncDispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
