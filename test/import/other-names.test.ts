/** Exports whose files are called otherwise than Slack calls them, or are of other forms: read when it is beyond doubt what they are. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model.ts';
import { type ExportFile, makeExport } from '../exports/make-export.ts';
import { createSqlite, eachDatabase } from '../support/databases.ts';
import { type ExportLab, type ImportRun, openExportLab, withFiles } from '../support/export-lab.ts';

const at = (n: number): string => `${1_704_916_800 + n}.000100`;
const files = makeExport({
  users: [{ id: 'U0ALICE', name: 'alice' }],
  channels: [
    {
      id: 'C00GENERAL',
      name: 'general',
      messages: [
        { ts: at(1), user: 'U0ALICE', text: 'root', replies: [{ ts: at(3), user: 'U0ALICE', text: 'reply' }] },
        { ts: at(2), user: 'U0ALICE', text: 'two' },
      ],
    },
    { id: 'C000RANDOM', name: 'random', messages: [{ ts: at(4), user: 'U0ALICE', text: 'four' }] },
  ],
});
const day = 'general/2024-01-10.json';
const random = 'random/2024-01-10.json';
const contentOf = (path: string): string => String(files.find((file) => file.path === path)?.content);
const messagesOf = (path: string): JsonObject[] => JSON.parse(contentOf(path));
const json = (value: JsonValue): string => JSON.stringify(value);
const moved = (to: Record<string, string | null>): ExportFile[] =>
  files.flatMap(({ path, content }) => {
    const target = path in to ? to[path] : path;
    return target === null || target === undefined ? [] : [{ path: target, content }];
  });

/** As slackdump dumps a conversation: replies in their root (github.com/rusq/slackdump, types.Conversation). */
const dumped = (id: string, name: string, path: string): string => {
  const [replies, others] = [true, false].map((isReply) =>
    messagesOf(path).filter(({ ts, thread_ts: thread }) => (thread !== undefined && thread !== ts) === isReply),
  );
  const nested = others?.map((message) =>
    message['thread_ts'] === undefined ? message : { ...message, slackdump_thread_replies: replies ?? [] },
  );
  return json({ channel_id: id, name, messages: nested ?? [] });
};
const answer = (key: string, list: JsonValue, more: JsonObject = {}): string =>
  json({ ok: true, [key]: list, ...more });
const lines = (list: readonly JsonObject[]): string => list.map((one) => JSON.stringify(one)).join('\n');
const inChannel = (id: string, path: string): JsonObject[] => messagesOf(path).map((one) => ({ ...one, channel: id }));
const lists = (names: string[]): ExportFile[] => files.filter(({ path }) => names.includes(path));
const [users, channels] = [lists(['users.json']), lists(['channels.json'])];
const bothLists = [...users, ...channels];
const everything = [...inChannel('C00GENERAL', day), ...inChannel('C000RANDOM', random)];

