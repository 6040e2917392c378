import { createHash } from 'node:crypto';
import { selectChannels } from '../../config/selection.ts';
import { buildDigest, type DigestContext } from '../../digest/build-digest.ts';
import type { Digest } from '../../digest/digest.ts';
import { joinedStore } from '../../digest/joined-store.ts';
import { rulesExtractor } from '../../digest/rules/rules-extractor.ts';
import { windowOf } from '../../digest/window.ts';
import type { Identity, JsonObject } from '../../model.ts';
import { presentDigests } from '../../output/present.ts';
import type { SyncContext } from '../../sync/context.ts';
import { reportUnmet } from '../channel-selection.ts';
import type { CommandContext, Process } from '../context.ts';
import { eventSettings, generalChannel, readStored, scoringFor, visibleChannels } from '../digest-job.ts';
import { type DigestFlags, type DigestOptions, digestOptions } from '../digest-options.ts';
import { runJobCommand } from '../job-command.ts';
import type { JobReport, WorkspaceJob } from '../workspace-run.ts';

/** `slackingest digest`. */
export function digestCommand(process: Process, flags: DigestFlags): Promise<number> {
  return runJobCommand(process, flags, 'digest', (context) =>
    digestJob(process, context, digestOptions(flags, context.config, context.now())),
  );
}

function digestJob(process: Process, context: CommandContext, options: DigestOptions): WorkspaceJob {
  const digests: Digest[] = [];
  return {
    command: 'digest',
    dryRun: options.dryRun,
    isOffline: options.publish === null || options.dryRun,
    isDigest: true,
    allowJoin: false,
    work(sync, identity, workspace) {
      const run = { digest: null as Digest | null };
      const done = (async () => {
        const selection = selectChannels(workspace.channels);
        const { channels, directory } = await readStored(sync, identity);
        const visible = visibleChannels(channels, selection, null, context.config.digest.private_channels);
        reportUnmet(sync, selection, 'in the database');
        const window = windowOf(options.window, null, {
          now: context.now(),
          zone: options.zone,
          upcomingMs: options.upcomingMs,
        });
        const { digest: settings, deduplication } = context.config;
        const general = generalChannel(channels);
        run.digest = await inOneIfDry(sync, options, identity, directory, (digestContext) =>
          buildDigest(digestContext, {
            window,
            isSelected: (id) => visible.has(id),
            generalChannel: general !== null && visible.has(general) ? general : null,
            top: options.top,
            isPublic: false,
            explain: options.explain,
            choice: {
              categories: options.categories,
              minConfidence: options.minConfidence,
              minImportance: options.minImportance,
              maxEvents: options.maxEvents,
              categoryPriorities: settings.category_priorities,
              posted: new Set(),
            },
            reading: {
              rules: rulesExtractor({ maxEvents: 5 }),
              scoring: scoringFor(context.config, channels),
              scoringHash: createHash('sha256').update(JSON.stringify(context.config.scoring)).digest('hex'),
              lookBackMs: deduplication.message_lookback_days * 86_400_000,
              zone: options.zone,
              rescore: options.rescore,
            },
            events: eventSettings(context.config, process.cwd),
            merging: {
              dateWindowMs: deduplication.date_window_hours * 3_600_000,
              titleSimilarity: deduplication.title_similarity,
              lookBackMs: deduplication.message_lookback_days * 86_400_000,
            },
            askModel: null,
          }),
        );
        digests.push(run.digest);
      })();
      return { done, report: () => reportOf(identity, run.digest) };
    },
    present: () =>
      digests.length === 0 ? null : presentDigests(digests, options.format, process.stdout.columns ?? 80),
  };
}

/** Without `--dry-run` every stage commits by itself; with it all of them see each other's work, and nobody else does. */
function inOneIfDry(
  sync: SyncContext,
  options: DigestOptions,
  identity: Identity,
  directory: DigestContext['directory'],
  work: (context: DigestContext) => Promise<Digest>,
): Promise<Digest> {
  const context = {
    teamId: sync.teamId,
    workspace: { team_id: identity.teamId, name: identity.teamName, url: identity.url || null },
    directory,
    now: sync.now,
    signal: sync.signal,
  };
  if (!options.dryRun) return work({ ...context, store: sync.store });
  return sync.store.transaction((tx) => work({ ...context, store: joinedStore(tx) }));
}

function reportOf(identity: Identity, digest: Digest | null): JobReport {
  const extra: JsonObject = { workspace_name: identity.teamName };
  if (digest !== null) extra['digest'] = JSON.parse(JSON.stringify(digest));
  return {
    channels: { total: 0, ok: 0, failed: 0, skipped: 0 },
    channelResults: [],
    anyOk: digest !== null,
    remaining: null,
    extra,
  };
}
