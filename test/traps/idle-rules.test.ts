/** A rule that is misspelt does nothing, and nothing but the program can tell. */
import { expect, it } from 'vitest';
import { configFile } from '../support/config-file.ts';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';

eachDatabase((create) => {
  it('says of a discard rule, an exclude pattern and a digest key that they never matched', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const random = lab.acme.channel('random');
    for (let n = 0; n < 120; n += 1) general.post({ text: `message ${n}` });
    general.post({ text: 'a build', subtype: 'bot_message' });
    random.post({ text: 'kept out' });
    const config = (exclude: string) =>
      configFile(`
channels: { exclude: [${exclude}] }
discard:
  - { field: subtype, op: eq, value: bot_message, note: builds }
  - { field: sub_type, op: eq, value: channel_join, note: joins }
scoring: { channels: [{ channel: relases, threshold: 10 }] }
digest: { private_channels: [secrets] }
`);
    const run = await lab.ingest('--config', config("random, 'test-*'"));
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('No channel fits "test-*", which is to be excluded');
    expect(run.stderr).toContain('The discard rule "joins" has never matched');
    expect(run.stderr).toContain('Is "sub_type" the field that is meant?');
    expect(run.stderr).not.toMatch(/"random"|"builds"/);

    // Nothing new to match is no rule that never matched.
    const next = await lab.ingest('--config', config('random'), '--lookback', '30d');
    expect(next.code).toBe(0);
    expect(next.stderr).not.toMatch(/"builds"|which is to be excluded/);

    const digest = await lab.run(['digest', '--config', config('random')]);
    expect(digest.stderr).toContain('scoring.channels names "relases", and no channel in the database is called so.');
    expect(digest.stderr).toContain('digest.private_channels names "secrets"');
  });
});
