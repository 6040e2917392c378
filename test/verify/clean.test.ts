/** A clean database passes: after whole runs with Slack's word for it, after any interruption by its own. */
import { expect, it, vi } from 'vitest';
import { startStandIn } from '../stand-in/server.ts';
import { eachDatabase } from '../support/databases.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';
import { dump } from '../support/world-rows.ts';
import { openSampleLab } from './sample-lab.ts';

vi.setConfig({ testTimeout: 180_000 });

eachDatabase((create, name) => {
  it.each([
    { range: 'a month', args: [] },
    { range: 'all there is', args: ['--backfill-from', '2020-01-01'] },
  ])('finds nothing missing in a database that holds $range, and writes nothing', async ({ args }) => {
    await using lab = await openSampleLab(create, ...args);
    const before = await dump(lab.database);

    const offline = await lab.run(['verify', '--offline'], { SLACK_TOKEN: undefined });
    expect(offline.out.gaps).toEqual([]);
    expect(offline.code).toBe(0);
    expect(offline.calls).toBe(0);
    expect(offline.out).toMatchObject({ command: 'verify', status: 'completed', run_id: null, errors: [] });
    const messages = (await lab.database.rows('messages')).length;
    expect(offline.out.checked).toMatchObject({ channels: 14, messages, is_complete: true, slack: null });

    const online = await lab.run(['verify', '--max-requests', '1000']);
    expect(online.out.gaps).toEqual([]);
    expect(online.code).toBe(0);
    expect(online.out.checked.slack).toMatchObject({ share: 1, newer: 0 });
    expect(await dump(lab.database)).toBe(before);
  });

  it('finds nothing but what is still to be read in a database whose run was killed', async () => {
    const { world, token } = smallWorkspace();
    const toBeRead = new Set(['thread_pending', 'not_read', 'never_read']);
    await using slack = await startStandIn({ world, thinPages: smallPages });
    // The first of every four kills on one database, the third on the other.
    for (let n = name === 'sqlite' ? 5 : 7; n < 26; n += 4) {
      await using database = await create();
      const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
      const killed = startCli(['ingest', '--backfill-from', smallBackfillFrom], { env });
      const last = slack.requests.length + n;
      const forget = slack.onRequest(async (request) => {
        if (request.n !== last) return;
        killed.process.kill('SIGKILL');
        await killed.result;
      });
      await killed.result;
      forget();
      const { stdout } = await runCli(['verify', '--json'], { env });
      const kinds = Object.keys(JSON.parse(stdout).gap_counts);
      expect({ n, kinds: kinds.filter((kind) => !toBeRead.has(kind)) }).toEqual({ n, kinds: [] });
    }
  });
});
