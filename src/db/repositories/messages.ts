import type { Kysely } from 'kysely';
import type { IsoTime, Ts } from '../../model.ts';
import { millisecondAfter } from '../../ts.ts';
import type { Dialect, Writable, WriteTarget } from '../dialects/dialect.ts';
import { type PreparedQuery, prepareQuery } from '../prepared-query.ts';
import type { FileRow, MessageFileRow, MessageRevisionRow, MessageRow, ReactionRow, Schema } from '../schema.ts';

/** A stored message as far as a merge must know it. */
export type StoredMessage = Pick<MessageRow, (typeof storedMessageColumns)[number]>;

const storedMessageColumns = [
  'ts',
  'thread_ts',
  'subtype',
  'search_text',
  'edited_ts',
  'reply_count',
  'latest_reply',
  'deleted_at',
  'source',
  'content_hash',
  'state_hash',
  'first_seen_at',
  'updated_at',
  'exported_at',
] as const;

export type ExportedMessage = Pick<MessageRow, 'ts' | 'raw' | 'exported_at'>;

/** Where a stored message stands. */
export type StoredPlace = Pick<MessageRow, 'ts' | 'thread_ts' | 'is_reply'>;

export type StoredFile = Pick<
  FileRow,
  'file_id' | 'content_hash' | 'mode' | 'name' | 'raw' | 'updated_at' | 'exported_at'
>;

/** The messages of one channel, with what hangs on them. Everything that writes wants a transaction. */
export interface MessageRepository {
  /** Those of `ts` that are stored, by ts. */
  findForMerge(teamId: string, channelId: string, ts: readonly Ts[]): Promise<Map<Ts, StoredMessage>>;
  /** Keeps the present content of these messages as revisions, each dated by its export or its `updated_at`. */
  keepRevisions(teamId: string, channelId: string, ts: readonly Ts[]): Promise<void>;
  /** The texts of revisions, each as `ts text`. */
  findRevisionTexts(teamId: string, channelId: string, ts: readonly Ts[]): Promise<Set<string>>;
  /** Copies the revisions of one channel to another that has the same messages. */
  copyRevisions(teamId: string, move: { from: string; to: string }): Promise<void>;
  /** Adds revisions, each beside those that are there: where two have one date the later comes a millisecond after it. */
  addRevisions(teamId: string, channelId: string, rows: readonly Writable<MessageRevisionRow>[]): Promise<void>;
  /** Inserts rows that are not there yet. */
  insert(rows: readonly Writable<MessageRow>[]): Promise<void>;
  /** Inserts rows, replacing those that exist. */
  write(rows: readonly Writable<MessageRow>[]): Promise<void>;
  /** Changes only what others do to a message: deletion mark, thread and its counters. */
  mark(
    key: Pick<MessageRow, 'team_id' | 'channel_id' | 'ts'>,
    change: Pick<MessageRow, 'thread_ts' | 'deleted_at' | 'reply_count' | 'latest_reply' | 'updated_at'> & {
      state_hash?: string;
    },
  ): Promise<void>;

  /**
   * Messages within the closed range that history shows (top-level ones and replies sent to the channel as well) and that are
   * not marked deleted; ascending by ts.
   */
  listShown(teamId: string, channelId: string, range: { from: Ts; to: Ts }): Promise<StoredPlace[]>;
  /** Those of `ts` that are stored, by ts: what they were, and whether they are marked deleted. */
  findOriginals(
    teamId: string,
    channelId: string,
    ts: readonly Ts[],
  ): Promise<Map<Ts, Pick<MessageRow, 'ts' | 'raw' | 'deleted_at'>>>;
  /**
   * The ts of the `n`th such message before `before`, counted from the latest; undefined when there are fewer.
   */
  findNthShown(teamId: string, channelId: string, before: Ts, n: number): Promise<Ts | undefined>;
  /** How many such messages there are at or after `from`, counted up to `limit`. */
  countShownSince(teamId: string, channelId: string, from: Ts, limit: number): Promise<number>;
  /** Such messages within the closed range. */
  countShown(teamId: string, channelId: string, range: { from: Ts; to: Ts }): Promise<number>;
  /** How many there are, or null when there are more than `limit`. */
  countShownUpTo(teamId: string, channelId: string, range: { from: Ts; to: Ts }, limit: number): Promise<number | null>;
  /** Replies of the thread that are not marked deleted; ascending. */
  listLiveReplies(teamId: string, channelId: string, threadTs: Ts): Promise<Ts[]>;
  countLiveReplies(teamId: string, channelId: string, threadTs: Ts): Promise<number>;
  findLastReply(teamId: string, channelId: string, threadTs: Ts): Promise<Ts | undefined>;
  isDeleted(teamId: string, channelId: string, ts: Ts): Promise<boolean>;

