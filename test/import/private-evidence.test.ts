/** What was said in private is told to nobody else, whatever an export calls it and whatever order exports come in. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { type ExportChannel, type ExportFile, makeExport } from '../exports/make-export.ts';
import { createSqlite, eachDatabase } from '../support/databases.ts';
import { type ExportLab, openExportLab } from '../support/export-lab.ts';
import { runCli } from '../support/run-cli.ts';

const noon = Math.floor(Date.now() / 86_400_000) * 86_400 - 43_200;
let handedOut = 0;

function says(text: string): NonNullable<ExportChannel['messages']>[number] {
  handedOut += 1;
  return { ts: `${noon + handedOut}.000100`, user: 'U0ADA', text };
}

const users = [{ id: 'U0ADA', name: 'ada' }];

function filesOf(channels: readonly ExportChannel[], lists: Readonly<Record<string, JsonObject[]>> = {}): ExportFile[] {
  return makeExport({ users, channels, lists });
}

const listed = (id: string, name: string, more: JsonObject = {}): JsonObject => ({ id, name, created: 1, ...more });

async function kindsIn({ database }: ExportLab): Promise<Record<string, unknown>> {
  const rows = await database.rows('channels', { order: 'channel_id' });
  return Object.fromEntries(rows.map(({ channel_id, kind }) => [channel_id, kind]));
}

/** As it would be posted to #general. */
async function published(lab: ExportLab): Promise<string> {
  const args = ['digest', '--since', '5d', '--publish', 'C0GENERAL', '--dry-run', '--json'];
  const { stdout } = await runCli(args, { env: lab.env });
  expect(JSON.parse(stdout).digest.activity.now.messages).toBeGreaterThan(0);
  return stdout;
}

const general: ExportChannel = { id: 'C0GENERAL', name: 'general', messages: [says('We launch version 2 tomorrow')] };
const everything = [
  listed('C0GENERAL', 'general', { is_channel: true, is_private: false }),
  listed('C0SECRET', 'secret', { is_private: true }),
  listed('G0OLD0000', 'old'),
  listed('G0THREE00', 'mpdm-ada--bo--cy-1', { is_mpim: true, is_private: true }),
  listed('C0FOUR000', 'mpdm-ada--bo--di-1'),
  { id: 'D0TWO0000', created: 1, user: 'U0BO' },
];

eachDatabase((create) => {
  it('an export with all conversations in channels.json: each has the kind that its flags, id or name tell', async () => {
    await using lab = await openExportLab(create);
    const run = await lab.import(
      filesOf(
        [
          general,
          { id: 'C0SECRET', name: 'secret', messages: [says('Outage of payroll-hidden since 9:00')] },
          { id: 'G0OLD0000', name: 'old', messages: [says('We deploy merger-hidden tomorrow')] },
          { id: 'G0THREE00', name: 'mpdm-ada--bo--cy-1', messages: [says('We launch trio-hidden tomorrow')] },
          { id: 'C0FOUR000', name: 'mpdm-ada--bo--di-1', messages: [says('We launch four-hidden tomorrow')] },
          { id: 'D0TWO0000', kind: 'dm', messages: [says('We launch duo-hidden tomorrow')] },
        ],
        { channels: everything, dms: [] },
      ),
    );
    expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
    expect(await kindsIn(lab)).toEqual({
      ...{ C0FOUR000: 'mpim', C0GENERAL: 'public', C0SECRET: 'private' },
      ...{ D0TWO0000: 'im', G0OLD0000: 'private', G0THREE00: 'mpim' },
    });
    expect(await published(lab)).not.toContain('hidden');
  });

  it('folders that no list names are of unknown kind, unless their names tell, and are told of to nobody', async () => {
    await using lab = await openExportLab(create);
    const channels: ExportChannel[] = [
      general,
      { id: 'G0NOBODY0', isUnlisted: true, folder: 'G0NOBODY0', messages: [says('We deploy merger-hidden tomorrow')] },
      { id: 'C0NOBODY0', isUnlisted: true, folder: 'C0NOBODY0', messages: [says('We deploy third-hidden tomorrow')] },
      { id: 'C0OLD0000', isUnlisted: true, folder: 'old', messages: [says('Outage of payroll-hidden since 9:00')] },
    ];
    const run = await lab.import(filesOf(channels));
    expect(run.code).toBe(0);
    const { C0GENERAL, G0NOBODY0, C0NOBODY0, ...others } = await kindsIn(lab);
    expect([C0GENERAL, G0NOBODY0, C0NOBODY0, ...Object.values(others)]).toEqual([
      ...['public', 'private', 'unknown', 'unknown'],
    ]);
    expect(await published(lab)).not.toContain('hidden');
    // A later list settles it, and the messages are of the channel as if that had been known at once.
    const later = filesOf([{ ...general, messages: [says('later')] }], {
      channels: [listed('C0GENERAL', 'general'), listed('C0OLD0000', 'old')],
    });
    expect((await lab.import(later)).code).toBe(0);
    expect(await kindsIn(lab)).toMatchObject({ C0OLD0000: 'public', C0NOBODY0: 'unknown' });
    expect(await published(lab)).toContain('payroll-hidden');
  });
});

