import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';

eachDatabase((create) => {
  it('reads a channel at whose large pages Slack fails, in smaller ones, and the others in large ones', async () => {
    await using lab = await openLab(create);
    const [heavy, light] = [lab.acme.channel('heavy'), lab.acme.channel('light')];
    for (let n = 0; n < 700; n += 1) heavy.post({ text: `message ${n}` });
    light.post({ text: 'hello' });
    lab.slack.faults.add({
      kind: 'http',
      status: 500,
      method: history,
      channel: heavy.id,
      when: ({ limit }) => Number(limit) > 200,
      times: Number.POSITIVE_INFINITY,
    });
    const run = await lab.ingest();
    expect({ code: run.code, errors: run.out.errors }).toEqual({ code: 0, errors: [] });
    await expectWorld(lab.database, [heavy, light]);
    const asked = run.requests.filter(({ method, params }) => method === history && params['channel'] === light.id);
    expect(asked.map(({ params }) => params['limit'])).toEqual(['999']);

    // What was read in small pages is known to be complete like any other.
    const verified = await lab.run(['verify', '--offline']);
    expect(verified.code).toBe(0);
    expect((await lab.ingest()).out.messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  });
});
