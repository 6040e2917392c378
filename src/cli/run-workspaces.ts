/** A command on all selected workspaces, one after another: whatever happens to one, the others are tried. */
import { selectWorkspaces, type WorkspaceConfig } from '../config/load.ts';
import { readProxy } from '../config/proxy.ts';
import { resolveToken } from '../config/token.ts';
import type { Dialect } from '../db/dialects/dialect.ts';
import { LockedError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Identity, PaceState } from '../model.ts';
import { openSlackApi } from '../slack/api-source.ts';
import { offlineSlack } from '../slack/offline.ts';
import { combineOutcomes, type Outcome } from '../sync/outcome.ts';
import type { CommandContext } from './context.ts';
import { type WorkspaceJob, type WorkspaceResult, WorkspaceRun } from './workspace-run.ts';

/** How a workspace is reached: Slack by its token, or only what is stored of it. */
type Access = { token: string } | { known: Identity };

export type Targets = ReadonlyMap<WorkspaceConfig, Access>;

/**
 * The workspaces that `--workspace` selects, with their tokens. Throws `UsageError` when one has no token: that is a
 * mistake of configuration, and nothing is to be started then.
 */
export function selectTargets(context: CommandContext, wanted: string | undefined): Targets {
  const workspaces = selectWorkspaces(context.config, wanted);
  return new Map(workspaces.map((workspace) => [workspace, { token: resolveToken(workspace, context.env) }]));
}

/** Runs the job on every target. Throws when nothing could be started because other runs hold all the locks. */
export async function runOnWorkspaces(
  context: CommandContext,
  dialect: Dialect,
  targets: Targets,
  job: WorkspaceJob,
): Promise<{ results: WorkspaceResult[]; outcome: Outcome }> {
  const deadline = context.config.maxDurationMs === null ? null : context.now() + context.config.maxDurationMs;
  const budget: Budget = { deadline, requests: context.config.maxRequests ?? job.maxRequests ?? null };
  const results: WorkspaceResult[] = [];
  for (const [workspace, access] of targets) {
    if (context.signal.aborted && results.length > 0) break;
    const result = await runOnWorkspace(context, dialect, job, workspace, access, budget);
    if (budget.requests !== null) budget.requests -= Object.values(result.requests).reduce((sum, n) => sum + n, 0);
    results.push(result);
  }
  const lockedOut = results.every(({ exitCode }) => exitCode === exitCodes.locked);
  const first = results[0]?.errors[0];
  if (lockedOut && first !== undefined) throw new LockedError(first.message, first.hint ?? undefined);
  return { results, outcome: combineOutcomes(results) };
}

interface Budget {
  deadline: number | null;
  requests: number | null;
}

async function runOnWorkspace(
  context: CommandContext,
  dialect: Dialect,
  job: WorkspaceJob,
  workspace: WorkspaceConfig,
  access: Access,
  budget: Budget,
): Promise<WorkspaceResult> {
  const startedAt = context.now();
  const stop = new AbortController();
  const stopToo = () => stop.abort(context.signal.reason);
  context.signal.addEventListener('abort', stopToo);
  if (context.signal.aborted) stopToo();
  let savePace = async (_states: readonly PaceState[]): Promise<void> => undefined;
  const open = (token: string) =>
    openSlackApi({
      token,
      onPaceChange: (states) => savePace(states),
      ...(context.apiUrl === undefined ? {} : { apiUrl: context.apiUrl }),
      proxy: readProxy(context.env),
      ...(workspace.teamId === null ? {} : { teamId: workspace.teamId }),
      pace: context.config.pace,
      allowJoin: job.allowJoin,
      allowPost: job.allowPost ?? false,
      emit: context.progress.emit,
      signal: stop.signal,
      ...(budget.deadline === null ? {} : { deadline: budget.deadline }),
      ...(budget.requests === null ? {} : { maxRequests: Math.max(0, budget.requests) }),
    });
  const slack = 'token' in access ? open(access.token) : offlineSlack(access.known);
  const control = { signal: stop.signal, stop: (reason: unknown) => stop.abort(reason) };
  const run = new WorkspaceRun(context, dialect, job, workspace, slack, control);
  savePace = (states) => run.savePace(states);
  try {
    return await run.execute(startedAt);
  } finally {
    context.signal.removeEventListener('abort', stopToo);
  }
}
