/** Killed at any commit of the database, just before it or just after: the next run ends with the same rows. */
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { startStandIn } from '../stand-in/server.ts';
import { eachDatabase } from '../support/databases.ts';
import { untilNoMore } from '../support/in-parallel.ts';
import { killPlans } from '../support/moments.ts';
import { runCli } from '../support/run-cli.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';
import { storedSlack } from '../support/stored.ts';

vi.setConfig({ testTimeout: 300_000 });

const { world, token } = smallWorkspace();
const ingest = ['ingest', '--json', '--backfill-from', smallBackfillFrom];
const hook = fileURLToPath(new URL('../support/kill-at-commit.mjs', import.meta.url));

eachDatabase((create, name) => {
  it.each(killPlans)('killed around any commit, the next run makes up for it', async (momentOf) => {
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url };
    await using undisturbed = await create();
    await runCli(ingest, { env: { ...env, DATABASE_URL: undisturbed.url } });
    const whole = await storedSlack(undisturbed);

    const kills = await untilNoMore(async (n) => {
      await using database = await create();
      const DATABASE_URL = database.url;
      const moment = momentOf(n, name);
      const killed = await runCli(ingest, {
        env: { ...env, DATABASE_URL, KILL_AT_COMMIT: `${moment}:${n}` },
        nodeArgs: ['--import', hook],
      });
      if (killed.signal !== 'SIGKILL') return false;

      const next = await runCli(ingest, { env: { ...env, DATABASE_URL } });
      expect({ n, code: next.code, stderr: next.stderr }).toMatchObject({ n, code: 0 });
      expect(await storedSlack(database), `killed ${moment} commit ${n}`).toEqual(whole);
      expect((await database.rows('runs')).filter(({ status }) => status === 'running')).toEqual([]);
      expect(await database.rows('locks')).toEqual([]);
      return true;
    });
    // Migration, lock, run record, lists, a commit per page and per thread, users, end.
    expect(kills).toBeGreaterThan(20);
  });
});
