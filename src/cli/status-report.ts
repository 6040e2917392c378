/** What `status` tells of a workspace: read from the database alone, one object for both its forms. */
import type { Store } from '../db/repositories/index.ts';
import type { RunRow, WorkspaceRow } from '../db/schema.ts';
import type { IsoTime, JsonObject, PaceState } from '../model.ts';
import type { Pace } from '../slack/allowance.ts';
import { timeNeeded } from '../slack/time-needed.ts';
import { type AuditBudget, type AuditLoad, auditCycle, pagesToAudit } from '../sync/audit-cycle.ts';
import { livelyInterval } from '../sync/thread-schedule.ts';
import { millisToIso } from '../ts.ts';
import { auditBudgetNow, auditLoad, type Frequency, frequencyOf } from './audit-facts.ts';
import { type ChannelStatus, channelStatuses } from './status-channels.ts';

export interface StatusSettings {
  /** Epoch milliseconds. */
  now: number;
  pace: Pace;
  /** Calls per run that read again what was read before, of each of the two methods. */
  auditRequests: number;
}

export interface WorkspaceStatus {
  team_id: string;
  name: string | null;
  domain: string | null;
  /** Latest first. */
  runs: RunStatus[];
  /** Runs of `ingest` in the last 7 days, and the first of them. */
  ingest: { runs: number; since: Frequency['first'] };
  /** How often that is; null when nobody can tell yet. */
  ingest_runs_per_day: number | null;
  totals: { channels: number; failed: number; with_holes: number; messages: number; threads: number };
  /** The ones that need a look first. */
  channels: ChannelStatus[];
  /** Channels that are known and were never read. */
  channels_not_read: number;
  audit: AuditStatus;
  /** What the next run has to catch up with; the time is that of these requests. */
  remaining: { threads: number; holes: number; requests: number; seconds: number };
  limits: LimitStatus[];
}

export interface RunStatus {
  run_id: string;
  /** What the configuration called the workspace then. */
  workspace: string | null;
  command: string;
  trigger: string;
  status: string;
  exit_code: number | null;
  started_at: IsoTime;
  finished_at: IsoTime | null;
  /** Up to the last sign of life for a run that did not end. */
  duration_ms: number;
  requests: number;
  messages: { inserted: number; updated: number; deleted: number };
  error: string | null;
}

export interface AuditStatus {
  requests_per_run: number;
  /** Calls that one reading of all old history takes. */
  pages: number;
  /** Whatever is stored was seen at or after this moment; null while some of it never was since it was stored. */
  oldest_at: IsoTime | null;
  /** The channel whose turn is next. */
  next_channel_id: string | null;
  histories: Cycle;
  threads: Cycle;
}

/** After how many runs everything was read again, null for never; and the days that takes, null when nobody can tell. */
export interface Cycle {
  every_runs: number | null;
  every_days: number | null;
}

export interface LimitStatus {
  method: string;
  /** Slack asked for a rest until then. */
  not_before_at: IsoTime | null;
  /** Slack allows one call a minute with 15 messages. */
  is_restricted: boolean;
}

const shownRuns = 10;
/** Reads everything about one workspace. Calls nothing, writes nothing. */
export async function readWorkspaceStatus(
  store: Store,
  { team_id, name, domain }: WorkspaceRow,
  settings: StatusSettings,
): Promise<WorkspaceStatus> {
  const { overview, positions } = store;
  const runs = await lastRuns(store, team_id);
  const facts = await overview.listChannelFacts(team_id);
  const messages = await overview.countMessages(team_id);
  const threads = await overview.countThreads(team_id, livelyInterval);
  const states = await positions.listStates(team_id);
  const coverage = await overview.listCoverage(team_id);
  const failures = await lastFailures(store, runs);
  const unshown = await positions.listUnshownThreads(team_id);
  const channels = channelStatuses({ facts, states, coverage, messages, threads, unshown, failures });
  const pace = await store.runs.listPaceStates(team_id);
  const frequency = await frequencyOf(store, team_id, settings.now);
  const read = new Set(channels.map(({ channel_id }) => channel_id));
  return {
    team_id,
    name,
    domain,
    runs: runs.map(runStatus),
    ingest: { runs: frequency.runs, since: frequency.first },
    ingest_runs_per_day: frequency.perDay,
    totals: {
      channels: channels.length,
      failed: channels.filter(({ error }) => error !== null).length,
      with_holes: channels.filter(({ holes }) => holes.length > 0).length,
      messages: sum(channels.map((channel) => channel.messages)),
      threads: sum(threads.map((count) => count.threads)),
    },
    channels,
    channels_not_read: facts.filter(({ channel_id }) => !read.has(channel_id)).length,
    audit: auditStatus(
      channels,
      auditLoad(facts, messages, threads),
      auditBudgetNow(settings.auditRequests, pace),
      frequency.perDay,
    ),
    remaining: remainingOf(channels, { pace: settings.pace, states: pace, now: settings.now }),
    limits: pace
      .map((state) => limitStatus(state, settings.now))
      .filter(({ not_before_at, is_restricted }) => not_before_at !== null || is_restricted),
  };
}

