/**
 * The tables as TypeScript sees them, the same on both databases (dialects/ converts). Columns are spelled as in
 * migrations/; the meaning of the less obvious ones is explained there.
 */
import type { IsoTime, JsonObject, Ts } from '../model.ts';

export interface WorkspaceRow {
  team_id: string;
  name: string | null;
  domain: string | null;
  url: string | null;
  enterprise_id: string | null;
  users_synced_at: IsoTime | null;
  updated_at: IsoTime;
}

export interface UserRow {
  team_id: string;
  user_id: string;
  name: string | null;
  real_name: string | null;
  display_name: string | null;
  email: string | null;
  tz: string | null;
  is_bot: boolean | null;
  is_deleted: boolean | null;
  lookup: string | null;
  content_hash: string | null;
  raw: JsonObject | null;
  updated_at: IsoTime;
  exported_at: IsoTime | null;
}

export interface UsergroupRow {
  team_id: string;
  usergroup_id: string;
  handle: string | null;
  name: string | null;
  description: string | null;
  is_deleted: boolean;
  content_hash: string;
  raw: JsonObject;
  updated_at: IsoTime;
}

export interface ChannelRow {
  team_id: string;
  channel_id: string;
  name: string | null;
  kind: 'public' | 'private' | 'im' | 'mpim';
  is_archived: boolean;
  is_member: boolean | null;
  topic: string | null;
  purpose: string | null;
  content_hash: string;
  raw: JsonObject;
  updated_at: IsoTime;
  exported_at: IsoTime | null;
}

export interface MessageRow {
  team_id: string;
  channel_id: string;
  ts: Ts;
  posted_at: IsoTime;
  thread_ts: Ts | null;
  is_reply: boolean;
  user_id: string | null;
  bot_id: string | null;
  subtype: string | null;
  text: string | null;
  search_text: string | null;
  edited_ts: string | null;
  reply_count: number | null;
  latest_reply: string | null;
  deleted_at: IsoTime | null;
  source: MessageSourceName;
  is_sanitized: boolean;
  content_hash: string;
  state_hash: string;
  raw: JsonObject;
  first_seen_at: IsoTime;
  updated_at: IsoTime;
  exported_at: IsoTime | null;
}

export type MessageSourceName = 'api' | 'import' | 'event';

export interface MessageRevisionRow {
  team_id: string;
  channel_id: string;
  ts: Ts;
  seen_at: IsoTime;
  text: string | null;
  raw: JsonObject;
  edited_ts: string | null;
}

export interface ReactionRow {
  team_id: string;
  channel_id: string;
  ts: Ts;
  name: string;
  user_id: string;
  first_seen_at: IsoTime;
}

export interface FileRow {
  team_id: string;
  file_id: string;
  name: string | null;
  title: string | null;
  mimetype: string | null;
  size: number | null;
  mode: string | null;
  url_private: string | null;
  created_at: IsoTime | null;
  content_hash: string;
  raw: JsonObject;
  updated_at: IsoTime;
  exported_at: IsoTime | null;
}

export interface MessageFileRow {
  team_id: string;
  channel_id: string;
  ts: Ts;
  file_id: string;
}

export interface IngestionStateRow {
  team_id: string;
  channel_id: string;
  wanted_from_ts: Ts;
  last_ts: Ts | null;
  oldest_ts: Ts | null;
  floor_ts: Ts | null;
  floor_probed_ts: Ts | null;
  floor_probed_at: IsoTime | null;
  last_checked_at: IsoTime | null;
  last_error: string | null;
  audited_at: IsoTime | null;
  audited_run: number | null;
  audit_ts: Ts | null;
  audit_began_at: IsoTime | null;
  expired_to_ts: Ts | null;
}

export interface CoverageRow {
  team_id: string;
  channel_id: string;
  from_ts: Ts;
  to_ts: Ts;
  source: MessageSourceName;
  audited_at: IsoTime;
}