describe('two conversations of one name', () => {
  const messages = () => [says('Outage of payroll-hidden since 9:00')];
  const plain = listed('C0PLANS00', 'plans');
  const cases: [string, string, Record<string, JsonObject[]>][] = [
    ['a channel and a group', 'plans', { channels: [plain], groups: [listed('G0PLANS00', 'plans')] }],
    ['two channels in one list', 'plans', { channels: [plain, listed('C0PLANS01', 'plans')] }],
    ['two group messages', 'mpdm-a--b-1', { mpims: [listed('G0A', 'mpdm-a--b-1'), listed('G0B', 'mpdm-a--b-1')] }],
    ['names that differ in case', 'plans', { channels: [plain], groups: [listed('G0PLANS00', 'Plans')] }],
    [
      'names in two Unicode forms',
      'caf\u00e9',
      { channels: [listed('C0A', 'caf\u00e9'), listed('C0B', 'cafe\u0301')] },
    ],
    ['a name that is an id', 'D0TWO0000', { channels: [listed('C0A', 'D0TWO0000')], dms: [{ id: 'D0TWO0000' }] }],
  ];

  it.each(cases)('%s: said, and the folder is of none of them', async (_, folder, lists) => {
    await using lab = await openExportLab(createSqlite);
    const channels = [...(lists['channels'] ?? []), listed('C0GENERAL', 'general')];
    const files = filesOf([general, { id: 'X', folder, messages: messages() }], { ...lists, channels });
    for (const run of [await lab.import(files), await lab.import(files)]) {
      expect(run.code).toBe(3);
      expect(run.out.errors).toMatchObject([{ code: 'ambiguous_folder', message: expect.stringContaining(folder) }]);
      expect(run.out.errors[0].hint).toContain('Give the folder the id');
    }
    const stored = await lab.database.rows('messages', { where: "channel_id <> 'C0GENERAL'" });
    expect(stored.map(({ channel_id }) => String(channel_id).slice(0, 6))).toEqual(['LOCAL-']);
    expect(await published(lab)).not.toContain('hidden');
  });

  it('that are two folders are beyond doubt, and so is a folder that has the id as its name', async () => {
    await using lab = await openExportLab(createSqlite);
    const lists = {
      channels: [listed('C0A', 'plans'), listed('C0B', 'Plans'), plain],
      groups: [listed('G0PLANS00', 'plans')],
    };
    const some = lists.channels.slice(0, 2);
    const files = filesOf(
      [
        { id: 'C0A', folder: 'plans', messages: messages() },
        { id: 'C0B', folder: 'Plans', messages: messages() },
      ],
      { channels: some },
    );
    const run = await lab.import(lab.zip(files));
    expect(run.out.conversations).toMatchObject([{ channel_id: 'C0B' }, { channel_id: 'C0A' }]);
    const byId = filesOf([{ id: 'G0PLANS00', folder: 'G0PLANS00', messages: messages() }], {
      ...lists,
      channels: [plain],
    });
    const again = await lab.import(byId);
    expect(again.out.conversations).toMatchObject([{ channel_id: 'G0PLANS00', kind: 'private' }, {}]);
    expect([run.code, again.code]).toEqual([0, 0]);
  });
});

describe('exports that contradict each other', () => {
  const one = (more: JsonObject) =>
    filesOf([general, { id: 'C0PLANS00', name: 'plans', messages: [says('plans')] }], {
      channels: [listed('C0GENERAL', 'general'), listed('C0PLANS00', 'plans', more)],
    });
  const asPrivate = one({ is_private: true });
  const asPublic = one({});
  const asNothing = filesOf([
    general,
    { id: 'C0PLANS00', isUnlisted: true, folder: 'C0PLANS00', messages: [says('x')] },
  ]);

  it('give the same kind in any order, and what one of them calls private stays private', async () => {
    const orders = [
      [asPrivate, asPublic, asNothing],
      [asNothing, asPublic, asPrivate],
      [asPublic, asNothing, asPrivate, asPublic],
    ];
    for (const order of orders) {
      await using lab = await openExportLab(createSqlite);
      for (const files of order) await lab.import(files);
      expect(await kindsIn(lab)).toMatchObject({ C0PLANS00: 'private' });
    }
    await using lab = await openExportLab(createSqlite);
    for (const files of [asPublic, asNothing]) await lab.import(files);
    expect(await kindsIn(lab)).toMatchObject({ C0PLANS00: 'public' });
  });
});
