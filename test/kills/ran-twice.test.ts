/** Nothing happened in Slack: the second run changes no row but the record that it ran. */
import { expect, it } from 'vitest';
import { sampleWorkspace } from '../stand-in/sample-workspace.ts';
import { startStandIn } from '../stand-in/server.ts';
import { eachDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';
import { allTables, stored, tablesOfRuns } from '../support/stored.ts';

const small = smallWorkspace();
const sample = sampleWorkspace({ seed: 3, now: Date.now() - 60_000 });

const cases = [
  { what: 'a first run', ...small, flags: [] },
  { what: 'an old range', ...small, flags: ['--backfill-from', smallBackfillFrom] },
  { what: 'a month of look-back', ...sample, flags: ['--lookback', '30d'] },
];

const isAboutReading = (table: string) => table === 'ingestion_state' || table === 'coverage';

eachDatabase((create) => {
  it.each(cases)('changes nothing the second time: $what', async ({ world, token, flags }) => {
    await using database = await create();
    await using slack = await startStandIn(world === small.world ? { world, thinPages: smallPages } : { world });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const tables = allTables.filter((table) => !tablesOfRuns.includes(table) && !isAboutReading(table));
    const everything = async () => ({
      ...(await stored(database, { tables })),
      // When something was looked at changes with every look.
      ...(await stored(database, {
        tables: allTables.filter(isAboutReading),
        without: ['last_checked_at', 'audited_at', 'audited_run'],
      })),
    });

    expect((await runCli(['ingest', '--json', ...flags], { env })).code).toBe(0);
    const once = await everything();
    const again = await runCli(['ingest', '--json', ...flags], { env });
    expect(again.code).toBe(0);
    expect(again.json().messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0, stale: 0 });
    expect(again.json().threads).toMatchObject({ read: 0, pending: 0 });
    expect(await everything()).toEqual(once);

    const users = await runCli(['sync-users', '--json'], { env });
    expect(users.code).toBe(0);
    const { usergroups: _, workspaces: __, ...rest } = await everything();
    const { usergroups: ___, workspaces: ____, ...before } = once;
    expect(rest).toEqual(before);
    expect(await database.rows('runs')).toHaveLength(3);
    expect(await database.rows('locks')).toEqual([]);
  });
});
