/** What people, disks and programs make of exports: what can be read goes in, the rest is told of by name, and a mended file completes it. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model.ts';
import { type ExportFile, type ExportSpec, makeExport, slackJson } from '../exports/make-export.ts';
import { writeZip, type ZipEntry } from '../exports/zip-writer.ts';
import { createSqlite, eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type ExportLab, openExportLab, withFiles } from '../support/export-lab.ts';

/** Noon in Los Angeles, 2024-01-10. */
const noon = 1_704_916_800;
const at = (n: number, days = 0): string => `${noon + days * 86_400 + n}.000100`;
const users = [
  { id: 'U0ALICE', name: 'alice' },
  { id: 'U0BOB', name: 'bob' },
];

/** A channel in which three things were said on 2024-01-10 and one the day after. */
function channel(id: string, name: string, more: object = {}) {
  const messages = [
    { ts: at(1), user: 'U0ALICE', text: `one in ${name}, ü` },
    { ts: at(2), user: 'U0BOB', text: 'two', reactions: { tada: ['U0ALICE'] } },
    { ts: at(3), user: 'U0ALICE', text: 'three', files: [`F0${id}`] },
    { ts: at(1, 1), user: 'U0BOB', text: 'the next day' },
  ];
  return { id, name, members: ['U0ALICE', 'U0BOB'], messages, ...more };
}

const spec: ExportSpec = { users, channels: [channel('C0GENERAL', 'general'), channel('C0GROESSE', 'größe')] };
const clean = makeExport(spec);
const dayPath = 'general/2024-01-10.json';

function contentOf(files: readonly ExportFile[], path: string): string {
  const found = files.find((file) => file.path === path);
  if (found === undefined) throw new Error(`The export has no ${path}.`);
  return String(found.content);
}

const elementsOf = (path: string): JsonObject[] => JSON.parse(contentOf(clean, path));

async function onSqlite(test: (lab: ExportLab) => Promise<void>): Promise<void> {
  await using lab = await openExportLab(createSqlite);
  await test(lab);
}

async function rowsAfter(files: readonly ExportFile[], create: () => Promise<TestDatabase> = createSqlite) {
  await using lab = await openExportLab(create);
  const run = await lab.import(files);
  expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
  return await lab.rows();
}

const tsOf = async ({ database }: ExportLab, where?: string): Promise<unknown[]> =>
  (await database.rows('messages', { order: 'channel_id, ts', ...(where === undefined ? {} : { where }) })).map(
    ({ ts }) => ts,
  );

