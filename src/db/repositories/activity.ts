import type { Kysely } from 'kysely';
import type { IsoTime, Ts } from '../../model.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { ChannelRow, MessageRow, Schema, ThreadRow, UserRow } from '../schema.ts';

/** A message as far as it is counted. */
export type CountedMessage = Pick<
  MessageRow,
  'channel_id' | 'ts' | 'posted_at' | 'thread_ts' | 'is_reply' | 'user_id' | 'bot_id' | 'subtype'
>;

export type WholeMessage = Pick<
  MessageRow,
  'channel_id' | 'ts' | 'posted_at' | 'thread_ts' | 'is_reply' | 'user_id' | 'bot_id' | 'subtype' | 'deleted_at' | 'raw'
>;

/** A message that changed after it was first stored. */
export type ChangedMessage = Pick<
  MessageRow,
  'channel_id' | 'ts' | 'posted_at' | 'edited_ts' | 'deleted_at' | 'thread_ts' | 'source' | 'first_seen_at'
>;

export type LateReply = Pick<MessageRow, 'channel_id' | 'ts' | 'posted_at' | 'thread_ts' | 'user_id' | 'bot_id'> &
  Pick<ThreadRow, 'followed_from_ts'>;

export type NamedUser = Pick<UserRow, 'user_id' | 'name' | 'real_name' | 'display_name' | 'tz' | 'is_bot'>;

/** What happened in a stretch of time. Reads only; every range is `[from, to)`. */
export interface ActivityRepository {
  /** Messages that are not deleted, in no order. */
  listCounted(teamId: string, from: IsoTime, to: IsoTime): Promise<CountedMessage[]>;
  /** Top-level messages of people that hold a question mark and have no replies as far as they say; latest first. */
  listAsking(teamId: string, from: IsoTime, to: IsoTime, limit: number): Promise<WholeMessage[]>;
  findWhole(teamId: string, channelId: string, ts: readonly Ts[]): Promise<WholeMessage[]>;
  /** Who wrote something before a moment, of these. */
  findKnownAuthors(teamId: string, userIds: readonly string[], before: IsoTime): Promise<Set<string>>;
  /** Older messages of which Slack told something new: rows that changed in the range, posted before it. */
  listChanged(teamId: string, known: { from: IsoTime; to: IsoTime }, postedBefore: IsoTime): Promise<ChangedMessage[]>;
  /** The version before the present one of each message that has one, as `channel_id ts`. */
  findFormerTexts(
    teamId: string,
    channelId: string,
    ts: readonly Ts[],
  ): Promise<Map<Ts, { text: string | null; edited_ts: string | null }>>;
  /** Messages of `[from, to)` that became known since a moment, replies not among them. */
  listLateMessages(
    teamId: string,
    range: { from: IsoTime; to: IsoTime; seenSince: IsoTime },
  ): Promise<{ channel_id: string; ts: Ts }[]>;
  /** Replies that were first seen in the range, to messages that are older than it. */
  listLateReplies(teamId: string, from: IsoTime, to: IsoTime): Promise<LateReply[]>;
  /** Everybody's names, without what else is known of them. */
  listUserNames(teamId: string): Promise<NamedUser[]>;
  /** Channels that may have been made since a moment. */
  listRecentChannels(teamId: string, since: IsoTime): Promise<ChannelRow[]>;
}

