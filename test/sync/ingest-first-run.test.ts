import { expect, it } from 'vitest';
import { sampleWorkspace } from '../stand-in/sample-workspace.ts';
import { startStandIn } from '../stand-in/server.ts';
import { eachDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';

eachDatabase((create) => {
  it('stores what Slack shows, and changes nothing when run again', async () => {
    await using database = await create();
    const { world, token } = sampleWorkspace({ seed: 1, now: Date.now() });
    await using slack = await startStandIn({ world });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };

    const first = await runCli(['ingest', '--json', '--backfill-from', '2020-01-01'], { env });
    expect(first.stderr).not.toContain('error');
    expect(first.code).toBe(0);
    const messages = await database.rows('messages', { order: 'channel_id, ts' });

    const second = await runCli(['ingest', '--json'], { env });
    expect(second.code).toBe(0);
    expect(second.json().messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    expect(await database.rows('messages', { order: 'channel_id, ts' })).toEqual(messages);
  });
});
