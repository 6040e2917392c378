import { type Expression, type Kysely, type SqlBool, Transaction } from 'kysely';
import type { IsoTime, Ts } from '../../model.ts';
import type { Dialect, Writable, WriteTarget } from '../dialects/dialect.ts';
import type { DigestChunkRow, DigestItemRow, DigestRow, Schema } from '../schema.ts';

/** What was posted where, and what is about to be: the outbox of digests. Everything that writes wants a transaction. */
export interface DigestRepository {
  /** Of this target those that are not posted to their end, the oldest first. */
  listUnfinished(teamId: string, channelId: string): Promise<DigestRow[]>;
  /** Of this window the latest one that was posted to its end. */
  findPosted(
    teamId: string,
    channelId: string,
    configHashes: readonly string[],
    window: { from: IsoTime; to: IsoTime },
  ): Promise<DigestRow | undefined>;
  /** Of those that were posted there to their end the one whose window ends last. */
  findLastPosted(teamId: string, channelId: string, configHashes: readonly string[]): Promise<DigestRow | undefined>;
  /** Where the last digest ended that was posted anywhere. */
  findLastWindowEnd(teamId: string): Promise<IsoTime | null>;
  /** What was posted there, or is about to be. */
  listItemKeys(teamId: string, channelId: string): Promise<Set<string>>;
  /**
   * Writes a new digest, unless one with its id is there already, or, when `isNews`, one for the same place with any of its
   * items. Runs that create at the same moment wait for each other, so of two only one is told that it did.
   */
  create(
    digest: DigestRow,
    chunks: readonly Writable<DigestChunkRow>[],
    items: readonly DigestItemRow[],
    isNews: boolean,
  ): Promise<'created' | 'exists' | 'told_already'>;
  find(digestId: string): Promise<DigestRow | undefined>;
  /**
   * Replaces chunks of a digest that has so many of them, adds those with other numbers, and replaces all its items. False,
   * with nothing done, when it has another number of chunks by now.
   */
  extend(
    digestId: string,
    chunkCount: number,
    chunks: readonly Writable<DigestChunkRow>[],
    items: readonly DigestItemRow[],
  ): Promise<boolean>;
  /** Messages that digests made since a moment are, as `channel_id ts`. */
  listPosts(teamId: string, since: IsoTime): Promise<Set<string>>;
  /** By number. */
  listChunks(digestId: string): Promise<DigestChunkRow[]>;
  /**
   * Marks a chunk as being posted, if nobody else has since it was looked at: only whoever is told true may post it.
   * `claimedAt` is what the chunk's row said then.
   */
  claimChunk(digestId: string, chunkNo: number, claimedAt: IsoTime | null, now: IsoTime): Promise<boolean>;
  /** Gives a claim back: surely the chunk was not posted, and why. False, with nothing done, when the claim is lost. */
  releaseChunk(digestId: string, chunkNo: number, claimedAt: IsoTime | null, error: string): Promise<boolean>;
  noteChunkError(digestId: string, chunkNo: number, error: string): Promise<void>;
  /** Forgets what of a digest is not posted, items included; and the digest, if nothing is. */
  withdraw(digestId: string, now: IsoTime): Promise<void>;
  /**
   * Says that the chunk and its items stand there, or may (null) and are not to be posted any more; the digest is posted when all
   * its chunks are. False, with nothing done, when that was said before.
   */
  settleChunk(digestId: string, chunkNo: number, postedTs: Ts | null, now: IsoTime): Promise<boolean>;
}

const digestTarget = {
  table: 'digests',
  columns: [
    'digest_id',
    'team_id',
    'channel_id',
    'window_from',
    'window_to',
    'config_hash',
    'status',
    'created_at',
    'posted_at',
  ],
  key: ['digest_id'],
} as const satisfies Omit<WriteTarget<'digests'>, 'onConflict'>;

const chunkTarget = {
  table: 'digest_chunks',
  columns: ['digest_id', 'chunk_no', 'payload', 'status', 'claimed_at', 'posted_ts', 'error'],
  key: ['digest_id', 'chunk_no'],
} as const satisfies Omit<WriteTarget<'digest_chunks'>, 'onConflict'>;

