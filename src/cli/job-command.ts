/** What every command that works on workspaces does around its work: open, run, print, close. */
import { type ConfigFlags, selectWorkspaces } from '../config/load.ts';
import { isAbsent } from '../db/open.ts';
import {
  type CommandContext,
  type GlobalFlags,
  openContext,
  openEmptyDatabase,
  openMigratedDatabase,
  openUntouchedDatabase,
  type Process,
} from './context.ts';
import { printFailure, printResults } from './result.ts';
import { runOnWorkspaces, selectTargets } from './run-workspaces.ts';
import { storedTargets } from './stored-workspaces.ts';
import type { OfflineTargets, WorkspaceJob } from './workspace-run.ts';

type JobFlags = GlobalFlags & ConfigFlags & { workspace?: string };

/**
 * Runs the job on the selected workspaces and prints the result. Returns the exit code. What keeps it from beginning
 * (usage, database, lock) is thrown, after its JSON object was printed where one was asked for.
 */
export async function runJobCommand(
  process: Process,
  flags: JobFlags,
  command: string,
  jobFor: (context: CommandContext) => WorkspaceJob | Promise<WorkspaceJob>,
): Promise<number> {
  let context: CommandContext | null = null;
  try {
    context = await openContext(process, flags);
    const job = await jobFor(context);
    try {
      return await runJob(context, flags, job);
    } finally {
      await job.close?.();
    }
  } catch (error) {
    context?.progress.stop();
    // Told to stop while waiting for the database: the signal is the reason, whatever the wait ended with.
    const reason: unknown = process.signal.aborted ? process.signal.reason : error;
    if (flags.json === true) printFailure(process.stdout, command, reason);
    throw reason;
  }
}

async function runJob(context: CommandContext, flags: JobFlags, job: WorkspaceJob): Promise<number> {
  const targets =
    job.isOffline === true
      ? await targetsOfNothing(context, job)
      : selectTargets(context, selectWorkspaces(context.config, flags.workspace));
  const dialect = job.dryRun ? await openUntouchedDatabase(context) : await openMigratedDatabase(context);
  try {
    const known =
      targets ?? (await job.findTargets?.(dialect)) ?? (await storedTargets(context, dialect, flags.workspace, flags));
    const { results, outcome } = await runOnWorkspaces(context, dialect, known, job);
    context.progress.stop();
    const presented = flags.json === true ? null : ((await job.present?.(results)) ?? null);
    if (presented === null) printResults(context, results, outcome, job.summarize);
    else context.print(presented);
    return outcome.exitCode;
  } catch (error) {
    throw dialect.explain(error) ?? error;
  } finally {
    await dialect.close();
  }
}

/**
 * The workspaces of a job whose database does not exist yet: what is asked for and cannot be must not leave an empty one
 * behind. Null where there is one to ask.
 */
async function targetsOfNothing(context: CommandContext, job: WorkspaceJob): Promise<OfflineTargets | null> {
  if (job.findTargets === undefined || !(await isAbsent(context.config.database))) return null;
  const empty = await openEmptyDatabase(context);
  try {
    return await job.findTargets(empty);
  } finally {
    await empty.close();
  }
}
