import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `U0${prefix}${String(n).padStart(5, '0')}`);
}

eachDatabase((create) => {
  it('follows edits within the look-back window, and keeps what the message was', async () => {
    await using lab = await openLab(create);
    const { clock } = lab.world;
    const general = lab.acme.channel('general');
    const outside = general.post({ ts: clock.daysAgo(12), text: 'old, as first written' });
    const edited = general.post({ ts: clock.daysAgo(3), text: 'as first written' });
    const unfurled = general.post({ ts: clock.daysAgo(2), text: 'see https://example.com' });
    const untouched = general.post({ ts: clock.daysAgo(1), text: 'never touched' });
    expect((await lab.ingest()).code).toBe(0);
    const before = new Map((await lab.database.rows('messages')).map((row) => [row['ts'], row]));

    general.edit(edited, { text: 'as edited' });
    general.edit(outside, { text: 'old, as edited' });
    general.change(unfurled, (message) => ({ ...message, attachments: [{ title: 'Example Domain', id: 1 }] }));
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    // One page holds the channel: it is read again as a whole.
    expect(run.out.messages).toMatchObject({ inserted: 0, updated: 3, unchanged: 1 });
    const after = new Map((await lab.database.rows('messages')).map((row) => [row['ts'], row]));
    expect(after.get(edited)).toMatchObject({
      text: 'as edited',
      edited_ts: expect.stringMatching(/^\d{10}\.000000$/),
    });
    expect(after.get(edited)?.['first_seen_at']).toBe(before.get(edited)?.['first_seen_at']);
    expect(String(after.get(edited)?.['updated_at']) > String(before.get(edited)?.['updated_at'])).toBe(true);
    expect(after.get(unfurled)).toMatchObject({
      edited_ts: null,
      search_text: 'see https://example.com\nExample Domain',
    });
    expect(after.get(unfurled)?.['raw']).toMatchObject({ attachments: [{ title: 'Example Domain' }] });
    expect(after.get(untouched)).toEqual(before.get(untouched));
    expect(after.get(outside)).toMatchObject({ text: 'old, as edited' });
    const revisions = await lab.database.rows('message_revisions', { order: 'ts' });
    expect(revisions).toMatchObject([
      { ts: outside, text: 'old, as first written' },
      { ts: edited, text: 'as first written', edited_ts: null, seen_at: before.get(edited)?.['updated_at'] },
      { ts: unfurled, text: 'see https://example.com' },
    ]);
    expect(revisions[1]?.['raw']).toEqual(before.get(edited)?.['raw']);

    // A second edit: every version is kept.
    general.edit(edited, { text: 'as edited again' });
    expect((await lab.ingest()).out.messages).toMatchObject({ updated: 1 });
    await expectWorld(lab.database, [general]);
    const all = await lab.database.rows('message_revisions', { where: `ts = '${edited}'`, order: 'seen_at' });
    expect(all.map(({ text }) => text)).toEqual(['as first written', 'as edited']);
  });

  it('never forgets a reactor because Slack cut the list, and does when the list is whole', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const ts = general.post({ text: 'everybody likes this' });
    const reactors = names('A', 50);
    general.react(ts, '+1::skin-tone-3', reactors, 60);
    general.react(ts, 'eyes', ['U0A00000', 'U0A00001']);
    general.react(ts, 'tada', ['U0A00002']);
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
    const countOf = async (name: string) =>
      (await lab.database.rows('reactions', { where: `name = '${name}'` })).length;
    expect(await countOf('+1::skin-tone-3')).toBe(50);

    // Another fifty of the sixty; one takes its eyes back, which a whole list shows; nobody is left of the tada.
    const others = [...reactors.slice(20), ...names('B', 20)];
    general.change(ts, (message) => ({
      ...message,
      reactions: [
        { name: '+1::skin-tone-3', users: others, count: 60 },
        { name: 'eyes', users: ['U0A00001'], count: 1 },
      ],
    }));
    const run = await lab.ingest();
    expect(run.out.messages).toMatchObject({ updated: 1 });
    expect(await countOf('+1::skin-tone-3')).toBe(70);
    expect(await countOf('eyes')).toBe(1);
    expect(await countOf('tada')).toBe(0);
    const [row] = await lab.database.rows('messages');
    expect(row?.['raw']).toMatchObject({ reactions: [{ name: '+1::skin-tone-3', count: 60 }, { count: 1 }] });
    // Nobody edited anything.
    expect(await lab.database.rows('message_revisions')).toEqual([]);
  });

  it('keeps the words and the author of a deleted root that still has replies, and marks it deleted', async () => {
    await using lab = await openLab(create);
    const ann = lab.acme.user('ann').id;
    const general = lab.acme.channel('general');
    general.post({ text: 'older: what expires by retention would take it first' });
    const root = general.post({ user: ann, text: 'I should not have said this' });
    const replies = ['first', 'second'].map((text) => general.reply(root, { text }));
    const tombstone = general.post({ text: 'gone before we came' });
    general.reply(tombstone, { text: 'its reply' });
    general.deleteMessage(tombstone);
    expect((await lab.ingest()).code).toBe(0);
    const [before] = await lab.database.rows('messages', { where: `ts = '${root}'` });

    general.deleteMessage(root);
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.out.messages).toMatchObject({ deleted: 1, inserted: 0 });
    const [after] = await lab.database.rows('messages', { where: `ts = '${root}'` });
    expect(after).toEqual({ ...before, deleted_at: expect.any(String), updated_at: expect.any(String) });
    expect(after).toMatchObject({ text: 'I should not have said this', user_id: ann, reply_count: 2 });
    const kept = await lab.database.rows('messages', {
      where: `thread_ts = '${root}' and ts <> '${root}'`,
      order: 'ts',
    });
    expect(kept).toMatchObject(replies.map((ts) => ({ ts, deleted_at: null, thread_ts: root })));
    const [never] = await lab.database.rows('messages', { where: `ts = '${tombstone}'` });
    expect(never).toMatchObject({ subtype: 'tombstone', deleted_at: expect.any(String) });

    const again = await lab.ingest();
    expect(again.out.messages).toMatchObject({ deleted: 0, updated: 0, inserted: 0 });
    expect(await lab.database.rows('messages', { where: `ts = '${root}'` })).toEqual([after]);

    // Its thread goes on.
    general.reply(root, { text: 'third' });
    expect((await lab.ingest()).out.messages).toMatchObject({ inserted: 1, deleted: 0 });
    const [counted] = await lab.database.rows('messages', { where: `ts = '${root}'` });
    expect(counted).toMatchObject({
      reply_count: 3,
      text: 'I should not have said this',
      deleted_at: after?.['deleted_at'],
    });
  });
});
