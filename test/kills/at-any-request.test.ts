/** Killed without a word around any request to Slack: the next run ends with the same rows as one that was never killed. */
import { expect, it, vi } from 'vitest';
import { startStandIn } from '../stand-in/server.ts';
import { eachDatabase } from '../support/databases.ts';
import { untilNoMore } from '../support/in-parallel.ts';
import { killPlans } from '../support/moments.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';
import { storedSlack } from '../support/stored.ts';

vi.setConfig({ testTimeout: 300_000 });

const { world, token, channels } = smallWorkspace();
const ingest = ['ingest', '--json', '--backfill-from', smallBackfillFrom];
const options = { world, thinPages: smallPages };

eachDatabase((create, name) => {
  it('an uninterrupted run stores what Slack holds', async () => {
    await using database = await create();
    await using slack = await startStandIn(options);
    const run = await runCli(ingest, {
      env: { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url },
    });
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
    for (const channel of channels) {
      const rows = await database.rows('messages', { order: 'ts', where: `channel_id = '${channel.id}'` });
      expect(rows.map(({ ts }) => ts)).toEqual(channel.expectedMessages({ metadata: true }).map(({ ts }) => ts));
    }
    expect((await database.rows('threads')).map(({ is_pending }) => is_pending)).toEqual([false, false, false]);
    expect(await database.rows('users', { where: "lookup = 'pending'" })).toEqual([]);
    // Smaller and the kills below prove little.
    expect(slack.requests.length).toBeGreaterThan(18);
  });

  it.each(killPlans)('killed around any answer of Slack, the next run makes up for it', async (momentOf) => {
    const whole = await uninterrupted();
    const kills = await untilNoMore(async (n) => {
      await using database = await create();
      await using slack = await startStandIn(options);
      const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
      const moment = momentOf(n, name);
      const killed = startCli(ingest, { env });
      const kill = async (request: { n: number }) => {
        if (request.n !== n) return;
        killed.process.kill('SIGKILL');
        await killed.result;
      };
      const stop = moment === 'before' ? slack.onRequest(kill) : slack.onResponse(kill);
      if ((await killed.result).signal !== 'SIGKILL') return false;
      stop();

      const next = await runCli(ingest, { env });
      expect({ n, code: next.code, stderr: next.stderr }).toMatchObject({ n, code: 0 });
      expect(await storedSlack(database), `killed ${moment} answer ${n}`).toEqual(whole);
      const runs = await database.rows('runs', { order: 'started_at' });
      expect(runs.at(-1)?.['status']).toBe('completed');
      expect(runs.filter(({ status }) => status === 'running')).toEqual([]);
      expect(await database.rows('locks')).toEqual([]);
      return true;
    });
    // After the last answer there is little left to do, so that kill may come too late.
    expect(kills).toBeGreaterThan(17);
  });

  it('killed again and again, it still gets to the end, and to the same rows', async () => {
    const whole = await uninterrupted();
    await using database = await create();
    await using slack = await startStandIn(options);
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    // Fewer, and every run would be spent on asking each channel for what is new.
    const requests = 12;
    let run = await killedAfter(requests);
    let kills = 0;
    for (; run.signal === 'SIGKILL' && kills < 30; kills += 1) run = await killedAfter(requests);
    expect(run.code).toBe(0);
    expect(kills).toBeGreaterThan(1);
    expect(await storedSlack(database)).toEqual(whole);

    async function killedAfter(requests: number) {
      const cli = startCli(ingest, { env });
      const from = slack.requests.length;
      const stop = slack.onRequest(async ({ n }) => {
        if (n <= from + requests) return;
        cli.process.kill('SIGKILL');
        await cli.result;
      });
      const result = await cli.result;
      stop();
      return result;
    }
  });

  async function uninterrupted() {
    await using database = await create();
    await using slack = await startStandIn(options);
    await runCli(ingest, { env: { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url } });
    return await storedSlack(database);
  }
});