describe('names and places of files', () => {
  const cleanRows = rowsAfter(clean);
  const zipOf = (lab: ExportLab, entries: ZipEntry[], options = {}): string => {
    const path = join(lab.folder, 'by hand.zip');
    writeZip(path, entries, options);
    return path;
  };
  const entries = (files: readonly ExportFile[] = clean): ZipEntry[] =>
    files.map(({ path, content }) => ({ name: path, content }));

  const same: Record<string, (lab: ExportLab) => string> = {
    'a folder': (lab) => lab.unpacked(clean),
    'names with the flag for UTF-8': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({ ...entry, utf8Flag: true })),
      ),
    'names whose accents are letters of their own': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({ ...entry, name: String(entry.name).normalize('NFD') })),
      ),
    'names in code page 437': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({
          ...entry,
          name: Buffer.from(String(entry.name).replace('ö', '\x94').replace('ß', '\xe1'), 'latin1'),
        })),
      ),
    'backslashes between all names, as some programs on Windows write them': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({ ...entry, name: String(entry.name).replaceAll('/', '\\') })),
      ),
    'a folder around it, with spaces in its name': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({ ...entry, name: `Acme Slack export Jan 1 2024/${entry.name}` })),
      ),
    'entries in reverse order, folders among them': (lab) =>
      zipOf(lab, [...entries().reverse(), { name: 'general/' }, { name: 'größe/' }, { name: 'empty/' }]),
    'contents that are stored, sizes behind them, dates that no calendar has': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({ ...entry, method: 'store', dataDescriptor: true, date: 'none' })),
      ),
    'contents that are packed, sizes behind them': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({ ...entry, dataDescriptor: true })),
      ),
    'zip64 everywhere': (lab) =>
      zipOf(
        lab,
        entries().map((entry) => ({ ...entry, zip64: true })),
        { zip64: true, comment: 'made by hand' },
      ),
    'bytes before the zip': (lab) => zipOf(lab, entries(), { before: Buffer.from('#!/bin/sh\nexit\n') }),
    'what systems and people leave behind': (lab) =>
      lab.zip(
        withFiles(clean, {
          '__MACOSX/general/._2024-01-10.json': Buffer.from([0, 5, 22, 7]),
          'general/._2024-01-10.json': Buffer.from([0, 5, 22, 7]),
          '._users.json': Buffer.from([0, 5, 22, 7]),
          'general/.DS_Store': 'x',
          '.DS_Store': 'x',
          '.git/config': 'x',
          '.git/2024-01-10.json': '[]',
          'general/.gitkeep': '',
          'Thumbs.db': 'x',
          'README.md': '# An export',
          LICENSE: 'MIT',
          'general/screenshot.png': 'x',
        }),
      ),
    'the same in a folder': (lab) =>
      lab.unpacked(
        withFiles(clean, {
          '.DS_Store': 'x',
          '._users.json': 'x',
          '__MACOSX/general/2024-01-10.json': 'x',
          '.git/HEAD': 'x',
          'docs/README.md': '# An export',
        }),
      ),
  };
  for (const [name, write] of Object.entries(same)) {
    it(`${name}: the same rows`, () =>
      onSqlite(async (lab) => {
        const run = await lab.import(write(lab));
        expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
        expect(await lab.rows()).toEqual(await cleanRows);
        expect(run.out.conversations.map((one: JsonObject) => one['found_by'])).toEqual(['list', 'list']);
      }));
  }

  it('a folder whose name has letters with accents of their own: the same rows', () =>
    onSqlite(async (lab) => {
      const run = await lab.import(
        lab.unpacked(clean.map(({ path, content }) => ({ path: path.normalize('NFD'), content }))),
      );
      expect(run.code).toBe(0);
      expect(await lab.rows()).toEqual(await cleanRows);
    }));

  it.each(['with zip64', 'counted modulo 65,536'])('more than 65,535 files, %s', (how) =>
    onSqlite(async (lab) => {
      const path = join(lab.folder, 'many.zip');
      const many = Array.from({ length: 66_000 }, (_, n): ZipEntry => ({ name: `uploads/${n}`, method: 'store' }));
      writeZip(path, [...many, ...entries()]);
      if (how !== 'with zip64') writeFileSync(path, withoutZip64(readFileSync(path)));
      const run = await lab.import(path);
      expect(run.code).toBe(0);
      expect(run.out.left_out.other_files_total).toBe(66_000);
      expect(await lab.rows()).toEqual(await cleanRows);
    }),
  );

  it('conversations about files and canvases are counted, and none becomes a channel', () =>
    onSqlite(async (lab) => {
      const day = contentOf(clean, dayPath);
      const run = await lab.import(
        withFiles(clean, {
          'FC:F0123ABCD:1/2024-01-10.json': day,
          'FC:F0123ABCD:1/2024-01-11.json': day,
          'F0123ABCD:Notes/2024-01-10.json': day,
          'FC_F0123ABCD_https___x#y z/2024-01-10.json': day,
          'general/canvas_in_the_conversation.json': '{"id": "F0CANVAS"}',
          'general/messages.json': day,
          '__uploads/F0123/2024-01-10.json': day,
          'general/attachments/F0123-2024-01-10.json': day,
          'canvases.json': '[]',
          'integration_logs.json': '[\n""\n]',
        }),
      );
      expect(run.code).toBe(0);
      expect(run.out.left_out).toMatchObject({
        file_conversations: [
          { folder: 'FC:F0123ABCD:1', day_files: 2 },
          { folder: 'F0123ABCD:Notes', day_files: 1 },
          { folder: 'FC_F0123ABCD_https___x#y z', day_files: 1 },
        ],
        canvases: 1,
        attachments: 2,
        other_files: [],
        lists: ['canvases.json', 'integration_logs.json'],
      });
      expect(run.out.message_files_by_other_names).toEqual(['general/messages.json']);
      expect(await lab.rows()).toEqual(await cleanRows);
    }));

  it('paths that lead out of the export and links in a zip are told of, and nothing is written anywhere', () =>
    onSqlite(async (lab) => {
      const day = contentOf(clean, dayPath);
      const odd = [
        '../evil.json',
        '../../evil/2024-01-10.json',
        'Acme/../../evil/2024-01-10.json',
        '/etc/evil/2024-01-10.json',
        'C:/evil/2024-01-10.json',
        'Acme\\general\\2024-01-12.json',
        'Acme//general/2024-01-12.json',
        'Acme/gen\neral/2024-01-12.json',
      ];
      const path = zipOf(lab, [
        ...entries().map((entry) => ({ ...entry, name: `Acme/${entry.name}` })),
        ...odd.map((name) => ({ name, content: day })),
        { name: 'Acme/general/2024-01-12.json', content: '/etc/passwd', mode: 0o120777 },
        { name: 'Acme/secret', content: '/etc', mode: 0o120777 },
      ]);
      const before = readdirSync(lab.folder, { recursive: true });
      const run = await lab.import(path);
      expect(run.code).toBe(3);
      const told = run.out.quarantined.map((one: { path: string }) => one.path);
      expect(told.sort()).toEqual([...odd, 'Acme/general/2024-01-12.json', 'Acme/secret'].sort());
      expect(run.errors.filter((error) => error.includes('symbolic link'))).toHaveLength(2);
      expect(readdirSync(lab.folder, { recursive: true })).toEqual(before);
      expect(await lab.rows()).toEqual(await cleanRows);
    }));

  it('links in a folder are told of and not followed', () =>
    onSqlite(async (lab) => {
      const path = lab.unpacked(clean);
      const elsewhere = lab.unpacked(makeExport({ users, channels: [channel('C0ELSE', 'elsewhere')] }));
      symlinkSync(join(elsewhere, 'elsewhere'), join(path, 'elsewhere'));
      symlinkSync(join(elsewhere, 'elsewhere/2024-01-11.json'), join(path, 'general/2024-01-12.json'));
      symlinkSync(path, join(path, 'itself'));
      symlinkSync('/nowhere', join(path, 'groups.json'));
      const run = await lab.import(path);
      expect(run.code).toBe(3);
      expect(run.errors.sort()).toEqual([
        'elsewhere is a symbolic link',
        'general/2024-01-12.json is a symbolic link',
        'groups.json is a symbolic link',
        'itself is a symbolic link',
      ]);
      expect(await lab.rows()).toEqual(await cleanRows);
    }));
});

