import type { Kysely } from 'kysely';
import type { IsoTime, Ts } from '../../model.ts';
import type { Dialect, Writable, WriteTarget } from '../dialects/dialect.ts';
import type { CandidateStatus, EventCandidateRow, EventRow, EventSourceRow, MessageRow, Schema } from '../schema.ts';

/** A message that is to be scored, and what is known of it as a candidate. */
export type ScoreableMessage = Pick<
  MessageRow,
  | 'channel_id'
  | 'ts'
  | 'posted_at'
  | 'is_reply'
  | 'user_id'
  | 'bot_id'
  | 'subtype'
  | 'deleted_at'
  | 'updated_at'
  | 'reply_count'
  | 'raw'
> & {
  known_status: CandidateStatus | null;
  known_text_hash: string | null;
  known_attempts: number | null;
  known_created_at: IsoTime | null;
};

/** With what a message was scored; another one means that it is to be scored again. */
export interface ScoringVersion {
  configHash: string;
  normVersion: number;
}

/** Where a listing by time stands. */
export type MessagePosition = Pick<MessageRow, 'posted_at' | 'channel_id' | 'ts'>;

/** Candidates and events. Everything that writes wants a transaction. */
export interface EventRepository {
  /**
   * Messages of `[from, to)` behind `after` that were never scored, or scored with other settings, or have changed since; with
   * `knownOnly` those that were scored before. Plain replies are never among them. By time, channel and ts, at most `limit`.
   */
  listScoreable(
    teamId: string,
    /** Of messages that were never looked at, those first seen since a moment; null for none of them. */
    range: { from: IsoTime; to: IsoTime; newSince: IsoTime | null },
    version: ScoringVersion,
    after: MessagePosition | null,
    limit: number,
  ): Promise<ScoreableMessage[]>;
  /** Those of the messages that are stored. */
  findMessages(
    teamId: string,
    channelId: string,
    ts: readonly Ts[],
  ): Promise<Pick<MessageRow, 'channel_id' | 'ts' | 'posted_at' | 'is_reply' | 'user_id' | 'bot_id' | 'raw'>[]>;
  writeCandidates(rows: readonly Writable<EventCandidateRow>[]): Promise<void>;
  /** Candidates of `[from, to)`, the best first. */
  listCandidates(teamId: string, range: { from: IsoTime; to: IsoTime }): Promise<EventCandidateRow[]>;

  findEvents(eventIds: readonly string[]): Promise<EventRow[]>;
  /** Those that were merged into one of these. */
  listAbsorbed(eventIds: readonly string[]): Promise<EventRow[]>;
  /** Live events with one of these keys. */
  findLiveByKeys(teamId: string, dedupKeys: readonly string[]): Promise<EventRow[]>;
  /** Live events that were found since a moment, rejected ones not among them. */
  listLive(teamId: string, extractedSince: IsoTime): Promise<EventRow[]>;
  /** Live events of `[from, to)`, without an end when `to` is null. */
  listByTime(teamId: string, from: IsoTime, to: IsoTime | null): Promise<EventRow[]>;
  /** Events of any state that come from messages of `[from, to)`. */
  listByMessageTime(teamId: string, from: IsoTime, to: IsoTime): Promise<EventRow[]>;
  /** Live events that messages of `[from, to)` call off or put off. */
  listPutAway(teamId: string, from: IsoTime, to: IsoTime): Promise<EventRow[]>;
  writeEvents(rows: readonly Writable<EventRow>[]): Promise<void>;
  /** With their sources. */
  removeEvents(eventIds: readonly string[]): Promise<void>;

  listSources(eventIds: readonly string[]): Promise<EventSourceRow[]>;
  /** Makes these the only sources of their events and of `eventIds`. */
  replaceSources(eventIds: readonly string[], rows: readonly EventSourceRow[]): Promise<void>;
}

