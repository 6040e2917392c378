import { type Kysely, sql } from 'kysely';
import type { Ts } from '../../model.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { CoverageRow, MessageRow, ReactionRow, Schema, ThreadRow } from '../schema.ts';

/**
 * What `verify` asks: whether what is stored agrees with what was recorded about it. Each question is one statement, so
 * that its answer is one moment of the database, whatever a run beside it commits.
 */
export interface IntegrityRepository {
  /** Of every channel that has messages or a count of them: its rows, and how many were counted when they were inserted. */
  listRowCounts(teamId: string): Promise<RowCount[]>;
  /** Threads about which the ledger, the root and the stored replies do not say the same. */
  listDoubtfulThreads(teamId: string): Promise<DoubtfulThread[]>;
  /** Roots read from Slack that tell of replies and are no thread that we know. */
  listUnknownThreads(teamId: string): Promise<UnknownThread[]>;
  /** Ascending by channel and `from_ts`. */
  listAllCoverage(teamId: string): Promise<CoverageRow[]>;
  /** Of every channel that was read: what is stored at the end of it. */
  listEnds(teamId: string): Promise<ChannelEnd[]>;

  /** Messages behind `after`, ascending, with everything that must follow from `raw`. */
  listForCheck(teamId: string, channelId: string, after: Ts | null, limit: number): Promise<CheckedMessage[]>;
  findForCheck(teamId: string, channelId: string, ts: readonly Ts[]): Promise<CheckedMessage[]>;
  /** Both ends included. */
  listReactionsBetween(teamId: string, channelId: string, from: Ts, to: Ts): Promise<ReactionRow[]>;
  listFileLinksBetween(teamId: string, channelId: string, from: Ts, to: Ts): Promise<CheckedFileLink[]>;
  findFileLinks(teamId: string, channelId: string, ts: readonly Ts[]): Promise<CheckedFileLink[]>;

  /** Where to cut covered intervals so that each part has `size` messages that history shows. */
  listWindowCuts(teamId: string, size: number): Promise<WindowCut[]>;
  /** Threads whose replies were read to the end, behind `after`, ascending. */
  listReadThreads(teamId: string, channelId: string, after: Ts | null, limit: number): Promise<ThreadRow[]>;

  /** The newest message up to `upTo` that history showed once, marked deleted or not. */
  findNewestShown(teamId: string, channelId: string, upTo: Ts): Promise<Ts | null>;
  /**
   * Counts the channel's rows anew; where fewer are stored than `atLeast`, that many were there, and are missed. Wants a
   * transaction.
   */
  recount(teamId: string, channelId: string, atLeast?: number): Promise<void>;
  mendMessage(
    key: Pick<MessageRow, 'team_id' | 'channel_id' | 'ts'>,
    change: Partial<Omit<MessageRow, 'raw'>>,
  ): Promise<void>;
}

export interface RowCount {
  channel_id: string;
  stored: number;
  counted: number;
  /** The oldest message that was read from Slack. */
  first_read: Ts | null;
}

export type DoubtfulThread = Pick<
  ThreadRow,
  'channel_id' | 'thread_ts' | 'claim' | 'is_pending' | 'live_replies' | 'last_error'
> & {
  /** Replies that are stored and not marked deleted. */
  live: number;
  /** What the stored root says; null without a root. */
  reply_count: number | null;
  latest_reply: string | null;
};

export type UnknownThread = Pick<MessageRow, 'channel_id' | 'ts' | 'reply_count' | 'latest_reply'>;

export interface ChannelEnd {
  channel_id: string;
  /** The newest top-level message that was read from Slack. */
  newest: Ts | null;
  /** The checkpoint, when there is a message at it. */
  stored_last: Ts | null;
}

const checkedColumns = [
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
  'content_hash',
  'state_hash',
  'raw',
  'updated_at',
] as const;

export type CheckedMessage = Pick<MessageRow, (typeof checkedColumns)[number]>;

export interface CheckedFileLink {
  ts: Ts;
  file_id: string;
  /** Null when the file itself has no row. */
  known_id: string | null;
}

export interface WindowCut {
  channel_id: string;
  /** Of the interval. */
  from_ts: Ts;
  /** The first message of its next part. */
  ts: Ts;
}

/** The repository of one database, for any of its connections and transactions. */
export function integrityRepository(dialect: Dialect): (db: Kysely<Schema>) => IntegrityRepository {
  return (db) => ({ ...ledgerChecks(db), ...contentChecks(dialect, db), ...rereads(db), ...mends(db) });
}

function ledgerChecks(
  db: Kysely<Schema>,
): Pick<
  IntegrityRepository,
  'listRowCounts' | 'listDoubtfulThreads' | 'listUnknownThreads' | 'listAllCoverage' | 'listEnds'
