/** Slack tells of no deletion: what is missing from a range that was read whole is gone, and nothing else is. */
import { expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { configFile } from '../support/config-file.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';

async function deletedTs(database: TestDatabase): Promise<string[]> {
  const rows = await database.rows('messages', { where: 'deleted_at is not null', order: 'ts' });
  return rows.map(({ ts }) => String(ts));
}

/** One message an hour, the latest an hour ago; returns them oldest first. */
function postHourly(lab: Lab, channel: Channel, hours: number): string[] {
  const all: string[] = [];
  for (let hour = hours; hour > 0; hour -= 1)
    all.push(channel.post({ ts: lab.world.clock.daysAgo(hour / 24), text: `${hour} hours ago` }));
  return all;
}

eachDatabase((create) => {
  it('marks a deleted message wherever it stood, keeps what it said, and marks it once', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const posted = postHourly(lab, general, 24 * 20);
    expect((await lab.ingest()).code).toBe(0);
    const before = await lab.database.rows('messages', { order: 'ts' });

    const gone = [posted[5], posted[200], posted.at(-3), posted.at(-1)].map(String);
    for (const ts of gone) general.deleteMessage(ts);
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.out.messages).toMatchObject({ deleted: 4, inserted: 0, updated: 0 });
    expect(await deletedTs(lab.database)).toEqual(gone);
    const after = await lab.database.rows('messages', { order: 'ts' });
    const withoutMarks = (rows: Record<string, unknown>[]) =>
      rows.map(({ deleted_at: _, updated_at: __, ...row }) => row);
    expect(withoutMarks(after)).toEqual(withoutMarks(before));

    const again = await lab.ingest();
    expect(again.out.messages).toMatchObject({ deleted: 0, updated: 0 });
    expect(await lab.database.rows('messages', { order: 'ts' })).toEqual(after);
  });

  it('finds deletions far below the look-back window within some runs, in a channel of many pages', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 50) });
    const general = lab.acme.channel('general');
    const posted = postHourly(lab, general, 24 * 28);
    expect((await lab.ingest()).code).toBe(0);
    const gone = [posted[1], posted[49], posted[50], posted[300]].map(String);
    for (const ts of gone) general.deleteMessage(ts);
    let runs = 0;
    while ((await deletedTs(lab.database)).length < gone.length && runs < 12) {
      expect((await lab.ingest()).code).toBe(0);
      runs += 1;
    }
    expect(await deletedTs(lab.database)).toEqual(gone);
  });

  it('marks the last reply at once when its root comes without a word of the thread from then on', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const before = general.post({ ts: lab.world.clock.daysAgo(4), text: 'before' });
    const root = general.post({ ts: lab.world.clock.daysAgo(3), text: 'root' });
    const reply = general.reply(root, { ts: lab.world.clock.daysAgo(2), text: 'the only reply' });
    expect((await lab.ingest()).code).toBe(0);
    general.deleteMessage(reply);
    const threadKeys = new Set([
      'thread_ts',
      'reply_count',
      'reply_users_count',
      'reply_users',
      'is_locked',
      'subscribed',
    ]);
    lab.slack.faults.add({
      kind: 'rewrite',
      method: 'conversations.history',
      times: Number.POSITIVE_INFINITY,
      body: ({ messages, ...honest }) => ({
        ...honest,
        messages: (Array.isArray(messages) ? messages : []).map((message) =>
          Object.fromEntries(Object.entries(message ?? {}).filter(([key]) => !threadKeys.has(key))),
        ),
      }),
    });
    const run = await lab.ingest();
    expect({ code: run.code, errors: run.out.errors }).toEqual({ code: 0, errors: [] });
    expect(await deletedTs(lab.database)).toEqual([reply]);
    expect((await lab.ingest()).count('conversations.replies')).toBe(0);
    const kept = await lab.database.rows('messages', { where: 'deleted_at is null', order: 'ts' });
    expect(kept.map(({ ts }) => ts)).toEqual([before, root]);
  });

  it('marks a deleted reply, counts the replies right again, and marks a root and its last replies', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    postHourly(lab, general, 50);
    const root = general.post({ text: 'a root' });
    const replies = ['one', 'two', 'three'].map((text) => general.reply(root, { text }));
    const shared = general.reply(root, { text: 'also in the channel' }, { broadcast: true });
    expect((await lab.ingest()).code).toBe(0);

    // The last one: the count falls, and the latest reply moves back.
    general.deleteMessage(shared);
    general.deleteMessage(String(replies[2]));
    expect((await lab.ingest()).out.messages).toMatchObject({ deleted: 2 });
    expect(await deletedTs(lab.database)).toEqual([replies[2], shared]);
    const [counted] = await lab.database.rows('messages', { where: `ts = '${root}'` });
    expect(counted).toMatchObject({ reply_count: 2, latest_reply: replies[1], deleted_at: null });

    // One deleted and one posted: the count is what it was.
    general.deleteMessage(String(replies[0]));
    const fourth = general.reply(root, { text: 'four' });
    expect((await lab.ingest()).out.messages).toMatchObject({ deleted: 1, inserted: 1 });

    // The root stays as a tombstone while a reply is left, and goes with the last one.
    general.deleteMessage(root);
    expect((await lab.ingest()).out.messages).toMatchObject({ deleted: 1 });
    general.deleteMessage(String(replies[1]));
    general.deleteMessage(fourth);
    expect((await lab.ingest()).code).toBe(0);
    expect((await lab.ingest()).code).toBe(0);
    expect(await deletedTs(lab.database)).toEqual([root, ...replies, shared, fourth].sort());
    const [kept] = await lab.database.rows('messages', { where: `ts = '${root}'` });
    expect(kept).toMatchObject({ text: 'a root', subtype: null });
    expect((await lab.ingest()).out).toMatchObject({ status: 'completed', messages: { updated: 0, deleted: 0 } });
  });

  it('takes back the mark when Slack shows the message again', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const posted = postHourly(lab, general, 30);
    expect((await lab.ingest()).code).toBe(0);
    const ts = String(posted[10]);
    const [shown] = general.expectedMessages({ metadata: true }).filter((message) => message['ts'] === ts);
    general.deleteMessage(ts);
    expect((await lab.ingest()).out.messages).toMatchObject({ deleted: 1 });
    general.postRaw({ ...shown, ts });
    expect((await lab.ingest()).code).toBe(0);
    expect(await deletedTs(lab.database)).toEqual([]);
  });

  it('never takes a broken answer, a cut walk or a lost channel for deletions', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 100) });
    const general = lab.acme.channel('general');
    postHourly(lab, general, 600);
    expect((await lab.ingest()).code).toBe(0);
    const history = 'conversations.history';
    const faults = [
      { kind: 'error', error: 'not_in_channel', method: history, nth: 2 },
      { kind: 'error', error: 'channel_not_found', method: history, nth: 1 },
      { kind: 'http', status: 500, method: history, nth: 3, times: 20 },
      { kind: 'error', error: 'invalid_cursor', method: history, nth: 2 },
      { kind: '429', retryAfter: 0, method: history, nth: 2 },
    ] as const;
    for (const fault of faults) {
      lab.slack.faults.add(fault);
      await lab.ingest('--lookback', '30d');
      lab.slack.faults.clear();
      expect({ fault, deleted: await deletedTs(lab.database) }).toEqual({ fault, deleted: [] });
    }
    await lab.ingestKilled(
      ({ method, params }) => method === history && params['cursor'] !== undefined,
      '--lookback',
      '30d',
    );
    expect((await lab.ingest('--lookback', '30d', '--max-requests', '5')).code).toBe(3);
    expect((await lab.ingest()).code).toBe(0);
    expect(await deletedTs(lab.database)).toEqual([]);
  });

  it('never takes messages that expire by retention for deleted ones, as they go one by one or at once', async () => {
    await using lab = await openLab(create);
    const [general, random] = ['general', 'random'].map((name) => lab.acme.channel(name)) as [Channel, Channel];
    const posted = postHourly(lab, general, 24 * 20);
    postHourly(lab, random, 24 * 20);
    expect((await lab.ingest()).code).toBe(0);
    for (const index of [1, 2, 5, 100, 101, 300]) {
      lab.acme.expireBefore(String(posted[index]));
      const run = await lab.ingest();
      expect(run.code).toBe(0);
      expect({ index, deleted: await deletedTs(lab.database) }).toEqual({ index, deleted: [] });
    }
    // What people delete meanwhile is seen.
    general.deleteMessage(String(posted[400]));
    expect((await lab.ingest()).out.messages).toMatchObject({ deleted: 1 });
    expect(await deletedTs(lab.database)).toEqual([posted[400]]);
  });

  it('does not ask twice whether what expired was deleted', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const posted = postHourly(lab, general, 24 * 20);
    expect((await lab.ingest()).code).toBe(0);
    lab.acme.expireBefore(String(posted[50]));
    expect((await lab.ingest()).code).toBe(0);
    expect((await lab.ingest()).count('conversations.history')).toBe(1);
  });

  it('does not mark the first message of a channel though other channels show older ones: they may have other policies', async () => {
    await using lab = await openLab(create);
    const [general, random] = ['general', 'random'].map((name) => lab.acme.channel(name)) as [Channel, Channel];
    postHourly(lab, random, 24 * 20);
    const [first] = postHourly(lab, general, 24 * 10);
    expect((await lab.ingest()).code).toBe(0);
    general.deleteMessage(String(first));
    const { out, stderr } = await lab.ingest();
    expect(out.messages).toMatchObject({ deleted: 0 });
    expect(stderr).toContain('vanished from Slack as messages do that expire');
    expect(await deletedTs(lab.database)).toEqual([]);
  });

  it('marks whatever vanished in a channel without older messages when the config says that nothing expires', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const posted = postHourly(lab, general, 24 * 10);
    const config = configFile('retention: none\n');
    expect((await lab.ingest('--config', config)).code).toBe(0);
    const gone = posted.slice(0, 4);
    for (const ts of gone) general.deleteMessage(ts);
    expect((await lab.ingest('--config', config)).code).toBe(0);
    expect(await deletedTs(lab.database)).toEqual(gone);
  });

  it('marks nothing that a plan limit hides', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const posted = postHourly(lab, general, 24 * 20);
    expect((await lab.ingest()).code).toBe(0);
    lab.acme.hideBefore(String(posted[100]));
    // Above the floor absence counts, also right above it.
    general.deleteMessage(String(posted[250]));
    for (let run = 0; run < 5; run += 1) expect((await lab.ingest()).code).toBe(0);
    expect(await deletedTs(lab.database)).toEqual([posted[250]]);
  });
});
