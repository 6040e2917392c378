/**
 * The tables as TypeScript sees them, the same on both databases (dialects/ converts). Columns are spelled as in
 * migrations/; the meaning of the less obvious ones is explained there.
 */
import type { ChannelKind, IsoTime, JsonObject, Ts } from '../model.ts';

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

/** What messages tell of a person's names. */
export interface ToldNameRow {
  team_id: string;
  user_id: string;
  profile_ts: Ts | null;
  name: string | null;
  real_name: string | null;
  display_name: string | null;
  label_ts: Ts | null;
  label: string | null;
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
  kind: ChannelKind;
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
  followed_from_ts: Ts | null;
  /** `rangesToText` of interval.ts. */
  reread_ranges: string | null;
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
  followed_from_ts: Ts | null;
  shown_replies: number | null;
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

export interface EventCandidateRow {
  team_id: string;
  channel_id: string;
  ts: Ts;
  source: string;
  posted_at: IsoTime;
  score: number;
  status: CandidateStatus;
  reason: string | null;
  features: JsonObject;
  config_hash: string;
  norm_version: number;
  text_hash: string;
  message_updated_at: IsoTime;
  lease_owner: string | null;
  lease_expires_at: IsoTime | null;
  attempts: number;
  created_at: IsoTime;
  updated_at: IsoTime;
}

/**
 * `new`: scored, not read by any extractor; `rules_ok`: read by the rules; `processing`: leased to the language model;
 * `llm_ok`, `llm_fail`: how that ended; `skipped`: no candidate, `reason` says why.
 */
export type CandidateStatus = 'new' | 'rules_ok' | 'processing' | 'llm_ok' | 'llm_fail' | 'skipped';

export interface EventRow {
  event_id: string;
  team_id: string;
  source: string;
  scope: string;
  extracted_at: IsoTime;
  extractor: string;
  prompt_version: string | null;
  model: string | null;
  action: string;
  object_id: string | null;
  object_name_raw: string;
  qualifiers: string[];
  stroke: string | null;
  anchor: string | null;
  category: string;
  status: string;
  change_type: string;
  environment: string;
  severity: string | null;
  planned_start: IsoTime | null;
  planned_end: IsoTime | null;
  actual_start: IsoTime | null;
  actual_end: IsoTime | null;
  time_source: string;
  time_confidence: number;
  primary_time: IsoTime | null;
  summary: string;
  why_it_matters: string | null;
  links: string[];
  anchors: string[];
  impact_area: string[];
  impact_type: string[];
  confidence: number;
  importance: number;
  cluster_key: string;
  dedup_key: string;
  merged_into: string | null;
  state: 'valid' | 'repaired' | 'rejected';
  reasons: string[];
  origin: JsonObject;
}

export interface EventSourceRow {
  event_id: string;
  team_id: string;
  channel_id: string;
  ts: Ts;
  permalink: string | null;
}

export interface LlmCallRow {
  id: string;
  team_id: string;
  channel_id: string;
  ts: Ts;
  chunk_index: number;
  cache_key: string;
  model: string;
  prompt_version: string;
  temperature: number;
  tokens_in: number;
  tokens_out: number;
  cost_usd: number;
  latency_ms: number;
  attempt: number;
  success: boolean;
  cached: boolean;
  error_code: string | null;
  error_message: string | null;
  created_at: IsoTime;
}

export interface LlmCacheRow {
  cache_key: string;
  response: JsonObject;
  created_at: IsoTime;
  expires_at: IsoTime;
}

export interface DigestRow {
  digest_id: string;
  team_id: string;
  channel_id: string;
  window_from: IsoTime;
  window_to: IsoTime;
  config_hash: string;
  status: 'pending' | 'posted';
  created_at: IsoTime;
  posted_at: IsoTime | null;
}

export interface DigestChunkRow {
  digest_id: string;
  chunk_no: number;
  payload: JsonObject;
  status: 'pending' | 'posting' | 'posted';
  claimed_at: IsoTime | null;
  posted_ts: Ts | null;
  error: string | null;
}

export interface DigestItemRow {
  digest_id: string;
  position: number;
  item_key: string;
  chunk_no: number;
  posted_ts: Ts | null;
  status: 'pending' | 'posted';
}

export interface Schema {
  workspaces: WorkspaceRow;
  users: UserRow;
  told_names: ToldNameRow;
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
  event_candidates: EventCandidateRow;
  events: EventRow;
  event_sources: EventSourceRow;
  llm_calls: LlmCallRow;
  llm_cache: LlmCacheRow;
  digests: DigestRow;
  digest_chunks: DigestChunkRow;
  digest_items: DigestItemRow;
}

/**
 * What kind of value a column holds, told by its name alone: a column name has one kind in the whole schema
 * (test/db/schema.test.ts holds the databases to it). Everything else is text or a number and needs no conversion.
 */
export type ColumnKind = 'json' | 'time' | 'flag' | 'integer' | 'bigint' | 'real' | 'text';

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
  shown_replies: 'integer',
  rows: 'integer',
  norm_version: 'integer',
  attempts: 'integer',
  attempt: 'integer',
  importance: 'integer',
  chunk_index: 'integer',
  chunk_no: 'integer',
  position: 'integer',
  tokens_in: 'integer',
  tokens_out: 'integer',
  latency_ms: 'integer',
  size: 'bigint',
  message_rows: 'bigint',
  score: 'real',
  confidence: 'real',
  time_confidence: 'real',
  temperature: 'real',
  cost_usd: 'real',
  success: 'flag',
  cached: 'flag',
  features: 'json',
  qualifiers: 'json',
  links: 'json',
  anchors: 'json',
  impact_area: 'json',
  impact_type: 'json',
  reasons: 'json',
  origin: 'json',
  response: 'json',
  payload: 'json',
  planned_start: 'time',
  planned_end: 'time',
  actual_start: 'time',
  actual_end: 'time',
  primary_time: 'time',
  window_from: 'time',
  window_to: 'time',
};

export function columnKind(name: string): ColumnKind {
  return kindByName[name] ?? (name.endsWith('_at') ? 'time' : name.startsWith('is_') ? 'flag' : 'text');
}