/** The same zip without the records of zip64, as programs write it that do not know them. */
function withoutZip64(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const zip64 = bytes.lastIndexOf(Buffer.from('PK\x06\x06', 'latin1'));
  const record = Buffer.from(bytes.subarray(end));
  const count = Number(bytes.readBigUInt64LE(zip64 + 32)) % 65_536;
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  return Buffer.concat([bytes.subarray(0, zip64), record]);
}

/** A day file of three messages, damaged; what is told of it, and which of the three go in all the same. */
interface DayFault {
  content: (day: readonly JsonObject[], text: string) => string | Buffer;
  tells: string[];
  keeps: number[];
}

const list = (elements: readonly JsonValue[]): string => slackJson([...elements]);
const without = (message: JsonObject | undefined, key: string): JsonObject => {
  const { [key]: _, ...rest } = message ?? {};
  return rest;
};
const changed = (day: readonly JsonObject[], second: JsonValue): string => list([day[0] ?? {}, second, day[2] ?? {}]);
const notOne = { keeps: [0, 2] };

const dayFaults: Record<string, DayFault> = {
  nothing: { content: () => '', tells: [' is empty'], keeps: [] },
  spaces: { content: () => ' \n\n', tells: [' is empty'], keeps: [] },
  null: { content: () => 'null', tells: [' holds null where a list belongs'], keeps: [] },
  object: { content: () => '{}', tells: [' holds an object where a list belongs'], keeps: [] },
  text: { content: () => 'Not found', tells: [' does not begin as a list does'], keeps: [] },
  'list-of-empty-text': { content: () => '[\n""\n]', tells: [', element 1: is a string, not an object'], keeps: [] },
  'cut-in-the-third': {
    content: (_, text) => text.slice(0, text.lastIndexOf('"text"') + 20),
    tells: [', element 3: is cut off', ' ends before its list does'],
    keeps: [0, 1],
  },
  'quote-missing': {
    content: (_, text) => text.replace('"two"', '"two'),
    tells: [', element 2: is no JSON'],
    keeps: [0, 2],
  },
  'bracket-missing': {
    content: (_, text) => text.replace(/"users": \[\n\s+"U0ALICE"\n\s+\]/, (found) => found.slice(0, -1)),
    tells: [', element 2: is no JSON'],
    keeps: [0, 2],
  },
  'goes-on': {
    content: (_, text) => `${text}\n[]`,
    tells: [' goes on after its list ends'],
    keeps: [0, 1, 2],
  },
  'null-element': { content: (day) => changed(day, null), tells: [', element 2: is null, not an object'], ...notOne },
  'number-element': {
    content: (day) => changed(day, 5),
    tells: [', element 2: is a number, not an object'],
    ...notOne,
  },
  'list-element': { content: (day) => changed(day, []), tells: [', element 2: is a list, not an object'], ...notOne },
  'no-ts': {
    content: (day) => changed(day, without(day[1], 'ts')),
    tells: [', element 2: has no ts'],
    ...notOne,
  },
  ...Object.fromEntries(
    [null, 1_704_916_800_000.1, 'abc', '', '17049168', '99999999999.000000', '1704916800.0001005', {}].map((ts, n) => [
      `bad-ts-${n}`,
      {
        content: (day: readonly JsonObject[]) => changed(day, { ...day[1], ts }),
        tells: [', element 2: has a ts that is none'],
        ...notOne,
      },
    ]),
  ),
};

