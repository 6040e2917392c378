import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
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
    const rows = await lab.database.rows('messages');
    expect(offline.out.checked).toMatchObject({ channels: 14, messages: rows.length, is_complete: true, slack: null });

    const online = await lab.run(['verify', '--max-requests', '1000']);
    expect(online.out.gaps).toEqual([]);
    expect(online.code).toBe(0);
    expect(online.out.checked.slack).toMatchObject({ share: 1, newer: 0 });
    expect(await dump(lab.database)).toBe(before);
  });
});
