import type { Kysely } from 'kysely';
import type { IsoTime, PaceState } from '../../model.ts';
import { millisToIso } from '../../ts.ts';
import type { Dialect, WriteTarget } from '../dialects/dialect.ts';
import type { RunChannelRow, RunRow, Schema } from '../schema.ts';

/** The record of what was run, and what the pacer must know in the next run. */
export interface RunRepository {
  insertRun(row: RunRow): Promise<void>;
  updateRun(runId: string, change: Partial<RunRow>): Promise<void>;
  /**
   * Marks runs of the workspace that never finished as failed: digests, or all others. Call it while holding the lock under
   * which these run: then whoever began them is gone. Returns their ids.
   */
  markAbandoned(teamId: string, which: 'digests' | 'others', now: IsoTime): Promise<string[]>;
  /** How many runs of ingest there were. */
  findIngestRuns(teamId: string): Promise<number>;
  /** Counts one more run of ingest and returns its number, 1 for the first. */
  countIngestRun(teamId: string): Promise<number>;
  /** When the last finished run of this command began. */
  findLastStart(teamId: string, command: string): Promise<IsoTime | null>;
  /** When the last run began that read all that was new, of some channels at least; null when there was none. */
  findLastRead(teamId: string): Promise<IsoTime | null>;
  /** How the config file called the workspace in the last run that used its token; null without one. */
  findWorkspaceName(teamId: string): Promise<string | null>;
  /** The other way round: the team that the token of a workspace in the config file belonged to in its last run. */
  findLastTeam(workspace: string): Promise<string | null>;
  /** Names of the discard rules that matched in the last runs. */
  listDiscardLabels(teamId: string): Promise<string[]>;
  saveRunChannels(rows: readonly RunChannelRow[]): Promise<void>;
  /**
   * Removes, from the last runs before this one, the rows of channels in which nothing happened: a run every few
   * minutes over hundreds of channels would else fill the database with them.
   */
  forgetUneventful(teamId: string, runId: string): Promise<void>;

  listPaceStates(teamId: string): Promise<PaceState[]>;
  /** Wants a transaction. */
  savePaceStates(teamId: string, states: readonly PaceState[], now: IsoTime): Promise<void>;
}

/** Others know a workspace by what is stored of it, and record what Slack calls it where no config file names it. */
const withToken = ['ingest', 'backfill', 'sync-users'];

/** A month of a run each hour. */
const rememberedRuns = 720;

/** Usually only the one before has such rows; more when it was killed before it could tidy up. */
const uneventfulRuns = 10;

const runChannelTarget = {
  table: 'run_channels',
  columns: ['run_id', 'channel_id', 'team_id', 'status', 'counts', 'error'],
  key: ['run_id', 'channel_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'run_channels'>;

const rateLimitTarget = {
  table: 'rate_limits',
  columns: ['team_id', 'method', 'not_before_at', 'is_restricted', 'recent_calls', 'updated_at'],
  key: ['team_id', 'method'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'rate_limits'>;

/** The repository of one database, for any of its connections and transactions. */
export function runRepository(dialect: Dialect): (db: Kysely<Schema>) => RunRepository {
  return (db) => ({
    async insertRun(row) {
      await db.insertInto('runs').values(row).execute();
    },

    async updateRun(runId, change) {
      await db.updateTable('runs').set(change).where('run_id', '=', runId).execute();
    },

    async markAbandoned(teamId, which, now) {
      const rows = await db
        .updateTable('runs')
        .set({
          status: 'failed',
          finished_at: now,
          error: 'abandoned: the process ended without a word (killed, or the machine stopped)',
        })
        .where('team_id', '=', teamId)
        .where('status', '=', 'running')
        .where('command', which === 'digests' ? '=' : '!=', 'digest')
        .returning('run_id')
        .execute();
      return rows.map(({ run_id }) => run_id);
    },

    async findIngestRuns(teamId) {
      const row = await db
        .selectFrom('run_counts')
        .select('ingest_runs')
        .where('team_id', '=', teamId)
        .executeTakeFirst();
      return row?.ingest_runs ?? 0;
    },

    async countIngestRun(teamId) {
      const { ingest_runs } = await db
        .insertInto('run_counts')
        .values({ team_id: teamId, ingest_runs: 1 })
        .onConflict((conflict) =>
          conflict.column('team_id').doUpdateSet((eb) => ({ ingest_runs: eb('run_counts.ingest_runs', '+', 1) })),
        )
        .returning('ingest_runs')
        .executeTakeFirstOrThrow();
      return ingest_runs;
    },

    async findLastStart(teamId, command) {
      const row = await db
        .selectFrom('runs')
        .select('started_at')
        .where('team_id', '=', teamId)
        .where('command', '=', command)
        .where('status', '!=', 'running')
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.started_at ?? null;
    },

    async findLastRead(teamId) {
      const row = await db
        .selectFrom('runs')
        .select('started_at')
        .where('team_id', '=', teamId)
        .where('command', '=', 'ingest')
        .where('status', 'in', ['completed', 'partial'])
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.started_at ?? null;
    },

    async findWorkspaceName(teamId) {
      const row = await db
        .selectFrom('runs')
        .select('workspace')
        .where('team_id', '=', teamId)
        .where('command', 'in', withToken)
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.workspace ?? null;
    },

    async findLastTeam(workspace) {
      const row = await db
        .selectFrom('runs')
        .select('team_id')
        .where('workspace', '=', workspace)
        .where('team_id', 'is not', null)
        .where('command', 'in', withToken)
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.team_id ?? null;
    },

    async listDiscardLabels(teamId) {
      const rows = await db
        .selectFrom('runs')
        .select('counts')
        .where('team_id', '=', teamId)
        .orderBy('started_at', 'desc')
        .limit(rememberedRuns)
        .execute();
      return [...new Set(rows.flatMap(({ counts }) => Object.keys(counts['discarded_by_rule'] ?? {})))];
    },

    async forgetUneventful(teamId, runId) {
      await db
        .deleteFrom('run_channels')
        .where('status', '=', 'ok')
        .where('counts', '=', {})
        .where('run_id', 'in', (eb) =>
          eb
            .selectFrom('runs')
            .select('run_id')
            .where('team_id', '=', teamId)
            .where('run_id', '!=', runId)
            .orderBy('started_at', 'desc')
            .limit(uneventfulRuns),
        )
        .execute();
    },

    saveRunChannels: (rows) => dialect.writeRows(db, runChannelTarget, rows),

    async listPaceStates(teamId) {
      const rows = await db.selectFrom('rate_limits').selectAll().where('team_id', '=', teamId).execute();
      return rows.map((row) => ({
        method: row.method,
        notBefore: row.not_before_at === null ? 0 : Date.parse(row.not_before_at),
        recentCalls: numbersOf(row.recent_calls['at']),
        isRestricted: row.is_restricted,
      }));
    },

    async savePaceStates(teamId, states, now) {
      const rows = states.map((state) => ({
        team_id: teamId,
        method: state.method,
        not_before_at: state.notBefore === 0 ? null : millisToIso(state.notBefore),
        is_restricted: state.isRestricted,
        recent_calls: { at: state.recentCalls },
        updated_at: now,
      }));
      await dialect.writeRows(db, rateLimitTarget, rows);
    },
  });
}

function numbersOf(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((element) => typeof element === 'number') : [];
}