describe('day files', () => {
  const names = Object.keys(dayFaults);
  const channelsOf = (some: readonly string[]) => some.map((name, n) => channel(`C0FAULT${n}`, name));
  const whole = makeExport({ users, channels: channelsOf(names) });

  eachDatabase((create) => {
    it('that are damaged, each in another way: told of by name and place, all else is in, mended ones complete it', async () => {
      await using lab = await openExportLab(create);
      const damaged = whole.map(({ path, content }) => {
        const [, name = ''] = /^(.*)\/2024-01-10\.json$/.exec(path) ?? [];
        const fault = dayFaults[name];
        return { path, content: fault?.content(JSON.parse(String(content)), String(content)) ?? content };
      });
      const run = await lab.import(damaged);
      expect({ code: run.code, status: run.out.status }).toEqual({ code: 3, status: 'partial' });
      expect(run.errors.sort()).toEqual(
        names.flatMap((name) => (dayFaults[name]?.tells ?? []).map((told) => `${name}/2024-01-10.json${told}`)).sort(),
      );
      expect(run.out.day_files).toMatchObject({ total: 2 * names.length, damaged: names.length });
      const expected = names.flatMap((name) => [...(dayFaults[name]?.keeps ?? []).map((n) => at(n + 1)), at(1, 1)]);
      const order = new Map(channelsOf(names).map(({ id, name }) => [id, names.indexOf(name)]));
      const rows = await lab.database.rows('messages', { order: 'ts' });
      const held = names.flatMap((_, n) =>
        rows.filter(({ channel_id }) => order.get(String(channel_id)) === n).map(({ ts }) => ts),
      );
      expect(held).toEqual(expected);

      const again = await lab.import(whole);
      expect({ code: again.code, errors: again.errors }).toEqual({ code: 0, errors: [] });
      expect(await lab.rows()).toEqual(await rowsAfter(whole, create));
    });
  });

  it('in other encodings and line ends hold the same', () =>
    onSqlite(async (lab) => {
      const encodings: Record<string, (text: string) => Buffer> = {
        mark: (text) => Buffer.from(`\ufeff${text}`),
        crlf: (text) => Buffer.from(text.replaceAll('\n', '\r\n')),
        cr: (text) => Buffer.from(text.replaceAll('\n', '\r')),
        utf16le: (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
        utf16be: (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
        windows: (text) => Buffer.from(text.replaceAll('\\u00fc', 'ü'), 'latin1'),
        utf8: (text) => Buffer.from(text.replaceAll('\\u00fc', 'ü')),
      };
      const channels = Object.keys(encodings).map((name, n) => channel(`C0CODE${n}`, name));
      const files = makeExport({ users, channels });
      const run = await lab.import(
        files.map(({ path, content }) => {
          const encode = encodings[path.split('/')[0] ?? ''];
          return { path, content: encode === undefined ? content : encode(String(content)) };
        }),
      );
      expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
      expect(await lab.rows()).toEqual(await rowsAfter(files));
    }));

  eachDatabase((create) => {
    it('with bytes that are no UTF-8: what stands for them is kept until the file is mended, and no longer', async () => {
      await using lab = await openExportLab(create);
      const messages = Array.from({ length: 10 }, (_, n) => ({ ts: at(n), user: 'U0BOB', text: `ü and @${n}` }));
      const files = makeExport({ users, channels: [channel('C0GENERAL', 'general', { messages })] });
      const bytes = Buffer.from(contentOf(files, dayPath).replaceAll('\\u00fc', 'ü'));
      for (const [index, byte] of bytes.entries()) if (byte === 0x40) bytes[index] = 0xff;
      const run = await lab.import(withFiles(files, { [dayPath]: bytes }));
      expect(run.code).toBe(3);
      expect(run.errors).toEqual([`${dayPath} holds bytes that are no UTF-8; they were replaced by U+FFFD`]);
      const rows = await lab.database.rows('messages', { order: 'ts' });
      expect(rows.map((row) => row['text'])).toEqual(messages.map((_, n) => `ü and \ufffd${n}`));

      const mended = await lab.import(files);
      expect({ code: mended.code, errors: mended.errors }).toEqual({ code: 0, errors: [] });
      expect(await lab.rows()).toEqual(await rowsAfter(files, create));
      expect((await lab.import(withFiles(files, { [dayPath]: bytes }))).code).toBe(3);
      expect(await lab.rows()).toEqual(await rowsAfter(files, create));
    });
  });

  eachDatabase((create) => {
    it('with values of other types than Slack writes: every message is in', async () => {
      await using lab = await openExportLab(create);
      const odd: JsonValue[] = [
        null,
        true,
        7,
        'text',
        [],
        {},
        [null],
        [[]],
        [5],
        { id: {} },
        [{ name: 3, users: [null, {}] }],
      ];
      const keys = [
        'user',
        'text',
        'subtype',
        'bot_id',
        'thread_ts',
        'latest_reply',
        'reply_count',
        'edited',
        'reactions',
        'files',
        'file',
        'blocks',
        'attachments',
        'team',
        'user_profile',
        'replies',
        'root',
        'hidden',
      ];
      const messages = keys.flatMap((key) => odd.map((value) => ({ key, value })));
      const day = messages.map(({ key, value }, n) => ({
        type: 'message',
        user: 'U0ALICE',
        text: 'odd',
        ts: at(n + 10),
        [key]: value,
      }));
      const run = await lab.import(withFiles(clean, { [dayPath]: list(day) }));
      // Nobody knows of which thread they are.
      const outside = day.flatMap(({ thread_ts: told }: JsonObject, n) =>
        told === undefined || told === null ? [] : [n],
      );
      expect({ code: run.code, errors: run.errors }).toEqual({
        code: 3,
        errors: outside.map(
          (n) => `${dayPath}, element ${n + 1}: has a thread_ts that is none, so it is stored outside of its thread`,
        ),
      });
      const expected = [...day.map(({ ts }) => ts), at(1, 1)];
      expect(await tsOf(lab, "channel_id = 'C0GENERAL'")).toEqual(expected);
      const again = await lab.import(withFiles(clean, { [dayPath]: list(day) }));
      expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0 });
    });
  });

  it('named by dates that no calendar has are read', () =>
    onSqlite(async (lab) => {
      const day = contentOf(clean, dayPath);
      const run = await lab.import(
        withFiles(clean, { [dayPath]: null, 'general/2024-02-30.json': day, 'größe/0000-00-00.json': '[]' }),
      );
      expect(run.code).toBe(0);
      expect(await tsOf(lab, "channel_id = 'C0GENERAL'")).toEqual([at(1), at(2), at(3), at(1, 1)]);
    }));

  it.each(['1823-01-15', '2823-01-15'])('named by a date of another century (%s) are read', (date) =>
    onSqlite(async (lab) => {
      const day = contentOf(clean, dayPath);
      const run = await lab.import(withFiles(clean, { [dayPath]: null, [`general/${date}.json`]: day }));
      expect(run.code).toBe(0);
      expect(await tsOf(lab, "channel_id = 'C0GENERAL'")).toEqual([at(1), at(2), at(3), at(1, 1)]);
    }),
  );

  it('of one name in a zip twice are both read', () =>
    onSqlite(async (lab) => {
      const [first, second, third] = elementsOf(dayPath);
      const files = withFiles(clean, { [dayPath]: list([first ?? {}]) });
      const run = await lab.import([...files, { path: dayPath, content: list([second ?? {}, third ?? {}]) }]);
      expect(run.code).toBe(0);
      expect(await tsOf(lab, "channel_id = 'C0GENERAL'")).toEqual([at(1), at(2), at(3), at(1, 1)]);
    }));
});