const itemTarget = {
  table: 'digest_items',
  columns: ['digest_id', 'position', 'item_key', 'chunk_no', 'posted_ts', 'status'],
  key: ['digest_id', 'position'],
} as const satisfies Omit<WriteTarget<'digest_items'>, 'onConflict'>;

/** The repository of one database, for any of its connections and transactions. */
export function digestRepository(dialect: Dialect): (db: Kysely<Schema>) => DigestRepository {
  return (db) => {
    const digests = (teamId: string) => db.selectFrom('digests').selectAll().where('team_id', '=', teamId);
    const posted = (teamId: string) => digests(teamId).where('status', '=', 'posted');
    const postedTo = (teamId: string, channelId: string, configHashes: readonly string[]) =>
      posted(teamId).where('channel_id', '=', channelId).where('config_hash', 'in', configHashes);
    return {
      listUnfinished: (teamId, channelId) =>
        digests(teamId)
          .where('channel_id', '=', channelId)
          .where('status', '=', 'pending')
          .orderBy('created_at')
          .orderBy('digest_id')
          .execute(),

      findPosted: (teamId, channelId, configHashes, { from, to }) =>
        postedTo(teamId, channelId, configHashes)
          .where('window_from', '=', from)
          .where('window_to', '=', to)
          .orderBy('created_at', 'desc')
          .limit(1)
          .executeTakeFirst(),

      findLastPosted: (teamId, channelId, configHashes) =>
        postedTo(teamId, channelId, configHashes)
          .orderBy('window_to', 'desc')
          .orderBy('created_at', 'desc')
          .limit(1)
          .executeTakeFirst(),

      async findLastWindowEnd(teamId) {
        const row = await posted(teamId).orderBy('window_to', 'desc').limit(1).executeTakeFirst();
        return row?.window_to ?? null;
      },

      async listItemKeys(teamId, channelId) {
        const rows = await db
          .selectFrom('digest_items')
          .innerJoin('digests', 'digests.digest_id', 'digest_items.digest_id')
          .select('digest_items.item_key')
          .where('digests.team_id', '=', teamId)
          .where('digests.channel_id', '=', channelId)
          .execute();
        return new Set(rows.map(({ item_key }) => item_key));
      },

      async create(digest, chunks, items, isNews) {
        await takeTurns(dialect, db);
        const { digest_id, team_id, channel_id } = digest;
        const known = await db.selectFrom('digests').select('digest_id').where('digest_id', '=', digest_id).execute();
        if (known.length > 0) return 'exists';
        const keys = items.map(({ item_key }) => item_key);
        if (isNews && (await isAnyThere(db, team_id, channel_id, dialect.isAnyOf('item_key', keys)))) {
          return 'told_already';
        }
        await dialect.insertRows(db, digestTarget, [digest]);
        await dialect.insertRows(db, chunkTarget, chunks);
        await dialect.insertRows(db, itemTarget, items);
        return 'created';
      },

      find: (digestId) => db.selectFrom('digests').selectAll().where('digest_id', '=', digestId).executeTakeFirst(),

      async extend(digestId, chunkCount, chunks, items) {
        await takeTurns(dialect, db);
        const known = await db
          .selectFrom('digest_chunks')
          .select('chunk_no')
          .where('digest_id', '=', digestId)
          .execute();
        if (known.length !== chunkCount) return false;
        if (chunks.some(({ status }) => status !== 'posted'))
          await db.updateTable('digests').set({ status: 'pending' }).where('digest_id', '=', digestId).execute();
        await dialect.writeRows(db, { ...chunkTarget, onConflict: 'replace' }, chunks);
        await db.deleteFrom('digest_items').where('digest_id', '=', digestId).execute();
        await dialect.insertRows(db, itemTarget, items);
        return true;
      },

      async listPosts(teamId, since) {
        const rows = await db
          .selectFrom('digest_chunks')
          .innerJoin('digests', 'digests.digest_id', 'digest_chunks.digest_id')
          .select(['digests.channel_id', 'digest_chunks.posted_ts'])
          .where('digests.team_id', '=', teamId)
          .where('digests.created_at', '>=', since)
          .where('digest_chunks.posted_ts', 'is not', null)
          .execute();
        return new Set(rows.map(({ channel_id, posted_ts }) => `${channel_id} ${posted_ts}`));
      },

      listChunks: (digestId) =>
        db.selectFrom('digest_chunks').selectAll().where('digest_id', '=', digestId).orderBy('chunk_no').execute(),

      async claimChunk(digestId, chunkNo, claimedAt, now) {
        const claimed = await db
          .updateTable('digest_chunks')
          .set({ status: 'posting', claimed_at: now })
          .where('digest_id', '=', digestId)
          .where('chunk_no', '=', chunkNo)
          .where('status', '!=', 'posted')
          .where('claimed_at', 'is not distinct from', claimedAt)
          .returning('chunk_no')
          .execute();
        return claimed.length === 1;
      },

      async releaseChunk(digestId, chunkNo, claimedAt, error) {
        const released = await db
          .updateTable('digest_chunks')
          .set({ status: 'pending', error })
          .where('digest_id', '=', digestId)
          .where('chunk_no', '=', chunkNo)
          .where('status', '!=', 'posted')
          .where('claimed_at', 'is not distinct from', claimedAt)
          .returning('chunk_no')
          .execute();
        return released.length === 1;
      },

      async noteChunkError(digestId, chunkNo, error) {
        await db
          .updateTable('digest_chunks')
          .set({ error })
          .where('digest_id', '=', digestId)
          .where('chunk_no', '=', chunkNo)
          .execute();
      },

      async withdraw(digestId, now) {
        await db.deleteFrom('digest_items').where('digest_id', '=', digestId).where('status', '!=', 'posted').execute();
        await db
          .deleteFrom('digest_chunks')
          .where('digest_id', '=', digestId)
          .where('status', '!=', 'posted')
          .execute();
        const left = await db
          .selectFrom('digest_chunks')
          .select('chunk_no')
          .where('digest_id', '=', digestId)
          .execute();
        if (left.length === 0) await db.deleteFrom('digests').where('digest_id', '=', digestId).execute();
        else await setPosted(db, digestId, now);
      },

      async settleChunk(digestId, chunkNo, postedTs, now) {
        const settled = await db
          .updateTable('digest_chunks')
          .set({ status: 'posted', posted_ts: postedTs, error: null })
          .where('digest_id', '=', digestId)
          .where('chunk_no', '=', chunkNo)
          .where('status', '!=', 'posted')
          .returning('chunk_no')
          .execute();
        if (settled.length === 0) return false;
        await db
          .updateTable('digest_items')
          .set({ status: 'posted', posted_ts: postedTs })
          .where('digest_id', '=', digestId)
          .where('chunk_no', '=', chunkNo)
          .execute();
        const left = await db
          .selectFrom('digest_chunks')
          .select('chunk_no')
          .where('digest_id', '=', digestId)
          .where('status', '!=', 'posted')
          .execute();
        if (left.length === 0) await setPosted(db, digestId, now);
        return true;
      },
    };
  };
}

async function setPosted(db: Kysely<Schema>, digestId: string, now: IsoTime): Promise<void> {
  await db
    .updateTable('digests')
    .set({ status: 'posted', posted_at: now })
    .where('digest_id', '=', digestId)
    .where('status', '=', 'pending')
    .execute();
}

/** Of two runs that look at a digest at the same moment, only one may find that something is to be added. */
async function takeTurns(dialect: Dialect, db: Kysely<Schema>): Promise<void> {
  if (!(db instanceof Transaction)) throw new Error('digests may be created or extended inside a transaction only');
  await dialect.serialize(db, 'digests');
}

async function isAnyThere(
  db: Kysely<Schema>,
  teamId: string,
  channelId: string,
  items: Expression<SqlBool>,
): Promise<boolean> {
  const found = await db
    .selectFrom('digest_items')
    .innerJoin('digests', 'digests.digest_id', 'digest_items.digest_id')
    .select('digest_items.item_key')
    .where('digests.team_id', '=', teamId)
    .where('digests.channel_id', '=', channelId)
    .where(items)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