/** Those that failed before Slack said which workspace it is belong to the one that goes by the same name. */
async function lastRuns(store: Store, teamId: string): Promise<RunRow[]> {
  const runs = await store.overview.listRuns(teamId, shownRuns);
  const names = new Set(runs.map(({ workspace }) => workspace));
  const astray = await store.overview.listRuns(null, shownRuns);
  return [...runs, ...astray.filter(({ workspace }) => names.has(workspace))]
    .sort((a, b) => (a.started_at < b.started_at ? 1 : -1))
    .slice(0, shownRuns);
}

/** Failures of channels that were never read have no place but the run. */
async function lastFailures(store: Store, runs: readonly RunRow[]) {
  const last = runs.find(({ command, status }) => command === 'ingest' && status !== 'running');
  return last === undefined ? [] : store.overview.listFailures(last.run_id);
}

export function runStatus(row: RunRow): RunStatus {
  const messages = objectAt(row.counts, 'messages');
  return {
    run_id: row.run_id,
    workspace: row.workspace,
    command: row.command,
    trigger: row.trigger,
    status: row.status,
    exit_code: row.exit_code,
    started_at: row.started_at,
    finished_at: row.finished_at,
    duration_ms: Math.max(0, Date.parse(row.finished_at ?? row.heartbeat_at) - Date.parse(row.started_at)),
    requests: sum(Object.values(objectAt(row.counts, 'requests')).filter((n) => typeof n === 'number')),
    messages: {
      inserted: numberAt(messages, 'inserted'),
      updated: numberAt(messages, 'updated'),
      deleted: numberAt(messages, 'deleted'),
    },
    error: row.error,
  };
}

function auditStatus(
  channels: readonly ChannelStatus[],
  load: AuditLoad,
  budget: AuditBudget,
  perDay: number | null,
): AuditStatus {
  const cycle = auditCycle(load, budget);
  const read = channels.filter((channel) => channel.complete_from !== null && channel.last_checked_at !== null);
  const next = [...read].sort((a, b) => ((a.audited_at ?? '') < (b.audited_at ?? '') ? -1 : 1))[0];
  return {
    requests_per_run: budget.requests,
    pages: pagesToAudit(load, budget.room),
    oldest_at: next?.audited_at ?? null,
    next_channel_id: next?.channel_id ?? null,
    histories: cycleOf(cycle.histories, perDay),
    threads: cycleOf(cycle.threads, perDay),
  };
}

function cycleOf(runs: number | null, perDay: number | null): Cycle {
  return { every_runs: runs, every_days: runs === null || perDay === null ? null : runs / perDay };
}

/** One call at least for each. */
function remainingOf(
  channels: readonly ChannelStatus[],
  limits: { pace: Pace; states: readonly PaceState[]; now: number },
): WorkspaceStatus['remaining'] {
  const threads = sum(channels.map((channel) => channel.threads.pending));
  const holes = sum(channels.map((channel) => channel.holes.length));
  const ms = timeNeeded({ 'conversations.history': holes, 'conversations.replies': threads }, limits);
  return { threads, holes, requests: threads + holes, seconds: Math.ceil(ms / 1000) };
}

function limitStatus({ method, notBefore, isRestricted }: PaceState, now: number): LimitStatus {
  return {
    method,
    not_before_at: notBefore > now ? millisToIso(notBefore) : null,
    is_restricted: isRestricted,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function numberAt(object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' ? value : 0;
}
