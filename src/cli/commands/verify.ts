import { randomInt } from 'node:crypto';
import type { ConfigFlags } from '../../config/load.ts';
import { selectChannels } from '../../config/selection.ts';
import { UsageError } from '../../errors.ts';
import type { Identity, JsonObject } from '../../model.ts';
import type { Gap } from '../../verify/gap.ts';
import { newVerifyProgress, type VerifyProgress, verify } from '../../verify/verify.ts';
import { reportUnmet, selectable } from '../channel-selection.ts';
import type { CommandContext, GlobalFlags, Process } from '../context.ts';
import { runJobCommand } from '../job-command.ts';
import { verifySummary } from '../verify-summary.ts';
import type { JobReport, WorkspaceJob } from '../workspace-run.ts';

interface VerifyFlags extends GlobalFlags, ConfigFlags {
  workspace?: string;
  offline?: boolean;
  repair?: boolean;
  seed?: string;
}

const defaultRequests = 100;

/** Gaps of one kind that the result lists; all are counted, and all are repaired. */
const listedOfKind = 1000;

/** `slackingest verify`. */
export function verifyCommand(process: Process, flags: VerifyFlags): Promise<number> {
  return runJobCommand(process, flags, 'verify', (context) => verifyJob(context, flags));
}

/**
 * Without `--repair` it is a job that writes nothing, so it needs no lock and may run beside `ingest`, and it leaves no
 * record of a run: `status` tells of what changed the database.
 */
function verifyJob(context: CommandContext, flags: VerifyFlags): WorkspaceJob {
  const offline = flags.offline === true;
  const repair = flags.repair === true;
  const seed = seedOf(flags.seed);
  return {
    command: 'verify',
    dryRun: !repair,
    ...(offline ? { rehearses: [] } : {}),
    isOffline: offline,
    allowJoin: false,
    maxRequests: defaultRequests,
    summarize: verifySummary,
    work(sync, identity, workspace) {
      const selection = selectChannels(workspace.channels);
      const progress = newVerifyProgress();
      const options = {
        identity,
        offline,
        isSelected: (channel: Parameters<typeof selectable>[0]) => selection.matches(selectable(channel)),
        threads: context.config.threads,
        repair,
        seed,
        threadLimit: context.config.maxRequests ?? defaultRequests,
      };
      const done = verify(sync, options, progress).then(() => reportUnmet(sync, selection));
      return { done, report: () => reportOf(sync.errors, identity, progress) };
    },
  };
}

function seedOf(text: string | undefined): number {
  if (text === undefined) return randomInt(2 ** 31);
  if (!/^\d{1,10}$/.test(text) || Number(text) >= 2 ** 31)
    throw new UsageError(`--seed: "${text}" is no seed`, 'Write the number that an earlier run told.');
  return Number(text);
}

function reportOf(
  errors: readonly { channelId: string | null }[],
  identity: Identity,
  progress: VerifyProgress,
): JobReport {
  const { gaps, channels, unread } = progress;
  const failed = new Set([
    ...gaps.map(({ channel_id }) => channel_id),
    ...errors.flatMap(({ channelId }) => channelId ?? []),
  ]);
  const skipped = [...unread].filter((id) => !failed.has(id)).length;
  return {
    channels: { total: channels.size, ok: channels.size - failed.size - skipped, failed: failed.size, skipped },
    channelResults: [],
    anyOk: progress.isLedgerChecked,
    amiss: gaps.length,
    remaining: null,
    extra: { workspace_name: identity.teamName, ...findings(progress) },
  };
}

function findings({
  gaps,
  unshown,
  future,
  messages,
  isLedgerChecked,
  comparison,
  repairs,
  channels,
}: VerifyProgress): JsonObject {
  const byKind = new Map<string, Gap[]>();
  for (const gap of gaps) {
    const known = byKind.get(gap.kind);
    if (known === undefined) byKind.set(gap.kind, [gap]);
    else known.push(gap);
  }
  const listed = [...byKind.values()].flatMap((ofKind) => ofKind.slice(0, listedOfKind));
  return {
    gaps: listed.map(({ remedy: _, ...gap }) => ({ ...gap })),
    gap_counts: Object.fromEntries([...byKind].map(([kind, ofKind]) => [kind, ofKind.length])),
    unshown_replies: unshown.map(({ channelId, name, ...told }) => ({ channel_id: channelId, channel: name, ...told })),
    future_rows: { ...future },
    checked: {
      channels: channels.size,
      messages,
      is_complete: isLedgerChecked,
      slack: comparison === null ? null : { ...comparison, share: shareOf(comparison) },
    },
    repairs: repairs === null ? null : { ...repairs },
  };
}

/** Of the calls that comparing everything takes, about. */
function shareOf({ windows, threads }: NonNullable<VerifyProgress['comparison']>): number {
  const total = windows.total + threads.total;
  return total === 0 ? 1 : Math.floor((1000 * (windows.read + threads.read)) / total) / 1000;
}
