import { expect, it } from 'vitest';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

/** What a run may not touch when nothing happened; `last_checked_at` is meant to move. */
/** When something was looked at, which changes with every look. */
const timesOfReading: Record<string, string[]> = {
  ingestion_state: ['last_checked_at', 'audited_at', 'audited_run'],
  coverage: ['audited_at'],
  threads: ['last_checked_at', 'next_audit_run', 'audit_interval'],
};

async function content(database: TestDatabase): Promise<unknown[]> {
  const tables: [string, string][] = [
    ['messages', 'channel_id, ts'],
    ['message_revisions', 'channel_id, ts, seen_at'],
    ['reactions', 'channel_id, ts, name, user_id'],
    ['files', 'file_id'],
    ['message_files', 'ts, file_id'],
    ['users', 'user_id'],
    ['channels', 'channel_id'],
    ['coverage', 'channel_id, from_ts'],
    ['threads', 'channel_id, thread_ts'],
    ['ingestion_state', 'channel_id'],
  ];
  const rows: unknown[] = [];
  for (const [table, order] of tables)
    rows.push(await database.rows(table, { order, without: timesOfReading[table] ?? [] }));
  return rows;
}

eachDatabase((create) => {
  it('keeps every ts byte for byte, in the rows and in what it sends to Slack', async () => {
    await using lab = await openLab(create);
    const seconds = lab.world.clock.seconds - 1000;
    const general = lab.acme.channel('general');
    // As a number each of them would come back as another id.
    const endings = ['000000', '000010', '123450', '100000', '999990', '000001', '999999'];
    const sent = endings.map((micros, n) => general.post({ ts: `${seconds + n}.${micros}`, text: micros }));
    const root = sent[2] ?? '';
    const reply = general.reply(root, { ts: `${seconds + 20}.500000`, text: 'a reply' });
    const old = general.post({ ts: `${seconds - 50 * 86_400}.123400`, text: 'old' });

    expect((await lab.ingest('--backfill-from', '2020-01-01')).code).toBe(0);
    const rows = await lab.database.rows('messages', { order: 'ts' });
    expect(rows.map(({ ts }) => ts)).toEqual([old, ...sent, reply]);
    expect(rows.filter(({ thread_ts }) => thread_ts === '' || thread_ts === root)).toHaveLength(2);
    const [found] = await lab.database.rows('messages', { where: `ts = '${seconds + 2}.123450'` });
    expect(found).toMatchObject({ ts: root, text: '123450', latest_reply: reply, thread_ts: root });
    const asked = lab.slack.requests.find(({ method }) => method === 'conversations.replies');
    expect(asked?.params['ts']).toBe(root);
    const [state] = await lab.database.rows('ingestion_state');
    expect(state).toMatchObject({ last_ts: sent.at(-1) });

    const next = await lab.ingest('--lookback', '0s');
    const [history] = next.requests.filter(({ method }) => method === 'conversations.history');
    expect(history?.params['oldest']).toBe(sent.at(-1));
    expect(next.out.messages).toMatchObject({ inserted: 0, updated: 0 });
  });

  it('neither loses nor doubles a message at the checkpoint, and running again changes no row', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const user = lab.acme.user('ann').id;
    const base = lab.world.clock.seconds - 600;
    general.post({ ts: `${base}.000100`, text: 'before' });
    const root = general.post({ ts: `${base}.000200`, text: 'a root' });
    general.reply(root, { ts: `${base + 5}.000200`, text: 'a reply' });
    general.reply(root, { ts: `${base + 6}.000200`, text: 'a broadcast' }, { broadcast: true });
    const checkpoint = general.post({
      ts: `${base + 10}.500000`,
      text: 'the last one',
      files: [{ id: 'F1', name: 'a.txt' }],
    });
    general.react(checkpoint, 'tada', user);
    expect((await lab.ingest()).code).toBe(0);
    const before = await content(lab.database);

    const again = await lab.ingest();
    expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0, stale: 0 });
    expect(await content(lab.database)).toEqual(before);

    // Neighbours by a microsecond: one after it, and one before it that shows late.
    general.post({ ts: `${base + 10}.500001`, text: 'right after' });
    general.post({ ts: `${base + 10}.499999`, text: 'visible late' });
    const third = await lab.ingest();
    expect(third.out.messages).toMatchObject({ inserted: 2, updated: 0 });
    await expectWorld(lab.database, [general]);

    const after = await content(lab.database);
    expect((await lab.ingest()).out.messages).toMatchObject({ inserted: 0, updated: 0 });
    expect(await content(lab.database)).toEqual(after);
  });
});
