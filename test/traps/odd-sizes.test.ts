/** What is too long for an index, too large for a number or too deep for the program costs nothing but itself. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

/** Not to be compressed, which is what would let a long text slip into an index. */
const long = randomBytes(4000).toString('hex').toUpperCase();

eachDatabase((create) => {
  it('keeps ids and names that are too long for an index in raw only, and stores everything around them', async () => {
    await using lab = await openLab(create);
    const ann = lab.acme.user('ann');
    lab.acme.user('long', { id: `U${long}` });
    const general = lab.acme.channel('general');
    const named = lab.acme.channel(long.toLowerCase());
    lab.acme.channel('no-channel', { id: `C${long}` }).post({ text: 'nobody can ask for it' });
    general.previousNames.push(long, 'former');
    const odd = general.post({
      user: `U${long}`,
      text: 'hello',
      files: [
        { id: `F${long}`, name: 'a.txt' },
        { id: 'F0GOOD', name: 'b.txt' },
      ],
    });
    general.react(odd, long, [ann.id]);
    general.react(odd, 'eyes', [`U${long}`, ann.id]);
    named.post({ text: 'in a channel with a long name' });

    const run = await lab.ingest();
    expect({ code: run.code, errors: run.out.errors }).toEqual({ code: 0, errors: [] });
    expect(run.stderr).toContain('1 entries of users.list are no objects with an id and were left out');
    const [message] = await lab.database.rows('messages', { where: `ts = '${odd}'` });
    expect(message).toMatchObject({ text: 'hello', user_id: null });
    expect(message?.['raw']).toMatchObject({ user: `U${long}`, reactions: [{ name: long }, { name: 'eyes' }] });
    expect(await lab.database.rows('reactions')).toMatchObject([{ ts: odd, name: 'eyes', user_id: ann.id }]);
    expect(await lab.database.rows('channel_aliases')).toMatchObject([{ alias: 'former', channel_id: general.id }]);
    expect(await lab.database.rows('message_files')).toMatchObject([{ ts: odd, file_id: 'F0GOOD' }]);
    const channels = await lab.database.rows('channels', { where: `channel_id = '${named.id}'` });
    expect(channels).toMatchObject([{ name: null, raw: { name: long.toLowerCase() } }]);
    expect(await lab.database.rows('messages', { where: `channel_id = '${named.id}'` })).toHaveLength(1);

    const again = await lab.ingest();
    expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  });

  it('keeps every digit of whole numbers that JavaScript would round', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const ts = general.post({ text: 'an id of another system' });
    const numbers = '[1234567890123456789,-9007199254740993,9007199254740991,0.1,1e21]';
    lab.slack.faults.add({
      kind: 'http',
      status: 200,
      method: 'conversations.history',
      body: `{"ok":true,"has_more":false,"messages":[{"type":"message","ts":"${ts}","text":"say \\"1234567890123456789\\", [1234567890123456789","numbers":${numbers}}]}`,
    });
    expect((await lab.ingest()).code).toBe(0);
    const [message] = await lab.database.rows('messages');
    expect(message).toMatchObject({ text: 'say "1234567890123456789", [1234567890123456789' });
    const kept = ['1234567890123456789', '-9007199254740993', 9007199254740991, 0.1, 1e21];
    expect(message?.['raw']).toMatchObject({ numbers: kept });
  });

  it('fails the one channel whose message the program trips over, and reads the others', async () => {
    await using lab = await openLab(create);
    const [bad, good] = [lab.acme.channel('bad'), lab.acme.channel('good')];
    for (const channel of [bad, good]) channel.post({ text: 'hello' });
    // JSON.parse takes any depth, JSON.stringify does not.
    const deep = `${'[{"a":'.repeat(20_000)}0${'}]'.repeat(20_000)}`;
    lab.slack.faults.add({
      kind: 'http',
      status: 200,
      method: 'conversations.history',
      channel: bad.id,
      body: `{"ok":true,"messages":[{"type":"message","ts":"${lab.world.clock.nextTs()}","text":"deep","attachments":${deep}}]}`,
    });
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out).toMatchObject({ status: 'partial', channels: { ok: 1, failed: 1 } });
    expect(run.out.errors).toMatchObject([{ channel: 'bad', code: 'internal_error' }]);
    await expectWorld(lab.database, [good]);

    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [bad, good]);
  });
});
