import { parseDate } from '../../config/date.ts';
import { ingest } from '../../sync/ingest.ts';
import type { CommandContext, Process } from '../context.ts';
import { runJobCommand } from '../job-command.ts';
import { planIngest } from '../plan-job.ts';
import { type ReadingFlags, readingJob } from '../reading-job.ts';
import type { WorkspaceJob } from '../workspace-run.ts';

interface IngestFlags extends ReadingFlags {
  plan?: boolean;
  backfillFrom?: string;
}

/** `slackingest ingest`. */
export function ingestCommand(process: Process, flags: IngestFlags): Promise<number> {
  return runJobCommand(process, flags, 'ingest', (context) => ingestJob(context, flags));
}

function ingestJob(context: CommandContext, flags: IngestFlags): WorkspaceJob {
  const notAfter = context.now();
  const backfillFrom =
    flags.backfillFrom === undefined ? null : parseDate(flags.backfillFrom, '--backfill-from', { notAfter });
  const isPlan = flags.plan === true;
  const how = isPlan ? { ...flags, dryRun: true } : flags;
  const job = readingJob(context, how, 'ingest', async (sync, reading, { workspace, progress, slack }) => {
    const options = {
      ...reading,
      backfillFrom,
      lookbackMs: workspace.lookbackMs,
      auditRequests: context.config.auditRequests,
      usersMaxAgeMs: context.config.usersMaxAgeMs,
    };
    if (isPlan) return planIngest(context, sync, options, { progress, slack });
    const { directory, users, usersLookedUp, threadsPending } = await ingest(sync, options, progress);
    return {
      threadsPending,
      extra: {
        directory: {
          channels: { ...directory },
          users: users === null ? null : { ...users },
          users_looked_up: usersLookedUp,
        },
      },
    };
  });
  // A plan lists the channels and reads nothing of them.
  return isPlan ? { ...job, rehearses: ['channels', 'channel_aliases'] } : job;
}
