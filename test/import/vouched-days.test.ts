/** What an import vouches for is not asked of Slack any more; what it does not hold is, at few calls. */
import { expect, it } from 'vitest';
import { dayFile, exportWorld } from '../exports/export-world.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { dayBefore, expectSameMessages, imported, postDaily, tsOn, without } from './import-lab.ts';

const history = 'conversations.history';
const replies = 'conversations.replies';
/** A channel with a message on each of the last hundred days but the last two, and its export. */
async function labWithDailyTalk(create: () => Promise<TestDatabase>) {
  const lab = await openLab(create);
  lab.acme.user('ann');
  const general = lab.acme.channel('general');
  postDaily(general, 100, 3);
  return { lab, general, files: exportWorld(lab.acme) };
}

async function coverageOf(lab: Lab) {
  const rows = await lab.database.rows('coverage', { order: 'channel_id, from_ts' });
  return rows.map(({ from_ts, to_ts, source }) => ({ from_ts, to_ts, source }));
}

eachDatabase((create) => {
  it('leaves nothing to backfill in the days that the export holds', async () => {
    const { lab, general, files } = await labWithDailyTalk(create);
    await using _ = lab;
    const run = await imported(lab, files);
    expect({ code: run.code, errors: run.out.errors, calls: run.requests }).toEqual({ code: 0, errors: [], calls: [] });
    expect(await coverageOf(lab)).toEqual([
      {
        from_ts: general.expectedMessages()[0]?.['ts'],
        to_ts: general.expectedMessages().at(-1)?.['ts'],
        source: 'import',
      },
    ]);

    const filled = await lab.run(['backfill', '--from', dayBefore(98), '--to', dayBefore(5)]);
    expect({ code: filled.code, calls: filled.count(history) }).toEqual({ code: 0, calls: 0 });
    expect(await lab.database.rows('coverage')).toHaveLength(1);
  });

  it('is what ingest --backfill-from builds on: only the days that follow are read, and those of the look-back', async () => {
    const { lab, general, files } = await labWithDailyTalk(create);
    await using _ = lab;
    expect((await imported(lab, files)).code).toBe(0);
    general.post({ text: 'said after the export' });
    const run = await lab.ingest('--backfill-from', dayBefore(98));
    expect({ code: run.code, history: run.count(history), replies: run.count(replies) }).toEqual({
      code: 0,
      history: 1,
      replies: 0,
    });
    const [first] = run.requests.filter(({ method }) => method === history);
    // Not from the first day on, but from where the look-back of a week begins.
    expect(Number(first?.params['oldest'])).toBeGreaterThan(Number(tsOn(9)));
    expect((await lab.database.rows('messages')).length).toBe(general.expectedMessages().length);
    expect((await lab.run(['verify'])).out).toMatchObject({ status: 'completed', gaps: [] });
  });

  it('reads from Slack the day of which the file is missing, and the one of which the file is damaged', async () => {
    const { lab, general, files } = await labWithDailyTalk(create);
    await using _ = lab;
    const [lost, torn] = [dayFile(general, dayBefore(60)), dayFile(general, dayBefore(30))];
    const broken = without(files, lost).map((file) =>
      file.path === torn ? { ...file, content: String(file.content).slice(0, -20) } : file,
    );
    const run = await imported(lab, broken);
    expect(run.code).toBe(3);
    expect(await coverageOf(lab)).toHaveLength(3);
    const filled = await lab.run(['backfill', '--from', dayBefore(98), '--to', dayBefore(5)]);
    // Between the two lies more than nothing, but less than a page.
    expect({ code: filled.code, calls: filled.count(history) }).toEqual({ code: 0, calls: 1 });
    const stored = await lab.database.rows('messages', { order: 'ts' });
    expect(stored.map(({ ts }) => ts)).toEqual(general.expectedMessages().map(({ ts }) => ts));
    const again = await lab.run(['backfill', '--from', dayBefore(98), '--to', dayBefore(5)]);
    expect(again.count(history)).toBe(0);
  });

  it('reads each of two lost days by itself where a page has no room for what lies between', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 15) });
    const general = lab.acme.channel('general');
    postDaily(general, 100, 3);
    const files = exportWorld(lab.acme);
    const lost = [90, 40].map((day) => dayFile(general, dayBefore(day)));
    expect((await imported(lab, without(files, ...lost))).code).toBe(0);
    const filled = await lab.run(['backfill', '--from', dayBefore(98), '--to', dayBefore(5)]);
    expect(filled.code).toBe(0);
    expect((await lab.database.rows('messages')).length).toBe(general.expectedMessages().length);
  });

  it('bridges the many days without a file in a quiet channel', async () => {
    await using lab = await openLab(create);
    lab.acme.user('ann');
    const quiet = lab.acme.channel('quiet');
    const loud = lab.acme.channel('loud');
    postDaily(quiet, 300, 3, 3);
    postDaily(loud, 300, 3);
    expect((await imported(lab, exportWorld(lab.acme))).code).toBe(0);
    const filled = await lab.run(['backfill', '--from', dayBefore(298), '--to', dayBefore(6)]);
    expect(filled.code).toBe(0);
    expect(filled.count(history, loud.id)).toBe(0);
    expect(filled.count(history, quiet.id)).toBeLessThanOrEqual(2);
    const again = await lab.run(['backfill', '--from', dayBefore(298), '--to', dayBefore(6)]);
    expect(again.count(history)).toBe(0);

    const run = await lab.ingest('--backfill-from', dayBefore(298));
    expect(run.code).toBe(0);
    expect(run.count(history)).toBeLessThanOrEqual(3);
    await expectSameMessages(lab, [quiet, loud]);
  });

  it('vouches for the newest day of a channel up to its last message, for the first of the export from its first', async () => {
    await using lab = await openLab(create);
    lab.acme.user('ann');
    const general = lab.acme.channel('general');
    const random = lab.acme.channel('random');
    const early = general.post({ ts: tsOn(50, -30), text: 'written before the export begins' });
    const first = general.post({ ts: tsOn(50), text: 'the first that is in it' });
    const last = general.post({ ts: tsOn(49), text: 'the last that is in it' });
    const other = random.post({ ts: tsOn(48), text: 'in another channel, later' });
    const files = exportWorld(lab.acme).map((file) => {
      if (file.path !== dayFile(general, dayBefore(50))) return file;
      const messages = JSON.parse(String(file.content)).filter(({ ts }: { ts: string }) => ts !== early);
      return { ...file, content: JSON.stringify(messages) };
    });
    const late = general.post({ ts: tsOn(49, 30), text: 'written on the last day, after the export was made' });
    expect((await imported(lab, files)).code).toBe(0);
    const ofGeneral = await lab.database.rows('coverage', { where: `channel_id = '${general.id}'` });
    expect(ofGeneral).toMatchObject([{ from_ts: first, to_ts: last }]);
    expect(await lab.database.rows('coverage', { where: `channel_id = '${random.id}'` })).toMatchObject([
      { to_ts: other },
    ]);

    const filled = await lab.run(['backfill', '--from', dayBefore(51), '--to', dayBefore(49)]);
    expect(filled.code).toBe(0);
    const stored = await lab.database.rows('messages', { where: `channel_id = '${general.id}'`, order: 'ts' });
    expect(stored.map(({ ts }) => ts)).toEqual([early, first, last, late]);
  });

  it('vouches for nothing outside of --since and --until', async () => {
    const { lab, general, files } = await labWithDailyTalk(create);
    await using _ = lab;
    const run = await imported(lab, files, '--since', dayBefore(60), '--until', dayBefore(20));
    expect(run.code).toBe(0);
    expect(await lab.database.rows('messages')).toHaveLength(41);
    expect((await lab.run(['backfill', '--from', dayBefore(60), '--to', dayBefore(20)])).count(history)).toBe(0);
    expect((await lab.run(['backfill', '--from', dayBefore(98), '--to', dayBefore(5)])).count(history)).toBe(1);
    const stored = await lab.database.rows('messages', { order: 'ts' });
    expect(stored).toHaveLength(
      general.expectedMessages().filter(({ ts }) => String(ts) >= String(stored[0]?.['ts'])).length - 2,
    );
  });
});
