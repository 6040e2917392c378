/** What is too long for an index, too large for a number or too deep for the program costs nothing but itself. */
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import type { Fault } from '../stand-in/faults.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, type LabRun, openLab } from '../support/lab.ts';

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
    // Whom nobody can ask for, and where nobody can read, is said.
    expect(run.code).toBe(3);
    expect(codesOf(run)).toEqual(['malformed_channel', 'malformed_user']);
    expect(run.stderr).toContain('of a page of users.list has no id. It is set apart; the rest of the page is stored');
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

  it('sets apart a message that is nested without end, goes on in its channel and its thread, and says so each time', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const before = general.post({ text: 'before' });
    const root = general.post({ text: 'a root', odd: deepHere });
    const reply = general.reply(root, { text: 'a reply' });
    const oddReply = general.reply(root, { text: 'an odd reply', odd: deepHere });
    const gone = general.post({ text: 'soon gone' });
    const after = general.post({ text: 'after' });
    lab.slack.faults.add(deep('conversations.history'));
    lab.slack.faults.add(deep('conversations.replies'));

    const run = await lab.ingest();
    expect({ code: run.code, status: run.out.status }).toEqual({ code: 3, status: 'partial' });
    expect(new Set(codesOf(run))).toEqual(new Set(['malformed_message']));
    expect(run.stderr).toContain(`of a page of #general is nested too deeply (ts ${root}). It is set apart`);
    expect(run.stderr).toContain(`(ts ${oddReply})`);
    expect(await storedTs(lab)).toEqual([before, reply, gone, after]);

    // What is gone is noticed all the same; what is set apart is not gone.
    general.deleteMessage(gone);
    expect((await lab.ingest()).code).toBe(3);
    expect(await lab.database.rows('messages', { where: 'deleted_at is not null' })).toMatchObject([{ ts: gone }]);
    for (let n = 0; n < 2; n += 1) {
      const verified = await lab.run(['verify', '--repair']);
      expect(verified.code).toBe(3);
      expect(verified.out.gaps).toMatchObject([{ kind: 'thread_pending', ts: root }]);
      expect(codesOf(verified)).toContain('malformed_message');
    }

    // Once Slack shows them as they should be they come in.
    lab.slack.faults.clear();
    expect((await lab.ingest()).code).toBe(0);
    expect((await lab.run(['verify'])).code).toBe(0);
    expect(await storedTs(lab)).toEqual([before, root, reply, oddReply, gone, after]);
  });

  it('never takes for deleted what was stored and is odd by now', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const [edited, root] = [general.post({ text: 'as it was' }), general.post({ text: 'a root' })];
    const reply = general.reply(root, { text: 'a reply' });
    general.post({ text: 'another' });
    expect((await lab.ingest()).code).toBe(0);
    general.edit(edited, { text: 'now odd', odd: deepHere });
    general.edit(reply, { text: 'now odd', odd: deepHere });
    general.reply(root, { text: 'so that the thread is read' });
    lab.slack.faults.add(deep('conversations.history'));
    lab.slack.faults.add(deep('conversations.replies'));
    expect((await lab.ingest()).code).toBe(3);
    expect((await lab.ingest()).code).toBe(3);
    const rows = await lab.database.rows('messages', { order: 'ts' });
    expect(rows.map(({ text, deleted_at }) => ({ text, deleted_at }))).toEqual(
      ['as it was', 'a root', 'a reply', 'another', 'so that the thread is read'].map((text) => ({
        text,
        deleted_at: null,
      })),
    );
  });

  it('sets apart people, channels and user groups that are nested without end, and keeps the others', async () => {
    await using lab = await openLab(create);
    const ann = lab.acme.user('ann');
    lab.acme.channel('general').post({ user: ann.id, text: 'hello' });
    for (const method of ['users.list', 'conversations.list', 'usergroups.list']) {
      lab.slack.faults.add({
        kind: 'rewrite-text',
        method,
        text: (honest) =>
          honest.replace(/"(members|channels|usergroups)":\[/, `$&{"id":"X1","odd":${endless}},`).replace(',]', ']'),
      });
    }
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(codesOf(run)).toEqual(['malformed_channel', 'malformed_user']);
    expect(await lab.database.rows('messages')).toHaveLength(1);
    const people = await lab.run(['sync-users']);
    expect({ code: people.code, codes: codesOf(people) }).toEqual({ code: 3, codes: ['malformed_usergroup'] });
    expect((await lab.run(['sync-users'])).code).toBe(0);
    expect((await lab.database.rows('users')).map(({ user_id }) => user_id)).toContain(ann.id);
  });

  it('keeps a text of megabytes, thousands of keys and keys of every name', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const text = '"\n'.repeat(1_000_000);
    const ts = general.post({ text, blocks: [] });
    const keys = Array.from({ length: 50_000 }, (_, n) => `"key ${n}":${n}`).join();
    lab.slack.faults.add({
      kind: 'rewrite-text',
      method: 'conversations.history',
      times: Infinity,
      text: (honest) =>
        honest.replace(
          '"messages":[{',
          `$&"__proto__":{"ts":"1.0"},"constructor":"x","toString":1,"id":12345678901234567890,${keys},`,
        ),
    });
    const run = await lab.ingest();
    expect({ code: run.code, errors: run.out.errors }).toEqual({ code: 0, errors: [] });
    const [row] = await lab.database.rows('messages');
    expect(row).toMatchObject({ ts, raw: { id: '12345678901234567890', constructor: 'x', 'key 49999': 49_999 } });
    expect(row?.['text'] === text).toBe(true);
    expect(Object.keys(row?.['raw'] as object)).toContain('__proto__');
    expect((await lab.ingest()).out.messages).toMatchObject({ updated: 0, unchanged: 1 });
  });

  it('sets apart a message that the database refuses, and says why', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const posted = Array.from({ length: 9 }, (_, n) => general.post({ text: n === 4 ? 'refuse me' : `message ${n}` }));
    const dialect = await lab.database.openMigrated();
    await refuseText(dialect, 'refuse me');
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.errors).toMatchObject([{ channel: 'general', code: 'malformed_message' }]);
    expect(run.out.errors[0].message).toContain(`(ts ${posted[4]}) is refused`);
    expect(await storedTs(lab)).toEqual(posted.filter((ts) => ts !== posted[4]));
  });

  it('tells the first thousand of very many odd elements one by one, and counts the others', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const ts = general.post({ text: 'the only one' });
    lab.slack.faults.add({
      kind: 'rewrite',
      method: 'conversations.history',
      body: (honest) => ({ ...honest, messages: [...(honest['messages'] as []), ...Array(5000).fill(null)] }),
    });
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.errors).toHaveLength(1001);
    expect(run.out.errors.at(-1).message).toContain('4000 more elements cannot be taken');
    expect(await storedTs(lab)).toEqual([ts]);
  });
});

function codesOf({ out }: LabRun): string[] {
  return out.errors.map(({ code }: { code: string }) => code);
}

async function storedTs(lab: Lab): Promise<unknown[]> {
  return (await lab.database.rows('messages', { order: 'ts' })).map(({ ts }) => ts);
}

/** JSON.parse takes any depth, JSON.stringify does not, so the stand-in's text gets it in the end. */
const endless = `${'[{"a":'.repeat(20_000)}0${'}]'.repeat(20_000)}`;
const deepHere = 'ENDLESS';

function deep(method: string): Fault {
  return {
    kind: 'rewrite-text',
    method,
    times: Infinity,
    text: (honest) => honest.replaceAll(`"${deepHere}"`, endless),
  };
}

async function refuseText(dialect: Dialect, text: string): Promise<void> {
  const statement =
    dialect.title === 'SQLite'
      ? sql`create trigger no_such_text before insert on messages when new.text = ${sql.lit(text)} begin select raise(abort, 'refused'); end`
      : sql`alter table messages add constraint no_such_text check (text <> ${sql.lit(text)})`;
  await statement.execute(dialect.db);
}
