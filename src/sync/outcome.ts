/**
 * The one rule that turns what happened to the units of a run into its status and exit code. The same value goes into
 * the database, the `--json` object and the exit code.
 */
import { AppError, BudgetEndedError, InterruptedError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

export interface Outcome {
  status: 'completed' | 'partial' | 'failed' | 'interrupted';
  exitCode: ExitCode;
}

/**
 * `stoppedBy` is the error that ended the run early, undefined when it came to its end; `failures` counts failed units
 * of any kind, `anyOk` tells whether at least one unit was done.
 */
export function outcomeOf(run: { stoppedBy: unknown; failures: number; anyOk: boolean }): Outcome {
  const { stoppedBy, failures, anyOk } = run;
  if (stoppedBy instanceof InterruptedError) return { status: 'interrupted', exitCode: stoppedBy.exitCode };
  if (stoppedBy instanceof BudgetEndedError) return { status: 'partial', exitCode: exitCodes.partial };
  if (stoppedBy instanceof AppError) return { status: 'failed', exitCode: stoppedBy.exitCode };
  if (stoppedBy !== undefined) return { status: 'failed', exitCode: exitCodes.failed };
  if (failures === 0) return { status: 'completed', exitCode: exitCodes.ok };
  return anyOk ? { status: 'partial', exitCode: exitCodes.partial } : { status: 'failed', exitCode: exitCodes.failed };
}

/** The exit code of a run over several workspaces: a signal first, then a refused token, then partial work. */
export function combineOutcomes(outcomes: readonly Outcome[]): Outcome {
  const [first] = outcomes;
  if (first === undefined) return { status: 'completed', exitCode: exitCodes.ok };
  if (outcomes.every(({ exitCode }) => exitCode === first.exitCode)) return first;
  const signalled = outcomes.find(({ status }) => status === 'interrupted');
  if (signalled !== undefined) return signalled;
  const refused = outcomes.some(({ exitCode }) => exitCode === exitCodes.slackRefused);
  return { status: 'partial', exitCode: refused ? exitCodes.slackRefused : exitCodes.partial };
}
