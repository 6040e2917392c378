/** What an outside review broke once: each must stay mended. */
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

eachDatabase((create) => {
  it('reads the look-back window to its end although Slack forgets the cursor after its first page', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const old = general.post({ ts: lab.world.clock.daysAgo(4), text: 'an old message' });
    for (let n = 0; n < 1200; n += 1) general.post({ text: `message ${n}` });
    expect((await lab.ingest()).code).toBe(0);

    general.edit(old, { text: 'an old message, edited' });
    lab.slack.faults.add({
      kind: 'error',
      method: 'conversations.history',
      error: 'invalid_cursor',
      when: (params) => params['cursor'] !== undefined,
    });
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.out.messages.updated).toBe(1);
    await expectWorld(lab.database, [general]);
  });

  it('does not believe at once that a thread is gone', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const root = general.post({ text: 'a question' });
    for (const text of ['one', 'two', 'three']) general.reply(root, { text });
    lab.slack.faults.add({ kind: 'error', method: 'conversations.replies', error: 'thread_not_found' });
    expect((await lab.ingest()).code).toBe(3);
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
  });

  it('goes back to the very first moment there is, in this run and in later ones', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    general.post({ text: 'hello' });
    expect((await lab.ingest('--backfill-from', '1970-01-01')).code).toBe(0);
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
  });

  it('looks up the other authors although the answer about one is odd', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const people = ['ana', 'ben', 'cia'].map((name) => lab.acme.user(name, { kind: 'external' }));
    for (const { id } of people) general.post({ user: id, text: 'hello' });
    lab.slack.faults.add({ kind: 'error', method: 'users.info', error: 'some_new_error' });
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.directory.users_looked_up).toBe(2);
  });

  it('keeps a private channel private when Slack lists nothing but its id', async () => {
    await using lab = await openLab(create);
    const secret = lab.acme.channel('secret', { kind: 'private', topic: 'plans' });
    secret.post({ text: 'hello' });
    expect((await lab.ingest()).code).toBe(0);
    lab.slack.faults.add({
      kind: 'rewrite',
      method: 'conversations.list',
      body: () => ({ ok: true, channels: [{ id: secret.id }], response_metadata: { next_cursor: '' } }),
    });
    await lab.ingest();
    expect(await lab.database.rows('channels')).toMatchObject([{ name: 'secret', kind: 'private', topic: 'plans' }]);
  });
});
