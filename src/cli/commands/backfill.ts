import { parseDate, parseLastMoment } from '../../config/date.ts';
import { UsageError } from '../../errors.ts';
import { backfill } from '../../sync/backfill.ts';
import { millisToIso } from '../../ts.ts';
import type { CommandContext, Process } from '../context.ts';
import { runJobCommand } from '../job-command.ts';
import { type ReadingFlags, readingJob } from '../reading-job.ts';
import type { WorkspaceJob } from '../workspace-run.ts';

interface BackfillFlags extends ReadingFlags {
  from?: string;
  to?: string;
}

/** `slackingest backfill`. */
export function backfillCommand(process: Process, flags: BackfillFlags): Promise<number> {
  return runJobCommand(process, flags, 'backfill', (context) => backfillJob(context, flags));
}

function backfillJob(context: CommandContext, flags: BackfillFlags): WorkspaceJob {
  const { from, to } = rangeOf(flags, context.now());
  const range = { from: millisToIso(from), to: to === null ? null : millisToIso(to) };
  return readingJob(context, flags, 'backfill', async (sync, reading, { progress }) => {
    const { directory, usersLookedUp, threadsPending } = await backfill(sync, { ...reading, from, to }, progress);
    return {
      threadsPending,
      extra: { range, directory: { channels: { ...directory }, users: null, users_looked_up: usersLookedUp } },
    };
  });
}

/** Epoch milliseconds, both included; a day given as `--to` belongs to the range to its end. */
function rangeOf(flags: BackfillFlags, now: number): { from: number; to: number | null } {
  if (flags.from === undefined)
    throw new UsageError('--from is missing: backfill has to know how far back to read', 'Write --from YYYY-MM-DD.');
  const from = parseDate(flags.from, '--from', { notAfter: now });
  if (flags.to === undefined) return { from, to: null };
  const to = parseLastMoment(flags.to, '--to');
  if (to < from) throw new UsageError(`--to (${flags.to}) lies before --from (${flags.from})`, 'Exchange the two.');
  return { from, to };
}
