import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';

async function positions(database: TestDatabase, team: string): Promise<unknown> {
  const where = `team_id = '${team}'`;
  return [
    await database.rows('ingestion_state', { where, order: 'channel_id' }),
    await database.rows('coverage', { where, order: 'channel_id, from_ts' }),
    await database.rows('messages', { where, order: 'channel_id, ts' }),
  ];
}

eachDatabase((create) => {
  it('stops after one call when the token is refused at the start', async () => {
    await using lab = await openLab(create);
    lab.acme.channel('general').post({ text: 'not for everybody' });
    const run = await lab.run(['ingest'], { env: { SLACK_TOKEN: 'xoxb-1-nobody-knows-me' } });
    expect(run.code).toBe(4);
    expect(run.count()).toBe(1);
    expect(run.out).toMatchObject({ status: 'failed', errors: [{ code: 'invalid_auth' }] });
    expect(run.out.errors[0].hint).toMatch(/token/i);
    expect(run.stdout + run.stderr).not.toContain('nobody-knows-me');
    expect(await lab.database.rows('messages')).toEqual([]);
    const [record] = await lab.database.rows('runs');
    expect(record).toMatchObject({ status: 'failed', exit_code: 4 });
  });

  it.each(['token_revoked', 'account_inactive'] as const)(
    'stops at once when Slack says %s in the middle of a run, and leaves the checkpoints',
    async (state) => {
      await using lab = await openLab(create);
      const channels = ['one', 'two', 'three', 'four'].map((name) => lab.acme.channel(name));
      for (const channel of channels) {
        const root = channel.post({ text: 'a root' });
        channel.reply(root, { text: 'a reply' });
      }
      expect((await lab.ingest()).code).toBe(0);
      const before = await positions(lab.database, 'T0ACME');

      for (const channel of channels) {
        const root = channel.post({ text: 'new' });
        channel.reply(root, { text: 'new reply' });
      }
      lab.slack.onRequest(({ method }) => {
        if (method === history) lab.world.setToken(lab.acme.botToken, state);
      });
      const run = await lab.ingest();
      expect(run.code).toBe(4);
      expect(run.out).toMatchObject({ status: 'failed' });
      expect(run.out.errors.map(({ code }: { code: string }) => code)).toEqual([state]);
      const first = run.requests.findIndex(({ method }) => method === history);
      expect(run.requests.length - first - 1).toBeLessThanOrEqual(1);
      expect(await positions(lab.database, 'T0ACME')).toEqual(before);
      const [record] = await lab.database.rows('runs', { where: `run_id = '${run.out.run_id}'` });
      expect(record).toMatchObject({ status: 'failed', exit_code: 4 });
    },
  );

  it('says what is left, and advises to run again only where that helps', async () => {
    await using lab = await openLab(create);
    for (const name of ['one', 'two', 'three', 'four']) lab.acme.channel(name).post({ text: 'hello' });
    const ended = await runCli(['ingest', '--max-requests', '4'], { env: lab.env });
    expect(ended.code).toBe(3);
    expect(ended.stdout).toMatch(/remaining: .*; run again to go on/);

    lab.slack.onRequest(({ method }) => {
      if (method === history) lab.world.revokeToken(lab.acme.botToken);
    });
    const refused = await runCli(['ingest'], { env: lab.env });
    expect(refused.code).toBe(4);
    expect(refused.stdout).toContain('remaining: ');
    expect(refused.stdout).not.toContain('run again to go on');
    expect(refused.stdout).toContain('Check the token');
  });

  it('goes on with the next workspace when the token of one is refused', async () => {
    await using lab = await openLab(create);
    const folder = mkdtempSync(join(tmpdir(), 'slackingest-config-'));
    try {
      const globex = lab.world.workspace('T0GLOBEX', { name: 'Globex', domain: 'globex' });
      const ours = lab.acme.channel('general');
      // A Connect channel: same id, same messages, two workspaces.
      const shared = globex.channel('acme-shared', { sharedWith: ours });
      const theirs = globex.channel('plans');
      ours.post({ text: 'seen from both sides' });
      theirs.post({ text: 'ours alone' });
      const config = join(folder, 'slackingest.yaml');
      writeFileSync(
        config,
        `workspaces:
  - { name: acme, token_env: ACME_TOKEN }
  - { name: globex, token_env: GLOBEX_TOKEN }
`,
      );
      const env = { SLACK_TOKEN: undefined, ACME_TOKEN: lab.acme.botToken, GLOBEX_TOKEN: globex.botToken };
      const args = ['ingest', '--config', config];

      const forget = lab.slack.onRequest(({ method, workspace }) => {
        if (method === history && workspace === 'T0ACME') lab.world.revokeToken(lab.acme.botToken);
      });
      const run = await lab.run(args, { env });
      expect(run.code).toBe(4);
      expect(run.requests.filter(({ workspace }) => workspace === 'T0ACME').length).toBeLessThanOrEqual(4);
      await expectWorld(lab.database, [shared, theirs]);
      expect(await lab.database.rows('messages', { where: "team_id = 'T0ACME'" })).toEqual([]);
      expect(run.out.workspaces.map(({ status }: { status: string }) => status)).toEqual(['failed', 'completed']);
      expect(run.out.errors).toMatchObject([{ workspace: 'T0ACME', code: 'token_revoked' }]);

      forget();
      lab.world.setToken(lab.acme.botToken, 'ok');
      const mended = await lab.run(args, { env });
      expect(mended.code).toBe(0);
      await expectWorld(lab.database, [ours, shared, theirs]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