  /** Marks those of `ts` that are not marked yet; returns how many. Content and counters stay. */
  markDeleted(teamId: string, channelId: string, ts: readonly Ts[], at: IsoTime): Promise<number>;

  /** Messages behind `after`, ascending, with the export that they came from. */
  listExported(teamId: string, channelId: string, after: Ts | null, limit: number): Promise<ExportedMessage[]>;
  /** Whether messages came from the export of that moment. */
  holdsOfExport(teamId: string, channelId: string, exportedAt: IsoTime): Promise<boolean>;

  /** How many rows each channel should have, by channel id. */
  listCounts(teamId: string): Promise<Map<string, number>>;
  /** Counts rows that were inserted: later the number tells whether any were lost. */
  addToCount(teamId: string, channelId: string, inserted: number): Promise<void>;

  findReactions(teamId: string, channelId: string, ts: readonly Ts[]): Promise<ReactionRow[]>;
  /** Adds those that are not there yet. */
  addReactions(rows: readonly ReactionRow[]): Promise<void>;
  removeReactions(rows: readonly ReactionRow[]): Promise<void>;

  findFiles(teamId: string, fileIds: readonly string[]): Promise<Map<string, StoredFile>>;
  writeFiles(rows: readonly Writable<FileRow>[]): Promise<void>;
  findFileLinks(teamId: string, channelId: string, ts: readonly Ts[]): Promise<MessageFileRow[]>;
  addFileLinks(rows: readonly MessageFileRow[]): Promise<void>;
  removeFileLinks(rows: readonly MessageFileRow[]): Promise<void>;
}

