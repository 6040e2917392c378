import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';
import { dump } from '../support/world-rows.ts';
import { openSampleLab } from './sample-lab.ts';

eachDatabase((create) => {
  it('finds nothing missing in a database that holds everything, and writes nothing', async () => {
    await using lab = await openSampleLab(create);
    const before = await dump(lab.database);

    const offline = await lab.run(['verify', '--offline'], { SLACK_TOKEN: undefined });
    expect(offline.out.gaps).toEqual([]);
    expect(offline.code).toBe(0);
    expect(offline.calls).toBe(0);
    expect(offline.out).toMatchObject({ command: 'verify', status: 'completed', run_id: null, errors: [] });

    const online = await lab.run(['verify', '--max-requests', '1000']);
    expect(online.out.gaps).toEqual([]);
    expect(online.code).toBe(0);
    expect(online.out.checked.slack).toMatchObject({ share: 1, newer: 0 });
    console.log(JSON.stringify(online.out), offline.stdout);
    expect(await dump(lab.database)).toBe(before);

    const words = await runCli(['verify'], { env: lab.env });
    console.log(words.stdout);
    expect(words.stdout).toContain('whole');
  });
});
