/** Names change and are used again; what was asked for by name goes on being read. */
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';

eachDatabase((create) => {
  it('goes on with a renamed channel, finds it by every name it had, and remembers them', async () => {
    await using lab = await openLab(create);
    const plans = lab.acme.channel('plans');
    plans.post({ text: 'before' });
    expect((await lab.ingest('--channel', 'plans')).code).toBe(0);
    plans.rename('big-plans');
    plans.post({ text: 'between' });
    const run = await lab.ingest('--channel', 'plans');
    expect(run.code).toBe(0);
    await expectWorld(lab.database, [plans]);
    expect(await lab.database.rows('channels')).toMatchObject([{ name: 'big-plans' }]);
    expect(await lab.database.rows('channel_aliases')).toMatchObject([{ kind: 'name', alias: 'plans' }]);

    // Slack does not promise to tell the former names for ever.
    plans.rename('huge-plans');
    plans.previousNames = [];
    for (const name of ['plans', 'huge-plans']) expect((await lab.ingest('--channel', name)).code).toBe(0);
    expect((await lab.ingest('--channel', 'big-plans')).count(history, plans.id)).toBe(1);
    expect((await lab.ingest('--exclude', 'plans')).count(history)).toBe(0);
    await expectWorld(lab.database, [plans]);
    const aliases = await lab.database.rows('channel_aliases', { order: 'alias' });
    expect(aliases.map(({ alias }) => alias)).toEqual(['big-plans', 'plans']);
    await lab.ingest();
    expect(await lab.database.rows('channel_aliases', { order: 'alias' })).toEqual(aliases);
  });

  it('reads the channel that has the name now, and keeps out the one that had it when it was excluded', async () => {
    await using lab = await openLab(create);
    const old = lab.acme.channel('plans');
    old.post({ text: 'old plans' });
    expect((await lab.ingest('--channel', 'plans')).code).toBe(0);
    old.rename('plans-2025');
    const now = lab.acme.channel('plans');
    for (const channel of [old, now]) channel.post({ text: 'new' });
    const named = await lab.ingest('--channel', 'plans');
    expect(named.code).toBe(0);
    expect([old, now].map(({ id }) => named.count(history, id))).toEqual([0, 1]);
    const excluded = await lab.ingest('--exclude', 'plans');
    expect(excluded.count(history)).toBe(0);
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [old, now]);
  });

  it('reads the new channel by the name of one that was deleted', async () => {
    await using lab = await openLab(create);
    const old = lab.acme.channel('plans');
    old.post({ text: 'old plans' });
    expect((await lab.ingest('--channel', 'plans')).code).toBe(0);
    lab.acme.deleteChannel(old);
    const now = lab.acme.channel('plans', { created: old.created + 60 });
    now.post({ text: 'new plans' });
    const run = await lab.ingest('--channel', 'plans');
    expect(run.code).toBe(0);
    expect(run.count(undefined, old.id)).toBe(0);
    await expectWorld(lab.database, [now]);
    // Asked for by nobody in particular, the lost one shows.
    expect((await lab.ingest()).out.errors).toMatchObject([{ channel_id: old.id, code: 'channel_not_found' }]);
  });

  it('says that a glob fits nothing as it does of a name, but not where there are no channels', async () => {
    await using lab = await openLab(create);
    const empty = await lab.ingest('--channel', 'eng-*');
    expect(empty.code).toBe(0);
    const general = lab.acme.channel('general');
    general.post({ text: 'here' });
    const run = await lab.ingest('--channel', 'general', '--channel', 'eng-*');
    expect(run.code).toBe(3);
    expect(run.out.errors).toMatchObject([{ channel: 'eng-*', code: 'channel_not_found' }]);
    expect(run.out.errors[0].message).toContain('No channel matches "eng-*"');
    await expectWorld(lab.database, [general]);
    const byId = await lab.ingest('--channel', `${general.id.slice(0, 4)}*`);
    expect(byId.code).toBe(0);
    expect(byId.count(history, general.id)).toBe(1);
  });
});
