/** Access comes and goes: what was stored stays, losing it shows, and coming back leaves no gap. */
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';
const day = 86_400;

eachDatabase((create) => {
  it.each([
    { kind: 'public', code: 'not_in_channel' },
    { kind: 'private', code: 'channel_not_found' },
  ] as const)(
    'fails a $kind channel it was removed from, keeps its rows, and fills the gap when it is back',
    async ({ kind, code }) => {
      await using lab = await openLab(create);
      const lost = lab.acme.channel('lost', { kind });
      const other = lab.acme.channel('other');
      for (const channel of [lost, other]) channel.post({ text: 'before' });
      expect((await lab.ingest()).code).toBe(0);
      const where = `channel_id = '${lost.id}'`;
      const rows = await lab.database.rows('messages', { where, order: 'ts' });
      const position = { where, without: ['last_checked_at', 'last_error'] };
      const state = await lab.database.rows('ingestion_state', position);

      lost.leave();
      const root = lost.post({ text: 'while away' });
      lost.reply(root, { text: 'a reply while away' });
      other.post({ text: 'meanwhile' });
      for (let n = 0; n < 2; n += 1) {
        const run = await lab.ingest();
        expect(run.code).toBe(3);
        expect(run.out.channels).toEqual({ total: 2, ok: 1, failed: 1, skipped: 0 });
        expect(run.out.errors).toMatchObject([{ channel_id: lost.id, channel: 'lost', code }]);
        expect(run.count(undefined, lost.id)).toBe(1);
      }
      expect(await lab.database.rows('messages', { where, order: 'ts' })).toEqual(rows);
      expect(await lab.database.rows('ingestion_state', position)).toEqual(state);
      expect((await lab.database.rows('ingestion_state', { where }))[0]?.['last_error']).toContain(code);
      await expectWorld(lab.database, [other]);

      lost.join();
      lost.post({ text: 'back' });
      const back = await lab.ingest();
      expect(back.code).toBe(0);
      await expectWorld(lab.database, [lost, other]);
      expect((await lab.database.rows('ingestion_state', { where }))[0]?.['last_error']).toBeNull();
    },
  );

  it('tries a channel that was deleted until it is excluded, and says so', async () => {
    await using lab = await openLab(create);
    const gone = lab.acme.channel('gone');
    const other = lab.acme.channel('other');
    for (const channel of [gone, other]) channel.post({ text: 'before' });
    expect((await lab.ingest()).code).toBe(0);
    lab.acme.deleteChannel(gone);
    for (const selection of [[], ['--channel', 'go*', '--channel', 'other'], ['--channel', gone.id]]) {
      const run = await lab.ingest(...selection);
      expect(run.code).toBe(selection.includes(gone.id) ? 1 : 3);
      expect(run.out.errors).toMatchObject([
        { channel_id: gone.id, code: 'channel_not_found', hint: expect.stringContaining('--exclude') },
      ]);
    }
    expect(await lab.database.rows('messages', { where: `channel_id = '${gone.id}'` })).toHaveLength(1);
    const rid = await lab.ingest('--exclude', gone.id);
    expect(rid.code).toBe(0);
    expect(rid.out.channels).toMatchObject({ total: 1, ok: 1 });
    expect(rid.count(undefined, gone.id)).toBe(0);
  });

  it('says nothing of a vanished channel that was never read', async () => {
    await using lab = await openLab(create);
    const foreign = lab.acme.channel('foreign', { isMember: false });
    lab.acme.channel('other').post({ text: 'here' });
    expect((await lab.ingest()).code).toBe(0);
    lab.acme.deleteChannel(foreign);
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.out.channels).toMatchObject({ total: 1, ok: 1 });
    const named = await lab.ingest('--channel', 'foreign', '--channel', 'other');
    expect(named.code).toBe(3);
    expect(named.out.errors).toMatchObject([{ channel: 'foreign', code: 'channel_not_found' }]);
  });

  it('joins no channel that it cannot see any more', async () => {
    await using lab = await openLab(create);
    const gone = lab.acme.channel('gone');
    lab.acme.channel('other');
    gone.post({ text: 'before' });
    await lab.ingest();
    gone.leave();
    await lab.ingest();
    lab.acme.deleteChannel(gone);
    const run = await lab.ingest('--join');
    expect(run.count('conversations.join')).toBe(0);
    expect(run.out.errors).toMatchObject([{ channel_id: gone.id, code: 'channel_not_found' }]);
  });

  it('reads a channel it newly joined as far back as a first run does', async () => {
    await using lab = await openLab(create, { start: Date.now() - 60 * day * 1000 });
    const [plain, wide] = ['plain', 'wide'].map((name) => lab.acme.channel(name, { isMember: false }));
    if (plain === undefined || wide === undefined) throw new Error('two channels');
    lab.acme.channel('other').post({ text: 'long ago' });
    for (const channel of [plain, wide]) channel.post({ text: 'long ago' });
    lab.world.clock.advance(40 * day);
    for (const channel of [plain, wide]) channel.post({ text: 'lately' });
    expect((await lab.ingest()).code).toBe(0);

    plain.join();
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.count(history, plain.id)).toBe(1);
    const texts = await lab.database.rows('messages', { where: `channel_id = '${plain.id}'`, order: 'ts' });
    expect(texts.map(({ subtype, text }) => subtype ?? text)).toEqual(['lately', 'channel_join']);
    wide.join();
    expect((await lab.ingest('--backfill-from', '2020-01-01')).code).toBe(0);
    await expectWorld(lab.database, [plain, wide]);
  });
});
