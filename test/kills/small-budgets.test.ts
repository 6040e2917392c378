/** "A later run goes on": runs that each may call Slack a few times only get to the same rows as one that may do all. */
import { expect, it } from 'vitest';
import { startStandIn } from '../stand-in/server.ts';
import { eachDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';
import { storedSlack } from '../support/stored.ts';

const { world, token } = smallWorkspace();
const ingest = ['ingest', '--json', '--backfill-from', smallBackfillFrom];

eachDatabase((create) => {
  it.each([8, 12])('with %d requests at a time it gets to the end', async (budget) => {
    await using slack = await startStandIn({ world, thinPages: smallPages });
    await using undisturbed = await create();
    await using database = await create();
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url };
    await runCli(ingest, { env: { ...env, DATABASE_URL: undisturbed.url } });

    const codes: (number | null)[] = [];
    while (codes.at(-1) !== 0 && codes.length < 15) {
      const run = await runCli([...ingest, '--max-requests', String(budget)], {
        env: { ...env, DATABASE_URL: database.url },
      });
      codes.push(run.code);
    }
    expect(codes.at(-1), `exit codes ${codes.join(' ')}`).toBe(0);
    expect(codes.slice(0, -1).every((code) => code === 3)).toBe(true);
    expect(await storedSlack(database)).toEqual(await storedSlack(undisturbed));
  });
});
