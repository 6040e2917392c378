import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openStore } from '../../src/db/repositories/index.ts';
import type { IsoTime, JsonObject, Ts } from '../../src/model.ts';
import { normalizeMessage } from '../../src/normalize/message.ts';
import { type PageContext, savePage } from '../../src/sync/save-page.ts';
import { millisToIso } from '../../src/ts.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';

const ts = '1700000001.123450' as Ts;
const start = Date.parse('2026-01-01T00:00:00Z');

interface Version {
  /** 0: never edited. */
  edit: number;
  source: 'api' | 'import';
  /** Which of several exports: a later one shows another state of the same words. */
  made: number;
}

const version: fc.Arbitrary<Version> = fc.record({
  edit: fc.integer({ min: 0, max: 3 }),
  source: fc.constantFrom('api' as const, 'import' as const),
  made: fc.integer({ min: 1, max: 3 }),
});

/** The content follows from the version: two reads of one version by one source are alike. */
function messageOf({ edit, source, made = 1 }: Partial<Version>): JsonObject & { ts: Ts } {
  return {
    type: 'message',
    ts,
    user: 'U1',
    text: `edit ${edit}, told by ${source}`,
    ...(edit === 0 ? {} : { edited: { user: 'U1', ts: `170000010${edit}.000000` } }),
    // Now a block, now a reaction; the third export shows again what the first did.
    ...(source === 'import' && made === 2
      ? { reactions: [{ name: 'eyes', users: ['U2'], count: 1 }], blocks: [] }
      : {}),
  };
}

/**
 * The API shows what is there now: no export can hold a later edit than the reads that follow its import, and no read an
 * earlier one than the read before it.
 */
function possible(versions: readonly Version[]): Version[] {
  const exported = Math.max(0, ...versions.filter(({ source }) => source === 'import').map(({ edit }) => edit));
  let shown = exported;
  return versions.map((each) => {
    if (each.source === 'import') return each;
    shown = Math.max(shown, each.edit);
    return { ...each, edit: shown };
  });
}

/** A higher edit is newer; of one edit, what the API says counts, and of exports the last that was made. */
function newest(versions: readonly Version[]): Version | undefined {
  const rank = ({ edit, source, made }: Version) => edit * 10 + (source === 'api' ? 9 : made);
  return [...versions].sort((a, b) => rank(a) - rank(b)).at(-1);
}

async function openChannels(database: TestDatabase) {
  const store = openStore(await database.openMigrated());
  const context: PageContext = { store, teamId: 'T1', discardRules: [], discarded: new Map(), knownUsers: new Set() };
  let clock = start;
  let channels = 0;
  return {
    newChannel() {
      channels += 1;
      return `C${channels}`;
    },
    async save(channel: string, message: JsonObject & { ts: Ts }, source: Version['source'], made = 1) {
      clock += 1000;
      const at: IsoTime = millisToIso(clock);
      const { counts } = await savePage(
        context,
        channel,
        { messages: [normalizeMessage(message)] },
        source === 'api' ? { source, at } : { source: 'import', at, exportedAt: millisToIso(start - 1e9 + made) },
        async () => undefined,
      );
      return counts;
    },
    row: async (channel: string) => (await database.rows('messages', { where: `channel_id = '${channel}'` }))[0],
    revisions: (channel: string) =>
      database.rows('message_revisions', { where: `channel_id = '${channel}'`, order: 'seen_at' }),
  };
}

