import { expect, it } from 'vitest';
import { millisToIso } from '../../src/ts.ts';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';
const without = { without: ['reply_count', 'latest_reply'] };

eachDatabase((create) => {
  it('says that the plan limits the history, keeps what it stored before, and pays one call per channel afterwards', async () => {
    await using lab = await openLab(create);
    const { clock } = lab.world;
    const general = lab.acme.channel('general');
    const quiet = lab.acme.channel('quiet');
    const oldTs = [40, 25, 20, 15].map((days) => general.post({ ts: clock.daysAgo(days), text: `${days} days old` }));
    general.reply(oldTs[1] ?? '', { ts: clock.daysAgo(24), text: 'an old reply' });
    general.react(oldTs[2] ?? '', 'eyes', lab.acme.bot.id);
    const visible = [9, 5, 1].map((days) => general.post({ ts: clock.daysAgo(days), text: `${days} days old` }));
    quiet.post({ ts: clock.daysAgo(22), text: 'quiet since long ago' });
    const from = new Date(Date.now() - 60 * 86_400_000).toISOString().slice(0, 10);
    expect((await lab.ingest('--backfill-from', from)).code).toBe(0);
    const hiddenBelow = `ts < '${visible[0]}'`;
    const before = await lab.database.rows('messages', { where: hiddenBelow, order: 'channel_id, ts', ...without });
    const reactions = await lab.database.rows('reactions');
    expect(before).toHaveLength(6);

    lab.acme.plan = 'free';
    lab.acme.hideBefore(clock.daysAgo(10));
    general.post({ text: 'posted under the limit' });
    const limited = await lab.ingest('--lookback', '30d', '--backfill-from', from);
    expect(limited.code).toBe(0);
    expect(limited.out.status).toBe('completed');
    expect(limited.out.history_limited).toContain(general.id);
    expect(limited.out.messages).toMatchObject({ inserted: 1, deleted: 0 });
    expect(await lab.database.rows('messages', { where: hiddenBelow, order: 'channel_id, ts', ...without })).toEqual(
      before,
    );
    expect(await lab.database.rows('reactions')).toEqual(reactions);

    const words = await runCli(['ingest'], { env: lab.env });
    expect(words.code).toBe(0);
    expect(words.stdout).toContain('history limited');

    const later = await lab.ingest();
    expect(later.code).toBe(0);
    // Now and then an audit looks whether what was stored is still hidden.
    expect(later.count(history, general.id)).toBeLessThanOrEqual(2);
    expect(later.count(history, quiet.id)).toBeLessThanOrEqual(3);
    expect(await lab.database.rows('messages', { where: hiddenBelow, order: 'channel_id, ts', ...without })).toEqual(
      before,
    );
  });

  it('records from where on messages are visible, and asks no more for what the plan hides', async () => {
    await using lab = await openLab(create);
    const { general, visible } = limitedChannel(lab);
    const first = await lab.ingest();
    expect(first.code).toBe(0);
    expect(first.out.history_limited).toEqual([general.id]);
    const floor = [{ floor_ts: visible[0] }];
    expect(await lab.database.rows('ingestion_state')).toMatchObject(floor);
    await expectWorld(lab.database, [general]);

    const second = await lab.ingest();
    const third = await lab.ingest();
    expect(await lab.database.rows('ingestion_state')).toMatchObject(floor);
    expect([second.count(history), third.count(history)]).toEqual([1, 1]);
  });

  it('looks once a day whether the plan shows more, and then reads what was hidden', async () => {
    await using lab = await openLab(create);
    const { general, visible } = limitedChannel(lab);
    expect((await lab.ingest()).code).toBe(0);
    const [probed] = await lab.database.rows('ingestion_state');
    expect((await lab.ingest()).code).toBe(0);
    // Reading the look-back window says nothing about what is older, and must not put the next look off.
    const [stillProbed] = await lab.database.rows('ingestion_state');
    expect(stillProbed?.['floor_probed_at']).toBe(probed?.['floor_probed_at']);

    await letADayPass(lab);
    const inVain = await lab.ingest();
    expect(inVain.count(history)).toBe(2);
    expect(inVain.out.messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    expect(await lab.database.rows('ingestion_state')).toMatchObject([{ floor_ts: visible[0] }]);

    lab.acme.hideBefore('0000000000.000000');
    await letADayPass(lab);
    const upgraded = await lab.ingest();
    expect(upgraded.code).toBe(0);
    expect(upgraded.out.history_limited).toEqual([]);
    await expectWorld(lab.database, [general]);
    expect((await lab.ingest()).count(history)).toBeLessThanOrEqual(2);
  });
});

/** The program takes the time from the system, so the last look is moved instead. */
async function letADayPass({ database }: Lab): Promise<void> {
  const dialect = await database.open();
  const yesterday = millisToIso(Date.now() - 25 * 3_600_000);
  await dialect.db.updateTable('ingestion_state').set({ floor_probed_at: yesterday }).execute();
}

/** Three messages under the floor and four above it, the first of these older than the look-back window. */
function limitedChannel({ world, acme }: Lab): { general: Channel; visible: string[] } {
  const general = acme.channel('general');
  const post = (days: number) => general.post({ ts: world.clock.daysAgo(days), text: `${days} days old` });
  for (const days of [28, 25, 20]) post(days);
  const visible = [12, 9, 5, 1].map(post);
  acme.hideBefore(world.clock.daysAgo(14));
  return { general, visible };
}