const everyKind: ExportSpec = {
  users,
  channels: [
    channel('C0GENERAL', 'general'),
    channel('G0SECRET', 'secret', { kind: 'private' }),
    channel('D0ALICEBOB', '', { kind: 'dm' }),
    channel('G0THREE00', 'mpdm-alice--bob--chiyo-1', { kind: 'mpim' }),
  ],
};

describe('lists', () => {
  const files = makeExport(everyKind);
  const kinds = async ({ database }: ExportLab) =>
    Object.fromEntries((await database.rows('channels')).map(({ channel_id, kind }) => [channel_id, kind]));

  it('of all four kinds give their conversations', () =>
    onSqlite(async (lab) => {
      expect((await lab.import(files)).code).toBe(0);
      expect(await kinds(lab)).toEqual({
        C0GENERAL: 'public',
        G0SECRET: 'private',
        D0ALICEBOB: 'im',
        G0THREE00: 'mpim',
      });
    }));

  it.each([
    ['', ' \n', 'null', '{}'],
    ['[]', '[\n\n]', '[\n""\n]', '\ufeff[]'],
  ])('that hold %j, %j, %j, %j are empty', (groups, dms, mpims, people) =>
    onSqlite(async (lab) => {
      const run = await lab.import(
        withFiles(clean, { 'groups.json': groups, 'dms.json': dms, 'mpims.json': mpims, 'org_users.json': people }),
      );
      expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
    }),
  );

  eachDatabase((create) => {
    it('that are damaged are told of by name and place; mended ones complete it', async () => {
      await using lab = await openExportLab(create);
      const channels: JsonValue[] = JSON.parse(contentOf(files, 'channels.json'));
      const people = contentOf(files, 'users.json');
      const run = await lab.import(
        withFiles(files, {
          'channels.json': list([null, ...channels, 5, { name: 'nobody' }]),
          'users.json': people.slice(0, people.lastIndexOf('"profile"')),
          'groups.json': '',
          'dms.json': 'Not found',
          'mpims.json': '"text"',
        }),
      );
      expect(run.code).toBe(3);
      expect(run.errors.sort()).toEqual([
        'channels.json holds a conversation without an id',
        'channels.json, element 1: is null, not an object',
        'channels.json, element 3: is a number, not an object',
        'dms.json does not begin as a list does',
        'mpims.json holds a string where a list belongs',
        'users.json ends before its list does',
        'users.json, element 2: is cut off',
      ]);
      expect(await tsOf(lab)).toHaveLength(16);
      const mended = await lab.import(files);
      expect({ code: mended.code, errors: mended.errors }).toEqual({ code: 0, errors: [] });
      // That folders had ids of our own for a while is remembered.
      const { channel_aliases: _, ...rows } = await lab.rows();
      const { channel_aliases: __, ...wanted } = await rowsAfter(files, create);
      expect(rows).toEqual(wanted);
      expect((await lab.database.rows('users')).map(({ name }) => name).sort()).toEqual(['alice', 'bob']);
    });
  });

  it('that are missing: DMs by their ids, group DMs by their names, all else by ids of our own, the same each time', () =>
    onSqlite(async (lab) => {
      const bare = files.filter(({ path }) => path.includes('/'));
      const run = await lab.import(bare);
      expect(run.code).toBe(0);
      const found = run.out.conversations.map((one: Record<string, string>) => [
        one['folder'],
        one['kind'],
        one['found_by'],
        one['channel_id']?.slice(0, 6),
      ]);
      expect(found).toEqual([
        ['D0ALICEBOB', 'im', 'id', 'D0ALIC'],
        ['general', 'unknown', 'local', 'LOCAL-'],
        ['mpdm-alice--bob--chiyo-1', 'mpim', 'local', 'LOCAL-'],
        ['secret', 'unknown', 'local', 'LOCAL-'],
      ]);
      const before = await lab.rows();
      const again = await lab.import(bare);
      expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0, unchanged: 16 });
      expect(await lab.rows()).toEqual(before);
    }));

  it('without a channel that an earlier export listed: its folder is found by its name', () =>
    onSqlite(async (lab) => {
      await lab.import(files);
      const later = makeExport({
        users,
        channels: [
          { ...channel('C0GENERAL', 'general'), isUnlisted: true, messages: [{ ts: at(5, 5), user: 'U0BOB' }] },
        ],
      });
      const run = await lab.import(later);
      expect(run.code).toBe(0);
      expect(run.out.conversations).toMatchObject([{ channel_id: 'C0GENERAL', found_by: 'former_name' }]);
      expect(await tsOf(lab, "channel_id = 'C0GENERAL'")).toContain(at(5, 5));
    }));

  it('of an organisation are read in the place of users.json', () =>
    onSqlite(async (lab) => {
      const run = await lab.import(
        withFiles(files, { 'users.json': null, 'org_users.json': contentOf(files, 'users.json') }),
      );
      expect(run.code).toBe(0);
      expect(run.out.found.users).toBe(2);
      expect((await lab.database.rows('users')).map(({ name }) => name).sort()).toEqual(['alice', 'bob']);
    }));
});

