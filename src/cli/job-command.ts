/** What every command that works on workspaces does around its work: open, run, print, close. */
import type { ConfigFlags } from '../config/load.ts';
import {
  type CommandContext,
  type GlobalFlags,
  openContext,
  openMigratedDatabase,
  openUntouchedDatabase,
  type Process,
} from './context.ts';
import { printFailure, printResults } from './result.ts';
import { runOnWorkspaces, selectTargets } from './run-workspaces.ts';
import type { WorkspaceJob } from './workspace-run.ts';

/** Runs the job on the selected workspaces and prints the result. Returns the exit code. */
export async function runJobCommand(
  process: Process,
  flags: GlobalFlags & ConfigFlags & { workspace?: string },
  jobFor: (context: CommandContext) => WorkspaceJob,
): Promise<number> {
  const context = await openContext(process, flags);
  const job = jobFor(context);
  try {
    const targets = selectTargets(context, flags.workspace);
    const dialect = job.dryRun ? await openUntouchedDatabase(context) : await openMigratedDatabase(context);
    try {
      const { results, outcome } = await runOnWorkspaces(context, dialect, targets, job);
      context.progress.stop();
      printResults(context, results, outcome);
      return outcome.exitCode;
    } catch (error) {
      throw dialect.explain(error) ?? error;
    } finally {
      await dialect.close();
    }
  } catch (error) {
    context.progress.stop();
    printFailure(context, job.command, error);
    throw error;
  }
}