/** The repository of one database, for any of its connections and transactions. */
export function activityRepository(dialect: Dialect): (db: Kysely<Schema>) => ActivityRepository {
  return (db) => ({
    listCounted: (teamId, from, to) =>
      db
        .selectFrom('messages')
        .select(['channel_id', 'ts', 'posted_at', 'thread_ts', 'is_reply', 'user_id', 'bot_id', 'subtype'])
        .where('team_id', '=', teamId)
        .where('posted_at', '>=', from)
        .where('posted_at', '<', to)
        .where('deleted_at', 'is', null)
        .execute(),

    listAsking: (teamId, from, to, limit) =>
      db
        .selectFrom('messages')
        .select([...wholeColumns])
        .where('team_id', '=', teamId)
        .where('posted_at', '>=', from)
        .where('posted_at', '<', to)
        .where('deleted_at', 'is', null)
        .where('is_reply', '=', false)
        .where('bot_id', 'is', null)
        .where('user_id', 'is not', null)
        .where((eb) => eb.or(questionMarks.map((sign) => eb('search_text', 'like', `%${sign}%`))))
        .orderBy('posted_at', 'desc')
        .limit(limit)
        .execute(),

    async findWhole(teamId, channelId, ts) {
      if (ts.length === 0) return [];
      return db
        .selectFrom('messages')
        .select([...wholeColumns])
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where(dialect.isAnyOf('ts', ts))
        .execute();
    },

    async findKnownAuthors(teamId, userIds, before) {
      const known = new Set<string>();
      for (const userId of userIds) {
        const row = await db
          .selectFrom('messages')
          .select('user_id')
          .where('team_id', '=', teamId)
          .where('user_id', '=', userId)
          .where('posted_at', '<', before)
          .limit(1)
          .executeTakeFirst();
        if (row !== undefined) known.add(userId);
      }
      return known;
    },

    // The index is of changed rows only; it is used because the condition is repeated word for word.
    listChanged: (teamId, { from, to }, postedBefore) =>
      db
        .selectFrom('messages')
        .select(['channel_id', 'ts', 'posted_at', 'edited_ts', 'deleted_at', 'thread_ts', 'source', 'first_seen_at'])
        .where('team_id', '=', teamId)
        .where('updated_at', '>=', from)
        .where('updated_at', '<', to)
        .whereRef('updated_at', '<>', 'first_seen_at')
        .where('posted_at', '<', postedBefore)
        .execute(),

    async findFormerTexts(teamId, channelId, ts) {
      if (ts.length === 0) return new Map();
      const rows = await db
        .selectFrom('message_revisions')
        .select(['ts', 'text', 'edited_ts'])
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where(dialect.isAnyOf('ts', ts))
        .orderBy('seen_at')
        .execute();
      return new Map(rows.map(({ ts: of, text, edited_ts }) => [of, { text, edited_ts }]));
    },

    listLateMessages: (teamId, { from, to, seenSince }) =>
      db
        .selectFrom('messages')
        .select(['channel_id', 'ts'])
        .where('team_id', '=', teamId)
        .where('posted_at', '>=', from)
        .where('posted_at', '<', to)
        .where('first_seen_at', '>=', seenSince)
        .where('is_reply', '=', false)
        .where('deleted_at', 'is', null)
        .execute(),

    // A plain reply becomes known only when its thread is read, and that is dated.
    listLateReplies: (teamId, from, to) =>
      db
        .selectFrom('threads')
        .innerJoin('messages', (join) =>
          join
            .onRef('messages.team_id', '=', 'threads.team_id')
            .onRef('messages.channel_id', '=', 'threads.channel_id')
            .onRef('messages.thread_ts', '=', 'threads.thread_ts'),
        )
        .select([
          'messages.channel_id',
          'messages.ts',
          'messages.posted_at',
          'messages.thread_ts',
          'messages.user_id',
          'messages.bot_id',
          'threads.followed_from_ts',
        ])
        .where('threads.team_id', '=', teamId)
        .where('threads.last_checked_at', '>=', from)
        .where('messages.is_reply', '=', true)
        .where('messages.deleted_at', 'is', null)
        .where('messages.first_seen_at', '>=', from)
        .where('messages.first_seen_at', '<', to)
        .orderBy('messages.ts')
        .execute(),

    listUserNames: (teamId) =>
      db
        .selectFrom('users')
        .select(['user_id', 'name', 'real_name', 'display_name', 'tz', 'is_bot'])
        .where('team_id', '=', teamId)
        .execute(),

    listRecentChannels: (teamId, since) =>
      db.selectFrom('channels').selectAll().where('team_id', '=', teamId).where('updated_at', '>=', since).execute(),
  });
}

/** Latin, full-width, Arabic, Armenian. */
const questionMarks = ['?', '？', '؟', '՞'];

const wholeColumns = [
  'channel_id',
  'ts',
  'posted_at',
  'thread_ts',
  'is_reply',
  'user_id',
  'bot_id',
  'subtype',
  'deleted_at',
  'raw',
] as const;
