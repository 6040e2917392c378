import { type Kysely, sql } from 'kysely';
import type { IsoTime, Ts } from '../../model.ts';
import type { ChannelRow, CoverageRow, RunChannelRow, RunRow, Schema, WorkspaceRow } from '../schema.ts';

export type ChannelFacts = Pick<
  ChannelRow,
  'channel_id' | 'name' | 'kind' | 'is_archived' | 'is_member' | 'exported_at'
>;

export interface MessageCount {
  channel_id: string;
  /** Rows, deleted ones included. */
  messages: number;
  replies: number;
  /** Of the newest message; null when there is none. */
  last_ts: Ts | null;
}

export interface ThreadCount {
  channel_id: string;
  threads: number;
  /** Whose replies are to be fetched. */
  pending: number;
  /** Pending ones that failed the last time. */
  failed: number;
  /** Those that are read again at intervals of at most `livelyInterval` runs. */
  lively: number;
}

/** What is known of whole workspaces, each in one query whatever the number of channels. Reads only. */
export interface OverviewRepository {
  /** By name. */
  listWorkspaces(): Promise<WorkspaceRow[]>;
  listChannelFacts(teamId: string): Promise<ChannelFacts[]>;
  /** Latest first; null for those that did not get as far as a workspace. */
  listRuns(teamId: string | null, limit: number): Promise<RunRow[]>;
  /** How many runs of the command began since a moment, and when the first of them did. */
  countRuns(teamId: string, command: string, since: IsoTime): Promise<{ runs: number; first: IsoTime | null }>;
  /** Channels that failed in a run. */
  listFailures(runId: string): Promise<Pick<RunChannelRow, 'channel_id' | 'error'>[]>;
  /** By channel, ascending by `from_ts`. */
  listCoverage(teamId: string): Promise<CoverageRow[]>;
  /** Reads indexes only: a million messages take a fraction of a second. */
  countMessages(teamId: string): Promise<MessageCount[]>;
  countThreads(teamId: string, livelyInterval: number): Promise<ThreadCount[]>;
}

/** The repository of one database, for any of its connections and transactions. */
export function overviewRepository(): (db: Kysely<Schema>) => OverviewRepository {
  return (db) => ({
    listWorkspaces: () => db.selectFrom('workspaces').selectAll().orderBy('name').orderBy('team_id').execute(),

    listChannelFacts: (teamId) =>
      db
        .selectFrom('channels')
        .select(['channel_id', 'name', 'kind', 'is_archived', 'is_member', 'exported_at'])
        .where('team_id', '=', teamId)
        .execute(),

    listRuns(teamId, limit) {
      const runs = db.selectFrom('runs').selectAll();
      const wanted = teamId === null ? runs.where('team_id', 'is', null) : runs.where('team_id', '=', teamId);
      return wanted.orderBy('started_at', 'desc').limit(limit).execute();
    },

    async countRuns(teamId, command, since) {
      const { runs, first } = await db
        .selectFrom('runs')
        .select((eb) => [eb.fn.countAll<number>().as('runs'), eb.fn.min('started_at').as('first')])
        .where('team_id', '=', teamId)
        .where('command', '=', command)
        .where('started_at', '>=', since)
        .executeTakeFirstOrThrow();
      return { runs, first };
    },

    listFailures: (runId) =>
      db
        .selectFrom('run_channels')
        .select(['channel_id', 'error'])
        .where('run_id', '=', runId)
        .where('status', '=', 'failed')
        .execute(),

    listCoverage: (teamId) =>
      db
        .selectFrom('coverage')
        .selectAll()
        .where('team_id', '=', teamId)
        .orderBy('channel_id')
        .orderBy('from_ts')
        .execute(),

    // Counted at every insert, so no row need be read; replies are in the index of threads.
    async countMessages(teamId) {
      const all = await db
        .selectFrom('stored_counts')
        .select((eb) => [
          'channel_id',
          'message_rows',
          eb
            .selectFrom('messages')
            .select(({ fn }) => fn.max<Ts | null>('messages.ts').as('last'))
            .whereRef('messages.team_id', '=', 'stored_counts.team_id')
            .whereRef('messages.channel_id', '=', 'stored_counts.channel_id')
            .$asScalar()
            .as('last_ts'),
        ])
        .where('team_id', '=', teamId)
        .execute();
      const replies = await db
        .selectFrom('messages')
        .select((eb) => ['channel_id', eb.fn.countAll<number>().as('replies')])
        .where('team_id', '=', teamId)
        .where('thread_ts', 'is not', null)
        .whereRef('thread_ts', '!=', 'ts')
        .groupBy('channel_id')
        .execute();
      const byChannel = new Map(replies.map((row) => [row.channel_id, row.replies]));
      return all.map(({ channel_id, message_rows, last_ts }) => ({
        channel_id,
        last_ts,
        messages: message_rows,
        replies: byChannel.get(channel_id) ?? 0,
      }));
    },

    countThreads: (teamId, livelyInterval) =>
      db
        .selectFrom('threads')
        .select((eb) => [
          'channel_id',
          eb.fn.countAll<number>().as('threads'),
          sql<number>`count(case when is_pending then 1 end)`.as('pending'),
          sql<number>`count(case when is_pending and last_error is not null then 1 end)`.as('failed'),
          sql<number>`count(case when audit_interval <= ${sql.lit(livelyInterval)} then 1 end)`.as('lively'),
        ])
        .where('team_id', '=', teamId)
        .groupBy('channel_id')
        .execute(),
  });
}
