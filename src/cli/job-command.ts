/** What every command that works on workspaces does around its work: open, run, print, close. */
import { type ConfigFlags, selectWorkspaces } from '../config/load.ts';
import type { Dialect } from '../db/dialects/dialect.ts';
import { isMissing } from '../db/open.ts';
import { type CommandContext, type GlobalFlags, openContext, type Process } from './context.ts';
import { noDatabase, openForReading, openMigratedDatabase, openRehearsal } from './open-database.ts';
import { printFailure, printResults } from './result.ts';
import { runOnWorkspaces, selectTargets } from './run-workspaces.ts';
import { storedTargets, workspacesCalled } from './stored-workspaces.ts';
import type { WorkspaceJob } from './workspace-run.ts';

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
  const { workspace: wanted } = flags;
  const isOnline = job.isOffline !== true;
  const selected = isOnline ? selectWorkspaces(context.config, wanted) : null;
  // Before the database is opened, where that is not needed to know which workspace is meant.
  const online = selected === null ? null : selectTargets(context, selected);
  const targetsIn = async (dialect: Dialect) => {
    if (online !== null) return online;
    if (isOnline) return selectTargets(context, await workspacesCalled(context, dialect, wanted ?? ''));
    return (await job.findTargets?.(dialect)) ?? (await storedTargets(context, dialect, wanted, flags));
  };
  const dialect = await openFor(context, job, targetsIn);
  try {
    const known = await targetsIn(dialect);
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

/** As the job needs it. What is asked for and cannot be is told before anything is created. */
async function openFor(
  context: CommandContext,
  job: WorkspaceJob,
  targetsIn: (dialect: Dialect) => Promise<unknown>,
): Promise<Dialect> {
  if (job.fills !== true && (await isMissing(context.config.database))) throw noDatabase(context);
  if (!job.dryRun) return openMigratedDatabase(context, async (empty) => void (await targetsIn(empty)));
  return job.rehearses?.length === 0 ? openForReading(context) : openRehearsal(context, job.rehearses ?? 'all');
}