describe('an organisation', () => {
  const within = (team: string, files: ExportFile[]): ExportFile[] =>
    files.map(({ path, content }) => ({ path: `teams/${team}/${path}`, content }));
  const one = (team: string, name: string): ExportFile[] =>
    makeExport({ team, users, channels: [channel(`C0${name}`, name.toLowerCase())] });
  const shared = makeExport({
    team: 'E0ORG',
    users: [],
    lists: { users: null },
    channels: [channel('C0SHARED', 'shared')],
  });
  const organisation = [...within('east', one('T0EAST', 'EAST')), ...within('west', one('T0WEST', 'WEST'))];

  eachDatabase((create) => {
    it('with several workspaces: each gets its own', async () => {
      await using lab = await openExportLab(create);
      const run = await lab.import([...organisation, ...shared]);
      expect(run.code).toBe(0);
      const held = (await lab.database.rows('messages')).map(({ team_id, channel_id }) => `${team_id} ${channel_id}`);
      expect([...new Set(held)].sort()).toEqual(['E0ORG C0SHARED', 'T0EAST C0EAST', 'T0WEST C0WEST']);
      expect(held).toHaveLength(12);
    });
  });

  it.each(['west', 'T0WEST'])('of which --workspace %s selects one', (wanted) =>
    onSqlite(async (lab) => {
      const run = await lab.import(organisation, '--workspace', wanted);
      expect(run.code).toBe(0);
      const held = (await lab.database.rows('messages')).map(({ team_id }) => team_id);
      expect(held).toEqual(['T0WEST', 'T0WEST', 'T0WEST', 'T0WEST']);
    }),
  );

  it('of which one workspace has a damaged file: told of, the others are whole', () =>
    onSqlite(async (lab) => {
      const run = await lab.import(withFiles(organisation, { 'teams/east/east/2024-01-10.json': '[' }));
      expect(run.code).toBe(3);
      expect(run.errors.join()).toContain('teams/east/east/2024-01-10.json');
      expect(run.out.workspaces.map((each: JsonObject) => [each['workspace'], each['status']])).toEqual([
        ['T0EAST', 'partial'],
        ['T0WEST', 'completed'],
      ]);
    }));
});

