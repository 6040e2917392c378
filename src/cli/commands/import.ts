import { parseDate, parseLastMoment } from '../../config/date.ts';
import type { ConfigFlags, WorkspaceConfig } from '../../config/load.ts';
import { selectChannels } from '../../config/selection.ts';
import { UsageError } from '../../errors.ts';
import { openDayFileSource } from '../../import/day-file-source.ts';
import { type ExportPlan, planExport } from '../../import/export-plan.ts';
import { importSection } from '../../import/import.ts';
import { newImportProgress } from '../../import/import-report.ts';
import { keepHeapLean } from '../../import/lean-heap.ts';
import type { TimeRange } from '../../import/read-day-file.ts';
import { describe, failedUnit } from '../../sync/context.ts';
import { reportUnmet } from '../channel-selection.ts';
import type { CommandContext, GlobalFlags, Process } from '../context.ts';
import { importReport } from '../import-report.ts';
import { importSummary } from '../import-summary.ts';
import { type ImportTarget, importTargets } from '../import-targets.ts';
import { runJobCommand } from '../job-command.ts';
import type { WorkspaceJob } from '../workspace-run.ts';

interface ImportFlags extends GlobalFlags, ConfigFlags {
  workspace?: string;
  since?: string;
  until?: string;
  dryRun?: boolean;
}

/** `slackingest import`. */
export function importCommand(process: Process, path: string, flags: ImportFlags): Promise<number> {
  return runJobCommand(process, flags, 'import', async (context) => {
    if (path.trim() === '')
      throw new UsageError('the path of the export is empty', 'Give the zip or the folder of a Slack export.');
    const range = rangeOf(flags, context.now());
    keepHeapLean();
    // Before the database: where there is no export, none is created for it.
    return importJob(
      context,
      await planExport(path, context.now(), context.signal, flags.workspace !== undefined),
      range,
      flags,
    );
  });
}

function importJob(context: CommandContext, plan: ExportPlan, range: TimeRange, flags: ImportFlags): WorkspaceJob {
  let targets: ReadonlyMap<WorkspaceConfig, ImportTarget> = new Map();
  /** Sections of which nobody knows the workspace, until one of the others has told of them. */
  let left: readonly UsageError[] = [];
  const source = openDayFileSource(plan.archive, plan.bytes);
  const dryRun = flags.dryRun === true;
  return {
    command: 'import',
    dryRun,
    fills: true,
    isOffline: true,
    allowJoin: false,
    summarize: importSummary,
    async findTargets(dialect) {
      const found = await importTargets(context, dialect, plan, flags.workspace, flags);
      targets = found.targets;
      left = found.unknown;
      return targets;
    },
    work(sync, identity, workspace) {
      const section = targets.get(workspace)?.section;
      if (section === undefined) throw new Error('the workspace is none of the export');
      for (const error of left) failedUnit(sync, { channelId: null, channel: null, ...describe(error) });
      left = [];
      const selection = selectChannels(workspace.channels);
      const progress = newImportProgress();
      const options = { source, range, dryRun, isSelected: selection.matches };
      const done = importSection(sync, plan, section, options, progress).then(() =>
        reportUnmet(sync, selection, 'in this export'),
      );
      return { done, report: () => importReport({ sync, identity, plan, section, progress }) };
    },
    close: () => source.close(),
  };
}

/** Microseconds; as wide as can be where nothing is said. */
function rangeOf({ since, until }: ImportFlags, now: number): TimeRange {
  const from = since === undefined ? Number.NEGATIVE_INFINITY : parseDate(since, '--since', { notAfter: now }) * 1000;
  const to = until === undefined ? Number.POSITIVE_INFINITY : parseLastMoment(until, '--until') * 1000 + 999;
  if (to < from) throw new UsageError(`--until (${until}) lies before --since (${since})`, 'Exchange the two.');
  return { since: from, until: to };
}