const readAll: Record<string, ExportFile[]> = {
  'names of second copies': moved({ [day]: 'general/2024-01-10 (1).json' }),
  'dates written otherwise': moved({ [day]: 'general/20240110.json', [random]: 'random/2024_01_10.txt' }),
  'endings in capitals': moved({ [day]: 'general/2024-01-10.JSON' }),
  'lists in capitals': moved({ 'channels.json': 'Channels.json', 'users.json': 'USERS.JSON' }),
  'lists in a folder of their own': moved({ 'channels.json': 'meta/channels.json', 'users.json': 'meta/people.json' }),
  'one file for each channel, in its folder': moved({
    [day]: 'general/general.json',
    [random]: 'random/messages.json',
  }),
  'one file for each channel, at the top': moved({ [day]: 'general.json', [random]: 'C000RANDOM.json' }),
  'one file for each channel, by its lines': withFiles(bothLists, {
    'general.jsonl': lines(messagesOf(day)),
    'random.ndjson': lines(messagesOf(random)),
  }),
  'kinds as folders': moved({ [day]: `channels/${day}`, [random]: `private/${random}` }),
  'years and months as folders': moved({ [day]: 'general/2024/01/10.json' }),
  'days as folders': moved({ [day]: '2024-01-10/general.json', [random]: '2024-01-10/random.json' }),
  'a dump of slackdump': withFiles(users, {
    'C00GENERAL.json': dumped('C00GENERAL', 'general', day),
    'C000RANDOM.json': dumped('C000RANDOM', 'random', random),
  }),
  'a dump without anything else': withFiles([], {
    'one.json': dumped('C00GENERAL', 'general', day),
    'two.json': dumped('C000RANDOM', 'random', random),
  }),
  'answers of the API': withFiles([], {
    'users.json': answer('members', JSON.parse(String(users[0]?.content)), { cache_ts: 1 }),
    'channels.json': answer('channels', JSON.parse(String(channels[0]?.content)), { response_metadata: {} }),
    [day]: answer('messages', messagesOf(day), { has_more: false }),
    [random]: answer('messages', messagesOf(random), { has_more: true }),
  }),
  'pages of answers in one file': withFiles([], {
    'users.list.json': `${answer('members', JSON.parse(String(users[0]?.content)))}\n${answer('members', [])}`,
    'conversations.list.json': `[${answer('channels', [])},${answer('channels', JSON.parse(String(channels[0]?.content)))}]`,
    'general/history.json': `[${messagesOf(day)
      .map((message) => answer('messages', [message]))
      .join()}]`,
    'random/page-1.json': answer('messages', []),
    'random/page-2.json': answer('messages', messagesOf(random)),
  }),
  'one list of all, each with its channel': withFiles(bothLists, { 'all.json': json(everything) }),
  'one list of each day, in a folder': withFiles(bothLists, { 'data/2024-01-10.json': json(everything) }),
  'channels with their messages, by name': withFiles(bothLists, {
    'export.json': json({ general: messagesOf(day), random: messagesOf(random) }),
  }),
  'channels with their messages, in a list': withFiles(users, {
    'export.json': json([
      { id: 'C00GENERAL', name: 'general', messages: messagesOf(day) },
      { id: 'C000RANDOM', name: 'random', messages: messagesOf(random) },
    ]),
  }),
  'a channel that is named behind its messages': withFiles(users, {
    'a.json': json({ messages: messagesOf(day), name: 'general', channel_id: 'C00GENERAL' }),
    'b.json': json({ messages: messagesOf(random), channel: { id: 'C000RANDOM' } }),
  }),
  'the same message in two files': withFiles(files, {
    'general/all.json': contentOf(day),
    'old/general.json': contentOf(day),
  }),
  'lists that stand beside the export': moved({
    [day]: `export/${day}`,
    [random]: `export/${random}`,
    'channels.json': 'Channel list.json',
  }),
};

async function onSqlite(check: (lab: ExportLab) => Promise<void>): Promise<void> {
  await using lab = await openExportLab(createSqlite);
  await check(lab);
}

async function said(lab: ExportLab): Promise<unknown[]> {
  const rows = await lab.database.rows('messages', { order: 'ts' });
  return rows.map((row) => [row['channel_id'], row['ts'], row['text'], row['thread_ts'] ?? null]);
}

const all = [
  ['C00GENERAL', at(1), 'root', at(1)],
  ['C00GENERAL', at(2), 'two', null],
  ['C00GENERAL', at(3), 'reply', at(1)],
  ['C000RANDOM', at(4), 'four', null],
];

describe('messages are read, each into its channel, from', () => {
  for (const [name, made] of Object.entries(readAll)) {
    it(name, () =>
      onSqlite(async (lab) => {
        const run = await lab.import(lab.unpacked(made));
        expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
        expect(await said(lab)).toEqual(all);
        const [root] = await lab.database.rows('messages', { where: `ts = '${at(1)}'` });
        expect(root?.['raw']).not.toHaveProperty('slackdump_thread_replies');
        const again = await lab.import(made);
        expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0 });
      }),
    );
  }
});

const told: Record<string, { made: ExportFile[]; names: string[]; lacks: string[] }> = {
  'a file that nothing names': {
    made: withFiles(bothLists, { [day]: contentOf(day), 'notes/data.json': contentOf(random) }),
    names: ['notes/data.json holds a message of which nobody can tell the conversation'],
    lacks: ['four'],
  },
  'a file of one channel in the folder of another': {
    made: withFiles(files, { [random]: null, 'general/random.json': contentOf(random) }),
    names: ['general/random.json holds a message of which'],
    lacks: ['four'],
  },
  'messages that say they are of another channel than their folder': {
    made: withFiles(files, { [random]: null, 'general/extra.json': json(inChannel('C000RANDOM', random)) }),
    names: ['general/extra.json holds a message'],
    lacks: ['four'],
  },
  'a day that is an answer about another channel': {
    made: withFiles(files, { [random]: answer('messages', inChannel('C00GENERAL', random)) }),
    names: [`${random}, element 1: is of C00GENERAL`],
    lacks: ['four'],
  },
  'what a search found': {
    made: withFiles(files, {
      'search.json': json({
        messages: {
          matches: messagesOf(random).map((one) => ({
            ...one,
            channel: { id: 'C000RANDOM', name: 'random' },
            permalink: 'https://x.slack.com/archives/C000RANDOM/p1',
          })),
        },
      }),
    }),
    names: ['search.json holds something that looks like a message and none as Slack keeps it'],
    lacks: [],
  },
  'an export of Mattermost': {
    made: withFiles(files, {
      'bulk.jsonl': lines([
        { type: 'version', version: 1 },
        { type: 'post', post: { team: 't', channel: 'general', user: 'a', message: 'hi', create_at: 1704916800000 } },
      ]),
    }),
    names: ['bulk.jsonl holds something that looks like a message and none as Slack keeps it'],
    lacks: [],
  },
  'a day that was packed': {
    made: withFiles(files, { [random]: null, [`${random}.gz`]: gzipSync(contentOf(random)) }),
    names: [`${random}.gz is packed by gzip`],
    lacks: ['four'],
  },
  'a day by another name that is cut off': {
    made: withFiles(files, { [random]: null, 'random/20240110.json': contentOf(random).slice(0, -20) }),
    names: ['random/20240110.json'],
    lacks: ['four'],
  },
  'two folders of one name that no list names': {
    made: withFiles(files, {
      [random]: null,
      'public/plans/2024-01-10.json': contentOf(random),
      'private/plans/2024-01-10.json': contentOf(random),
    }),
    names: ['public/plans/2024-01-10.json holds', 'private/plans/2024-01-10.json holds'],
    lacks: ['four'],
  },
};