const messageTarget = {
  table: 'messages',
  columns: [
    'team_id',
    'channel_id',
    'ts',
    'posted_at',
    'thread_ts',
    'is_reply',
    'user_id',
    'bot_id',
    'subtype',
    'text',
    'search_text',
    'edited_ts',
    'reply_count',
    'latest_reply',
    'deleted_at',
    'source',
    'is_sanitized',
    'content_hash',
    'state_hash',
    'raw',
    'first_seen_at',
    'updated_at',
    'exported_at',
  ],
  key: ['team_id', 'channel_id', 'ts'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'messages'>;

const revisionTarget = {
  table: 'message_revisions',
  columns: ['team_id', 'channel_id', 'ts', 'seen_at', 'text', 'raw', 'edited_ts'],
  key: ['team_id', 'channel_id', 'ts', 'seen_at'],
  onConflict: 'keep',
} as const satisfies WriteTarget<'message_revisions'>;

const reactionTarget = {
  table: 'reactions',
  columns: ['team_id', 'channel_id', 'ts', 'name', 'user_id', 'first_seen_at'],
  key: ['team_id', 'channel_id', 'ts', 'name', 'user_id'],
  onConflict: 'keep',
} as const satisfies WriteTarget<'reactions'>;

const fileTarget = {
  table: 'files',
  columns: [
    'team_id',
    'file_id',
    'name',
    'title',
    'mimetype',
    'size',
    'mode',
    'url_private',
    'created_at',
    'content_hash',
    'raw',
    'updated_at',
    'exported_at',
  ],
  key: ['team_id', 'file_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'files'>;

const fileLinkTarget = {
  table: 'message_files',
  columns: ['team_id', 'channel_id', 'ts', 'file_id'],
  key: ['team_id', 'channel_id', 'ts', 'file_id'],
  onConflict: 'keep',
} as const satisfies WriteTarget<'message_files'>;

/** The repository of one database, for any of its connections and transactions. */
export function messageRepository(dialect: Dialect): (db: Kysely<Schema>) => MessageRepository {
  const findForMerge = prepareQuery((db, teamId: string, channelId: string, ts: readonly Ts[]) =>
    db
      .selectFrom('messages')
      .select(storedMessageColumns)
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .where(dialect.isAnyOf('ts', ts)),
  );
  const listShown = prepareQuery((db, teamId: string, channelId: string, from: Ts, to: Ts) =>
    shownIn(db, teamId, channelId)
      .select(['ts', 'thread_ts', 'is_reply'])
      .where('ts', '>=', from)
      .where('ts', '<=', to)
      .orderBy('ts'),
  );
  const findBetween = prepareQuery((db, teamId: string, channelId: string, from: Ts, to: Ts) =>
    db
      .selectFrom('messages')
      .select('ts')
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .where('ts', '>=', from)
      .where('ts', '<=', to)
      .limit(1),
  );
  return (db) => boundTo(dialect, db, { findForMerge, findBetween, listShown });
}

/** New messages mostly lie where nothing is stored yet: one look tells, and thousands need not be asked for one by one. */
const askedOneByOne = 50;

/** What conversations.history shows: top-level messages, and replies that were sent to the channel as well. */
function shownIn(db: Kysely<Schema>, teamId: string, channelId: string) {
  return (
    db
      .selectFrom('messages')
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .where('deleted_at', 'is', null)
      // Served until 2017, and still in exports of that time (docs.slack.dev, message event).
      .where('subtype', 'is distinct from', 'reply_broadcast')
      .where((eb) => eb.or([eb('is_reply', '=', false), eb('subtype', '=', 'thread_broadcast')]))
  );
}

interface Prepared {
  findForMerge: PreparedQuery<[teamId: string, channelId: string, ts: readonly Ts[]], StoredMessage>;
  findBetween: PreparedQuery<[teamId: string, channelId: string, from: Ts, to: Ts], { ts: Ts }>;
  listShown: PreparedQuery<[teamId: string, channelId: string, from: Ts, to: Ts], StoredPlace>;
}

function boundTo(
  dialect: Dialect,
  db: Kysely<Schema>,
  { findForMerge, findBetween, listShown }: Prepared,
): MessageRepository {
  const messages = (teamId: string, channelId: string, ts: readonly Ts[]) =>
    db
      .selectFrom('messages')
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .where(dialect.isAnyOf('ts', ts));

  const revisionsOf = (teamId: string, channelId: string, ts: readonly Ts[]) =>
    db
      .selectFrom('message_revisions')
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .where(dialect.isAnyOf('ts', ts));

  // Two exports of a channel in which nothing was said between them have one date, and may hold two versions of a message.
  const addRevisions: MessageRepository['addRevisions'] = async (teamId, channelId, rows) => {
    const ts = rows.map((row) => row.ts);
    const present = await revisionsOf(teamId, channelId, ts).select(['ts', 'seen_at', 'text', 'edited_ts']).execute();
    const known = new Map(present.map((row) => [`${row.ts} ${row.seen_at}`, row]));
    const added: Writable<MessageRevisionRow>[] = [];
    for (const row of rows) {
      let seenAt = row.seen_at;
      let other = known.get(`${row.ts} ${seenAt}`);
      while (other !== undefined && (other.text !== row.text || other.edited_ts !== row.edited_ts)) {
        seenAt = millisecondAfter(seenAt);
        other = known.get(`${row.ts} ${seenAt}`);
      }
      if (other !== undefined) continue;
      const { text, edited_ts } = row;
      known.set(`${row.ts} ${seenAt}`, { ts: row.ts, seen_at: seenAt, text, edited_ts });
      added.push({ ...row, seen_at: seenAt });
    }
    await dialect.writeRows(db, revisionTarget, added);
  };

  const liveReplies = (teamId: string, channelId: string, threadTs: Ts) =>
    db
      .selectFrom('messages')
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .where('thread_ts', '=', threadTs)
      .where('is_reply', '=', true)
      .where('deleted_at', 'is', null);

  return {
    async findForMerge(teamId, channelId, ts) {
      const [first] = ts;
      if (first === undefined) return new Map();
      if (ts.length > askedOneByOne) {
        // As text, as the index has them.
        const from = ts.reduce((least, one) => (one < least ? one : least), first);
        const to = ts.reduce((most, one) => (one > most ? one : most), first);
        if ((await findBetween(db, teamId, channelId, from, to)).length === 0) return new Map();
      }
      const rows = await findForMerge(db, teamId, channelId, ts);
      return new Map(rows.map((row) => [row.ts, row]));
    },

    async keepRevisions(teamId, channelId, ts) {
      if (ts.length === 0) return;
      const rows = await messages(teamId, channelId, ts)
        .select(['team_id', 'channel_id', 'ts', 'text', 'raw', 'edited_ts'])
        .select((eb) => eb.fn.coalesce('exported_at', 'updated_at').as('seen_at'))
        .execute();
      await addRevisions(teamId, channelId, rows);
    },

    async findRevisionTexts(teamId, channelId, ts) {
      const rows = await revisionsOf(teamId, channelId, ts).select(['ts', 'text']).execute();
      return new Set(rows.map(({ ts: of, text }) => `${of} ${text ?? ''}`));
    },

    async copyRevisions(teamId, { from, to }) {
      const rows = await db
        .selectFrom('message_revisions')
        .selectAll()
        .where('team_id', '=', teamId)
        .where('channel_id', '=', from)
        .execute();
      const copies: MessageRevisionRow[] = rows.map((row) => ({ ...row, channel_id: to }));
      await dialect.writeRows(db, revisionTarget, copies);
    },

    addRevisions,

    insert: (rows) => dialect.insertRows(db, messageTarget, rows),

    write: (rows) => dialect.writeRows(db, messageTarget, rows),

    async mark(key, change) {
      await db
        .updateTable('messages')
        .set(change)
        .where('team_id', '=', key.team_id)
        .where('channel_id', '=', key.channel_id)
        .where('ts', '=', key.ts)
        .execute();
    },

    listShown: (teamId, channelId, { from, to }) => listShown(db, teamId, channelId, from, to),

    async findOriginals(teamId, channelId, ts) {
      if (ts.length === 0) return new Map();
      const rows = await messages(teamId, channelId, ts).select(['ts', 'raw', 'deleted_at']).execute();
      return new Map(rows.map((row) => [row.ts, row]));
    },

    async findNthShown(teamId, channelId, before, n) {
      const row = await shownIn(db, teamId, channelId)
        .select('ts')
        .where('ts', '<', before)
        .orderBy('ts', 'desc')
        .offset(n - 1)
        .limit(1)
        .executeTakeFirst();
      return row?.ts;
    },

    async countShownSince(teamId, channelId, from, limit) {
      const rows = await shownIn(db, teamId, channelId).select('ts').where('ts', '>=', from).limit(limit).execute();
      return rows.length;
    },

    async countShown(teamId, channelId, { from, to }) {
      const { count } = await shownIn(db, teamId, channelId)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('ts', '>=', from)
        .where('ts', '<=', to)
        .executeTakeFirstOrThrow();
      return count;
    },

    async countShownUpTo(teamId, channelId, { from, to }, limit) {
      const rows = await shownIn(db, teamId, channelId)
        .select('ts')
        .where('ts', '>=', from)
        .where('ts', '<=', to)
        .limit(limit + 1)
        .execute();
      return rows.length > limit ? null : rows.length;
    },

    async listLiveReplies(teamId, channelId, threadTs) {
      const rows = await liveReplies(teamId, channelId, threadTs).select('ts').orderBy('ts').execute();
      return rows.map(({ ts }) => ts);
    },

    async countLiveReplies(teamId, channelId, threadTs) {
      const { count } = await liveReplies(teamId, channelId, threadTs)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return count;
    },

    async findLastReply(teamId, channelId, threadTs) {
      const row = await liveReplies(teamId, channelId, threadTs)
        .select('ts')
        .orderBy('ts', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.ts;
    },

    async isDeleted(teamId, channelId, ts) {
      const row = await messages(teamId, channelId, [ts]).select('deleted_at').executeTakeFirst();
      return row !== undefined && row.deleted_at !== null;
    },

    async markDeleted(teamId, channelId, ts, at) {
      if (ts.length === 0) return 0;
      const marked = await db
        .updateTable('messages')
        .set((eb) => ({
          deleted_at: at,
          // Revisions are dated by it, so it never goes back.
          updated_at: eb.case().when('updated_at', '<', at).then(at).else(eb.ref('updated_at')).end(),
        }))
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where(dialect.isAnyOf('ts', ts))
        .where('deleted_at', 'is', null)
        .returning('ts')
        .execute();
      return marked.length;
    },

    listExported(teamId, channelId, after, limit) {
      const all = db
        .selectFrom('messages')
        .select(['ts', 'raw', 'exported_at'])
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .orderBy('ts')
        .limit(limit);
      return (after === null ? all : all.where('ts', '>', after)).execute();
    },

    async holdsOfExport(teamId, channelId, exportedAt) {
      const row = await db
        .selectFrom('messages')
        .select('ts')
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where('exported_at', '=', exportedAt)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    async listCounts(teamId) {
      const rows = await db.selectFrom('stored_counts').selectAll().where('team_id', '=', teamId).execute();
      return new Map(rows.map(({ channel_id, message_rows }) => [channel_id, message_rows]));
    },

    async addToCount(teamId, channelId, inserted) {
      if (inserted === 0) return;
      await db
        .insertInto('stored_counts')
        .values({ team_id: teamId, channel_id: channelId, message_rows: inserted })
        .onConflict((conflict) =>
          conflict.columns(['team_id', 'channel_id']).doUpdateSet((eb) => ({
            message_rows: eb('stored_counts.message_rows', '+', eb.ref('excluded.message_rows')),
          })),
        )
        .execute();
    },

    async findReactions(teamId, channelId, ts) {
      if (ts.length === 0) return [];
      return db
        .selectFrom('reactions')
        .selectAll()
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where(dialect.isAnyOf('ts', ts))
        .execute();
    },

    addReactions: (rows) => dialect.writeRows(db, reactionTarget, rows),

    async removeReactions(rows) {
      for (const row of rows) {
        await db
          .deleteFrom('reactions')
          .where('team_id', '=', row.team_id)
          .where('channel_id', '=', row.channel_id)
          .where('ts', '=', row.ts)
          .where('name', '=', row.name)
          .where('user_id', '=', row.user_id)
          .execute();
      }
    },

    async findFiles(teamId, fileIds) {
      if (fileIds.length === 0) return new Map();
      const rows = await db
        .selectFrom('files')
        .select(['file_id', 'content_hash', 'mode', 'name', 'raw', 'updated_at', 'exported_at'])
        .where('team_id', '=', teamId)
        .where(dialect.isAnyOf('file_id', fileIds))
        .execute();
      return new Map(rows.map((row) => [row.file_id, row]));
    },

    writeFiles: (rows) => dialect.writeRows(db, fileTarget, rows),

    async findFileLinks(teamId, channelId, ts) {
      if (ts.length === 0) return [];
      return db
        .selectFrom('message_files')
        .selectAll()
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where(dialect.isAnyOf('ts', ts))
        .execute();
    },

    addFileLinks: (rows) => dialect.writeRows(db, fileLinkTarget, rows),

    async removeFileLinks(rows) {
      for (const row of rows) {
        await db
          .deleteFrom('message_files')
          .where('team_id', '=', row.team_id)
          .where('channel_id', '=', row.channel_id)
          .where('ts', '=', row.ts)
          .where('file_id', '=', row.file_id)
          .execute();
      }
    },
  };
}