> {
  return {
    listRowCounts: (teamId) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('messages')
            .select(({ fn, ref, eb: when }) => [
              'channel_id',
              fn.countAll<number>().as('stored'),
              sql<number>`0`.as('counted'),
              fn.min<Ts | null>(when.case().when('source', '=', 'api').then(ref('ts')).end()).as('first_read'),
            ])
            .where('team_id', '=', teamId)
            .groupBy('channel_id')
            .unionAll(
              eb
                .selectFrom('stored_counts')
                .select([
                  'channel_id',
                  sql<number>`0`.as('stored'),
                  'message_rows as counted',
                  sql<Ts | null>`null`.as('first_read'),
                ])
                .where('team_id', '=', teamId),
            )
            .as('both'),
        )
        .select(({ fn }) => [
          'channel_id',
          fn.max<number>('stored').as('stored'),
          fn.max<number>('counted').as('counted'),
          fn.max<Ts | null>('first_read').as('first_read'),
        ])
        .groupBy('channel_id')
        .orderBy('channel_id')
        .execute(),

    listDoubtfulThreads: (teamId) =>
      db
        .selectFrom('threads as thread')
        .leftJoin('messages as root', (join) =>
          join
            .onRef('root.team_id', '=', 'thread.team_id')
            .onRef('root.channel_id', '=', 'thread.channel_id')
            .onRef('root.ts', '=', 'thread.thread_ts'),
        )
        .leftJoin(
          (eb) =>
            eb
              .selectFrom('messages')
              .select(({ fn }) => ['channel_id', 'thread_ts', fn.countAll<number>().as('live')])
              .where('team_id', '=', teamId)
              .where('thread_ts', 'is not', null)
              .where('is_reply', '=', true)
              .where('deleted_at', 'is', null)
              .groupBy(['channel_id', 'thread_ts'])
              .as('replies'),
          (join) =>
            join
              .onRef('replies.channel_id', '=', 'thread.channel_id')
              .onRef('replies.thread_ts', '=', 'thread.thread_ts'),
        )
        .select(({ fn, lit }) => [
          'thread.channel_id',
          'thread.thread_ts',
          'thread.claim',
          'thread.is_pending',
          'thread.live_replies',
          'thread.last_error',
          'root.reply_count',
          'root.latest_reply',
          fn.coalesce('replies.live', lit(0)).as('live'),
        ])
        .where('thread.team_id', '=', teamId)
        .where(({ eb, or, and, fn, lit, ref }) => {
          const live = fn.coalesce('replies.live', lit(0));
          const latest = ref('root.latest_reply');
          const claimed = sql<string>`cast(${ref('root.reply_count')} as text) || ' ' || coalesce(${latest}, '-')`;
          return or([
            ref('thread.is_pending'),
            and([eb('thread.live_replies', 'is not', null), eb(live, '!=', ref('thread.live_replies'))]),
            and([eb('root.reply_count', 'is not', null), eb('root.reply_count', '!=', live)]),
            and([eb('root.reply_count', 'is not', null), eb(claimed, '!=', ref('thread.claim'))]),
          ]);
        })
        .orderBy('thread.channel_id')
        .orderBy('thread.thread_ts')
        .execute(),

    listUnknownThreads: (teamId) =>
      db
        .selectFrom('messages as root')
        .leftJoin('threads as thread', (join) =>
          join
            .onRef('thread.team_id', '=', 'root.team_id')
            .onRef('thread.channel_id', '=', 'root.channel_id')
            .onRef('thread.thread_ts', '=', 'root.ts'),
        )
        .select(['root.channel_id', 'root.ts', 'root.reply_count', 'root.latest_reply'])
        .where('root.team_id', '=', teamId)
        .where('root.reply_count', '>', 0)
        .where('root.is_reply', '=', false)
        .where('root.source', '=', 'api')
        .where('thread.thread_ts', 'is', null)
        .orderBy('root.channel_id')
        .orderBy('root.ts')
        .execute(),

    listAllCoverage: (teamId) =>
      db
        .selectFrom('coverage')
        .selectAll()
        .where('team_id', '=', teamId)
        .orderBy('channel_id')
        .orderBy('from_ts')
        .execute(),

    listEnds: (teamId) =>
      db
        .selectFrom('ingestion_state as state')
        .select((eb) => {
          const inChannel = eb
            .selectFrom('messages as message')
            .select('message.ts')
            .whereRef('message.team_id', '=', 'state.team_id')
            .whereRef('message.channel_id', '=', 'state.channel_id');
          return [
            'state.channel_id',
            inChannel.whereRef('message.ts', '=', 'state.last_ts').as('stored_last'),
            inChannel
              .where('message.is_reply', '=', false)
              .where('message.source', '=', 'api')
              .orderBy('message.ts', 'desc')
              .limit(1)
              .as('newest'),
          ];
        })
        .where('state.team_id', '=', teamId)
        .execute(),
  };
}

