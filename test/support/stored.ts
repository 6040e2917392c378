/** What a database holds, in a form two runs can be compared by. */
import type { TestDatabase } from './databases.ts';

const keys = {
  workspaces: 'team_id',
  users: 'team_id, user_id',
  told_names: 'team_id, user_id',
  usergroups: 'team_id, usergroup_id',
  channels: 'team_id, channel_id',
  messages: 'team_id, channel_id, ts',
  message_revisions: 'team_id, channel_id, ts, seen_at',
  reactions: 'team_id, channel_id, ts, name, user_id',
  files: 'team_id, file_id',
  message_files: 'team_id, channel_id, ts, file_id',
  ingestion_state: 'team_id, channel_id',
  coverage: 'team_id, channel_id, from_ts',
  threads: 'team_id, channel_id, thread_ts',
  run_counts: 'team_id',
  stored_counts: 'team_id, channel_id',
  channel_aliases: 'team_id, kind, alias, channel_id',
  import_files: 'team_id, path, sha256',
  runs: 'started_at, run_id',
  run_channels: 'run_id, channel_id',
  rate_limits: 'team_id, method',
  locks: 'name',
  event_candidates: 'team_id, channel_id, ts',
  events: 'event_id',
  event_sources: 'event_id, team_id, channel_id, ts',
  llm_calls: 'id',
  llm_cache: 'cache_key',
  digests: 'digest_id',
  digest_chunks: 'digest_id, chunk_no',
  digest_items: 'digest_id, position',
} as const;

export type Table = keyof typeof keys;
export const allTables = Object.keys(keys) as Table[];

/** Tables that say how the work went, not what Slack holds. */
export const tablesOfRuns: readonly Table[] = ['runs', 'run_channels', 'run_counts', 'rate_limits', 'locks'];

/** When we saw something. Everything else must not depend on when, how often and in how many pieces it was read. */
const timesOfOurs = [
  'first_seen_at',
  'updated_at',
  'audited_at',
  'last_checked_at',
  'floor_probed_at',
  'users_synced_at',
  'seen_at',
  // In which run it was read again.
  'audited_run',
  'audit_ts',
  'audit_began_at',
  'next_audit_run',
  'audit_interval',
  // What Slack had when it was first read.
  'followed_from_ts',
] as const;

export type Stored = Record<string, Record<string, unknown>[]>;

/** Every row of the tables (default: all of them), by table. */
export async function stored(
  database: TestDatabase,
  options: { tables?: readonly Table[]; without?: readonly string[] } = {},
): Promise<Stored> {
  const { tables = allTables, without = [] } = options;
  const found: Stored = {};
  for (const table of tables) found[table] = await database.rows(table, { order: keys[table], without });
  return found;
}

/** What Slack holds as far as it was read: equal after any history of interruptions. */
export async function storedSlack(database: TestDatabase): Promise<Stored> {
  const tables = allTables.filter((table) => !tablesOfRuns.includes(table));
  const found = await stored(database, { tables, without: timesOfOurs });
  const messages = found['messages'] ?? [];
  return {
    ...found,
    messages: messages.map((row) => ({ ...row, deleted_at: row['deleted_at'] !== null })),
    coverage: withoutClock(found['coverage'] ?? [], messages),
  };
}

/** Coverage ends at a message, or where a run found none: at the beginning of its window, by its clock. */
function withoutClock(coverage: Record<string, unknown>[], messages: Record<string, unknown>[]) {
  const known = new Set(messages.map(({ channel_id, ts }) => `${channel_id} ${ts}`));
  return coverage.map((row) =>
    known.has(`${row['channel_id']} ${row['to_ts']}`) ? row : { ...row, to_ts: 'by the clock' },
  );
}