function expectTold(run: ImportRun, names: readonly string[]): void {
  expect({ code: run.code, status: run.out.status }).toEqual({ code: 3, status: 'partial' });
  for (const name of names) expect(run.errors.some((error) => error.startsWith(name))).toBe(true);
  expect(run.errors).toHaveLength(names.length);
}

describe('what is in doubt is named, with 3, and all else is in:', () => {
  for (const [name, { made, names, lacks }] of Object.entries(told)) {
    it(name, () =>
      onSqlite(async (lab) => {
        expectTold(await lab.import(made), names);
        expect(await said(lab)).toEqual(all.filter(([, , text]) => !lacks.includes(String(text))));
      }),
    );
  }
});

eachDatabase((create) => {
  it('days that nobody knows to be whole are not taken for whole', async () => {
    await using lab = await openExportLab(create);
    const made = withFiles(files, {
      [day]: null,
      'general/2024-01-10 (1).json': contentOf(day),
      [random]: answer('messages', messagesOf(random), { has_more: true }),
    });
    expect((await lab.import(made)).code).toBe(0);
    expect(await said(lab)).toEqual(all);
    expect(await lab.database.rows('coverage')).toEqual([]);
    // Threads are settled all the same.
    const [thread] = await lab.database.rows('threads');
    expect(thread).toMatchObject({ channel_id: 'C00GENERAL', thread_ts: at(1), is_pending: false });
    // The export itself, later, vouches for them.
    await lab.import(files);
    expect((await lab.database.rows('coverage')).length).toBeGreaterThan(0);
  });
});

it('what people uploaded is never taken for messages, whatever it looks like', () =>
  onSqlite(async (lab) => {
    const run = await lab.import(
      withFiles(files, {
        'general/attachments/F0UPLOADED-day.json': contentOf(random),
        '__uploads/F0UPLOADED/general.json': contentOf(random),
        'general/F0UPLOADED-2024-01-11.json': contentOf(random),
        'general/F0UPLOADED/2024-01-11.json': contentOf(random),
      }),
    );
    expect({ code: run.code, attachments: run.out.left_out.attachments }).toEqual({ code: 0, attachments: 4 });
    expect(await said(lab)).toEqual(all);
  }));

it('only what is wanted is read of a file of several channels', () =>
  onSqlite(async (lab) => {
    const made = withFiles(bothLists, { 'all.json': json(everything) });
    const run = await lab.import(made, '--channel', 'random');
    expect({ code: run.code, channels: run.out.channels }).toMatchObject({
      code: 0,
      channels: { total: 2, skipped: 1 },
    });
    expect(await said(lab)).toEqual(all.slice(3));
    await lab.import(made);
    expect(await said(lab)).toEqual(all);
  }));

it('a dump too large for memory is read as one that is not', () =>
  onSqlite(async (lab) => {
    const many = Array.from({ length: 20_000 }, (_, n) => ({
      type: 'message',
      user: 'U0ALICE',
      team: 'T0EXPORT',
      text: 'x'.repeat(900),
      ts: at(100 + n),
    }));
    const large = json({ name: 'big', messages: many, channel_id: 'C0000000BIG' });
    const run = await lab.import(lab.unpacked(withFiles(users, { 'large.json': large })));
    expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
    expect(await lab.database.rows('messages', { where: "channel_id = 'C0000000BIG'" })).toHaveLength(20_000);
  }));
