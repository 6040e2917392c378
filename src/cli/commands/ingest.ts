import { parseDate } from '../../config/date.ts';
import type { ConfigFlags } from '../../config/load.ts';
import { selectChannels } from '../../config/selection.ts';
import type { Identity } from '../../model.ts';
import type { NormalizedChannel } from '../../normalize/directory.ts';
import type { SyncContext } from '../../sync/context.ts';
import { type IngestResult, ingest } from '../../sync/ingest.ts';
import { newReadProgress, type ReadProgress } from '../../sync/read-channels.ts';
import { namedBy, reportUnmet, selectable } from '../channel-selection.ts';
import type { CommandContext, GlobalFlags, Process } from '../context.ts';
import { runJobCommand } from '../job-command.ts';
import type { JobReport, WorkspaceJob } from '../workspace-run.ts';

interface IngestFlags extends GlobalFlags, ConfigFlags {
  workspace?: string;
  backfillFrom?: string;
  join?: boolean;
  dryRun?: boolean;
}

/** `slackingest ingest`. */
export function ingestCommand(process: Process, flags: IngestFlags): Promise<number> {
  return runJobCommand(process, flags, 'ingest', (context) => ingestJob(context, flags));
}

function ingestJob(context: CommandContext, flags: IngestFlags): WorkspaceJob {
  const notAfter = context.now();
  const backfillFrom =
    flags.backfillFrom === undefined ? null : parseDate(flags.backfillFrom, '--backfill-from', { notAfter });
  const dryRun = flags.dryRun === true;
  const join = flags.join === true;
  return {
    command: 'ingest',
    dryRun,
    allowJoin: join,
    work(sync, identity, workspace) {
      const selection = selectChannels(workspace.channels);
      const progress = newReadProgress();
      let result: IngestResult | null = null;
      const options = {
        identity,
        isSelected: (channel: NormalizedChannel) => selection.matches(selectable(channel)),
        isNamed: namedBy(workspace),
        began: context.now(),
        backfillFrom,
        lookbackMs: workspace.lookbackMs,
        threads: context.config.threads,
        inTurn: context.config.maxRequests !== null,
        auditRequests: context.config.auditRequests,
        join,
        usersMaxAgeMs: context.config.usersMaxAgeMs,
        dryRun,
      };
      const done = ingest(sync, options, progress).then((finished) => {
        result = finished;
        reportUnmet(sync, selection);
      });
      return { done, report: () => reportOf(sync, identity, progress, result) };
    },
  };
}

function reportOf(
  sync: SyncContext,
  identity: Identity,
  progress: ReadProgress,
  result: IngestResult | null,
): JobReport {
  const { channels } = progress;
  const threadsLeft = sync.threads.found - sync.threads.read;
  return {
    channels,
    channelResults: [...progress.results.values()],
    anyOk: channels.ok > 0,
    remaining: result === null ? { channels: progress.unread.size, threads: threadsLeft } : null,
    extra: {
      workspace_name: identity.teamName,
      threads: { read: sync.threads.read, pending: result?.threadsPending ?? threadsLeft },
      directory: {
        channels: result === null ? null : { ...result.directory },
        users: result?.users ? { ...result.users } : null,
        users_looked_up: result?.usersLookedUp ?? 0,
      },
      discarded_by_rule: Object.fromEntries(sync.discarded),
      history_limited: [...progress.historyLimited],
    },
  };
}
