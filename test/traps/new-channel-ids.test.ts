/** A private channel gets a new id when it is shared with another workspace: one conversation, one history. */
import { expect, it } from 'vitest';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';

/** Tables that hold what was read of a channel, and how far. */
const contentTables = [
  'channels',
  'messages',
  'message_revisions',
  'reactions',
  'message_files',
  'ingestion_state',
  'coverage',
  'threads',
  'stored_counts',
];

async function rowsUnder(database: TestDatabase, id: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of contentTables) {
    counts[table] = (await database.rows(table, { where: `channel_id = '${id}'` })).length;
  }
  return counts;
}

const nothing = Object.fromEntries(contentTables.map((table) => [table, 0]));

/** A private channel with one of everything, read twice, so that it has revisions too. */
async function labWithPrivateChannel(create: () => Promise<TestDatabase>) {
  const lab = await openLab(create);
  const ann = lab.acme.user('ann').id;
  const plans = lab.acme.channel('plans', { kind: 'private', id: 'G0PLANS' });
  const other = lab.acme.channel('other');
  other.post({ text: 'elsewhere' });
  const root = plans.post({ text: 'a root' });
  plans.reply(root, { text: 'a reply' });
  const edited = plans.post({ text: 'frist' });
  plans.react(edited, '+1', ann);
  plans.post({ text: 'with a file', files: [{ id: 'F0PLAN', name: 'plan.pdf', mode: 'hosted' }] });
  expect((await lab.ingest()).code).toBe(0);
  plans.edit(edited, { text: 'first' });
  expect((await lab.ingest()).code).toBe(0);
  return { lab, plans, other, root };
}

function expectNoFailure({ code, out }: Awaited<ReturnType<Lab['ingest']>>): void {
  expect(out.errors).toEqual([]);
  expect(code).toBe(0);
}

