/** Ranges of old history: read newest first, resumable, and never in the way of the live checkpoint. */
import { expect, it } from 'vitest';
import type { Ts } from '../../src/model.ts';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { storedSlack } from '../support/stored.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';
const dayMs = 86_400_000;

function isoDay(daysAgo: number): string {
  return new Date(Date.now() - daysAgo * dayMs).toISOString().slice(0, 10);
}

/** One message a day for so many days, the latest an hour ago, each third one with a reply. */
function postDaily(lab: Lab, channel: Channel, days: number): void {
  const { clock } = lab.world;
  for (let day = days; day > 0; day -= 1) {
    const root = channel.post({ ts: clock.daysAgo(day), text: `day ${day}` });
    if (day % 3 === 0) channel.reply(root, { ts: clock.daysAgo(day - 0.5), text: `reply of day ${day}` });
  }
}

async function states(lab: Lab) {
  return lab.database.rows('ingestion_state', { order: 'channel_id' });
}

eachDatabase((create) => {
  it('fills a range and moves no checkpoint', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    postDaily(lab, general, 200);
    expect((await lab.ingest()).code).toBe(0);
    const [before] = await states(lab);

    const run = await lab.run(['backfill', '--from', isoDay(150), '--to', isoDay(100)]);
    expect(run.code).toBe(0);
    expect(run.out).toMatchObject({
      command: 'backfill',
      status: 'completed',
      range: { from: `${isoDay(150)}T00:00:00.000Z` },
    });
    const [after] = await states(lab);
    expect(after).toMatchObject({
      last_ts: before?.['last_ts'],
      oldest_ts: before?.['oldest_ts'],
      wanted_from_ts: before?.['wanted_from_ts'],
    });
    const coverage = await lab.database.rows('coverage', { order: 'from_ts' });
    expect(coverage).toHaveLength(2);

    const again = await lab.run(['backfill', '--from', isoDay(150), '--to', isoDay(100)]);
    expect([again.code, again.count(history)]).toEqual([0, 0]);

    // The rest, in two steps that meet what is there: one interval, and the whole world.
    expect((await lab.run(['backfill', '--from', isoDay(201)])).code).toBe(0);
    expect(await lab.database.rows('coverage')).toHaveLength(1);
    await expectWorld(lab.database, [general]);
    expect((await states(lab))[0]).toMatchObject({ last_ts: before?.['last_ts'] });
  });

  it('reads a channel that no ingest has read, without claiming its newest messages for ingest', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 20) });
    const general = lab.acme.channel('general');
    postDaily(lab, general, 90);
    const run = await lab.run(['backfill', '--from', isoDay(100)]);
    expect(run.code).toBe(0);
    await expectWorld(lab.database, [general]);
    expect((await states(lab))[0]).toMatchObject({ last_ts: null });
    // Newest first, so that what a small budget brings is what matters most.
    const [first] = run.requests.filter(({ method }) => method === history);
    expect(first?.params).toHaveProperty('latest');

    general.post({ text: 'posted between' });
    expect((await lab.ingest()).out.messages).toMatchObject({ inserted: 1 });
    await expectWorld(lab.database, [general]);
    expect((await states(lab))[0]?.['last_ts']).not.toBeNull();
  });

  it('goes on where a budget, a kill or a forgotten cursor stopped it, and ends like one that nothing stopped', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 20) });
    const channels = ['general', 'random'].map((name) => lab.acme.channel(name));
    for (const channel of channels) postDaily(lab, channel, 120);
    // From a day on: a first run without it reaches back to a moment of its own clock.
    const first = ['ingest', '--backfill-from', isoDay(30)];
    expect((await lab.run(first)).code).toBe(0);
    const args = ['backfill', '--lock-timeout', '10s', '--from', isoDay(130)];
    let runs = 0;
    for (;;) {
      runs += 1;
      const run = await lab.run([...args, '--max-requests', '9']);
      if (run.code === 0) break;
      expect(run.code).toBe(3);
      expect(run.out.remaining).not.toBeNull();
      expect(runs).toBeLessThan(40);
    }
    expect(runs).toBeGreaterThan(5);
    await expectWorld(lab.database, channels);
    const inPieces = await storedSlack(lab.database);
    const idle = await lab.run(args);
    expect([idle.code, idle.count(history)]).toEqual([0, 0]);

    await using other = await create();
    const env = { env: { DATABASE_URL: other.url } };
    expect((await lab.run(first, env)).code).toBe(0);
    expect((await lab.run(args, env)).code).toBe(0);
    expect(await storedSlack(other)).toEqual(inPieces);
  });

  it('refuses a range that is none, before anything is started', async () => {
    await using lab = await openLab(create);
    for (const [args, words] of [
      [[], '--from is missing'],
      [['--from', '2026-02-30'], '--from'],
      [['--from', '2024-05-01', '--to', '2024-04-01'], 'lies before --from'],
      [['--from', '2999-01-01'], '--from'],
    ] as const) {
      const run = await lab.run(['backfill', ...args]);
      expect(run.code).toBe(2);
      expect(run.stderr).toContain(words);
    }
    expect(lab.slack.requests).toHaveLength(0);
  });

  it('reads again what is damaged in one of several ranges, and nothing of what lies between them', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    postDaily(lab, general, 400);
    for (const [from, to] of [
      [390, 380],
      [300, 290],
      [200, 190],
    ] as const)
      expect((await lab.run(['backfill', '--from', isoDay(from), '--to', isoDay(to)])).code).toBe(0);
    expect((await lab.ingest()).code).toBe(0);
    const whole = await lab.database.rows('messages', { order: 'ts' });
    const coverage = await lab.database.rows('coverage', { order: 'from_ts' });
    expect(coverage).toHaveLength(4);

    const { db } = await lab.database.open();
    const [first, , , , , , , , , , , , , , middle] = whole.map(({ ts }) => String(ts));
    await db
      .deleteFrom('messages')
      .where('ts', 'in', [first, middle] as Ts[])
      .execute();
    expect((await lab.run(['verify', '--offline'])).code).toBe(3);
    await lab.run(['verify', '--repair']);
    expect((await states(lab))[0]).toMatchObject({ reread_ranges: expect.any(String) });
    const [channel] = (await lab.run(['status'])).out.workspaces[0].channels;
    const bounds = coverage.map(({ from_ts, to_ts }) => [Number(from_ts) * 1000, Number(to_ts) * 1000]);
    const lies = (at: number) => bounds.some(([from = 0, to = 0]) => from - 1000 <= at && at <= to + 1000);
    for (const { from, to } of channel.holes)
      expect([lies(Date.parse(from)), lies(Date.parse(to))]).toEqual([true, true]);

    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect((await lab.database.rows('messages', { order: 'ts' })).map(({ ts }) => ts)).toEqual(
      whole.map(({ ts }) => ts),
    );
    const bare = (rows: Record<string, unknown>[]) => rows.map(({ from_ts, to_ts }) => [from_ts, to_ts]);
    expect(bare(await lab.database.rows('coverage', { order: 'from_ts' }))).toEqual(bare(coverage));
    expect((await states(lab))[0]).toMatchObject({ reread_ranges: null });
    expect((await lab.run(['verify'])).code).toBe(0);
  });
});