export interface ThreadRow {
  team_id: string;
  channel_id: string;
  thread_ts: Ts;
  claim: string;
  settled_claims: string | null;
  is_pending: boolean;
  resume_ts: Ts | null;
  last_checked_at: IsoTime | null;
  last_error: string | null;
  live_replies: number | null;
  next_audit_run: number | null;
  audit_interval: number | null;
}

export interface RunCountRow {
  team_id: string;
  ingest_runs: number;
}

export interface StoredCountRow {
  team_id: string;
  channel_id: string;
  message_rows: number;
}

export interface ChannelAliasRow {
  team_id: string;
  kind: 'name' | 'id';
  alias: string;
  channel_id: string;
  updated_at: IsoTime;
}

/** A file of an export that was imported. */
export interface ImportFileRow {
  team_id: string;
  sha256: string;
  path: string;
  rows: number;
  status: 'done' | 'partial' | 'failed';
  error: string | null;
  exported_at: IsoTime | null;
  updated_at: IsoTime;
}

export type RunStatus = 'running' | 'completed' | 'partial' | 'failed' | 'interrupted';

export interface RunRow {
  run_id: string;
  team_id: string | null;
  workspace: string | null;
  command: string;
  trigger: 'cron' | 'systemd' | 'github' | 'manual';
  status: RunStatus;
  started_at: IsoTime;
  finished_at: IsoTime | null;
  heartbeat_at: IsoTime;
  exit_code: number | null;
  counts: JsonObject;
  error: string | null;
  config_hash: string | null;
  app_version: string;
}

export interface RunChannelRow {
  run_id: string;
  channel_id: string;
  team_id: string;
  status: 'ok' | 'failed' | 'skipped';
  counts: JsonObject;
  error: string | null;
}

export interface RateLimitRow {
  team_id: string;
  method: string;
  not_before_at: IsoTime | null;
  is_restricted: boolean;
  recent_calls: JsonObject;
  updated_at: IsoTime;
}

export interface LockRow {
  name: string;
  owner: string;
  host: string;
  pid: number;
  acquired_at: IsoTime;
  heartbeat_at: IsoTime;
  expires_at: IsoTime;
}

export interface Schema {
  workspaces: WorkspaceRow;
  users: UserRow;
  usergroups: UsergroupRow;
  channels: ChannelRow;
  messages: MessageRow;
  message_revisions: MessageRevisionRow;
  reactions: ReactionRow;
  files: FileRow;
  message_files: MessageFileRow;
  ingestion_state: IngestionStateRow;
  coverage: CoverageRow;
  threads: ThreadRow;
  run_counts: RunCountRow;
  stored_counts: StoredCountRow;
  channel_aliases: ChannelAliasRow;
  import_files: ImportFileRow;
  runs: RunRow;
  run_channels: RunChannelRow;
  rate_limits: RateLimitRow;
  locks: LockRow;
}

/**
 * What kind of value a column holds, told by its name alone: a column name has one kind in the whole schema
 * (test/db/schema.test.ts holds the databases to it). Everything else is text or a number and needs no conversion.
 */
export type ColumnKind = 'json' | 'time' | 'flag' | 'integer' | 'bigint' | 'text';

const kindByName: Record<string, ColumnKind> = {
  raw: 'json',
  counts: 'json',
  recent_calls: 'json',
  reply_count: 'integer',
  exit_code: 'integer',
  pid: 'integer',
  ingest_runs: 'integer',
  audited_run: 'integer',
  live_replies: 'integer',
  next_audit_run: 'integer',
  audit_interval: 'integer',
  rows: 'integer',
  size: 'bigint',
  message_rows: 'bigint',
};

export function columnKind(name: string): ColumnKind {
  return kindByName[name] ?? (name.endsWith('_at') ? 'time' : name.startsWith('is_') ? 'flag' : 'text');
}
