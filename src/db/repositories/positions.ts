import type { Kysely } from 'kysely';
import type { IsoTime, Ts } from '../../model.ts';
import type { Dialect, WriteTarget } from '../dialects/dialect.ts';
import { type PreparedQuery, prepareQuery } from '../prepared-query.ts';
import type { CoverageRow, IngestionStateRow, MessageRow, Schema, ThreadRow } from '../schema.ts';

/** How far each channel and thread is read: checkpoints, coverage, threads waiting for their replies. */
export interface PositionRepository {
  listStates(teamId: string): Promise<IngestionStateRow[]>;
  /** Up to where the channel's messages vanished as they do when they expire. */
  findExpiredTo(teamId: string, channelId: string): Promise<Ts | null>;
  saveState(row: IngestionStateRow): Promise<void>;
  /** Records a failed attempt beside the position, which stays as it is. No row, no effect. */
  noteError(teamId: string, channelId: string, error: string, now: IsoTime): Promise<void>;

  /** Ascending by `from_ts`. */
  listCoverage(teamId: string, channelId: string): Promise<CoverageRow[]>;
  /** Makes `rows` the whole coverage of the channel, touching only rows that differ from `before`. */
  replaceCoverage(before: readonly CoverageRow[], rows: readonly CoverageRow[]): Promise<void>;

  findThreads(teamId: string, channelId: string, threadTs: readonly Ts[]): Promise<Map<Ts, ThreadRow>>;
  /** Inserts or replaces. Wants a transaction. */
  writeThreads(rows: readonly ThreadRow[]): Promise<void>;
  /** Threads whose replies are to be fetched, latest first; those that failed since `failedBefore` are left for the next run. */
  listPendingThreads(
    teamId: string,
    channelIds: readonly string[],
    options: { failedBefore: IsoTime; now: IsoTime; limit: number },
  ): Promise<ThreadRow[]>;
  countPendingThreads(teamId: string, channelIds: readonly string[]): Promise<number>;
  /**
   * Threads to be read again although nothing tells of a change, because their turn has come in this run: half of them
   * from those whose last change is not long ago, the others by who waits longest.
   */
  listThreadsToAudit(
    teamId: string,
    channelIds: readonly string[],
    options: { run: number; lively: number; limit: number },
  ): Promise<ThreadRow[]>;
  /** Makes those of these threads that are known pending, to be read from the first reply on; returns how many were not. */
  queueWholeThreads(teamId: string, channelId: string, threadTs: readonly Ts[]): Promise<number>;
  /** Roots behind `after`, ascending, with the replies that are stored and not marked deleted. */
  listRoots(teamId: string, channelId: string, after: Ts | null, limit: number): Promise<StoredRoot[]>;
  /** The same of threads whose root is not stored, behind `after`, ascending. */
  listRootless(teamId: string, channelId: string, after: Ts | null, limit: number): Promise<StoredRoot[]>;
  /** Makes messages roots that have replies and do not say so. */
  markRoots(teamId: string, channelId: string): Promise<void>;
  /** Threads of which Slack shows fewer replies than it says there are, latest first. */
  listUnshownThreads(teamId: string): Promise<UnshownThread[]>;
  noteThreadError(row: ThreadRow, error: string, now: IsoTime): Promise<void>;
}

export type UnshownThread = Pick<ThreadRow, 'channel_id' | 'thread_ts' | 'claim'> & { shown_replies: number };

/** A root, what it says of its replies, and which of them are stored. */
export type StoredRoot = Pick<MessageRow, 'ts' | 'reply_count' | 'latest_reply'> & { live: number; last: Ts | null };

