import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { cleaned, expectWorld } from '../support/world-rows.ts';

/** What each database made of the same world. */
const stored = new Map<string, unknown>();

/** The same for both databases, and not so long ago that the first run would pass it by. */
const start = Math.floor(Date.now() / 86_400_000 - 1) * 86_400_000;

const oddTexts: Record<string, string> = {
  nul: 'before\u0000after',
  'high surrogate': 'broken \ud83d here',
  'low surrogate': 'broken \ude00 here',
  'reversed pair': '\ude00\ud83d',
  'surrogate at the end': 'cut in the middle of an emoji \ud83d',
  'four bytes': '😀 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 𝕊𝕝𝕒𝕔𝕜',
  'spelled out': 'the text \\u0000 and \\ud83d, as in a log',
  'escaped twice': 'a path C:\\\\u0000',
  controls: 'bell\u0007 escape\u001b[31m tab\t newline\n separator\u2028 bom\ufeff',
  bidi: '\u202eright to left\u202c عربي עברית 漢字',
  entities: 'a &lt;b&gt; &amp;amp; c',
  'forty thousand': 'lorem ipsum 😀'.repeat(3000).slice(0, 40_000),
  empty: '',
  spaces: '   ',
};
const unstorable = ['nul', 'high surrogate', 'low surrogate', 'reversed pair', 'surrogate at the end'];

