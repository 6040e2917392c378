import { expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { isContinued, openLab } from '../support/lab.ts';
import { dump, expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';
const replies = 'conversations.replies';

/** Pages of 200, as apps with smaller limits get them. */
const pagesOf200 = ({ limit }: { limit: number }) => Math.min(limit, 200);

function postMany(channel: Channel, count: number, ts?: (n: number) => string): void {
  for (let n = 1; n <= count; n += 1)
    channel.post({ text: `message ${n}`, ...(ts === undefined ? {} : { ts: ts(n) }) });
}

function isoDay(daysAgo: number): string {
  return new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
}

eachDatabase((create) => {
  it('asks once per channel when a page holds everything, on the first run and on later ones', async () => {
    await using lab = await openLab(create);
    const channels = ['general', 'random'].map((name) => lab.acme.channel(name));
    for (const channel of channels) postMany(channel, 3);

    const first = await lab.ingest();
    const second = await lab.ingest();
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(channels.map(({ id }) => second.count(history, id))).toEqual([1, 1]);
    expect(channels.map(({ id }) => first.count(history, id))).toEqual([1, 1]);
  });

  it('loses none of 500 new messages when it is killed while reading forward from the checkpoint', async () => {
    await using lab = await openLab(create, { thinPages: pagesOf200 });
    const general = lab.acme.channel('general');
    postMany(general, 5);
    expect((await lab.ingest()).code).toBe(0);
    const checkpoint = await lastTs(lab.database);
    postMany(general, 500);

    // Without a look-back window only `oldest` is sent: the oldest page comes first.
    await lab.ingestKilled(isContinued(history), '--lookback', '0s');
    const reached = await lastTs(lab.database);
    expect(reached > checkpoint).toBe(true);
    expect(await lab.database.rows('messages')).toHaveLength(205);

    // This one is killed when its first page is on its way, and must not move anything.
    await lab.ingestKilled(({ method }) => method === history, '--lookback', '0s');
    expect(await lastTs(lab.database)).toBe(reached);

    const last = await lab.ingest('--lookback', '0s');
    expect(last.code).toBe(0);
    const [asked] = last.requests.filter(({ method }) => method === history);
    expect(asked?.params).toMatchObject({ oldest: reached });
    expect(asked?.params).not.toHaveProperty('latest');
    expect(last.out.messages).toMatchObject({ inserted: 300, updated: 0, deleted: 0 });
    await expectWorld(lab.database, [general]);
  });

  it('loses none of 500 new messages when it is killed while reading the look-back window again', async () => {
    await using lab = await openLab(create, { thinPages: pagesOf200 });
    const general = lab.acme.channel('general');
    postMany(general, 30);
    expect((await lab.ingest()).code).toBe(0);
    postMany(general, 500);

    await lab.ingestKilled(isContinued(history));
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
  });

  it('leaves no gap when it is killed while filling an older range, which Slack pages from the newest end', async () => {
    await using lab = await openLab(create, { thinPages: pagesOf200 });
    const general = lab.acme.channel('general');
    postMany(general, 500, (n) => lab.world.clock.daysAgo(60 - n * 0.03));
    postMany(general, 5);
    expect((await lab.ingest()).code).toBe(0);
    const recent = (await lab.database.rows('messages')).length;

    const from = isoDay(90);
    await lab.ingestKilled(
      (request) => isContinued(history)(request) && 'latest' in request.params,
      '--backfill-from',
      from,
    );
    expect(await lab.database.rows('messages')).toHaveLength(recent + 200);

    // The wish is remembered: the run after the killed one needs no flag to complete it.
    const next = await lab.ingest();
    expect(next.code).toBe(0);
    const hole = next.requests.find(({ method, params }) => method === history && 'latest' in params);
    expect(hole?.params).toMatchObject({ oldest: expect.any(String), latest: expect.any(String) });
    await expectWorld(lab.database, [general]);

    const covered = await lab.ingest('--backfill-from', from);
    expect(covered.out.messages).toMatchObject({ inserted: 0, updated: 0 });
    expect(covered.requests.some(({ params }) => 'latest' in params)).toBe(false);
  });

  it('goes on after short and empty pages of every listing as long as there is a cursor', async () => {
    const sizes = [2, 0, 3];
    await using lab = await openLab(create, { thinPages: ({ depth }) => sizes[depth % sizes.length] ?? 1 });
    const people = Array.from({ length: 7 }, (_, n) => lab.acme.user(`person.${n}`));
    const channels = Array.from({ length: 7 }, (_, n) => lab.acme.channel(`channel-${n}`, { isArchived: n % 2 === 0 }));
    const [general] = channels;
    if (general === undefined) throw new Error('no channel');
    postMany(general, 8);
    const root = general.post({ text: 'a root' });
    for (let n = 0; n < 9; n += 1) general.reply(root, { text: `reply ${n}` });

    const run = await lab.ingest();
    expect(run.out.errors).toEqual([]);
    expect(run.code).toBe(0);
    expect(run.out.channels).toMatchObject({ total: 7, ok: 7 });
    expect(await lab.database.rows('users')).toHaveLength(people.length + 1);
    await expectWorld(lab.database, channels);
  });

  it('begins anew from the last committed point when Slack forgets its cursors, and never stores one', async () => {
    await using lab = await openLab(create, { thinPages: () => 3 });
    for (let n = 0; n < 6; n += 1) lab.acme.user(`person.${n}`);
    const channels = Array.from({ length: 8 }, (_, n) => lab.acme.channel(`channel-${n}`));
    for (const channel of channels.slice(0, 3)) {
      postMany(channel, 10);
      const root = channel.post({ text: 'a root' });
      for (let n = 0; n < 7; n += 1) channel.reply(root, { text: `reply ${n}` });
    }
    const expired = new Set<string>();
    const cursors = new Set<string>();
    const seen = new Map<string, number>();
    lab.slack.onRequest(({ method, params }) => {
      const { cursor } = params;
      if (!cursor) return;
      cursors.add(cursor);
      const n = (seen.get(method) ?? 0) + 1;
      seen.set(method, n);
      // The second continuation of each listing: a page was committed from a cursor before.
      if (n !== 2 || expired.has(method)) return;
      expired.add(method);
      lab.slack.expireCursors();
    });

    const run = await lab.ingest();
    expect(run.out.errors).toEqual([]);
    expect(run.code).toBe(0);
    expect([...expired].sort()).toEqual(['conversations.history', 'conversations.list', replies, 'users.list']);
    await expectWorld(lab.database, channels);

    const stored = await dump(lab.database);
    for (const cursor of cursors) expect(stored).not.toContain(cursor);

    const again = await lab.ingest('--lookback', '30d');
    expect(again.code).toBe(0);
    expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    const begun = new Set<string>();
    for (const { method, params } of again.requests) {
      if (begun.has(`${method} ${params['channel']}`)) continue;
      begun.add(`${method} ${params['channel']}`);
      expect(params).not.toHaveProperty('cursor');
    }
  });
});

async function lastTs(database: { rows(table: string): Promise<Record<string, unknown>[]> }): Promise<string> {
  const [state] = await database.rows('ingestion_state');
  return String(state?.['last_ts']);
}