describe('what must not be lost or kept', () => {
  it('tokens of files are nowhere: not in the database file, the output or the log', () =>
    onSqlite(async (lab) => {
      const token = 'xoxe-1234567890-abcdef';
      const files = makeExport({
        ...spec,
        fileToken: token,
        channels: [
          channel('C0GENERAL', 'general', {
            messages: [{ ts: at(1), user: 'U0ALICE', text: `look: ${token}`, files: ['F0ONE'] }],
          }),
        ],
      });
      const withFaults = withFiles(files, {
        'broken/2024-01-10.json': `[null, "${token}", {"url": "?t=${token}`,
        'general/2024-01-12.json': `[{"url": "https://files.slack.com/x?t=${token}"}]`,
      });
      const run = await lab.import(withFaults, '--log-level', 'debug');
      expect(run.code).toBe(3);
      expect(run.stdout + run.stderr).not.toContain('xoxe-1');
      const path = lab.database.url.replace('sqlite:', '');
      for (const suffix of ['', '-wal']) {
        const bytes = readdirSync(join(path, '..')).includes(`test.db${suffix}`) ? readFileSync(path + suffix) : '';
        expect(bytes.includes('xoxe-1')).toBe(false);
      }
    }));

  it('a message at 23:30 in Los Angeles belongs to the next day in UTC, for --since and --until alike', async () => {
    // 2024-01-10 23:30 there is 2024-01-11 07:30 in UTC, and stands in the file of the 10th.
    const late = '1704958200.000100';
    const files = makeExport({
      users,
      channels: [{ id: 'C0LATE', name: 'late', messages: [{ ts: at(0) }, { ts: late }, { ts: at(0, 1) }] }],
    });
    const cases: [string[], string[]][] = [
      [
        ['--since', '2024-01-11'],
        [late, at(0, 1)],
      ],
      [['--until', '2024-01-10'], [at(0)]],
      [
        ['--until', '2024-01-11'],
        [at(0), late, at(0, 1)],
      ],
      [['--since', '2024-01-11', '--until', '2024-01-11'], [late, at(0, 1)].filter((ts) => ts < '1705017600')],
      [['--since', '2024-01-11T07:30:00Z', '--until', '2024-01-11T07:31:00Z'], [late]],
    ];
    for (const [args, expected] of cases) {
      await onSqlite(async (lab) => {
        expect((await lab.import(files, ...args)).code).toBe(0);
        expect([args, await tsOf(lab)]).toEqual([args, expected]);
      });
    }
  });

  eachDatabase((create) => {
    it('imported twice, as zip and as folder: nothing changes', async () => {
      await using lab = await openExportLab(create);
      const files = makeExport(everyKind);
      await lab.import(files);
      const before = await lab.database.rows('messages', { order: 'channel_id, ts' });
      const again = await lab.import(lab.unpacked(files));
      expect(again.code).toBe(0);
      expect(again.out.messages).toMatchObject({ seen: 16, inserted: 0, updated: 0, unchanged: 16 });
      expect(again.out.day_files).toMatchObject({ imported_before: 8, read: 0 });
      expect(await lab.database.rows('messages', { order: 'channel_id, ts' })).toEqual(before);
    });
  });
});

it('a file that may not be read costs itself', async () => {
  // root reads everything: a folder in the place of the file does the same.
  await onSqlite(async (lab) => {
    const path = lab.unpacked(withFiles(clean, { [dayPath]: null }));
    mkdirSync(join(path, dayPath));
    const run = await lab.import(path);
    expect(run.code).toBe(0);
    expect(await tsOf(lab)).toHaveLength(5);
  });
});
