/** The outbox of digests: who may post what, and what counts as posted. */
import { expect, test } from 'vitest';
import { openStore, type Store } from '../../src/db/repositories/index.ts';
import type { DigestChunkRow, DigestItemRow, DigestRow } from '../../src/db/schema.ts';
import type { IsoTime } from '../../src/model.ts';
import { millisToIso, parseTs } from '../../src/ts.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';

const T = 'T1';
const C = 'C1';
const ts = parseTs('1700000001.123450');

function at(n: number): IsoTime {
  return millisToIso(Date.UTC(2026, 0, 1) + n);
}

function digest(id: string, fields: Partial<DigestRow> = {}): DigestRow {
  return {
    digest_id: id,
    team_id: T,
    channel_id: C,
    window_from: at(0),
    window_to: at(1),
    config_hash: 'hash',
    status: 'pending',
    created_at: at(2),
    posted_at: null,
    ...fields,
  };
}

function chunk(digest_id: string, chunk_no: number): DigestChunkRow {
  const payload = { text: `part ${chunk_no}`, blocks: [{ type: 'divider' }] };
  return { digest_id, chunk_no, payload, status: 'pending', claimed_at: null, posted_ts: null, error: null };
}

function item(digest_id: string, position: number, item_key: string, chunk_no = 0): DigestItemRow {
  return { digest_id, position, item_key, chunk_no, posted_ts: null, status: 'pending' };
}

eachDatabase((create) => {
  async function open(database: TestDatabase): Promise<Store> {
    return openStore(await database.openMigrated());
  }

  function write(store: Store, id: string, keys: readonly string[], options: { isNews?: boolean } = {}) {
    const items = keys.map((key, position) => item(id, position, key, Math.min(position, 1)));
    return store.transaction((tx) =>
      tx.digests.create(digest(id), [chunk(id, 0), chunk(id, 1)], items, options.isNews ?? true),
    );
  }

  test('of runs that create the same digest at the same moment, one does', async () => {
    await using database = await create();
    const stores = [await open(database), openStore(await database.open()), openStore(await database.open())];
    const outcomes = await Promise.all(stores.map((store) => write(store, 'd', ['a', 'b'])));
    expect(outcomes.sort()).toEqual(['created', 'exists', 'exists']);
    expect(await stores[0]?.digests.listChunks('d')).toEqual([chunk('d', 0), chunk('d', 1)]);
  });

  test('of runs that would tell the same news at the same moment, one does', async () => {
    await using database = await create();
    const stores = [await open(database), openStore(await database.open())];
    const outcomes = await Promise.all(stores.map((store, n) => write(store, `d${n}`, ['a', `b${n}`])));
    expect(outcomes.sort()).toEqual(['created', 'told_already']);
    expect(await database.rows('digest_items')).toHaveLength(2);
  });

  test('what is told once more on purpose is no news', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd0', ['a']);
    expect(await write(store, 'd1', ['a'], { isNews: false })).toBe('created');
  });

  test('a chunk is claimed by one of those who saw it unclaimed', async () => {
    await using database = await create();
    const first = await open(database);
    const second = openStore(await database.open());
    await write(first, 'd', ['a']);
    const claims = await Promise.all(
      [first, second].map((store, n) => store.transaction((tx) => tx.digests.claimChunk('d', 0, null, at(10 + n)))),
    );
    expect(claims.sort()).toEqual([false, true]);
  });

  test('a claim that was lost is not given back', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd', ['a']);
    const inTurn = <T>(work: (digests: Store['digests']) => Promise<T>) => store.transaction((tx) => work(tx.digests));
    await inTurn((digests) => digests.claimChunk('d', 0, null, at(10)));
    await inTurn((digests) => digests.claimChunk('d', 0, at(10), at(20)));
    expect(await inTurn((digests) => digests.releaseChunk('d', 0, at(10), 'refused'))).toBe(false);
    expect((await store.digests.listChunks('d'))[0]).toMatchObject({ status: 'posting', claimed_at: at(20) });
    expect(await inTurn((digests) => digests.releaseChunk('d', 0, at(20), 'refused'))).toBe(true);
    expect((await store.digests.listChunks('d'))[0]).toMatchObject({ status: 'pending', error: 'refused' });
  });

  test('a digest is posted when its last chunk is, and its items with their chunks', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd', ['a', 'b']);
    await store.transaction((tx) => tx.digests.settleChunk('d', 0, ts, at(30)));
    expect(await store.digests.find('d')).toMatchObject({ status: 'pending', posted_at: null });
    expect(await database.rows('digest_items', { order: 'position' })).toMatchObject([
      { item_key: 'a', status: 'posted', posted_ts: ts },
      { item_key: 'b', status: 'pending', posted_ts: null },
    ]);
    await store.transaction((tx) => tx.digests.settleChunk('d', 1, ts, at(31)));
    expect(await store.digests.find('d')).toMatchObject({ status: 'posted', posted_at: at(31) });
    expect(await store.digests.listUnfinished(T, C)).toEqual([]);
  });

  test('a chunk that is posted cannot be claimed', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd', ['a']);
    await store.transaction((tx) => tx.digests.settleChunk('d', 0, ts, at(30)));
    expect(await store.transaction((tx) => tx.digests.claimChunk('d', 0, null, at(40)))).toBe(false);
  });

  test('a digest of which nothing is posted is forgotten when it is withdrawn, and its items are news again', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd', ['a', 'b']);
    await store.transaction((tx) => tx.digests.withdraw('d', at(30)));
    expect(await store.digests.find('d')).toBeUndefined();
    expect(await store.digests.listItemKeys(T, C)).toEqual(new Set());
    expect(await write(store, 'd', ['a', 'b'])).toBe('created');
  });

  test('of a digest that is withdrawn, what is posted stays', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd', ['a', 'b']);
    await store.transaction((tx) => tx.digests.settleChunk('d', 0, ts, at(30)));
    await store.transaction((tx) => tx.digests.withdraw('d', at(31)));
    expect(await store.digests.find('d')).toMatchObject({ status: 'posted', posted_at: at(31) });
    expect(await store.digests.listItemKeys(T, C)).toEqual(new Set(['a']));
    expect(await store.digests.listChunks('d')).toHaveLength(1);
  });

  test('of two runs that extend a digest, one does', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd', ['a']);
    for (const chunkNo of [0, 1]) await store.transaction((tx) => tx.digests.settleChunk('d', chunkNo, ts, at(30)));
    const extended = await Promise.all(
      [store, openStore(await database.open())].map((each) =>
        each.transaction((tx) => tx.digests.extend('d', 2, [chunk('d', 2)], [item('d', 0, 'c', 2)])),
      ),
    );
    expect(extended.sort()).toEqual([false, true]);
    expect(await store.digests.find('d')).toMatchObject({ status: 'pending' });
    expect(await store.digests.listItemKeys(T, C)).toEqual(new Set(['c']));
  });

  test('places are apart: what was told in one is news in another', async () => {
    await using database = await create();
    const store = await open(database);
    await write(store, 'd', ['a']);
    const elsewhere = digest('e', { channel_id: 'C2' });
    const outcome = await store.transaction((tx) =>
      tx.digests.create(elsewhere, [chunk('e', 0)], [item('e', 0, 'a')], true),
    );
    expect(outcome).toBe('created');
    expect((await store.digests.listUnfinished(T, 'C2')).map(({ digest_id }) => digest_id)).toEqual(['e']);
  });
});