eachDatabase((create) => {
  it('goes on with the same history under the new id, no message twice and none lost', async () => {
    const { lab, plans, other, root } = await labWithPrivateChannel(create);
    await using _ = lab;
    const before = await rowsUnder(lab.database, 'G0PLANS');
    const [state] = await lab.database.rows('ingestion_state', { where: "channel_id = 'G0PLANS'" });
    const seen = await lab.database.rows('messages', { where: "channel_id = 'G0PLANS'", order: 'ts' });

    plans.convertChannelId('C0PLANS');
    const fresh = plans.post({ text: 'after the move' });
    plans.reply(root, { text: 'a reply after the move' });
    const run = await lab.ingest();
    expectNoFailure(run);
    expect(run.out.messages).toMatchObject({ inserted: 2 });
    expect(run.stderr).toContain('C0PLANS instead of G0PLANS');
    expect(run.count(undefined, 'G0PLANS')).toBe(0);
    expect(run.count(history, 'C0PLANS')).toBe(1);

    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual(nothing);
    expect(await rowsUnder(lab.database, 'C0PLANS')).toEqual({ ...before, messages: (before['messages'] ?? 0) + 2 });
    await expectWorld(lab.database, [plans, other]);
    const moved = await lab.database.rows('messages', { where: "channel_id = 'C0PLANS'", order: 'ts' });
    expect(moved.slice(0, 2).map(({ first_seen_at }) => first_seen_at)).toEqual(
      seen.slice(0, 2).map(({ first_seen_at }) => first_seen_at),
    );
    const [after] = await lab.database.rows('ingestion_state', { where: "channel_id = 'C0PLANS'" });
    expect(after).toMatchObject({ wanted_from_ts: state?.['wanted_from_ts'], oldest_ts: state?.['oldest_ts'] });
    expect(after?.['last_ts']).toBe(fresh);
    expect(await lab.database.rows('stored_counts', { where: "channel_id = 'C0PLANS'" })).toMatchObject([
      { message_rows: moved.length },
    ]);
    expect(await lab.database.rows('channel_aliases')).toMatchObject([
      { kind: 'id', alias: 'G0PLANS', channel_id: 'C0PLANS' },
    ]);
    // What a run did stays under the id of that day.
    expect(await lab.database.rows('run_channels', { where: "channel_id = 'G0PLANS'" })).not.toEqual([]);

    const again = await lab.ingest();
    expectNoFailure(again);
    expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0 });
    expect(again.stderr).not.toContain('instead of');
  });

  it('moves all or nothing: a run that is killed around the listing leaves one channel in the end', async () => {
    const { lab, plans, other } = await labWithPrivateChannel(create);
    await using _ = lab;
    plans.convertChannelId('C0PLANS');
    plans.post({ text: 'after the move' });
    await lab.ingestKilled(({ method }) => method === history);
    expectNoFailure(await lab.ingest());
    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual(nothing);
    await expectWorld(lab.database, [plans, other]);
  });

  it('finds it by its former id, and keeps out what the former id kept out', async () => {
    const { lab, plans } = await labWithPrivateChannel(create);
    await using _ = lab;
    plans.convertChannelId('C0PLANS');
    plans.post({ text: 'after the move' });
    const without = await lab.ingest('--exclude', 'G0PLANS');
    expectNoFailure(without);
    expect(without.count(undefined, 'C0PLANS')).toBe(0);

    const named = await lab.ingest('--channel', 'g0plans');
    expectNoFailure(named);
    expect(named.out.channels).toMatchObject({ total: 1, ok: 1 });
    await expectWorld(lab.database, [plans]);
  });

  it('follows a channel that was renamed before its id changed, and one whose id changes twice', async () => {
    const { lab, plans, other } = await labWithPrivateChannel(create);
    await using _ = lab;
    plans.rename('big-plans');
    plans.convertChannelId('C0PLANS');
    expectNoFailure(await lab.ingest());
    await expectWorld(lab.database, [plans, other]);
    plans.convertChannelId('C0AGAIN');
    plans.post({ text: 'and again' });
    expectNoFailure(await lab.ingest());
    await expectWorld(lab.database, [plans, other]);
    for (const id of ['G0PLANS', 'C0PLANS']) expect(await rowsUnder(lab.database, id)).toEqual(nothing);
    expect(await lab.database.rows('channel_aliases', { order: 'kind, alias' })).toMatchObject([
      { kind: 'id', alias: 'C0PLANS', channel_id: 'C0AGAIN' },
      { kind: 'id', alias: 'G0PLANS', channel_id: 'C0AGAIN' },
      { kind: 'name', alias: 'plans', channel_id: 'C0AGAIN' },
    ]);
    for (const called of ['plans', 'G0PLANS', 'C0PLANS', 'big-plans']) {
      expect((await lab.ingest('--channel', called)).count(history, 'C0AGAIN')).toBe(1);
    }
  });

  it('writes nothing in a dry run, and does not take the former id for a lost channel', async () => {
    const { lab, plans } = await labWithPrivateChannel(create);
    await using _ = lab;
    const before = await rowsUnder(lab.database, 'G0PLANS');
    plans.convertChannelId('C0PLANS');
    const run = await lab.ingest('--dry-run');
    expectNoFailure(run);
    expect(run.count(undefined, 'G0PLANS')).toBe(0);
    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual(before);
    expect(await rowsUnder(lab.database, 'C0PLANS')).toEqual(nothing);
  });

  it.each([
    { differs: 'was created later', later: 1 },
    { differs: 'was created by somebody else', creator: 'U0SOMEBODY' },
    { differs: 'never had its name', name: 'unrelated' },
  ])('takes a channel that $differs for another one', async ({ later = 0, ...differing }) => {
    const { lab, plans } = await labWithPrivateChannel(create);
    await using _ = lab;
    const before = await rowsUnder(lab.database, 'G0PLANS');
    lab.acme.deleteChannel(plans);
    const { name, creator } = { name: plans.name, creator: plans.creator, ...differing };
    const options = { creator, created: plans.created + later, kind: 'private', id: 'C0LIKE' } as const;
    const lookalike = lab.acme.channel(name, options);
    lookalike.post({ text: 'a life of its own' });
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.errors).toMatchObject([{ channel_id: 'G0PLANS', code: 'channel_not_found' }]);
    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual(before);
    await expectWorld(lab.database, [lookalike]);
    expect(await lab.database.rows('channel_aliases')).toEqual([]);
  });

  it('moves nothing when two channels fit, or while both ids are listed', async () => {
    const { lab, plans } = await labWithPrivateChannel(create);
    await using _ = lab;
    const { created, creator, name } = plans;
    const twin = (id: string) => lab.acme.channel(name, { created, creator, kind: 'private', id });
    const first = twin('C0TWIN1');
    expectNoFailure(await lab.ingest());
    expect(await lab.database.rows('channel_aliases')).toEqual([]);
    lab.acme.deleteChannel(first);
    lab.acme.deleteChannel(plans);
    for (const id of ['C0TWIN2', 'C0TWIN3']) twin(id).post({ text: 'one of two' });
    await lab.ingest();
    expect(await lab.database.rows('channel_aliases')).toEqual([]);
    expect((await rowsUnder(lab.database, 'G0PLANS'))['messages']).toBeGreaterThan(0);
  });

  it('concludes nothing from a list that broke off or that left private channels out', async () => {
    const { lab, plans, other } = await labWithPrivateChannel(create);
    await using _ = lab;
    const before = await rowsUnder(lab.database, 'G0PLANS');
    plans.convertChannelId('C0PLANS');
    lab.slack.faults.add({ kind: 'error', error: 'access_denied', method: 'conversations.list' });
    expect((await lab.ingest()).code).not.toBe(0);
    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual(before);

    const scopes = ['channels:read', 'channels:history', 'groups:history', 'users:read'];
    lab.world.setScopes(lab.acme.botToken, scopes);
    const partial = await lab.ingest();
    expect(partial.out.errors).toMatchObject([{ channel_id: 'G0PLANS', code: 'channel_not_found' }]);
    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual(before);

    lab.world.setScopes(lab.acme.botToken, [...scopes, 'groups:read']);
    expectNoFailure(await lab.ingest());
    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual(nothing);
    await expectWorld(lab.database, [plans, other]);
  });

  it('takes no private channel for gone while private channels are not listed', async () => {
    const { lab, plans } = await labWithPrivateChannel(create);
    await using _ = lab;
    const before = await rowsUnder(lab.database, 'G0PLANS');
    const { name, created, creator } = plans;
    const twin = lab.acme.channel(name, { created, creator, id: 'C0TWIN' });
    twin.post({ text: 'public' });
    lab.world.setScopes(lab.acme.botToken, ['channels:read', 'channels:history', 'groups:history', 'users:read']);
    plans.post({ text: 'still private' });
    expectNoFailure(await lab.ingest());
    expect(await rowsUnder(lab.database, 'G0PLANS')).toEqual({ ...before, messages: (before['messages'] ?? 0) + 1 });
    await expectWorld(lab.database, [plans, twin]);
  });

  it('concludes nothing when the list breaks off between two pages', async () => {
    await using lab = await openLab(create, {
      thinPages: ({ method, limit }) => (method === 'conversations.list' ? 1 : limit),
    });
    const plans = lab.acme.channel('plans', { kind: 'private', id: 'G0PLANS' });
    plans.post({ text: 'before' });
    lab.acme.channel('other');
    expectNoFailure(await lab.ingest());
    plans.convertChannelId('C0PLANS');
    lab.slack.faults.add({ kind: 'error', error: 'access_denied', method: 'conversations.list', nth: 2 });
    expect((await lab.ingest()).code).not.toBe(0);
    expect((await rowsUnder(lab.database, 'G0PLANS'))['messages']).toBe(1);
    expectNoFailure(await lab.ingest());
    await expectWorld(lab.database, [plans]);
  });
});