eachDatabase((create) => {
  it('ends with the same content in whatever order the versions of a message come', async () => {
    await using database = await create();
    const channels = await openChannels(database);
    await fc.assert(
      fc.asyncProperty(fc.array(version, { minLength: 1, maxLength: 6 }).map(possible), async (versions) => {
        const channel = channels.newChannel();
        for (const each of versions) await channels.save(channel, messageOf(each), each.source, each.made);
        const expected = messageOf(newest(versions) ?? {});
        const row = await channels.row(channel);
        expect(row?.['text']).toBe(expected['text']);
        expect(row?.['raw']).toEqual(expected);
        const reactions = await database.rows('reactions', { where: `channel_id = '${channel}'` });
        expect(reactions).toHaveLength(expected['reactions'] === undefined ? 0 : 1);
        expect(row?.['edited_ts']).toBe((expected['edited'] as JsonObject | undefined)?.['ts'] ?? null);
        // Whatever was on show once and is no more is kept.
        const texts = (await channels.revisions(channel)).map(({ text }) => text);
        const shown = new Set(versions.map((each) => messageOf(each)['text']));
        shown.delete(expected['text']);
        expect([...texts].sort()).toEqual([...shown].sort());
      }),
      { numRuns: 150 },
    );
  });

  it('changes nothing when any version is saved a second time', async () => {
    await using database = await create();
    const channels = await openChannels(database);
    await fc.assert(
      fc.asyncProperty(fc.array(version, { minLength: 1, maxLength: 4 }).map(possible), async (versions) => {
        const channel = channels.newChannel();
        for (const each of versions) await channels.save(channel, messageOf(each), each.source, each.made);
        const before = [await channels.row(channel), await channels.revisions(channel)];
        for (const each of versions) {
          const counts = await channels.save(channel, messageOf(each), each.source, each.made);
          expect(counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
        }
        expect([await channels.row(channel), await channels.revisions(channel)]).toEqual(before);
      }),
      { numRuns: 150 },
    );
  });

  it('lets the API bring a deleted message back, and an import never', async () => {
    await using database = await create();
    const channels = await openChannels(database);
    const channel = channels.newChannel();
    const tombstone: JsonObject & { ts: Ts } = {
      type: 'message',
      subtype: 'tombstone',
      user: 'USLACKBOT',
      text: 'This message was deleted.',
      hidden: true,
      ts,
      thread_ts: ts,
      reply_count: 1,
      latest_reply: '1700000002.000100',
    };
    await channels.save(channel, messageOf({ edit: 1, source: 'api' }), 'api');
    expect(await channels.save(channel, tombstone, 'api')).toMatchObject({ deleted: 1 });
    expect(await channels.row(channel)).toMatchObject({ text: 'edit 1, told by api', user_id: 'U1' });
    const deletedAt = (await channels.row(channel))?.['deleted_at'];
    expect(deletedAt).toEqual(expect.any(String));
    expect(await channels.save(channel, tombstone, 'api')).toMatchObject({ unchanged: 1 });

    for (const edit of [0, 1, 2]) {
      await channels.save(channel, messageOf({ edit, source: 'import' }), 'import');
      expect(await channels.row(channel)).toMatchObject({ deleted_at: deletedAt });
    }
    await channels.save(channel, messageOf({ edit: 3, source: 'api' }), 'api');
    expect(await channels.row(channel)).toMatchObject({ deleted_at: null, text: 'edit 3, told by api' });
  });

  it('keeps what the author wrote when a tombstone of it comes first, and marks it deleted in either order', async () => {
    await using database = await create();
    const channels = await openChannels(database);
    const tombstone = {
      type: 'message',
      subtype: 'tombstone',
      user: 'USLACKBOT',
      text: 'This message was deleted.',
      hidden: true,
      ts,
      thread_ts: ts,
      reply_count: 1,
      latest_reply: '1700000002.000100',
    };
    const original = messageOf({ edit: 1, source: 'import' });
    const [first, second] = [channels.newChannel(), channels.newChannel()];
    await channels.save(first, original, 'import', 1);
    await channels.save(first, tombstone, 'import', 2);
    await channels.save(second, tombstone, 'import', 2);
    await channels.save(second, original, 'import', 1);
    const rows = [await channels.row(first), await channels.row(second)];
    for (const row of rows) {
      expect(row).toMatchObject({ text: original['text'], user_id: 'U1', subtype: null });
      expect(row?.['deleted_at']).toEqual(expect.any(String));
    }
    const known = ({ raw, thread_ts, reply_count, latest_reply, source, exported_at }: Record<string, unknown>) => ({
      raw,
      thread_ts,
      reply_count,
      latest_reply,
      source,
      exported_at,
    });
    expect(known(rows[0] ?? {})).toEqual(known(rows[1] ?? {}));
  });

  it('saves each message of a page once, when Slack shows it twice', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated());
    const context: PageContext = { store, teamId: 'T1', discardRules: [], discarded: new Map(), knownUsers: new Set() };
    const twice = [0, 1].map((edit) => normalizeMessage(messageOf({ edit, source: 'api' })));
    const { counts } = await savePage(
      context,
      'C1',
      { messages: twice },
      { source: 'api', at: millisToIso(start) },
      async () => undefined,
    );
    expect(counts).toMatchObject({ seen: 1, inserted: 1 });
    expect(await database.rows('messages')).toMatchObject([{ text: 'edit 1, told by api' }]);
  });

  it('keeps nothing of a page when what vouches for it fails', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated());
    const context: PageContext = { store, teamId: 'T1', discardRules: [], discarded: new Map(), knownUsers: new Set() };
    const page = { messages: [normalizeMessage(messageOf({ edit: 0, source: 'api' }))] };
    const failing = savePage(context, 'C1', page, { source: 'api', at: millisToIso(start) }, async () => {
      throw new Error('no checkpoint');
    });
    await expect(failing).rejects.toThrow('no checkpoint');
    for (const table of ['messages', 'users', 'reactions', 'threads']) expect(await database.rows(table)).toEqual([]);
    expect(context.knownUsers.size).toBe(0);
  });
});
