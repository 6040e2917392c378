/** A command's work on one workspace: lock, run record, heartbeat, and what the `--json` object tells at the end. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../config/duration.ts';
import type { WorkspaceConfig } from '../config/load.ts';
import { configuredLabel } from '../config/token.ts';
import type { Dialect } from '../db/dialects/dialect.ts';
import { acquireLock, type Lock } from '../db/lock.ts';
import { openStore, type Store } from '../db/repositories/index.ts';
import type { Schema } from '../db/schema.ts';
import { AppError, LockedError, sentences, UsageError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { workspaceLabel, workspaceLabelWithId } from '../labels.ts';
import type { Identity, JsonObject, PaceState } from '../model.ts';
import { maskSecrets } from '../secrets.ts';
import type { SlackApiHandle } from '../slack/api-source.ts';
import { describe, type SyncContext, syncContext } from '../sync/context.ts';
import { countsToJson, hasChanges, type MessageCounts, noMessages } from '../sync/counts.ts';
import { type Outcome, outcomeOf } from '../sync/outcome.ts';
import type { ChannelResult } from '../sync/read-channels.ts';
import { beginRun, endRun, type RunFacts, recordedErrors, startHeartbeat } from '../sync/run-record.ts';
import { millisToIso } from '../ts.ts';
import { appVersion } from '../version.ts';
import type { CommandContext } from './context.ts';

/** What a command does on one workspace. */
export interface WorkspaceJob {
  command: string;
  /** Nothing is written: every transaction is undone, and there is neither lock nor run record. */
  dryRun: boolean;
  /** The tables that a dry run writes before it undoes that; none when it only looks. Default: any. */
  rehearses?: readonly (keyof Schema & string)[];
  /** It fills a database that does not exist yet; other jobs need one. */
  fills?: boolean;
  /** Slack is not called: no token is needed, and the workspaces are those the database knows. */
  isOffline?: boolean;
  /** The workspaces of an offline job that may not be stored yet. */
  findTargets?: (dialect: Dialect) => Promise<OfflineTargets>;
  allowJoin: boolean;
  /** Whether messages may be posted. Default: no. */
  /** How long a rest that Slack asks for may keep the run waiting. Default: an hour. Milliseconds. */
  patienceMs?: number;
  allowPost?: boolean;
  /**
   * A lock of its own: the job changes nothing of what Slack holds, so it may run beside those that do, and must not be kept
   * from running by a first copy that takes hours.
   */
  isDigest?: boolean;
  /** Calls to Slack when nobody says how many; without limit when absent. */
  maxRequests?: number;
  /** What is printed instead of a summary, made safe to print by itself; null where that is not to be. */
  present?: (results: readonly WorkspaceResult[]) => Promise<string | null>;
  /** The result for people, where it is not the usual one. */
  summarize?: (result: WorkspaceResult) => string;
  /** Works until done, or throws what stopped it. `report` is told what was done so far, in either case. */
  work: (
    context: SyncContext,
    identity: Identity,
    workspace: WorkspaceConfig,
    slack: SlackApiHandle,
  ) => { done: Promise<unknown>; report: () => JobReport };
  /** Lets go of what the job opened, however it ended. */
  close?: () => Promise<void>;
}

/** Workspaces to work on without calling Slack, each with what is known of it. */
export type OfflineTargets = ReadonlyMap<WorkspaceConfig, { known: Identity }>;

export interface JobReport {
  channels: { total: number; ok: number; failed: number; skipped: number };
  channelResults: readonly ChannelResult[];
  /** Whether anything at all was done, so that failures make it partial and not failed. */
  anyOk: boolean;
  /** What was found amiss although every unit could be worked on; counts as failed units do. */
  amiss?: number;
  /** What is left when the run ended early; null when nothing is. */
  remaining: JsonObject | null;
  /** Keys of the command's own. */
  extra: JsonObject;
  /** The summary for people, where it is not the usual one. */
  lines?: readonly string[];
}

/** The `--json` object of one workspace. */
export interface WorkspaceResult {
  run_id: string | null;
  command: string;
  status: Outcome['status'];
  workspace: string | null;
  /** What people call it. */
  label: string;
  started_at: string;
  finished_at: string;
  duration_ms: number;
  requests: Record<string, number>;
  rate_limited: number;
  channels: JobReport['channels'];
  messages: MessageCounts;
  errors: { channel_id: string | null; channel: string | null; code: string; message: string; hint: string | null }[];
  remaining: JsonObject | null;
  extra: JsonObject;
  lines: readonly string[] | null;
  exitCode: ExitCode;
}

