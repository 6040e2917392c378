/** The digest of a workspace as a job: what it is made with, what becomes of it, what the run reports. */
import { createHash } from 'node:crypto';
import { type ChannelSelection, selectChannels } from '../config/selection.ts';
import { type BuildOptions, buildDigest, type DigestContext } from '../digest/build-digest.ts';
import type { Digest, DigestWindow } from '../digest/digest.ts';
import { joinedStore } from '../digest/joined-store.ts';
import type { LlmStageReport } from '../digest/llm/stage.ts';
import { rulesExtractor } from '../digest/rules/rules-extractor.ts';
import { windowOf } from '../digest/window.ts';
import type { Identity, JsonObject } from '../model.ts';
import { failedUnit, type SyncContext } from '../sync/context.ts';
import { reportUnmet } from './channel-selection.ts';
import type { CommandContext, Process } from './context.ts';
import { askModel, type ConfiguredModel, configuredModel } from './digest-model.ts';
import type { DigestOptions } from './digest-options.ts';
import { presentDigests } from './digest-output.ts';
import {
  eventSettings,
  generalChannel,
  readStored,
  type Stored,
  scoringFor,
  visibleChannels,
} from './digest-settings.ts';
import type { JobReport, WorkspaceJob } from './workspace-run.ts';

const dayMs = 86_400_000;

export function digestJob(process: Process, context: CommandContext, options: DigestOptions): WorkspaceJob {
  const model = options.skipLlm || options.dryRun ? null : configuredModel(context.config, context.env);
  const digests: Digest[] = [];
  return {
    command: 'digest',
    dryRun: options.dryRun,
    isOffline: options.publish === null || options.dryRun,
    isDigest: true,
    allowJoin: false,
    work(sync, identity, workspace) {
      const selection = selectChannels(workspace.channels);
      const run = new DigestRun({ context, cwd: process.cwd, options, model, sync, identity, selection });
      const done = run.print().then((digest) => void digests.push(digest));
      return { done, report: () => run.report() };
    },
    present: () => (digests.length === 0 ? null : presentDigests(digests, options.format, process, context.flags)),
  };
}

interface DigestRunOptions {
  context: CommandContext;
  cwd: string;
  options: DigestOptions;
  model: ConfiguredModel | null;
  sync: SyncContext;
  identity: Identity;
  selection: ChannelSelection;
}

/** One digest of one workspace. */
class DigestRun {
  readonly #given: DigestRunOptions;
  #digest: Digest | null = null;
  #llm: LlmStageReport | null = null;

  constructor(given: DigestRunOptions) {
    this.#given = given;
  }

  async print(): Promise<Digest> {
    const { sync, identity, selection, context } = this.#given;
    const stored = await readStored(sync, identity);
    const shared = context.config.digest.private_channels;
    const visible = visibleChannels(stored.channels, selection, null, shared);
    reportUnmet(sync, selection, 'in the database');
    this.#digest = await this.#build(stored, visible, this.#window(null), { isPublic: false, posted: new Set() });
    return this.#digest;
  }

  #window(lastTo: Parameters<typeof windowOf>[1]): DigestWindow {
    const { options, context } = this.#given;
    return windowOf(options.window, lastTo, { now: context.now(), zone: options.zone, upcomingMs: options.upcomingMs });
  }

  async #build(
    stored: Stored,
    visible: ReadonlySet<string>,
    window: DigestWindow,
    reader: { isPublic: boolean; posted: ReadonlySet<string> },
  ): Promise<Digest> {
    const { context, cwd, options, sync, identity, model } = this.#given;
    const { config } = context;
    const { deduplication } = config;
    const general = generalChannel(stored.channels);
    const lookBackMs = deduplication.message_lookback_days * dayMs;
    const events = eventSettings(config, cwd);
    const build: BuildOptions = {
      window,
      isSelected: (id) => visible.has(id),
      generalChannel: general !== null && visible.has(general) ? general : null,
      top: options.top,
      isPublic: reader.isPublic,
      explain: options.explain,
      choice: {
        categories: options.categories,
        minConfidence: options.minConfidence,
        minImportance: options.minImportance,
        maxEvents: options.maxEvents,
        categoryPriorities: config.digest.category_priorities,
        posted: reader.posted,
      },
      reading: {
        rules: rulesExtractor({ maxEvents: 5 }),
        scoring: scoringFor(config, stored.channels),
        scoringHash: createHash('sha256').update(JSON.stringify(config.scoring)).digest('hex'),
        lookBackMs,
        zone: options.zone,
        rescore: options.rescore,
      },
      events,
      merging: {
        dateWindowMs: deduplication.date_window_hours * 3_600_000,
        titleSimilarity: deduplication.title_similarity,
        lookBackMs,
      },
      askModel:
        model === null
          ? null
          : async () => {
              // Nobody agreed that what is said in private is sent elsewhere.
              const readers = { target: '', isInternal: true };
              const sent = visibleChannels(
                stored.channels,
                selectChannels({ include: [], exclude: [] }),
                readers,
                config.digest.private_channels,
              );
              const channelIds = [...visible].filter((id) => sent.has(id));
              const { directory } = stored;
              const log = (line: string) => context.log.debug(line);
              this.#llm = await askModel(sync, model, {
                window,
                channelIds,
                directory,
                events,
                zone: options.zone,
                log,
              });
              reportModel(sync, this.#llm);
              return this.#llm.notes;
            },
    };
    const digestContext = {
      teamId: sync.teamId,
      workspace: { team_id: identity.teamId, name: identity.teamName, url: identity.url || null },
      directory: stored.directory,
      now: sync.now,
      signal: sync.signal,
    };
    return inOneIfDry(sync, options, digestContext, (joined) => buildDigest(joined, build));
  }

  report(): JobReport {
    const extra: JsonObject = { workspace_name: this.#given.identity.teamName };
    if (this.#digest !== null) extra['digest'] = JSON.parse(JSON.stringify(this.#digest));
    if (this.#llm !== null) extra['llm'] = { ...this.#llm };
    return {
      channels: { total: 0, ok: 0, failed: 0, skipped: 0 },
      channelResults: [],
      anyOk: this.#digest !== null,
      remaining: null,
      extra,
    };
  }
}

/** A model that fails leaves a digest by the rules, and somebody should know. A spent budget is what was asked for. */
function reportModel(sync: SyncContext, { stopped, failed, notes }: LlmStageReport): void {
  if (failed === 0 && stopped !== 'refused' && stopped !== 'unavailable') return;
  const message = notes.join(' ') || `the language model could not read ${failed} messages`;
  failedUnit(
    sync,
    {
      channelId: null,
      channel: null,
      code: `llm_${stopped ?? 'failed'}`,
      message,
      hint: 'What the rules found is in the digest.',
    },
    'unknown',
  );
}

/** Without `--dry-run` every stage commits by itself; with it all of them see each other's work, and nobody else does. */
function inOneIfDry(
  sync: SyncContext,
  { dryRun }: DigestOptions,
  context: Omit<DigestContext, 'store'>,
  work: (context: DigestContext) => Promise<Digest>,
): Promise<Digest> {
  if (!dryRun) return work({ ...context, store: sync.store });
  return sync.store.transaction((tx) => work({ ...context, store: joinedStore(tx) }));
}
