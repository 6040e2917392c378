/** Exports name channels as they were called then, by ids that they had then: it is the same channel all the same. */
import { expect, it } from 'vitest';
import { exportFolder, exportWorld } from '../exports/export-world.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { expectSameMessages, postDaily } from './import-lab.ts';

async function channelIds(lab: Lab): Promise<unknown[]> {
  const rows = await lab.database.rows('channels', { order: 'channel_id' });
  return rows.map(({ channel_id }) => channel_id);
}

/** An export of a private channel from before it got another name and another id. */
async function labWithMovedChannel(create: () => Promise<TestDatabase>) {
  const lab = await openLab(create);
  lab.acme.user('ann');
  const plans = lab.acme.channel('plans', { kind: 'private', id: 'G0PLANS00' });
  postDaily(plans, 40, 10);
  const path = exportFolder(exportWorld(lab.acme));
  const move = () => {
    plans.rename('big-plans');
    plans.convertChannelId('C0PLANS00');
    plans.post({ text: 'after the move' });
  };
  return { lab, plans, path, move };
}

async function expectOneChannel(lab: Lab): Promise<void> {
  for (const args of [['ingest'], ['verify'], ['verify', '--offline']]) {
    const { code, out } = await lab.run(args);
    expect({ args, code, errors: out.errors, gaps: out.gaps ?? [] }).toEqual({ args, code: 0, errors: [], gaps: [] });
  }
  expect(await channelIds(lab)).toEqual(['C0PLANS00']);
  for (const table of ['messages', 'coverage', 'threads', 'reactions']) {
    expect(await lab.database.rows(table, { where: "channel_id = 'G0PLANS00'" })).toEqual([]);
  }
}

eachDatabase((create) => {
  it('goes to the channel whose new id and name the API told of', async () => {
    const { lab, plans, path, move } = await labWithMovedChannel(create);
    await using _ = lab;
    expect((await lab.ingest()).code).toBe(0);
    move();
    expect((await lab.ingest()).code).toBe(0);
    const run = await lab.run(['import', path]);
    expect(run.code).toBe(0);
    expect(run.out.conversations).toMatchObject([{ channel_id: 'C0PLANS00', folder: 'plans' }]);
    await expectOneChannel(lab);
    await expectSameMessages(lab, [plans]);
  });

  it('goes to the channel that the API knows by its new id only', async () => {
    const { lab, plans, path, move } = await labWithMovedChannel(create);
    await using _ = lab;
    move();
    expect((await lab.ingest()).code).toBe(0);
    const run = await lab.run(['import', path]);
    expect(run.code).toBe(0);
    await expectOneChannel(lab);
    await expectSameMessages(lab, [plans]);
  });

  it('is found by an ingest that follows, under the new id', async () => {
    const { lab, plans, path, move } = await labWithMovedChannel(create);
    await using _ = lab;
    expect((await lab.run(['import', path])).code).toBe(0);
    move();
    await expectOneChannel(lab);
    await expectSameMessages(lab, [plans]);
    const again = await lab.run(['import', path]);
    expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0 });
    expect(await channelIds(lab)).toEqual(['C0PLANS00']);
  });

  it('goes to the channel that is stored under its old id, until an ingest learns the new one', async () => {
    const { lab, plans } = await labWithMovedChannel(create);
    await using _ = lab;
    expect((await lab.ingest()).code).toBe(0);
    plans.convertChannelId('C0PLANS00');
    plans.post({ text: 'after the move' });
    expect((await lab.run(['import', exportFolder(exportWorld(lab.acme))])).code).toBe(0);
    expect(await channelIds(lab)).toEqual(['G0PLANS00']);
    await expectOneChannel(lab);
    await expectSameMessages(lab, [plans]);
  });

  it('keeps a channel apart that took over the name of another', async () => {
    await using lab = await openLab(create);
    lab.acme.user('ann');
    const first = lab.acme.channel('news');
    postDaily(first, 40, 30);
    const path = exportFolder(exportWorld(lab.acme));
    first.rename('old-news');
    const second = lab.acme.channel('news');
    postDaily(second, 20, 10);
    expect((await lab.ingest()).code).toBe(0);
    expect((await lab.run(['import', path])).code).toBe(0);
    const young = exportFolder(exportWorld(lab.acme));
    expect((await lab.run(['import', young])).code).toBe(0);
    await expectSameMessages(lab, [first, second]);
    expect(await channelIds(lab)).toEqual([first.id, second.id].sort());
  });
});