/** Stops one run: told by a signal, or by what happens in it. */
export interface RunControl {
  signal: AbortSignal;
  stop: (reason: unknown) => void;
}

/** One command on one workspace, from the first call to the record of how it ended. */
export class WorkspaceRun {
  readonly #context: CommandContext;
  readonly #dialect: Dialect;
  readonly #job: WorkspaceJob;
  readonly workspace: WorkspaceConfig;
  readonly #slack: SlackApiHandle;
  readonly #control: RunControl;
  readonly #facts: RunFacts;
  #identity: Promise<Identity> | null = null;
  #label: string;
  /** Epoch milliseconds by Slack's clock. */
  readonly #now = (): number => this.#slack.now();
  #startedAt = performance.now();
  #isClockTold = false;
  /** Open while the run may write. */
  #store: Store | null = null;
  #sync: SyncContext | null = null;
  #report: JobReport | null = null;

  constructor(
    context: CommandContext,
    dialect: Dialect,
    job: WorkspaceJob,
    workspace: WorkspaceConfig,
    slack: SlackApiHandle,
    control: RunControl,
  ) {
    this.#context = context;
    this.#dialect = dialect;
    this.#job = job;
    this.workspace = workspace;
    this.#slack = slack;
    this.#control = control;
    this.#label = configuredLabel(workspace);
    this.#facts = {
      runId: randomUUID(),
      teamId: null,
      workspace: workspace.name,
      command: job.command,
      trigger: context.trigger,
      configHash: context.config.configHash,
      appVersion,
    };
  }

  /** Who the token is; Slack is asked once. Throws what keeps Slack, or the configuration, from telling. */
  identify(): Promise<Identity> {
    this.#identity ??= this.#slack.identify();
    return this.#identity;
  }

  async execute(): Promise<WorkspaceResult> {
    this.#startedAt = performance.now();
    let stoppedBy: unknown;
    try {
      const identity = await this.identify();
      this.#checkTeam(identity);
      this.#facts.teamId = identity.teamId;
      this.#label = workspaceLabel({ name: identity.teamName, teamId: identity.teamId });
      this.#sayClock();
      stoppedBy = this.#job.dryRun ? await this.#rehearse(identity) : await this.#perform(identity);
    } catch (error) {
      // Told to stop, and the database did not even let it be recorded: the signal is the reason.
      stoppedBy = this.#context.signal.aborted ? this.#context.signal.reason : error;
      // Without a workspace there is no lock to hold, but that the run failed must be on record.
      if (this.#facts.teamId === null) await this.#nameAsBefore();
      if (this.#facts.teamId === null && !this.#job.dryRun) await this.#recordFailedStart(stoppedBy);
    }
    return this.#result(this.#dialect.explain(stoppedBy) ?? stoppedBy);
  }

  /** Every time that a run stores is Slack's; but whoever looks at the files and logs of this machine must know. */
  #sayClock(): void {
    const ahead = this.#slack.clockAheadMs;
    if (ahead === 0 || this.#isClockTold) return;
    this.#isClockTold = true;
    const { log } = this.#context;
    const off = `${formatDuration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} Slack's`;
    log.warn(`The clock of this machine is ${off}. This run goes by Slack's; set the clock.`);
  }

  /** Stores at once what Slack allows from now on, so that a killed run does not forget it. */
  async savePace(states: readonly PaceState[]): Promise<void> {
    const { teamId } = this.#facts;
    if (teamId === null || this.#store === null) return;
    const at = millisToIso(this.#now());
    await this.#store.transaction((tx) => tx.runs.savePaceStates(teamId, states, at));
  }

  /** The whole run under the workspace's lock. Returns the error that stopped the work, once it is on record. */
  async #perform(identity: Identity): Promise<unknown> {
    const lock = await this.#lock(identity);
    const store = openStore(this.#dialect, { lock });
    this.#store = store;
    const now = this.#now;
    try {
      await this.#noteOtherTeam(store, identity);
      await this.#greet(store, identity);
      await beginRun(store, this.#facts, now);
      const stoppedBy = await this.#workWithHeartbeat(store, lock, identity);
      // What became of this run is its own affair: it is recorded even when the lock was lost, which nothing else may outlive.
      await this.#end(lock.lost.aborted ? openStore(this.#dialect) : store, stoppedBy).catch((error: unknown) => {
        throw stoppedBy ?? error;
      });
      return stoppedBy;
    } finally {
      this.#store = null;
      await lock.release();
    }
  }

  /** The same work with every transaction undone, and without lock, record or heartbeat. */
  async #rehearse(identity: Identity): Promise<unknown> {
    const store = openStore(this.#dialect, { rollBack: true });
    this.#slack.inheritPace(await store.runs.listPaceStates(identity.teamId));
    await this.#noteOtherTeam(store, identity);
    return this.#work(store, identity);
  }

  /** The rules of a workspace in the config file go with its name, so what its token belongs to must not change unnoticed. */
  async #noteOtherTeam(store: Store, identity: Identity): Promise<void> {
    if (this.#job.isOffline === true) return;
    const { name, tokenEnv, teamId } = this.workspace;
    const last = await store.runs.findLastTeam(name);
    if (last === null || last === identity.teamId) return;
    const was = (await store.directory.listWorkspaces()).find(({ team_id }) => team_id === last);
    const before = workspaceLabelWithId({ name: was?.name ?? null, domain: was?.domain ?? null, teamId: last });
    const now = workspaceLabelWithId({ name: identity.teamName, teamId: identity.teamId });
    const advice = teamId === null ? ' A team_id in the config file refuses any other team.' : '';
    this.#context.progress.emit({
      type: 'notice',
      message: `The token in ${tokenEnv} belongs to ${now}; in the last run it belonged to ${before}. Was it exchanged by mistake?${advice}`,
    });
  }

  #checkTeam(identity: Identity): void {
    const expected = this.workspace.teamId;
    if (expected === null || expected === identity.teamId) return;
    throw new UsageError(
      `the token in ${this.workspace.tokenEnv} belongs to ${workspaceLabelWithId({ name: identity.teamName, teamId: identity.teamId })}, not to the team ${expected} of workspace "${this.workspace.name}"`,
      'Correct --workspace, or token_env or team_id in the config file.',
    );
  }

  async #lock(identity: Identity): Promise<Lock> {
    const { config, signal } = this.#context;
    const giveUpAt = performance.now() + config.lockTimeoutMs;
    for (;;) {
      const name = `${this.#job.isDigest === true ? 'digest' : 'workspace'}:${identity.teamId}`;
      const taken = await acquireLock(this.#dialect, name, this.#now, { signal });
      if ('release' in taken) {
        taken.lost.addEventListener('abort', () => this.#control.stop(taken.lost.reason));
        return taken;
      }
      if (performance.now() >= giveUpAt) {
        throw new LockedError(
          `another run is working on ${workspaceLabelWithId({ name: identity.teamName, teamId: identity.teamId })} (process ${taken.pid} on ${taken.host}, since ${taken.acquiredAt})`,
          'Nothing was done; the next run will. To wait instead, give --lock-timeout.',
        );
      }
      await sleep(Math.min(500, giveUpAt - performance.now()), undefined, { signal }).catch(() =>
        signal.throwIfAborted(),
      );
    }
  }

  /** What the database must know before the work: the workspace, runs that never ended, the pace of the last run. */
  async #greet(store: Store, identity: Identity): Promise<void> {
    const at = millisToIso(this.#now());
    this.#slack.inheritPace(await store.runs.listPaceStates(identity.teamId));
    const abandoned = await store.transaction(async (tx) => {
      await tx.directory.saveWorkspace({
        team_id: identity.teamId,
        name: identity.teamName,
        domain: URL.canParse(identity.url) ? (new URL(identity.url).hostname.split('.')[0] ?? null) : null,
        url: identity.url,
        enterprise_id: identity.enterpriseId,
        updated_at: at,
      });
      return tx.runs.markAbandoned(identity.teamId, this.#job.isDigest === true ? 'digests' : 'others', at);
    });
    if (abandoned.length > 0) {
      this.#context.log.warn(
        `${abandoned.length} earlier run(s) ended without a word and are marked as failed; this run goes on from their last commit.`,
      );
    }
  }

  async #workWithHeartbeat(store: Store, lock: Lock, identity: Identity): Promise<unknown> {
    const now = this.#now;
    await using _ = startHeartbeat(
      async () => {
        await lock.renew();
        const at = millisToIso(now());
        await store.transaction((tx) => tx.runs.updateRun(this.#facts.runId, { heartbeat_at: at }));
        await this.savePace(this.#slack.paceSnapshot());
      },
      (error) => this.#control.stop(error),
    );
    // Awaited here: with the promise merely returned, the heart would stop as soon as the work has begun.
    return await this.#work(store, identity);
  }

  async #work(store: Store, identity: Identity): Promise<unknown> {
    const sync = syncContext({
      store,
      teamId: identity.teamId,
      slack: this.#slack,
      emit: this.#context.progress.emit,
      signal: this.#control.signal,
      stop: this.#control.stop,
      now: this.#now,
      discardRules: this.workspace.discard,
      retention: this.workspace.retention,
      knownUsers: new Set(await store.directory.listUserIds(identity.teamId)),
    });
    this.#sync = sync;
    const { done, report } = this.#job.work(sync, identity, this.workspace, this.#slack);
    try {
      await done;
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.#report = report();
    }
  }

  async #end(store: Store, stoppedBy: unknown): Promise<void> {
    const results = this.#report?.channelResults ?? [];
    await endRun(
      store,
      this.#facts,
      {
        outcome: this.#outcome(stoppedBy),
        error: this.#errorText(stoppedBy),
        counts: {
          ...(this.#report?.channels ?? {}),
          messages: countsToJson(this.#sync?.messages ?? noMessages()),
          requests: { ...this.#slack.requests },
          ...this.#discarded(),
        },
        channels: results.map(({ channelId, status, error }) => ({
          channel_id: channelId,
          status,
          counts: this.#countsOf(channelId),
          error,
        })),
        pace: this.#slack.paceSnapshot(),
      },
      this.#now,
    );
  }

  /** Kept so that a rule which never matched can be told from one that had nothing to match. */
  #discarded(): JsonObject {
    const discarded = this.#sync?.discarded;
    return discarded === undefined || discarded.size === 0 ? {} : { discarded_by_rule: Object.fromEntries(discarded) };
  }

  #countsOf(channelId: string): JsonObject {
    const counts = this.#sync?.messagesByChannel.get(channelId);
    return counts === undefined || !hasChanges(counts) ? {} : countsToJson(counts);
  }

  /** Slack does not say this time whose token it is; perhaps it said so before. */
  async #nameAsBefore(): Promise<void> {
    const store = openStore(this.#dialect);
    const last = this.workspace.teamId ?? (await store.runs.findLastTeam(this.workspace.name));
    const row = (await store.directory.listWorkspaces()).find(({ team_id }) => team_id === last);
    if (row !== undefined) this.#label = workspaceLabel({ ...row, teamId: row.team_id });
  }

  async #recordFailedStart(error: unknown): Promise<void> {
    const store = openStore(this.#dialect);
    await beginRun(store, this.#facts, this.#now);
    const end = { outcome: this.#outcome(error), error: this.#errorText(error), counts: {}, channels: [], pace: [] };
    await endRun(store, this.#facts, end, this.#now);
  }

  #outcome(stoppedBy: unknown): Outcome {
    const failures = (this.#sync?.errors.length ?? 0) + (this.#report?.amiss ?? 0);
    return outcomeOf({ stoppedBy, failures, anyOk: this.#report?.anyOk ?? false });
  }

  #errorText(stoppedBy: unknown): string | null {
    if (stoppedBy !== undefined) return maskSecrets(describe(stoppedBy).message);
    return recordedErrors(this.#sync?.errors ?? []);
  }

  #result(stoppedBy: unknown): WorkspaceResult {
    this.#sayClock();
    const finishedAt = this.#slack.now();
    const duration = Math.round(performance.now() - this.#startedAt);
    const outcome = this.#outcome(stoppedBy);
    const errors = [...(this.#sync?.errors ?? [])];
    const isBudget = outcome.status === 'partial' && stoppedBy !== undefined;
    if (stoppedBy !== undefined && !isBudget && outcome.status !== 'interrupted') {
      const told = describe(stoppedBy);
      errors.push({ channelId: null, channel: null, ...told });
      // With --json stdout often goes into a file: the reason must be seen in the log too.
      if (this.#context.flags.json === true) this.#context.log.error(sentences(told.message, told.hint));
      if (!(stoppedBy instanceof AppError) && stoppedBy instanceof Error)
        this.#context.log.debug(stoppedBy.stack ?? stoppedBy.message);
    }
    return {
      run_id: this.#job.dryRun ? null : this.#facts.runId,
      command: this.#job.command,
      status: outcome.status,
      workspace: this.#facts.teamId ?? this.workspace.name,
      label: this.#label,
      started_at: millisToIso(finishedAt - duration),
      finished_at: millisToIso(finishedAt),
      duration_ms: duration,
      requests: { ...this.#slack.requests },
      rate_limited: this.#slack.rateLimited,
      channels: this.#report?.channels ?? { total: 0, ok: 0, failed: 0, skipped: 0 },
      messages: this.#sync?.messages ?? noMessages(),
      errors: errors.map(({ channelId, channel, code, message, hint }) => ({
        channel_id: channelId,
        channel,
        code,
        message,
        hint,
      })),
      remaining: stoppedBy === undefined ? null : (this.#report?.remaining ?? null),
      extra: this.#report?.extra ?? {},
      // Of what never began there is nothing to count.
      lines: this.#report === null ? [] : (this.#report.lines ?? null),
      exitCode: outcome.exitCode,
    };
  }
}
