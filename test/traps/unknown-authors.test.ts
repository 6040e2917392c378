import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const info = 'users.info';

eachDatabase((create) => {
  it('drops no message for its author, and asks Slack once about each user it was not told of', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const external = lab.acme.user('visitor', { kind: 'external' });
    const invisible = lab.acme.user('hidden', { kind: 'external', isInvisible: true });
    const gone = lab.acme.user('gone', { kind: 'deleted' });
    const authors = [external.id, invisible.id, gone.id, 'U0NOBODY0001', 'W0NOBODY0002', 'USLACKBOT', 'B0NOUSER0001'];
    for (const user of authors) {
      general.post({ user, text: `by ${user}` });
      general.post({ user, text: `again by ${user}` });
    }
    general.post({ subtype: 'bot_message', bot_id: 'B0UNKNOWN001', username: 'hook', text: 'by a bot alone' });
    general.post({ subtype: 'bot_message', text: 'by nobody' });
    const root = general.post({ text: 'a root' });
    for (const bot_id of ['B0UNKNOWN001', 'B0UNKNOWN002'])
      general.reply(root, { bot_id, subtype: 'bot_message', text: 'a reply' });
    general.react(root, 'wave', 'U0REACTOR001');

    const first = await lab.ingest();
    expect(first.out.errors).toEqual([]);
    expect(first.code).toBe(0);
    await expectWorld(lab.database, [general]);
    const asked = first.requests.filter(({ method }) => method === info).map(({ params }) => params['user']);
    expect(asked.sort()).toEqual([external.id, invisible.id, 'U0NOBODY0001', 'USLACKBOT', 'W0NOBODY0002'].sort());

    const users = new Map((await lab.database.rows('users')).map((row) => [row['user_id'], row]));
    expect(users.get(external.id)).toMatchObject({ name: 'visitor', lookup: null });
    expect(users.get('USLACKBOT')).toMatchObject({ name: 'slackbot', lookup: null });
    expect(users.get(gone.id)).toMatchObject({ name: 'gone', is_deleted: true });
    expect(users.get(invisible.id)).toMatchObject({ lookup: 'user_not_visible' });
    expect(users.get('U0NOBODY0001')).toMatchObject({ lookup: 'user_not_found', name: null });
    expect([...users.keys()].filter((id) => String(id).startsWith('B'))).toEqual([]);

    for (const user of authors) general.post({ user, text: `once more by ${user}` });
    const second = await lab.ingest();
    expect(second.code).toBe(0);
    expect(second.count(info)).toBe(0);
    await expectWorld(lab.database, [general]);
    const directory = await lab.run(['sync-users']);
    expect(directory.code).toBe(0);
    expect(directory.count(info)).toBe(0);
  });

  it('keeps the messages and the question when the lookup itself fails', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const visitors = [1, 2, 3].map((n) => lab.acme.user(`visitor.${n}`, { kind: 'external' }));
    for (const { id } of visitors) general.post({ user: id, text: 'hello' });
    lab.slack.faults.add({
      kind: 'error',
      error: 'missing_scope',
      needed: 'users:read',
      method: info,
      times: Infinity,
    });
    const first = await lab.ingest();
    expect(first.code).toBe(3);
    // What is refused for one is refused for all.
    expect(first.count(info)).toBe(1);
    await expectWorld(lab.database, [general]);

    lab.slack.faults.clear();
    const second = await lab.ingest();
    expect(second.code).toBe(0);
    expect(second.count(info)).toBe(3);
    expect(await lab.database.rows('users', { where: 'lookup is not null' })).toEqual([]);
  });
});