const threadTarget = {
  table: 'threads',
  columns: [
    'team_id',
    'channel_id',
    'thread_ts',
    'claim',
    'settled_claims',
    'is_pending',
    'resume_ts',
    'last_checked_at',
    'last_error',
    'live_replies',
    'next_audit_run',
    'audit_interval',
    'followed_from_ts',
    'shown_replies',
  ],
  key: ['team_id', 'channel_id', 'thread_ts'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'threads'>;

const stateTarget = {
  table: 'ingestion_state',
  columns: [
    'team_id',
    'channel_id',
    'wanted_from_ts',
    'last_ts',
    'oldest_ts',
    'floor_ts',
    'floor_probed_ts',
    'floor_probed_at',
    'last_checked_at',
    'last_error',
    'audited_at',
    'audited_run',
    'audit_ts',
    'audit_began_at',
    'expired_to_ts',
    'followed_from_ts',
    'reread_ranges',
  ],
  key: ['team_id', 'channel_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'ingestion_state'>;

const coverageTarget = {
  table: 'coverage',
  columns: ['team_id', 'channel_id', 'from_ts', 'to_ts', 'source', 'audited_at'],
  key: ['team_id', 'channel_id', 'from_ts'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'coverage'>;

/** The repository of one database, for any of its connections and transactions. */
export function positionRepository(dialect: Dialect): (db: Kysely<Schema>) => PositionRepository {
  const findThreads = prepareQuery((db, teamId: string, channelId: string, threadTs: readonly Ts[]) =>
    db
      .selectFrom('threads')
      .selectAll()
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .where(dialect.isAnyOf('thread_ts', threadTs)),
  );
  return (db) => boundTo(dialect, db, findThreads);
}

function boundTo(
  dialect: Dialect,
  db: Kysely<Schema>,
  findThreads: PreparedQuery<[teamId: string, channelId: string, threadTs: readonly Ts[]], ThreadRow>,
): PositionRepository {
  const pendingThreads = (teamId: string, channelIds: readonly string[]) =>
    db
      .selectFrom('threads')
      .where('team_id', '=', teamId)
      .where((eb) => eb.ref('is_pending'))
      .where(dialect.isAnyOf('channel_id', channelIds));

  return {
    listStates: (teamId) => db.selectFrom('ingestion_state').selectAll().where('team_id', '=', teamId).execute(),

    async findExpiredTo(teamId, channelId) {
      const row = await db
        .selectFrom('ingestion_state')
        .select('expired_to_ts')
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .executeTakeFirst();
      return row?.expired_to_ts ?? null;
    },

    saveState: (row) => dialect.writeRows(db, stateTarget, [row]),

    async noteError(teamId, channelId, error, now) {
      await db
        .updateTable('ingestion_state')
        .set({ last_error: error, last_checked_at: now })
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .execute();
    },

    listCoverage: (teamId, channelId) =>
      db
        .selectFrom('coverage')
        .selectAll()
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .orderBy('from_ts')
        .execute(),

    async replaceCoverage(before, rows) {
      const kept = new Map(rows.map((row) => [row.from_ts, row]));
      const known = new Map(before.map((row) => [row.from_ts, row]));
      for (const row of before) {
        if (kept.has(row.from_ts)) continue;
        await db
          .deleteFrom('coverage')
          .where('team_id', '=', row.team_id)
          .where('channel_id', '=', row.channel_id)
          .where('from_ts', '=', row.from_ts)
          .execute();
      }
      const changed = rows.filter((row) => known.get(row.from_ts) !== row);
      if (changed.length > 0) await dialect.writeRows(db, coverageTarget, changed);
    },

    async findThreads(teamId, channelId, threadTs) {
      if (threadTs.length === 0) return new Map();
      const rows = await findThreads(db, teamId, channelId, threadTs);
      return new Map(rows.map((row) => [row.thread_ts, row]));
    },

    writeThreads: (rows) => dialect.writeRows(db, threadTarget, rows),

    listPendingThreads: (teamId, channelIds, { failedBefore, now, limit }) =>
      pendingThreads(teamId, channelIds)
        .selectAll()
        .where((eb) =>
          eb.or([
            eb('last_error', 'is', null),
            eb('last_checked_at', 'is', null),
            eb('last_checked_at', '<', failedBefore),
            // Noted under a clock that was ahead.
            eb('last_checked_at', '>', now),
          ]),
        )
        .orderBy('thread_ts', 'desc')
        .limit(limit)
        .execute(),

    async countPendingThreads(teamId, channelIds) {
      const { count } = await pendingThreads(teamId, channelIds)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return count;
    },

    async listThreadsToAudit(teamId, channelIds, { run, lively, limit }) {
      const due = () =>
        db
          .selectFrom('threads')
          .selectAll()
          .where('team_id', '=', teamId)
          .where('next_audit_run', '<=', run)
          .where('is_pending', '=', false)
          .where(dialect.isAnyOf('channel_id', channelIds))
          .orderBy('next_audit_run')
          .orderBy('thread_ts', 'desc');
      const first = await due()
        .where('audit_interval', '<=', lively)
        .limit(Math.ceil(limit / 2))
        .execute();
      const known = new Set(first.map(({ channel_id, thread_ts }) => `${channel_id} ${thread_ts}`));
      const waiting = await due().limit(limit).execute();
      const others = waiting.filter(({ channel_id, thread_ts }) => !known.has(`${channel_id} ${thread_ts}`));
      return [...first, ...others].slice(0, limit);
    },

    async queueWholeThreads(teamId, channelId, threadTs) {
      if (threadTs.length === 0) return 0;
      const threads = () =>
        db
          .updateTable('threads')
          .where('team_id', '=', teamId)
          .where('channel_id', '=', channelId)
          .where(dialect.isAnyOf('thread_ts', threadTs));
      await threads().set({ settled_claims: null, live_replies: null, resume_ts: null }).execute();
      const queued = await threads()
        .set({ is_pending: true })
        .where('is_pending', '=', false)
        .returning('thread_ts')
        .execute();
      return queued.length;
    },

    listRoots(teamId, channelId, after, limit) {
      const roots = db
        .selectFrom('messages as root')
        .select((eb) => {
          const replies = eb
            .selectFrom('messages as reply')
            .whereRef('reply.team_id', '=', 'root.team_id')
            .whereRef('reply.channel_id', '=', 'root.channel_id')
            .whereRef('reply.thread_ts', '=', 'root.ts')
            .where('reply.is_reply', '=', true)
            .where('reply.deleted_at', 'is', null);
          return [
            'root.ts',
            'root.reply_count',
            'root.latest_reply',
            replies
              .select(({ fn }) => fn.countAll<number>().as('live'))
              .$asScalar()
              .$notNull()
              .as('live'),
            replies
              .select(({ fn }) => fn.max<Ts | null>('reply.ts').as('last'))
              .$asScalar()
              .as('last'),
          ];
        })
        .where('root.team_id', '=', teamId)
        .where('root.channel_id', '=', channelId)
        .where('root.thread_ts', 'is not', null)
        .where('root.is_reply', '=', false)
        .orderBy('root.thread_ts')
        .limit(limit);
      return (after === null ? roots : roots.where('root.thread_ts', '>', after)).execute();
    },

    async listRootless(teamId, channelId, after, limit) {
      const threads = db
        .selectFrom('messages as reply')
        .select(({ fn, ref }) => [
          ref('reply.thread_ts').$notNull().as('ts'),
          fn.countAll<number>().as('live'),
          fn.max<Ts | null>('reply.ts').as('last'),
        ])
        .where('reply.team_id', '=', teamId)
        .where('reply.channel_id', '=', channelId)
        .where('reply.thread_ts', 'is not', null)
        .where('reply.is_reply', '=', true)
        .where('reply.deleted_at', 'is', null)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('messages as root')
                .select('root.ts')
                .whereRef('root.team_id', '=', 'reply.team_id')
                .whereRef('root.channel_id', '=', 'reply.channel_id')
                .whereRef('root.ts', '=', 'reply.thread_ts'),
            ),
          ),
        )
        .groupBy('reply.thread_ts')
        .orderBy('reply.thread_ts')
        .limit(limit);
      const rows = await (after === null ? threads : threads.where('reply.thread_ts', '>', after)).execute();
      return rows.map((row) => ({ ...row, reply_count: null, latest_reply: null }));
    },

    async markRoots(teamId, channelId) {
      await db
        .updateTable('messages')
        .set((eb) => ({ thread_ts: eb.ref('ts') }))
        .where('team_id', '=', teamId)
        .where('channel_id', '=', channelId)
        .where('thread_ts', 'is', null)
        .where('ts', 'in', (eb) =>
          eb
            .selectFrom('messages as reply')
            .select((one) => one.ref('reply.thread_ts').$notNull().as('thread_ts'))
            .where('reply.team_id', '=', teamId)
            .where('reply.channel_id', '=', channelId)
            .where('reply.thread_ts', 'is not', null)
            .where('reply.is_reply', '=', true),
        )
        .execute();
    },

    listUnshownThreads: (teamId) =>
      db
        .selectFrom('threads')
        .select(['channel_id', 'thread_ts', 'claim'])
        .select((eb) => eb.ref('shown_replies').$notNull().as('shown_replies'))
        .where('team_id', '=', teamId)
        .where('shown_replies', 'is not', null)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('ingestion_state as state')
                .select('state.channel_id')
                .whereRef('state.team_id', '=', 'threads.team_id')
                .whereRef('state.channel_id', '=', 'threads.channel_id')
                .whereRef('state.expired_to_ts', '>=', 'threads.thread_ts'),
            ),
          ),
        )
        .orderBy('thread_ts', 'desc')
        .execute(),

    async noteThreadError(row, error, now) {
      await db
        .updateTable('threads')
        .set({ last_error: error, last_checked_at: now })
        .where('team_id', '=', row.team_id)
        .where('channel_id', '=', row.channel_id)
        .where('thread_ts', '=', row.thread_ts)
        .execute();
    },
  };
}