eachDatabase((create, name) => {
  it('stores every text that Slack can send, and says where it had to replace a character', async () => {
    await using lab = await openLab(create, { start });
    const general = lab.acme.channel('general', { topic: 'topic with \u0000 and \ud83d' });
    const ts = new Map<string, string>();
    for (const [label, text] of Object.entries(oddTexts)) ts.set(label, general.post({ text }));
    const post = (label: string, message: JsonObject) => {
      const at = lab.world.clock.nextTs();
      general.postRaw({ ...message, ts: at });
      ts.set(label, at);
    };
    post('in a key', { type: 'message', text: 'odd keys', 'a\u0000b': { 'c\ud800': ['d\udfff'] } });
    post('unknown subtype', { type: 'message', subtype: 'from_the_future', text: 'what is this' });
    post('no user', { type: 'message', text: 'by nobody' });
    post('no text', { type: 'message', user: 'U0NOBODY0001' });
    post('nulls', {
      type: 'message',
      text: 'nulls',
      blocks: null,
      attachments: null,
      bot_id: null,
      edited: null,
      files: null,
    });
    post('numbers', { type: 'message', text: 'numbers', a: 0.1, b: -1e-7, c: 1e21, d: 9007199254740991, e: 0 });
    post('proto', JSON.parse('{"type":"message","text":"proto","__proto__":{"x":1},"constructor":"y"}') as JsonObject);
    post('blocks only', {
      type: 'message',
      text: '',
      bot_id: 'B0BOT',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'Deploy finished' } },
        { type: 'section', fields: [{ type: 'mrkdwn', text: '*branch* &lt;main&gt;' }] },
      ],
      attachments: [{ fallback: 'only words', title: 'build 17' }],
    });
    post('file with a token', {
      type: 'message',
      text: 'see https://files.slack.com/files-pri/T0-F9/a.png?t=xoxe-1-secret',
      files: [
        {
          id: 'F0000000009',
          name: 'a\u0000.png',
          url_private: 'https://files.slack.com/files-pri/T0-F9/a.png?t=xoxe-1-secret',
        },
      ],
    });
    const root = general.post({ text: 'root' });
    general.reply(root, { text: 'reply with \u0000' });
    general.react(root, 'thumbsup::skin-tone-5', lab.acme.bot.id);
    lab.acme.user('odd', { realName: 'Odd \u0000 \ud83d Name' });

    const run = await lab.ingest();
    expect(run.out.errors).toEqual([]);
    expect(run.code).toBe(0);
    // All but the one whose token must not be kept is exactly what Slack holds, cleaned.
    const rows = new Map((await lab.database.rows('messages', { order: 'ts' })).map((row) => [row['ts'], row]));
    const expected = general.expectedMessages();
    expect([...rows.keys()]).toEqual(expected.map((message) => message['ts']));
    for (const message of expected) {
      if (message['ts'] === ts.get('file with a token')) continue;
      expect(rows.get(String(message['ts']))?.['raw']).toEqual(cleaned(message));
    }
    const at = (label: string) => rows.get(ts.get(label)) ?? {};
    for (const [label, text] of Object.entries(oddTexts)) {
      expect([label, at(label)['text']]).toEqual([label, cleaned(text)]);
      expect([label, at(label)['is_sanitized']]).toEqual([label, unstorable.includes(label)]);
    }
    expect(String(at('forty thousand')['text'])).toHaveLength(40_000);
    expect(at('in a key')).toMatchObject({ is_sanitized: true });
    expect(at('unknown subtype')).toMatchObject({ subtype: 'from_the_future', text: 'what is this' });
    expect(at('no user')).toMatchObject({ user_id: null, bot_id: null });
    expect(at('no text')).toMatchObject({ text: null, search_text: null });
    expect(at('blocks only')).toMatchObject({ text: '', search_text: 'Deploy finished\n*branch* <main>\nbuild 17' });
    expect(at('file with a token')).toMatchObject({ is_sanitized: true });
    const files = await lab.database.rows('files');
    expect(files).toMatchObject([
      { name: 'a\uFFFD.png', url_private: 'https://files.slack.com/files-pri/T0-F9/a.png' },
    ]);
    expect(JSON.stringify([...rows.values(), files])).not.toContain('xoxe');

    const again = await lab.ingest();
    expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0, stale: 0 });

    const without = [
      'first_seen_at',
      'updated_at',
      'audited_at',
      'last_checked_at',
      'users_synced_at',
      'last_error',
      'wanted_from_ts',
      'from_ts',
      'oldest_ts',
    ];
    stored.set(name, {
      messages: [...rows.values()].map(({ first_seen_at: _first, updated_at: _updated, ...row }) => row),
      reactions: await lab.database.rows('reactions', { order: 'ts, name, user_id', without }),
      files: await lab.database.rows('files', { order: 'file_id', without }),
      links: await lab.database.rows('message_files', { order: 'ts, file_id' }),
      users: await lab.database.rows('users', { order: 'user_id', without }),
      channels: await lab.database.rows('channels', { order: 'channel_id', without }),
      threads: await lab.database.rows('threads', { order: 'thread_ts', without }),
      state: await lab.database.rows('ingestion_state', { without }),
      coverage: await lab.database.rows('coverage', { without }),
    });
  });

  it('keeps a broadcast reply, which history and replies both show, as one row of its thread', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const root = general.post({ text: 'root' });
    general.reply(root, { text: 'plain' });
    const broadcast = general.reply(root, { text: 'for everybody' }, { broadcast: true });
    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.out.messages).toMatchObject({ inserted: 3 });
    const rows = await lab.database.rows('messages', { where: `ts = '${broadcast}'` });
    expect(rows).toHaveLength(1);
    expect(rows).toMatchObject([
      { subtype: 'thread_broadcast', thread_ts: root, is_reply: true, text: 'for everybody' },
    ]);
    expect(rows[0]?.['raw']).toMatchObject({ thread_ts: root });
    await expectWorld(lab.database, [general]);

    // Read from both sides again, now with another copy of the root in it: still nothing new about the reply.
    general.reply(root, { text: 'later' });
    const second = await lab.ingest();
    expect(second.out.messages).toMatchObject({ inserted: 1, updated: 1 });
    expect(second.count('conversations.replies')).toBe(1);
    await expectWorld(lab.database, [general]);
  });
});

it('holds the same rows in SQLite and in Postgres', ({ skip }) => {
  const [sqlite, postgres] = [stored.get('sqlite'), stored.get('postgres')];
  if (sqlite === undefined || postgres === undefined) return skip('one database only');
  expect(postgres).toEqual(sqlite);
});
