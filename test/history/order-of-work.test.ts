/** A budget is spent on what is worth most, and an app that Slack slows down is told so once. */
import { expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';
const replies = 'conversations.replies';
const isoDay = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

/** Channels with a message every day, so many days back, and a thread of that age. */
function channelsOf(lab: Lab, count: number, days: number): Channel[] {
  return Array.from({ length: count }, (_, n) => {
    const channel = lab.acme.channel(`channel-${n}`);
    for (let day = days; day >= 1; day -= 1)
      channel.post({ ts: lab.world.clock.daysAgo(day), text: `${day} days ago` });
    const root = channel.post({ ts: lab.world.clock.daysAgo(days - 0.5), text: 'an old root' });
    channel.reply(root, { ts: lab.world.clock.daysAgo(days - 1.5), text: 'an old reply' });
    return channel;
  });
}

eachDatabase((create) => {
  it('spends a small budget on new messages first, then on changed threads, then on what is old', async () => {
    await using lab = await openLab(create);
    const channels = channelsOf(lab, 6, 60);
    expect((await lab.ingest()).code).toBe(0);
    for (const channel of channels) {
      const root = channel.post({ text: 'new' });
      channel.reply(root, { text: 'a reply to it' });
    }
    const run = await lab.ingest('--backfill-from', isoDay(70));
    expect(run.code).toBe(0);
    await expectWorld(lab.database, channels);

    // The same with ever more calls: what is done is always the front of the same list.
    for (const channel of channels) channel.reply(channel.post({ text: 'newer' }), { text: 'a reply to it' });
    const few = await lab.ingest('--max-requests', '8', '--backfill-from', isoDay(80));
    expect(few.code).toBe(3);
    expect(few.requests.map(({ method }) => method)).toEqual([
      'auth.test',
      'conversations.list',
      ...Array(6).fill(history),
    ]);
    const more = await lab.ingest('--max-requests', '14', '--backfill-from', isoDay(80));
    expect(more.requests.slice(8).map(({ method }) => method)).toEqual(Array(6).fill(replies));
    const rest = await lab.ingest('--max-requests', '20', '--backfill-from', isoDay(80));
    expect(rest.requests.slice(8).map(({ method }) => method)).toContain(history);
    await expectWorld(lab.database, channels);
  });

  it('is no partial run when a budget has nothing left for audits', async () => {
    await using lab = await openLab(create);
    const channels = channelsOf(lab, 4, 20);
    for (let run = 1; run <= 14; run += 1) {
      // Two calls to begin with, one a channel, and one more: four threads fall due in some of these runs.
      const budgeted = await lab.ingest(...(run === 1 ? [] : ['--max-requests', '7']));
      expect({ run, code: budgeted.code, stderr: budgeted.stderr }).toMatchObject({ run, code: 0 });
    }
    await expectWorld(lab.database, channels);
  });

  it('says once that Slack slows the app down and what helps, reads what is new first, and gets everything in the end', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 15) });
    const channels = channelsOf(lab, 3, 25);
    const first = await lab.ingest();
    expect(first.code).toBe(0);
    expect(first.stderr.match(/Slack limits this app/g)).toHaveLength(1);
    expect(first.stderr).toContain('slack-app-manifest.yaml');
    await expectWorld(lab.database, channels);

    for (const channel of channels) {
      for (let n = 0; n < 30; n += 1) channel.post({ text: `busy ${n}` });
    }
    expect((await lab.ingest()).code).toBe(0);
    for (const channel of channels) channel.post({ text: 'new' });
    const run = await lab.ingest();
    // Each channel's new messages, before any look-back window of several pages.
    const asked = run.requests.filter(({ method }) => method === history).map(({ params }) => params);
    expect(new Set(asked.slice(0, 3).map(({ channel }) => channel)).size).toBe(3);
    expect(asked.length).toBeGreaterThan(6);
    await expectWorld(lab.database, channels);
  });
});
