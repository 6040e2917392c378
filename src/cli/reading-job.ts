/** What `ingest` and `backfill` share: selection of channels, options of reading, the report. */
import type { ConfigFlags, WorkspaceConfig } from '../config/load.ts';
import { selectChannels } from '../config/selection.ts';
import { InterruptedError } from '../errors.ts';
import type { Identity, JsonObject } from '../model.ts';
import type { SlackApiHandle } from '../slack/api-source.ts';
import { type LimitsInForce, timeNeeded } from '../slack/time-needed.ts';
import type { KnownChannel } from '../sync/channel-identity.ts';
import type { SyncContext } from '../sync/context.ts';
import { newReadProgress, type ReadProgress } from '../sync/read-channels.ts';
import type { ReadingOptions } from '../sync/reading.ts';
import { measureRemaining, type Remaining } from '../sync/remaining.ts';
import { namedBy, reportUnmet, selectable } from './channel-selection.ts';
import type { CommandContext, GlobalFlags } from './context.ts';
import { noteIdleExcludes, noteIdleRules } from './idle-rules.ts';
import { tellTimeLeft } from './time-left.ts';
import type { JobReport, WorkspaceJob } from './workspace-run.ts';

export interface ReadingFlags extends GlobalFlags, ConfigFlags {
  workspace?: string;
  join?: boolean;
  dryRun?: boolean;
}

/** What a command tells when it came to its end. */
export interface ReadingEnd {
  threadsPending: number;
  /** Keys of the command's own. */
  extra: JsonObject;
  /** The summary for people, where it is not the usual one. */
  lines?: readonly string[];
}

/** A job that reads channels with `read`, which throws what stopped it; `progress` then tells how far it came. */
export function readingJob(
  context: CommandContext,
  flags: ReadingFlags,
  command: string,
  read: (
    sync: SyncContext,
    options: ReadingOptions,
    run: { workspace: WorkspaceConfig; progress: ReadProgress; slack: SlackApiHandle },
  ) => Promise<ReadingEnd>,
): WorkspaceJob {
  const dryRun = flags.dryRun === true;
  const join = flags.join === true;
  return {
    command,
    dryRun,
    fills: true,
    allowJoin: join,
    work(sync, identity, workspace, slack) {
      const selection = selectChannels(workspace.channels);
      const progress = newReadProgress();
      let end: ReadingEnd | null = null;
      const options: ReadingOptions = {
        identity,
        isSelected: (channel: KnownChannel) => selection.matches(selectable(channel)),
        isNamed: namedBy(workspace),
        began: sync.now(),
        threads: context.config.threads,
        inTurn: context.config.maxRequests !== null,
        join,
        dryRun,
      };
      let left: Remaining | null = null;
      const measure = async (error: unknown): Promise<never> => {
        left = await measureRemaining(sync, progress, { isHasty: error instanceof InterruptedError });
        throw error;
      };
      const limits = () => ({ pace: context.config.pace, states: slack.paceSnapshot(), now: context.now() });
      const stopTelling = tellTimeLeft(sync, progress, limits);
      const done = read(sync, options, { workspace, progress, slack })
        .finally(stopTelling)
        .then(async (ended) => {
          end = ended;
          reportUnmet(sync, selection);
          noteIdleExcludes(sync, context.config, selection);
          await noteIdleRules(sync, workspace);
        }, measure);
      return {
        done,
        report: () => ({
          ...reportOf(sync, identity, progress, end),
          remaining: left === null ? null : remainingToJson(left, limits()),
        }),
      };
    },
  };
}

function remainingToJson({ calls, ...counts }: Remaining, limits: LimitsInForce): JsonObject {
  const requests = Object.values(calls).reduce((sum, n) => sum + n, 0);
  return { ...counts, requests, seconds: Math.ceil(timeNeeded(calls, limits) / 1000) };
}

function reportOf(
  sync: SyncContext,
  identity: Identity,
  progress: ReadProgress,
  end: ReadingEnd | null,
): Omit<JobReport, 'remaining'> {
  const { channels } = progress;
  const threadsLeft = sync.threads.found - sync.threads.read;
  return {
    channels,
    channelResults: [...progress.results.values()],
    anyOk: channels.ok > 0,
    extra: {
      workspace_name: identity.teamName,
      threads: { read: sync.threads.read, pending: end?.threadsPending ?? threadsLeft },
      audits: { ...sync.audits },
      discarded_by_rule: Object.fromEntries(sync.discarded),
      history_limited: [...progress.historyLimited],
      ...(end?.extra ?? { directory: { channels: null, users: null, users_looked_up: 0 } }),
    },
    ...(end?.lines === undefined ? {} : { lines: end.lines }),
  };
}
