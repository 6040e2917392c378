/** What is read late is not news: a first copy, a backfill, an import, a channel that the app joins. What is written late is. */
import { expect, it } from 'vitest';
import { exportWorld } from '../exports/export-world.ts';
import { imported } from '../import/import-lab.ts';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';

const day = 86_400;
const none = { messages: 0, replies: 0, edits: 0, deletions: 0, items: [] };

let handedOut = 0;

/** A ts so many days before now; unlike any handed out before, and later than those for the same moment. */
function daysAgo(days: number): string {
  handedOut += 1;
  return `${Math.floor(Date.now() / 1000 - days * day)}.${String(handedOut).padStart(5, '0')}0`;
}

function dateBefore(days: number): string {
  return new Date(Date.now() - days * day * 1000).toISOString().slice(0, 10);
}

interface Newsroom extends AsyncDisposable {
  lab: Lab;
  ada: string;
  daily: Channel;
  /** A thread with replies up to a day. */
  oldThread(channel: Channel, days: number, upTo: number): string;
  publish(): Promise<{ late: unknown; newcomers: string[]; posts: string[] }>;
}

async function open(create: () => Promise<TestDatabase>): Promise<Newsroom> {
  // Histories of several pages, which Slack shows from the oldest on.
  const lab = await openLab(create, {
    thinPages: ({ method, limit }) => (method === 'conversations.history' ? 3 : limit),
  });
  const ada = lab.acme.user('ada').id;
  const daily = lab.acme.channel('daily');
  return {
    lab,
    ada,
    daily,
    oldThread(channel, days, upTo) {
      const root = channel.post({ user: ada, text: `Began ${days} days ago.`, ts: daysAgo(days) });
      for (let at = days - 1; at >= upTo; at -= Math.max(1, (days - 1 - upTo) / 3))
        channel.reply(root, { user: ada, text: `Said ${at} days ago.`, ts: daysAgo(at) });
      return root;
    },
    async publish() {
      const { code, out, stderr } = await lab.run(['digest', '--publish', '#daily', '--lock-timeout', '10s']);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const posts = daily.store.timeline.map(({ body }) => JSON.stringify(body));
      const newcomers = out.digest.activity.new_members.map(({ name }: { name: string }) => name);
      return { late: out.digest.activity.late, newcomers, posts };
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

eachDatabase((create) => {
  it('a first copy, a backfill and a joined channel tell of nothing old, and of what is written there later', async () => {
    await using room = await open(create);
    const { lab, ada, oldThread, publish } = room;
    const general = lab.acme.channel('general');
    general.join(lab.acme.user('nia').id);
    const recent = oldThread(general, 20, 3);
    const old = oldThread(general, 200, 4);
    for (const days of [6, 5, 4.5, 4, 3.5, 3, 1.5, 1, 0.1])
      general.post({ user: ada, text: `Release ${100 * days} is live for everybody!`, ts: daysAgo(days) });
    // Budgets that end in the middle of the history, and before the threads are read.
    for (const requests of ['6', '7', '5']) {
      expect((await lab.ingest('--max-requests', requests)).code).toBe(3);
      expect(await publish()).toMatchObject({ late: none, newcomers: [] });
    }
    expect((await lab.ingest()).code).toBe(0);
    const first = await publish();
    expect(first).toMatchObject({ late: none, newcomers: [] });
    expect(first.posts.join()).toContain('Release 100 ');
    expect(first.posts.join()).not.toMatch(/older messages|Release [3-6]/);
    const told = first.posts.length;

    const project = lab.acme.channel('project');
    const joined = oldThread(project, 60, 2);
    project.post({ user: ada, text: 'Release 7 is live for everybody!', ts: daysAgo(3) });
    expect((await lab.run(['backfill', '--from', dateBefore(300), '--lock-timeout', '10s'])).code).toBe(0);
    expect((await lab.ingest('--backfill-from', dateBefore(300))).code).toBe(0);
    expect(await lab.database.rows('messages', { where: `ts = '${old}'` })).toHaveLength(1);
    const second = await publish();
    expect(second).toMatchObject({ late: none, newcomers: [] });
    expect(second.posts.slice(told).join()).not.toMatch(/older messages|Release 7|days ago/);

    for (const [channel, root] of [
      [general, recent],
      [general, old],
      [project, joined],
    ] as const)
      channel.reply(root, { user: ada, text: 'Said just now.', ts: daysAgo(0) });
    lab.world.clock.advance(day);
    general.join(lab.acme.user('max').id);
    expect((await lab.ingest()).code).toBe(0);
    const third = await publish();
    expect(third.newcomers).toEqual(['max']);
    expect(third.late).toMatchObject({ replies: 3, messages: 0 });
    expect(third.posts.at(-1)).toContain('older messages');
    expect((await publish()).posts).toHaveLength(third.posts.length);
  });

  it('an import tells of nothing old, nor does what Slack shows of it for the first time', async () => {
    await using room = await open(create);
    const { lab, ada, oldThread, publish } = room;
    const general = lab.acme.channel('general');
    const root = oldThread(general, 25, 15);
    const edited = general.post({ user: ada, text: 'The office opens at 8.', ts: daysAgo(6) });
    const deleted = general.post({ user: ada, text: 'It slipped out.', ts: daysAgo(6) });
    const kept = general.post({ user: ada, text: 'The key is with me.', ts: daysAgo(6) });
    expect((await imported(lab, exportWorld(lab.acme))).code).toBe(0);
    // Since the export was made, and before Slack was ever asked.
    general.reply(root, { user: ada, text: 'Said 5 days ago.', ts: daysAgo(5) });
    general.edit(edited, { text: 'The office opens at 9.' });
    general.deleteMessage(deleted);
    general.post({ user: ada, text: 'Good morning.', ts: daysAgo(0.1) });
    expect((await lab.ingest()).code).toBe(0);
    const first = await publish();
    expect(first.late).toEqual(none);
    expect(first.posts.join()).not.toContain('older messages');

    general.reply(root, { user: ada, text: 'Said just now.', ts: daysAgo(0) });
    lab.world.clock.advance(day);
    general.edit(edited, { text: 'The office opens at 10.' });
    general.deleteMessage(kept);
    expect((await lab.ingest()).code).toBe(0);
    expect((await publish()).late).toMatchObject({ replies: 1, edits: 1, deletions: 1, messages: 0 });
  });
});