function contentChecks(
  dialect: Dialect,
  db: Kysely<Schema>,
): Pick<
  IntegrityRepository,
  'listForCheck' | 'findForCheck' | 'listReactionsBetween' | 'listFileLinksBetween' | 'findFileLinks'
> {
  const messages = (teamId: string, channelId: string) =>
    db
      .selectFrom('messages')
      .select(checkedColumns)
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .orderBy('ts');
  const links = (teamId: string, channelId: string) =>
    db
      .selectFrom('message_files as link')
      .leftJoin('files as file', (join) =>
        join.onRef('file.team_id', '=', 'link.team_id').onRef('file.file_id', '=', 'link.file_id'),
      )
      .select(['link.ts', 'link.file_id', 'file.file_id as known_id'])
      .where('link.team_id', '=', teamId)
      .where('link.channel_id', '=', channelId);
  return {
    listForCheck: (teamId, channelId, after, limit) => {
      const all = messages(teamId, channelId).limit(limit);
      return (after === null ? all : all.where('ts', '>', after)).execute();
    },

    async findForCheck(teamId, channelId, ts) {
      return ts.length === 0 ? [] : messages(teamId, channelId).where(dialect.isAnyOf('ts', ts)).execute();
    },

    listReactionsBetween: (teamId, channelId, from, to) =>
      db
        .selectFrom('reactions')
        .selectAll()
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where('ts', '>=', from)
        .where('ts', '<=', to)
        .execute(),

    listFileLinksBetween: (teamId, channelId, from, to) =>
      links(teamId, channelId).where('link.ts', '>=', from).where('link.ts', '<=', to).execute(),

    async findFileLinks(teamId, channelId, ts) {
      return ts.length === 0 ? [] : links(teamId, channelId).where(dialect.isAnyOf('link.ts', ts)).execute();
    },
  };
}

function rereads(db: Kysely<Schema>): Pick<IntegrityRepository, 'listWindowCuts' | 'listReadThreads'> {
  return {
    listWindowCuts: (teamId, size) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('coverage as part')
            .innerJoin('messages as message', (join) =>
              join
                .onRef('message.team_id', '=', 'part.team_id')
                .onRef('message.channel_id', '=', 'part.channel_id')
                .onRef('message.ts', '>=', 'part.from_ts')
                .onRef('message.ts', '<=', 'part.to_ts'),
            )
            .select(({ fn }) => [
              'part.channel_id',
              'part.from_ts',
              'message.ts',
              fn
                .agg<number>('row_number')
                .over((over) => over.partitionBy(['part.channel_id', 'part.from_ts']).orderBy('message.ts'))
                .as('nth'),
            ])
            .where('part.team_id', '=', teamId)
            .where('message.deleted_at', 'is', null)
            .where(({ eb: is, or }) =>
              or([is('message.is_reply', '=', false), is('message.subtype', '=', 'thread_broadcast')]),
            )
            .as('numbered'),
        )
        .select(['channel_id', 'from_ts', 'ts'])
        .where('nth', '>', 1)
        .where((eb) => eb(eb('nth', '%', eb.lit(size)), '=', eb.lit(size === 1 ? 0 : 1)))
        .orderBy('channel_id')
        .orderBy('ts')
        .execute(),

    listReadThreads: (teamId, channelId, after, limit) => {
      const all = db
        .selectFrom('threads')
        .selectAll()
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where('is_pending', '=', false)
        // Set when the thread was settled because there is nothing to read.
        .where('last_error', 'is distinct from', 'thread_not_found')
        .orderBy('thread_ts')
        .limit(limit);
      return (after === null ? all : all.where('thread_ts', '>', after)).execute();
    },
  };
}

function mends(db: Kysely<Schema>): Pick<IntegrityRepository, 'findNewestShown' | 'recount' | 'mendMessage'> {
  return {
    async findNewestShown(teamId, channelId, upTo) {
      const row = await db
        .selectFrom('messages')
        .select('ts')
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where('ts', '<=', upTo)
        .where((eb) => eb.or([eb('is_reply', '=', false), eb('subtype', '=', 'thread_broadcast')]))
        .orderBy('ts', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.ts ?? null;
    },

    async recount(teamId, channelId, atLeast = 0) {
      const { stored } = await db
        .selectFrom('messages')
        .select(({ fn }) => fn.countAll<number>().as('stored'))
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .executeTakeFirstOrThrow();
      const message_rows = Math.max(stored, atLeast);
      await db.deleteFrom('stored_counts').where('team_id', '=', teamId).where('channel_id', '=', channelId).execute();
      if (message_rows > 0)
        await db.insertInto('stored_counts').values({ team_id: teamId, channel_id: channelId, message_rows }).execute();
    },

    async mendMessage({ team_id, channel_id, ts }, change) {
      await db
        .updateTable('messages')
        .set(change)
        .where('team_id', '=', team_id)
        .where('channel_id', '=', channel_id)
        .where('ts', '=', ts)
        .execute();
    },
  };
}
