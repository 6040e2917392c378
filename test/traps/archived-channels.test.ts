/** Nothing new comes into an archived channel, so nothing is spent on it; whatever changes that is noticed. */
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';

eachDatabase((create) => {
  it('reads an archived channel up to its archiving, then asks no more, and again as soon as it is unarchived', async () => {
    await using lab = await openLab(create);
    const done = lab.acme.channel('done');
    const open = lab.acme.channel('open');
    for (const channel of [done, open]) channel.post({ text: 'before' });
    expect((await lab.ingest()).code).toBe(0);
    done.post({ text: 'last words' });
    done.archive();
    const seen = await lab.ingest();
    expect(seen.count(history, done.id)).toBe(1);
    await expectWorld(lab.database, [done, open]);
    expect(await lab.database.rows('channels', { where: `channel_id = '${done.id}'` })).toMatchObject([
      { is_archived: true },
    ]);

    for (let n = 0; n < 2; n += 1) {
      const quiet = await lab.ingest();
      expect(quiet.code).toBe(0);
      expect([done, open].map(({ id }) => quiet.count(undefined, id))).toEqual([0, 1]);
      expect(quiet.out.channels).toEqual({ total: 2, ok: 2, failed: 0, skipped: 0 });
    }

    done.unarchive();
    done.post({ text: 'back again' });
    const back = await lab.ingest();
    expect(back.count(history, done.id)).toBe(1);
    await expectWorld(lab.database, [done, open]);
    // Archived again between two runs, it was something else in the meantime.
    done.post({ text: 'one more' });
    done.archive();
    expect((await lab.ingest()).count(history, done.id)).toBe(1);
    await expectWorld(lab.database, [done, open]);
    expect((await lab.ingest()).count(history, done.id)).toBe(0);
  });

  it('notices that it was unarchived and archived again between two runs', async () => {
    await using lab = await openLab(create);
    const done = lab.acme.channel('done');
    done.post({ text: 'before' });
    done.archive();
    await lab.ingest();
    expect((await lab.ingest()).count(history)).toBe(0);
    lab.world.clock.advance(60);
    done.unarchive();
    done.post({ text: 'a short life' });
    lab.world.clock.advance(60);
    done.archive();
    expect((await lab.ingest()).count(history)).toBe(1);
    await expectWorld(lab.database, [done]);
  });

  it('reads on where a run was killed between two pages of it', async () => {
    await using lab = await openLab(create, {
      thinPages: ({ method, limit }) => (method === history ? 2 : limit),
    });
    const done = lab.acme.channel('done');
    done.post({ text: 'before' });
    expect((await lab.ingest()).code).toBe(0);
    for (let n = 0; n < 8; n += 1) done.post({ text: `last words ${n}` });
    done.archive();
    let pages = 0;
    await lab.ingestKilled(({ method }) => method === history && ++pages === 3);
    expect((await lab.ingest()).count(history, done.id)).toBeGreaterThan(0);
    await expectWorld(lab.database, [done]);
    expect((await lab.ingest()).count(history, done.id)).toBe(0);
  });

  it('reads it again for what is asked for further back', async () => {
    await using lab = await openLab(create, { start: Date.now() - 90 * 86_400_000 });
    const done = lab.acme.channel('done', { created: Math.floor(Date.now() / 1000) - 100 * 86_400 });
    done.post({ text: 'long ago' });
    lab.world.clock.advance(80 * 86_400);
    done.post({ text: 'lately' });
    done.archive();
    await lab.ingest();
    expect(await lab.database.rows('messages')).toHaveLength(2);
    const wider = await lab.ingest('--backfill-from', '2020-01-01');
    expect(wider.code).toBe(0);
    expect(wider.count(history)).toBe(1);
    await expectWorld(lab.database, [done]);
    expect((await lab.ingest('--backfill-from', '2020-01-01')).count(history)).toBe(0);
  });

  it('looks at it again in its turn, and finds what changed without anybody being told', async () => {
    await using lab = await openLab(create);
    const done = lab.acme.channel('done');
    const edited = done.post({ text: 'before' });
    const deleted = done.post({ text: 'soon gone' });
    done.archive();
    await lab.ingest();
    done.edit(edited, { text: 'after' });
    done.deleteMessage(deleted);
    const calls: number[] = [];
    for (let n = 0; n < 4; n += 1) calls.push((await lab.ingest()).count(history, done.id));
    // Once in these runs, and not in each.
    expect(calls.reduce((sum, n) => sum + n, 0)).toBe(1);
    await expectWorld(lab.database, [done], { hidden: [deleted] });
    const [gone] = await lab.database.rows('messages', { where: `ts = '${deleted}'` });
    expect(gone?.['deleted_at']).not.toBeNull();
  });

  it('spends its one call where the archiving itself was not seen', async () => {
    await using lab = await openLab(create);
    const done = lab.acme.channel('done');
    done.post({ text: 'the last message is not the archiving' });
    done.isArchived = true;
    await lab.ingest();
    const run = await lab.ingest();
    expect(run.count(history, done.id)).toBe(1);
    expect(run.out.channels).toMatchObject({ ok: 1, failed: 0 });
  });

  it('stores that a public channel became private, and goes on with its history', async () => {
    await using lab = await openLab(create);
    const plans = lab.acme.channel('plans');
    plans.post({ text: 'for all' });
    expect((await lab.ingest()).code).toBe(0);
    plans.makePrivate();
    plans.post({ text: 'for some' });
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.count(history, plans.id)).toBe(1);
    expect(await lab.database.rows('channels')).toMatchObject([{ kind: 'private', channel_id: plans.id }]);
    await expectWorld(lab.database, [plans]);
    plans.kind = 'public';
    plans.setTopic('open again');
    expect((await lab.ingest()).code).toBe(0);
    expect(await lab.database.rows('channels')).toMatchObject([{ kind: 'public', channel_id: plans.id }]);
    await expectWorld(lab.database, [plans]);
    expect(await lab.database.rows('channel_aliases')).toEqual([]);
  });
});