const candidateTarget = {
  table: 'event_candidates',
  columns: [
    'team_id',
    'channel_id',
    'ts',
    'source',
    'posted_at',
    'score',
    'status',
    'reason',
    'features',
    'config_hash',
    'norm_version',
    'text_hash',
    'message_updated_at',
    'lease_owner',
    'lease_expires_at',
    'attempts',
    'created_at',
    'updated_at',
  ],
  key: ['team_id', 'channel_id', 'ts'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'event_candidates'>;

const eventTarget = {
  table: 'events',
  columns: [
    'event_id',
    'team_id',
    'source',
    'scope',
    'extracted_at',
    'extractor',
    'prompt_version',
    'model',
    'action',
    'object_id',
    'object_name_raw',
    'qualifiers',
    'stroke',
    'anchor',
    'category',
    'status',
    'change_type',
    'environment',
    'severity',
    'planned_start',
    'planned_end',
    'actual_start',
    'actual_end',
    'time_source',
    'time_confidence',
    'primary_time',
    'summary',
    'why_it_matters',
    'links',
    'anchors',
    'impact_area',
    'impact_type',
    'confidence',
    'importance',
    'cluster_key',
    'dedup_key',
    'merged_into',
    'state',
    'reasons',
    'origin',
  ],
  key: ['event_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'events'>;

const sourceTarget = {
  table: 'event_sources',
  columns: ['event_id', 'team_id', 'channel_id', 'ts', 'permalink'],
  key: ['event_id', 'team_id', 'channel_id', 'ts'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'event_sources'>;

/** The repository of one database, for any of its connections and transactions. */
export function eventRepository(dialect: Dialect): (db: Kysely<Schema>) => EventRepository {
  return (db) => {
    const live = (teamId: string) =>
      db
        .selectFrom('events')
        .selectAll()
        .where('team_id', '=', teamId)
        .where('merged_into', 'is', null)
        .where('state', '!=', 'rejected');
    const toldIn = (teamId: string, from: IsoTime, to: IsoTime) =>
      db
        .selectFrom('events')
        .selectAll('events')
        .innerJoin('event_sources', 'event_sources.event_id', 'events.event_id')
        .innerJoin('event_candidates', (join) =>
          join
            .onRef('event_candidates.team_id', '=', 'event_sources.team_id')
            .onRef('event_candidates.channel_id', '=', 'event_sources.channel_id')
            .onRef('event_candidates.ts', '=', 'event_sources.ts'),
        )
        .where('event_candidates.team_id', '=', teamId)
        .where('event_candidates.posted_at', '>=', from)
        .where('event_candidates.posted_at', '<', to);

    return {
      // Channels are chosen by the caller: told to the database, they tempt it to read whole channels by their key.
      listScoreable(teamId, { from, to, newSince }, { configHash, normVersion }, after, limit) {
        const messages = db
          .selectFrom('messages')
          .leftJoin('event_candidates as known', (join) =>
            join
              .onRef('known.team_id', '=', 'messages.team_id')
              .onRef('known.channel_id', '=', 'messages.channel_id')
              .onRef('known.ts', '=', 'messages.ts'),
          )
          .select([
            'messages.channel_id',
            'messages.ts',
            'messages.posted_at',
            'messages.is_reply',
            'messages.user_id',
            'messages.bot_id',
            'messages.subtype',
            'messages.deleted_at',
            'messages.updated_at',
            'messages.reply_count',
            'messages.raw',
            'known.status as known_status',
            'known.text_hash as known_text_hash',
            'known.attempts as known_attempts',
            'known.created_at as known_created_at',
          ])
          .where('messages.team_id', '=', teamId)
          .where('messages.posted_at', '>=', after?.posted_at ?? from)
          .where('messages.posted_at', '<', to)
          .where((eb) => eb.or([eb('messages.is_reply', '=', false), eb('messages.subtype', '=', 'thread_broadcast')]))
          .where((eb) =>
            eb.or([
              ...(newSince === null
                ? []
                : [eb.and([eb('known.ts', 'is', null), eb('messages.first_seen_at', '>=', newSince)])]),
              eb('known.config_hash', '!=', configHash),
              eb('known.norm_version', '!=', normVersion),
              eb('known.message_updated_at', '!=', eb.ref('messages.updated_at')),
            ]),
          )
          .orderBy('messages.posted_at')
          .orderBy('messages.channel_id')
          .orderBy('messages.ts')
          .limit(limit);
        if (after === null) return messages.execute();
        return messages
          .where((eb) =>
            eb.or([
              eb('messages.posted_at', '>', after.posted_at),
              eb('messages.channel_id', '>', after.channel_id),
              eb.and([eb('messages.channel_id', '=', after.channel_id), eb('messages.ts', '>', after.ts)]),
            ]),
          )
          .execute();
      },

      async findMessages(teamId, channelId, ts) {
        if (ts.length === 0) return [];
        return db
          .selectFrom('messages')
          .select(['channel_id', 'ts', 'posted_at', 'is_reply', 'user_id', 'bot_id', 'raw'])
          .where('team_id', '=', teamId)
          .where('channel_id', '=', channelId)
          .where(dialect.isAnyOf('ts', ts))
          .execute();
      },

      writeCandidates: (rows) => dialect.writeRows(db, candidateTarget, rows),

      listCandidates: (teamId, { from, to }) =>
        db
          .selectFrom('event_candidates')
          .selectAll()
          .where('team_id', '=', teamId)
          .where('posted_at', '>=', from)
          .where('posted_at', '<', to)
          .orderBy('score', 'desc')
          .orderBy('ts')
          .execute(),

      async findEvents(eventIds) {
        if (eventIds.length === 0) return [];
        return db.selectFrom('events').selectAll().where(dialect.isAnyOf('event_id', eventIds)).execute();
      },

      async listAbsorbed(eventIds) {
        if (eventIds.length === 0) return [];
        return db
          .selectFrom('events')
          .selectAll()
          .where('merged_into', 'is not', null)
          .where(dialect.isAnyOf('merged_into', eventIds))
          .execute();
      },

      async findLiveByKeys(teamId, dedupKeys) {
        if (dedupKeys.length === 0) return [];
        return live(teamId).where(dialect.isAnyOf('dedup_key', dedupKeys)).execute();
      },

      listLive: (teamId, extractedSince) => live(teamId).where('extracted_at', '>=', extractedSince).execute(),

      listByTime(teamId, from, to) {
        const found = live(teamId).where('primary_time', '>=', from);
        return (to === null ? found : found.where('primary_time', '<', to)).execute();
      },

      listByMessageTime: (teamId, from, to) => toldIn(teamId, from, to).execute(),

      listPutAway: (teamId, from, to) =>
        toldIn(teamId, from, to)
          .where('events.status', 'in', ['canceled', 'postponed'])
          .where('events.state', '!=', 'rejected')
          .where('events.merged_into', 'is', null)
          .execute(),

      writeEvents: (rows) => dialect.writeRows(db, eventTarget, rows),

      async removeEvents(eventIds) {
        if (eventIds.length === 0) return;
        await db.deleteFrom('event_sources').where(dialect.isAnyOf('event_id', eventIds)).execute();
        await db.deleteFrom('events').where(dialect.isAnyOf('event_id', eventIds)).execute();
      },

      async listSources(eventIds) {
        if (eventIds.length === 0) return [];
        return db
          .selectFrom('event_sources')
          .selectAll()
          .where(dialect.isAnyOf('event_id', eventIds))
          .orderBy('ts')
          .orderBy('channel_id')
          .execute();
      },

      async replaceSources(eventIds, rows) {
        const all = [...new Set([...eventIds, ...rows.map(({ event_id }) => event_id)])];
        if (all.length === 0) return;
        await db.deleteFrom('event_sources').where(dialect.isAnyOf('event_id', all)).execute();
        await dialect.writeRows(db, sourceTarget, rows);
      },
    };
  };
}
