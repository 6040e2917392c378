/** A command on all selected workspaces, one after another: whatever happens to one, the others are tried. */
import type { WorkspaceConfig } from '../config/load.ts';
import { refuseSharedTeams } from '../config/one-team-each.ts';
import { readProxy } from '../config/proxy.ts';
import { type ResolvedToken, resolveTokens, tryToken } from '../config/token.ts';
import type { Dialect } from '../db/dialects/dialect.ts';
import { openStore } from '../db/repositories/index.ts';
import { AppError, LockedError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Identity, PaceState } from '../model.ts';
import { openSlackApi, type SlackApiHandle } from '../slack/api-source.ts';
import type { RequestBudget } from '../slack/caller.ts';
import { offlineSlack } from '../slack/offline.ts';
import { combineOutcomes, type Outcome } from '../sync/outcome.ts';
import type { CommandContext } from './context.ts';
import { type RunControl, type WorkspaceJob, type WorkspaceResult, WorkspaceRun } from './workspace-run.ts';

/** How a workspace is reached: Slack by its token, or only what is stored of it; or why it cannot be reached at all. */
type Access = ResolvedToken | { known: Identity };

export type Targets = ReadonlyMap<WorkspaceConfig, Access>;

/**
 * The workspaces that `--workspace` selects, with their tokens. Throws `UsageError` when none has one, or when two have the
 * same: those are mistakes of configuration, and nothing is to be started then.
 */
export function selectTargets(context: CommandContext, selected: readonly WorkspaceConfig[]): Targets {
  return resolveTokens(selected, context.config.workspaces, context.env);
}

/**
 * Runs the job on every target, once it is known that no two are the same team. Throws when nothing could be started: because
 * two are, or because other runs hold all the locks.
 */
export async function runOnWorkspaces(
  context: CommandContext,
  dialect: Dialect,
  targets: Targets,
  job: WorkspaceJob,
): Promise<{ results: WorkspaceResult[]; outcome: Outcome }> {
  const limits = limitsOf(context, job);
  const stops = new StopTogether(context.signal);
  const runs = [...targets].map(([workspace, access]) =>
    openRun(context, dialect, workspace, access, { ...limits, job, control: stops.control() }),
  );
  const results: WorkspaceResult[] = [];
  try {
    if (job.isOffline !== true)
      await refuseDoubles(context, dialect, runs, { ...limits, job, control: stops.control() });
    for (const run of runs) {
      if (context.signal.aborted && results.length > 0) break;
      results.push(await run.execute());
    }
  } finally {
    stops.forget();
  }
  const lockedOut = results.every(({ exitCode }) => exitCode === exitCodes.locked);
  const first = results[0]?.errors[0];
  if (lockedOut && first !== undefined) throw new LockedError(first.message, first.hint ?? undefined);
  return { results, outcome: combineOutcomes(results) };
}

/** What all workspaces of the run share. */
interface Limits {
  deadline: number | null;
  budget: RequestBudget | null;
}

function limitsOf({ config, now }: CommandContext, job: WorkspaceJob): Limits {
  const requests = config.maxRequests ?? job.maxRequests ?? null;
  return {
    deadline: config.maxDurationMs === null ? null : now() + config.maxDurationMs,
    budget: requests === null ? null : { left: requests },
  };
}

/** Runs that can each be stopped alone, and all by the signal of the process. */
class StopTogether {
  readonly #signal: AbortSignal;
  readonly #controllers: AbortController[] = [];
  readonly #stopAll = (): void => {
    for (const controller of this.#controllers) controller.abort(this.#signal.reason);
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#stopAll);
  }

  control(): RunControl {
    const controller = new AbortController();
    this.#controllers.push(controller);
    if (this.#signal.aborted) this.#stopAll();
    return { signal: controller.signal, stop: (reason) => controller.abort(reason) };
  }

  forget(): void {
    this.#signal.removeEventListener('abort', this.#stopAll);
  }
}

interface HowToRun extends Limits {
  job: WorkspaceJob;
  control: RunControl;
}

function openRun(
  context: CommandContext,
  dialect: Dialect,
  workspace: WorkspaceConfig,
  access: Access,
  how: HowToRun,
): WorkspaceRun {
  let savePace = async (_states: readonly PaceState[]): Promise<void> => undefined;
  const slack = openAccess(context, workspace, access, how, (states) => savePace(states));
  const run = new WorkspaceRun(context, dialect, how.job, workspace, slack, how.control);
  savePace = (states) => run.savePace(states);
  return run;
}

function openAccess(
  context: CommandContext,
  workspace: WorkspaceConfig,
  access: Access,
  { job, control, deadline, budget }: HowToRun,
  onPaceChange?: (states: readonly PaceState[]) => Promise<void>,
): SlackApiHandle {
  if ('known' in access) return offlineSlack(async () => access.known);
  if ('refused' in access) return offlineSlack(() => Promise.reject(access.refused));
  return openSlackApi({
    token: access.token,
    ...(onPaceChange === undefined ? {} : { onPaceChange }),
    ...(context.apiUrl === undefined ? {} : { apiUrl: context.apiUrl }),
    proxy: readProxy(context.env),
    ...(workspace.teamId === null ? {} : { teamId: workspace.teamId }),
    pace: context.config.pace,
    allowJoin: job.allowJoin,
    allowPost: job.allowPost ?? false,
    ...(job.patienceMs === undefined ? {} : { patienceMs: job.patienceMs }),
    emit: context.progress.emit,
    signal: control.signal,
    ...(deadline === null ? {} : { deadline }),
    ...(budget === null ? {} : { budget }),
  });
}

/**
 * Asks who every token belongs to, before anything is read or written. Of a workspace that is not selected only when its last
 * run was of a team that another one is now.
 */
async function refuseDoubles(
  context: CommandContext,
  dialect: Dialect,
  runs: readonly WorkspaceRun[],
  how: HowToRun,
): Promise<void> {
  const { config, env } = context;
  if (config.workspaces.length < 2) return;
  const teams = new Map<WorkspaceConfig, Identity>();
  for (const run of runs) {
    const identity = await unlessRefused(run.identify());
    if (identity !== null) teams.set(run.workspace, identity);
  }
  const { runs: recorded } = openStore(dialect);
  const ids = new Set([...teams.values()].map(({ teamId }) => teamId));
  for (const workspace of config.workspaces.filter((one) => !runs.some((run) => run.workspace.name === one.name))) {
    const last = await recorded.findLastTeam(workspace.name);
    if (last === null || !ids.has(last)) continue;
    const access = tryToken(workspace, env);
    const identity = await unlessRefused(openAccess(context, workspace, access, how).identify());
    if (identity !== null) teams.set(workspace, identity);
  }
  refuseSharedTeams(teams);
}

/** Why not is told when the workspace's turn comes. */
async function unlessRefused(identity: Promise<Identity>): Promise<Identity | null> {
  try {
    return await identity;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}
