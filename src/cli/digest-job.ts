/** The digest of a workspace as a job: what it is made with, what becomes of it, what the run reports. */
import { createHash } from 'node:crypto';
import type { WorkspaceConfig } from '../config/load.ts';
import { selectChannels } from '../config/selection.ts';
import { type BuildOptions, buildDigest, type DigestContext } from '../digest/build-digest.ts';
import type { Digest, DigestWindow } from '../digest/digest.ts';
import { joinedStore } from '../digest/joined-store.ts';
import type { LlmStageReport } from '../digest/llm/stage.ts';
import { rulesExtractor } from '../digest/rules/rules-extractor.ts';
import { windowOf } from '../digest/window.ts';
import type { Identity, IsoTime, JsonObject } from '../model.ts';
import { renderBlocks } from '../output/blocks.ts';
import { countOf } from '../output/counts.ts';
import { presentDigests } from '../output/present.ts';
import { isEmpty } from '../output/wording.ts';
import { finishEarlier, type PublishContext, type PublishReport, publish } from '../publish/publish.ts';
import { sleep } from '../slack/waiting.ts';
import { failedUnit, type SyncContext } from '../sync/context.ts';
import { millisToIso } from '../ts.ts';
import { reportUnmet } from './channel-selection.ts';
import type { CommandContext, Process } from './context.ts';
import { askModel, type ConfiguredModel, configuredModel } from './digest-model.ts';
import type { DigestOptions } from './digest-options.ts';
import {
  eventSettings,
  generalChannel,
  readStored,
  type Stored,
  scoringFor,
  visibleChannels,
} from './digest-settings.ts';
import { type DigestTarget, findTarget } from './digest-target.ts';
import { noteIdleDigestKeys } from './idle-rules.ts';
import { canColor, loadTextPaint } from './progress.ts';
import type { JobReport, WorkspaceJob } from './workspace-run.ts';

const dayMs = 86_400_000;

/** A digest has an hour at which it is wanted, and the next one is due soon: longer than this it waits for no rest of Slack's. */
const patienceMs = 60_000;

/**
 * Longer than a call to Slack may take, so that a message under way has appeared by then or never will. Without pacing, which
 * only a server on this machine may be called, it appears at once.
 */
const settleMs = { paced: 60_000, unpaced: 2_000 };

export function digestJob(process: Process, context: CommandContext, options: DigestOptions): WorkspaceJob {
  const model = options.skipLlm || options.dryRun ? null : configuredModel(context.config, context.env);
  const isPosted = options.publish !== null && !options.dryRun;
  const digests: Digest[] = [];
  return {
    command: 'digest',
    dryRun: options.dryRun,
    rehearses: ['event_candidates', 'events', 'event_sources'],
    isOffline: !isPosted,
    isDigest: true,
    allowJoin: false,
    allowPost: isPosted,
    ...(isPosted ? { patienceMs } : {}),
    work(sync, identity, workspace) {
      const run = new DigestRun({ context, cwd: process.cwd, options, model, sync, identity, workspace });
      const done = isPosted
        ? run.publish()
        : run.print().then((digest) => {
            if (run.tellsSomething()) digests.push(digest);
          });
      return { done, report: () => run.report() };
    },
    async present() {
      if (digests.length === 0) return null;
      const hasColor = options.format === 'text' && canColor(process.stdout.terminal, context.env, context.flags.color);
      const paint = hasColor ? await loadTextPaint() : null;
      return presentDigests(digests, options.format, { columns: process.stdout.terminal.columns ?? 80, paint });
    },
  };
}

interface DigestRunOptions {
  context: CommandContext;
  cwd: string;
  options: DigestOptions;
  model: ConfiguredModel | null;
  sync: SyncContext;
  identity: Identity;
  workspace: WorkspaceConfig;
}

/** Who reads a digest, and what they were told before. */
interface Readers {
  target: DigestTarget | null;
  posted: ReadonlySet<string>;
  /** When the last digest was put together of those that this one goes on from; null for none. */
  knownSince: IsoTime | null;
  /** When what is told of older messages became known at the latest. */
  knownUntil: IsoTime;
}

/** One digest of one workspace. */
class DigestRun {
  readonly #given: DigestRunOptions;
  /** Epoch milliseconds, before anything was read. */
  readonly #startedAt: number;
  #digest: Digest | null = null;
  /** Channels of which it could tell. */
  #channels = 0;
  #llm: LlmStageReport | null = null;
  #target: string | null = null;
  readonly #published: PublishReport[] = [];

  constructor(given: DigestRunOptions) {
    this.#given = given;
    this.#startedAt = given.context.now();
  }

  /** A digest for whoever runs the program. */
  async print(): Promise<Digest> {
    const { sync, identity } = this.#given;
    const { options, workspace } = this.#given;
    const stored = await readStored(sync, identity);
    // As it would be posted, without posting it.
    if (options.publish !== null)
      return this.#buildFor(stored, await findTarget(sync, workspace, options.publish, stored, false));
    const last = await sync.store.digests.findLastWindowEnd(sync.teamId);
    const window = this.#window(options.window.kind === 'sinceLast' ? last : null, this.#given.context.now());
    return this.#build(stored, window, { target: null, posted: new Set(), knownSince: null, knownUntil: window.to });
  }

