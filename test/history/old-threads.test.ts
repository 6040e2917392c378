/** What happens in threads of any age is found, and threads in which nothing happens cost nothing. */
import { expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, type LabRun, openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const replies = 'conversations.replies';
const isoDay = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

/** Threads half a year old, so many replies each, the last one a day after the root. */
function oldThreads(lab: Lab, channel: Channel, count: number, each = 3): string[] {
  const { clock } = lab.world;
  return Array.from({ length: count }, (_, n) => {
    const age = 180 - n * 0.1;
    const root = channel.post({ ts: clock.daysAgo(age), text: `root ${n}` });
    for (let i = 1; i <= each; i += 1)
      channel.reply(root, { ts: clock.daysAgo(age - i / each), text: `reply ${i} to ${n}` });
    return root;
  });
}

/** Runs until `isFound` says so; the number of runs it took. */
async function runsUntil(lab: Lab, isFound: () => Promise<boolean>, limit: number): Promise<number> {
  for (let runs = 1; runs <= limit; runs += 1) {
    expect((await lab.ingest()).code).toBe(0);
    if (await isFound()) return runs;
  }
  throw new Error(`not found within ${limit} runs`);
}

const repliesAsked = (run: LabRun) =>
  run.requests.filter(({ method }) => method === replies).map(({ params }) => params);

eachDatabase((create) => {
  it('brings a reply to a thread of half a year ago in the next run, and asks about no other thread', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const roots = oldThreads(lab, general, 40);
    const first = await lab.ingest('--backfill-from', isoDay(200));
    expect([first.code, first.count(replies)]).toEqual([0, 40]);
    expect((await lab.ingest()).count(replies)).toBe(0);

    general.reply(String(roots[7]), { text: 'half a year later' });
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(repliesAsked(run).map(({ ts }) => ts)).toEqual([roots[7]]);
    await expectWorld(lab.database, [general]);
    expect((await lab.ingest()).count(replies)).toBe(0);
  });

  it('brings it within some runs where the history takes many pages, for a few calls a run', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 50) });
    const general = lab.acme.channel('general');
    const roots = oldThreads(lab, general, 300, 1);
    expect((await lab.ingest('--backfill-from', isoDay(200))).code).toBe(0);
    expect((await lab.ingest()).count()).toBeLessThan(10);
    general.reply(String(roots[3]), { text: 'half a year later' });
    // The first reply of a message that was no thread.
    const lonely = general.post({ ts: lab.world.clock.daysAgo(170.05), text: 'nobody answered' });
    expect((await lab.ingest('--backfill-from', isoDay(200))).code).toBe(0);
    general.reply(lonely, { text: 'until now' });
    const found = async () =>
      (await lab.database.rows('messages', { where: `text in ('half a year later', 'until now')` })).length === 2;
    expect(await runsUntil(lab, found, 12)).toBeGreaterThan(0);
    await expectWorld(lab.database, [general]);
  });

  it('reads a long thread from its last stored reply on, and whole when the counts disagree', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const root = general.post({ ts: lab.world.clock.daysAgo(20), text: 'long' });
    const all = Array.from({ length: 450 }, (_, n) =>
      general.reply(root, { ts: lab.world.clock.daysAgo(19 - n / 100), text: `reply ${n}` }),
    );
    const first = await lab.ingest();
    expect([first.code, first.count(replies)]).toEqual([0, 3]);

    general.reply(root, { text: 'one more' });
    const more = await lab.ingest();
    expect(repliesAsked(more)).toMatchObject([{ ts: root, oldest: all.at(-1) }]);
    await expectWorld(lab.database, [general]);

    // One comes, another goes: the count is the same, the latest reply is not.
    general.deleteMessage(String(all[10]));
    general.reply(root, { text: 'and another' });
    const disagreeing = await lab.ingest();
    expect(disagreeing.out.messages).toMatchObject({ inserted: 1, deleted: 1 });
    const [gone] = await lab.database.rows('messages', { where: `ts = '${all[10]}'` });
    expect(gone?.['deleted_at']).not.toBeNull();
  });

  it('finds edits and reactions inside threads, which nothing tells of, within some runs', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const ann = lab.acme.user('ann').id;
    const dead = oldThreads(lab, general, 5);
    const lively = general.post({ text: 'today' });
    const said = general.reply(lively, { text: 'as first said' });
    expect((await lab.ingest('--backfill-from', isoDay(200))).code).toBe(0);

    general.edit(said, { text: 'as said in the end' });
    const textOf = async (ts: string) => (await lab.database.rows('messages', { where: `ts = '${ts}'` }))[0]?.['text'];
    expect(await runsUntil(lab, async () => (await textOf(said)) === 'as said in the end', 4)).toBeLessThanOrEqual(4);
    const revisions = await lab.database.rows('message_revisions', { where: `ts = '${said}'` });
    expect(revisions).toMatchObject([{ text: 'as first said' }]);

    const [oldReply] = await lab.database.rows('messages', {
      where: `thread_ts = '${dead[2]}' and ts <> '${dead[2]}'`,
    });
    general.edit(String(oldReply?.['ts']), { text: 'edited half a year later' });
    general.react(String(oldReply?.['ts']), 'eyes', ann);
    const found = async () => (await textOf(String(oldReply?.['ts']))) === 'edited half a year later';
    await runsUntil(lab, found, 26);
    await expectWorld(lab.database, [general]);
  });

  it('looks ever less often at threads in which nothing happens', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    for (let n = 0; n < 4; n += 1) general.reply(general.post({ text: `root ${n}` }), { text: 'reply' });
    expect((await lab.ingest()).code).toBe(0);
    const asked: number[] = [];
    for (let run = 2; run <= 24; run += 1) asked.push((await lab.ingest()).count(replies));
    // Four threads, read again after 3, 6 and 12 runs.
    expect(asked.map((n, index) => (n > 0 ? index + 2 : 0)).filter(Boolean)).toEqual([4, 10, 22]);
    expect(asked.reduce((sum, n) => sum + n, 0)).toBe(12);
  });
});
