import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';

eachDatabase((create) => {
  it('counts who is new, changed and deactivated, and touches nobody else', async () => {
    await using lab = await openLab(create);
    const people = Array.from({ length: 6 }, (_, n) => lab.acme.user(`person.${n}`, { timezone: 'Europe/Vienna' }));
    lab.acme.user('guest', { kind: 'guest' });
    const bot = lab.acme.user('helper', { kind: 'bot' });
    lab.acme.usergroup(
      'team',
      people.slice(0, 2).map(({ id }) => id),
    );
    lab.acme.usergroup('old', [], { isDisabled: true });
    lab.acme.channel('general');

    const first = await lab.run(['sync-users']);
    expect(first.code).toBe(0);
    expect(first.out.users).toMatchObject({ total: 9, inserted: 9, updated: 0, unchanged: 0, deactivated: 0 });
    expect(first.out.usergroups).toMatchObject({ total: 2, inserted: 2 });
    const rows = await lab.database.rows('users', { order: 'user_id' });
    expect(rows.find(({ user_id }) => user_id === bot.id)).toMatchObject({ is_bot: true, is_deleted: false });
    expect(await lab.database.rows('usergroups', { order: 'handle' })).toMatchObject([
      { handle: 'old', is_deleted: true },
      { handle: 'team', is_deleted: false },
    ]);

    const again = await lab.run(['sync-users']);
    expect(again.out.users).toMatchObject({ inserted: 0, updated: 0, unchanged: 9, deactivated: 0 });
    expect(await lab.database.rows('users', { order: 'user_id' })).toEqual(rows);

    const [leaver, renamed, untouched] = people;
    lab.acme.deactivate(leaver?.id ?? '');
    if (renamed !== undefined) renamed.realName = 'Renamed Person';
    lab.acme.user('newcomer');
    const third = await lab.run(['sync-users']);
    expect(third.out.users).toMatchObject({ total: 10, inserted: 1, updated: 2, unchanged: 7, deactivated: 1 });
    const after = new Map((await lab.database.rows('users')).map((row) => [row['user_id'], row]));
    // Slack shows less of a deactivated account; what was known of it stays.
    expect(after.get(leaver?.id)).toMatchObject({ is_deleted: true, real_name: 'Person.0', tz: 'Europe/Vienna' });
    expect(after.get(renamed?.id)).toMatchObject({ real_name: 'Renamed Person' });
    expect(after.get(untouched?.id)).toEqual(rows.find(({ user_id }) => user_id === untouched?.id));

    const fourth = await runCli(['sync-users'], { env: lab.env });
    expect(fourth.stdout).toContain('0 new, 0 changed, 10 unchanged');
  });

  it('never blanks what is known when Slack shows only part of a person', async () => {
    await using lab = await openLab(create);
    const ann = lab.acme.user('ann', { timezone: 'Asia/Tokyo' });
    const general = lab.acme.channel('general');
    general.post({ user: ann.id, text: 'hello' });
    expect((await lab.ingest()).code).toBe(0);
    const where = `user_id = '${ann.id}'`;
    const [before] = await lab.database.rows('users', { where });
    expect(before).toMatchObject({
      name: 'ann',
      real_name: 'Ann',
      display_name: 'ann',
      email: 'ann@acme.example',
      tz: 'Asia/Tokyo',
    });

    // The app loses the scope for e-mail addresses, and Ann's object shrinks to a stub.
    lab.world.setScopes(lab.acme.botToken, ['channels:read', 'channels:history', 'users:read']);
    ann.raw = { profile: {}, real_name: '', tz: null, name: '' };
    const run = await lab.run(['sync-users']);
    expect(run.out.users).toMatchObject({ total: 2, inserted: 0 });
    const [after] = await lab.database.rows('users', { where, without: ['raw', 'content_hash', 'updated_at'] });
    const { raw: _raw, content_hash: _hash, updated_at: _updated, ...known } = before ?? {};
    expect(after).toEqual(known);
  });

  it('stores the users though the plan has no user groups', async () => {
    await using lab = await openLab(create);
    lab.acme.plan = 'free';
    lab.acme.user('ann');
    const run = await lab.run(['sync-users']);
    expect(run.out.users).toMatchObject({ inserted: 2 });
    expect(await lab.database.rows('users')).toHaveLength(2);
    expect([0, 3]).toContain(run.code);
  });
});