  /** A digest for the readers of a channel, or of a direct message. */
  async publish(): Promise<void> {
    const { sync, identity, workspace, options, context } = this.#given;
    const { store, teamId } = sync;
    const stored = await readStored(sync, identity);
    const target = await findTarget(sync, workspace, options.publish ?? true, stored, true);
    const { channelId } = target;
    this.#target = channelId;
    const publishing: PublishContext = {
      store,
      slack: sync.slack,
      teamId,
      userId: identity.userId,
      now: sync.now,
      signal: sync.signal,
      sleep,
      settleMs: context.config.pace === 'off' ? settleMs.unpaced : settleMs.paced,
    };
    // What is half posted comes first: it is older, and where it ends the next one begins.
    const finished = await finishEarlier(publishing, channelId);
    this.#published.push(...finished);
    const digest = await this.#buildFor(stored, target);
    // What was to be posted once more, and was cut off, has been by now.
    if (options.mode === 'repost' && (await this.#isAmong(finished, digest.window))) return;
    const report = await publish(publishing, {
      target: channelId,
      window: digest.window,
      knownUntil: millisToIso(this.#startedAt),
      configHash: this.#series(),
      alike: this.#allSeries(),
      messages: isEmpty(digest) ? [] : renderBlocks(digest),
      mode: options.mode,
    });
    this.#published.push(report);
  }

  async #isAmong(finished: readonly PublishReport[], window: DigestWindow): Promise<boolean> {
    const { digests } = this.#given.sync.store;
    for (const { digest_id } of finished) {
      const row = digest_id === null ? undefined : await digests.find(digest_id);
      if (row?.window_from === window.from && row.window_to === window.to) return true;
    }
    return false;
  }

  /** What the readers of a place have not been told yet; of a digest that is posted once more, all that it told. */
  async #buildFor(stored: Stored, target: DigestTarget): Promise<Digest> {
    const { sync, options } = this.#given;
    const { digests } = sync.store;
    const { channelId } = target;
    const series = options.mode === 'post' ? [this.#series()] : this.#allSeries();
    const last = await digests.findLastPosted(sync.teamId, channelId, series);
    if (options.mode === 'post') {
      const window = this.#window(last?.window_to ?? null, await this.#readUntil());
      const isNext = options.window.kind !== 'fixed' && window.from === last?.window_to;
      const posted = await digests.listItemKeys(sync.teamId, channelId);
      const knownUntil = options.window.kind === 'fixed' ? window.to : millisToIso(this.#startedAt);
      return this.#build(stored, window, { target, posted, knownSince: isNext ? last.created_at : null, knownUntil });
    }
    const again = (window: DigestWindow) =>
      this.#build(stored, window, { target, posted: new Set(), knownSince: null, knownUntil: window.to });
    // Once more, or in its place: the same stretch, unless another was asked for.
    const isLast = last !== undefined && options.window.kind === 'sinceLast';
    const until = isLast ? Date.parse(last.window_to) : this.#given.context.now();
    if (!isLast) return again(this.#window(null, until));
    const same = { kind: 'fixed', from: Date.parse(last.window_from), to: until } as const;
    return again(windowOf(same, null, this.#windowSettings(until)));
  }

  /**
   * What a digest tells of ends where the last reading of Slack began: the next one begins there, and what was written in
   * between would be lost to both.
   */
  async #readUntil(): Promise<number> {
    const { sync, context } = this.#given;
    const now = context.now();
    const read = await sync.store.runs.findLastRead(sync.teamId);
    return read === null ? now : Math.min(now, Date.parse(read));
  }

  /** Digests that choose differently are told apart, each going on from its own last one; and no fixed window begins a series. */
  #series(): string {
    const [running, fixed] = this.#allSeries();
    return this.#given.options.window.kind === 'fixed' ? fixed : running;
  }

  #allSeries(): [running: string, fixed: string] {
    const { options, workspace } = this.#given;
    const { categories, minConfidence, minImportance } = options;
    const { include, exclude } = workspace.channels;
    const choice = { categories: [...categories].sort(), minConfidence, minImportance, include, exclude };
    const hash = createHash('sha256').update(JSON.stringify(choice)).digest('hex');
    return [hash, `fixed:${hash}`];
  }

  #window(lastTo: IsoTime | null, now: number): DigestWindow {
    return windowOf(this.#given.options.window, lastTo, this.#windowSettings(now));
  }

  #windowSettings(now: number) {
    const { zone, upcomingMs } = this.#given.options;
    return { now, zone, upcomingMs };
  }

  async #build(
    stored: Stored,
    window: DigestWindow,
    { target, posted, knownSince, knownUntil }: Readers,
  ): Promise<Digest> {
    const { context, cwd, options, sync, identity, workspace } = this.#given;
    const { config } = context;
    const selection = selectChannels(workspace.channels);
    const readers = target === null ? null : { target: target.channelId, isInternal: target.isInternal };
    const visible = visibleChannels(stored.channels, selection, readers, config.digest.private_channels);
    reportUnmet(sync, selection, 'in the database');
    noteIdleDigestKeys(sync, config, stored.channels);
    this.#channels = visible.size;
    const general = generalChannel(stored.channels);
    const events = await eventSettings(config, cwd);
    const lookBackMs = config.deduplication.message_lookback_days * dayMs;
    const build: BuildOptions = {
      window,
      known: { from: knownSince ?? window.from, to: knownUntil },
      isSelected: (id) => visible.has(id),
      generalChannel: general !== null && visible.has(general) ? general : null,
      top: options.top,
      isPublic: target !== null,
      explain: options.explain,
      choice: {
        categories: options.categories,
        minConfidence: options.minConfidence,
        minImportance: options.minImportance,
        maxEvents: options.maxEvents,
        categoryPriorities: config.digest.category_priorities,
        posted,
        sameWithinMs: config.deduplication.date_window_hours * 3_600_000,
      },
      reading: {
        rules: rulesExtractor({ maxEvents: 5 }),
        scoring: scoringFor(config, stored.channels),
        scoringHash: createHash('sha256').update(JSON.stringify(config.scoring)).digest('hex'),
        lookBackMs,
        zone: options.zone,
        knownSince,
        rescore: options.rescore,
      },
      events,
      merging: {
        dateWindowMs: config.deduplication.date_window_hours * 3_600_000,
        titleSimilarity: config.deduplication.title_similarity,
        lookBackMs,
      },
      askModel: this.#modelStage(stored, visible, window, events),
    };
    const digestContext = {
      teamId: sync.teamId,
      workspace: { team_id: identity.teamId, name: identity.teamName, url: identity.url || null },
      directory: stored.directory,
      now: sync.now,
      signal: sync.signal,
    };
    this.#digest = await inOneIfDry(sync, options, digestContext, (joined) => buildDigest(joined, build));
    return this.#digest;
  }

  #modelStage(
    { channels, directory }: Stored,
    visible: ReadonlySet<string>,
    window: DigestWindow,
    events: BuildOptions['events'],
  ): BuildOptions['askModel'] {
    const { model, sync, context, options } = this.#given;
    if (model === null) return null;
    // Nobody agreed that what is said in private is sent elsewhere.
    const everything = selectChannels({ include: [], exclude: [] });
    const shared = context.config.digest.private_channels;
    const sent = visibleChannels(channels, everything, { target: '', isInternal: true }, shared);
    const channelIds = [...visible].filter((id) => sent.has(id));
    const log = (line: string) => context.log.debug(line);
    return async () => {
      this.#llm = await askModel(sync, model, { window, channelIds, directory, events, zone: options.zone, log });
      reportModel(sync, this.#llm);
      return this.#llm.notes;
    };
  }

  /** A page that says that all is quiet would be a lie when no channel was found. */
  tellsSomething(): boolean {
    return this.#digest !== null && (this.#channels > 0 || this.#given.sync.errors.length === 0);
  }

  report(): JobReport {
    const extra: JsonObject = { workspace_name: this.#given.identity.teamName };
    if (this.#digest !== null) extra['digest'] = JSON.parse(JSON.stringify(this.#digest));
    if (this.#llm !== null) extra['llm'] = { ...this.#llm };
    if (this.#target !== null) {
      extra['target'] = this.#target;
      extra['published'] = this.#published.map((report) => ({ ...report, posted: [...report.posted] }));
    }
    return {
      channels: { total: this.#channels, ok: this.#channels, failed: 0, skipped: 0 },
      channelResults: [],
      anyOk: this.tellsSomething(),
      remaining: null,
      extra,
      lines: this.#published.map((report) => this.#lineOf(report)),
    };
  }

  #lineOf({ status, posted }: PublishReport): string {
    const [first] = posted;
    const { identity } = this.#given;
    const link =
      first === undefined || this.#target === null || identity.url === ''
        ? ''
        : `: ${permalink(identity.url, this.#target, first)}`;
    switch (status) {
      case 'posted':
        return `  posted ${countOf(posted.length, 'message')}${link}`;
      case 'updated':
        return `  updated ${countOf(posted.length, 'message')}${link}`;
      case 'already_posted':
        return `  this window was posted already${link}; --repost posts it again, --update edits it`;
      case 'nothing':
        return '  nothing new to tell, so nothing was posted';
    }
  }
}

function permalink(url: string, channelId: string, ts: string): string {
  return `${url}archives/${channelId}/p${ts.replace('.', '')}`;
}

/** A model that fails leaves a digest by the rules, and somebody should know. A spent budget is what was asked for. */
function reportModel(sync: SyncContext, { stopped, failed, notes }: LlmStageReport): void {
  if (failed === 0 && stopped !== 'refused' && stopped !== 'unavailable') return;
  const message = notes.join(' ') || `the language model could not read ${countOf(failed, 'message')}`;
  const hint = 'What the rules found is in the digest.';
  failedUnit(sync, { channelId: null, channel: null, code: `llm_${stopped ?? 'failed'}`, message, hint }, 'unknown');
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
