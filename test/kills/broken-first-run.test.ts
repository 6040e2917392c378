/** The first run breaks off in the middle of a long channel, for good: it says so, and the next run gets the rest. */
import { expect, it } from 'vitest';
import { bulkWorkspace } from '../stand-in/bulk-workspace.ts';
import { startStandIn } from '../stand-in/server.ts';
import { eachDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';

const pageSize = ({ method, limit }: { method: string; limit: number }) =>
  method === 'conversations.history' ? 100 : limit;

eachDatabase((create) => {
  for (const { days, way } of [
    { days: 25, way: 'forward' },
    { days: 2000, way: 'backward' },
  ]) {
    it(`reads 5,000 of 5,000 messages after an error at page 10 of 50 (pages go ${way})`, async () => {
      await using database = await create();
      const { world, token, workspace } = bulkWorkspace({ channels: 1, messages: 5000, replyShare: 0, users: 5, days });
      await using slack = await startStandIn({ world, thinPages: pageSize });
      const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
      const ingest = ['ingest', '--json', '--backfill-from', '2015-01-01'];
      slack.faults.add({ method: 'conversations.history', kind: 'http', status: 500, nth: 10, times: Infinity });

      const broken = await runCli(ingest, { env });
      expect([1, 3]).toContain(broken.code);
      expect(['failed', 'partial']).toContain(broken.json().status);
      expect(broken.json().errors).toMatchObject([{ channel: 'bulk-0', code: 'http_500' }]);
      expect(broken.stderr).toContain('500');
      expect(await database.rows('runs')).toMatchObject([{ exit_code: broken.code, status: broken.json().status }]);
      const [state] = await database.rows('ingestion_state');
      expect(state?.['last_error']).toContain('http_500');
      const some = await database.rows('messages');
      expect(some.length).toBeGreaterThan(700);
      expect(some.length).toBeLessThan(1000);

      slack.faults.clear();
      const callsBefore = slack.count('conversations.history');
      const mended = await runCli(ingest, { env });
      expect(mended.code).toBe(0);
      const [channel] = workspace.channels.values();
      const truth = channel?.expectedMessages().map(({ ts }) => ts);
      expect(truth).toHaveLength(5000);
      expect((await database.rows('messages', { order: 'ts' })).map(({ ts }) => ts)).toEqual(truth);
      // It went on from page 10 and did not begin anew.
      expect(slack.count('conversations.history') - callsBefore).toBeLessThan(45);
      expect((await database.rows('ingestion_state'))[0]?.['last_error']).toBeNull();
      expect(await database.rows('coverage')).toHaveLength(1);
    });
  }

  it('is partial when another channel went well', async () => {
    await using database = await create();
    const { world, token } = bulkWorkspace({ channels: 2, messages: 40, replyShare: 0, users: 5, days: 25 });
    await using slack = await startStandIn({ world });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const [, second] = [...world.workspaces.values()].flatMap((workspace) => [...workspace.channels.keys()]);
    slack.faults.add({
      method: 'conversations.history',
      channel: second ?? '',
      kind: 'http',
      status: 500,
      times: Infinity,
    });

    const partial = await runCli(['ingest'], { env });
    expect(partial.code).toBe(3);
    expect(partial.stdout).toContain('bulk-1');
    expect(partial.stdout).toContain('500');
    expect(await database.rows('run_channels', { order: 'status' })).toMatchObject([
      { status: 'failed', error: expect.stringContaining('http_500') },
      { status: 'ok', error: null },
    ]);
  });
});
