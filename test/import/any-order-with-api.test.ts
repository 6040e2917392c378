/** Exports and the API tell of one Slack: in whichever order they come, the same is stored in the end. */
import { expect, it } from 'vitest';
import { exportFolder, exportWorld } from '../exports/export-world.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { type Stored, storedSlack } from '../support/stored.ts';
import { dayBefore, postDaily, tsOn } from './import-lab.ts';

const from = dayBefore(62);

/** Some weeks of talk, two exports of it, and what was changed before, between and after them. */
async function labWithTwoExports(create: () => Promise<TestDatabase>) {
  const lab = await openLab(create);
  const [ann = '', bob = ''] = ['ann', 'bob'].map((name) => lab.acme.user(name).id);
  const stranger = lab.acme.user('pat', { kind: 'external' }).id;
  const general = lab.acme.channel('general');
  const daily = postDaily(general, 60, 20);
  postDaily(lab.acme.channel('random'), 60, 20, 7);
  const at = (n: number): string => daily[n] ?? '';
  general.react(at(1), 'tada', [ann, bob]);
  general.edit(at(2), { text: 'edited before both' });
  general.reply(at(3), { ts: tsOn(56), text: 'reply one' });
  const goneReply = general.reply(at(3), { ts: tsOn(55), text: 'reply two, to be deleted' });
  general.reply(at(3), { ts: tsOn(54), user: bob, text: 'to all' }, { broadcast: true });
  general.post({ ts: tsOn(50, 9), user: stranger, text: 'from elsewhere', files: [file('F0PLAN')] });
  general.reply(at(6), { ts: tsOn(53), text: 'below what will be a tombstone' });
  const old = exportFolder(exportWorld(lab.acme));

  general.edit(at(4), { text: 'edited between' });
  general.deleteMessage(at(5));
  general.deleteMessage(at(6));
  general.deleteMessage(goneReply);
  general.reply(at(7), { ts: tsOn(19), text: 'answered between' });
  general.unreact(at(1), 'tada', bob);
  postDaily(general, 18, 10);
  const young = exportFolder(exportWorld(lab.acme));

  general.edit(at(8), { text: 'edited after' });
  general.edit(at(4), { text: 'edited after, again' });
  general.deleteMessage(at(9));
  general.react(at(10), 'eyes', ann);
  postDaily(general, 9, 3);
  return { lab, old, young, vanished: [at(5), at(6), goneReply, at(9)] };
}

function file(id: string) {
  return {
    id,
    name: 'plan.pdf',
    title: 'plan.pdf',
    mimetype: 'application/pdf',
    size: 7,
    mode: 'hosted',
    created: 1_700_000_000,
  };
}

async function perform(lab: Lab, database: TestDatabase, steps: readonly string[]): Promise<void> {
  const env = { env: { DATABASE_URL: database.url } };
  for (const step of steps) {
    const args = step === 'ingest' ? ['ingest', '--backfill-from', from] : ['import', step];
    const run = await lab.run(args, env);
    expect({ step, code: run.code, errors: run.out.errors }).toEqual({ step, code: 0, errors: [] });
  }
}

eachDatabase((create) => {
  it('stores the same in the end, whatever came first', async () => {
    const { lab, old, young, vanished } = await labWithTwoExports(create);
    await using _ = lab;
    // So many runs until the API has shown all of it once.
    const runs = ['ingest', 'ingest', 'ingest', 'ingest'];
    const orders = [
      [old, young, ...runs],
      [young, 'ingest', old, ...runs],
      ['ingest', 'ingest', old, young, 'ingest', 'ingest', 'ingest'],
    ];
    let first: Stored | undefined;
    for (const order of orders) {
      await using database = await create();
      await perform(lab, database, order);
      const deleted = await database.rows('messages', { where: 'deleted_at is not null', order: 'ts' });
      expect(deleted.map(({ ts }) => ts)).toEqual(vanished.toSorted());
      // Nothing is left out: what an export brought and Slack shows is by now as Slack shows it, and what Slack does not
      // show only an export can have brought. Times of ours are no part of it.
      const found = await storedSlack(database);
      first ??= found;
      expect(found).toEqual(first);
    }
  }, 120_000);

  it('changes no row of the API by an older export, and brings nothing back that is deleted', async () => {
    const { lab, old, young, vanished } = await labWithTwoExports(create);
    await using _ = lab;
    await perform(lab, lab.database, [old, 'ingest', 'ingest', 'ingest', 'ingest']);
    // Of a message that only exports hold the newest of them is noted.
    const options = { order: 'channel_id, ts', without: ['exported_at'] };
    const before = await lab.database.rows('messages', options);
    expect(before.filter(({ deleted_at }) => deleted_at !== null)).not.toEqual([]);
    for (const path of [young, old, young]) {
      await perform(lab, lab.database, [path]);
      const known = new Set(before.map(({ ts }) => ts));
      const after = await lab.database.rows('messages', options);
      expect(after.filter(({ ts }) => known.has(ts))).toEqual(before);
      expect(after.filter(({ ts }) => !known.has(ts)).map(({ ts }) => ts)).toEqual([]);
    }
    expect(vanished.length).toBeGreaterThan(0);
  });
});
