/** A workspace with candidates, a stand-in of a language model, and runs of the stage between them. */
import type { Dialect } from '../../../src/db/dialects/dialect.ts';
import { openStore, type Store } from '../../../src/db/repositories/index.ts';
import type { EventCandidateRow } from '../../../src/db/schema.ts';
import type { ExtractedEvent } from '../../../src/digest/events/event.ts';
import type { CandidateMessage } from '../../../src/digest/events/extractor.ts';
import { extractWithModel } from '../../../src/digest/llm/extract.ts';
import { openAiModel } from '../../../src/digest/llm/openai-client.ts';
import type { LlmContext, LlmOptions, LlmSettings, LlmStageReport } from '../../../src/digest/llm/stage.ts';
import type { Ts } from '../../../src/model.ts';
import { isoToTs, millisToIso, parseTs, tsToIso } from '../../../src/ts.ts';
import { type Answer, type ModelRequest, openModel, type StandInModel } from '../../stand-in-llm/server.ts';
import type { TestDatabase } from '../../support/databases.ts';

export const teamId = 'T1';
export const channelId = 'C1';
/** The lab's now: a Friday. */
export const noon = Date.parse('2026-11-20T12:00:00.000Z');
export const range = {
  from: millisToIso(noon - 86_400_000),
  to: millisToIso(noon),
};

export const settings: LlmSettings = {
  model: 'gpt-5-nano',
  temperature: 1,
  timeoutMs: 20_000,
  budget: { usd: 10, tokens: null },
  prices: {},
  maxEventsPerMessage: 5,
  cacheTtlMs: 21 * 86_400_000,
  chunk: { tokens: null, charsPerToken: null },
  maxCandidates: 50,
  maxOutputTokens: 1000,
  concurrency: 1,
  speed: 1,
};

/** The n-th of the lab's messages. */
export function tsOf(n: number): Ts {
  return parseTs(`${isoToTs(millisToIso(noon - 3_600_000 + n * 1000)).slice(0, 11)}000${String(n).padStart(3, '0')}`);
}

export function message(n: number, changes: Partial<CandidateMessage> = {}): CandidateMessage {
  const ts = tsOf(n);
  const plain = `Payments were deployed, number ${n}`;
  return {
    team_id: teamId,
    channel_id: channelId,
    ts,
    posted_at: tsToIso(ts),
    channel_name: 'releases',
    text: { plain, norm: plain.toLowerCase(), links: [], anchors: [], mentions: 0, hasFiles: false },
    zone: 'Europe/Amsterdam',
    isBot: false,
    isReply: false,
    ...changes,
  };
}

export interface Saved {
  ts: Ts;
  events: ExtractedEvent[];
  model: string;
  promptVersion: string;
}

export interface RunChanges {
  settings?: Partial<LlmSettings>;
  options?: Partial<LlmOptions>;
  context?: Partial<LlmContext>;
}

export class LlmLab implements AsyncDisposable {
  readonly dialect: Dialect;
  readonly store: Store;
  readonly model: StandInModel;
  readonly #database: TestDatabase;
  readonly #messages = new Map<Ts, CandidateMessage>();
  readonly saved: Saved[] = [];
  /** Every delay that the stage asked for, in milliseconds. */
  readonly slept: number[] = [];
  readonly logged: string[] = [];
  /** Added to the lab's clock. */
  lateMs = 0;

  constructor(database: TestDatabase, dialect: Dialect, model: StandInModel) {
    this.#database = database;
    this.dialect = dialect;
    this.store = openStore(dialect);
    this.model = model;
  }

  /** Candidates, the first the best: scores go down by one from `count`. */
  async addCandidates(count: number, changes: (n: number) => Partial<CandidateMessage> = () => ({})): Promise<void> {
    for (let n = 1; n <= count; n += 1) await this.addCandidate(message(n, changes(n)), { score: count - n + 1 });
  }

  async addCandidate(added: CandidateMessage, changes: Partial<EventCandidateRow> = {}): Promise<void> {
    this.#messages.set(added.ts, added);
    const now = millisToIso(noon);
    const row: EventCandidateRow = {
      team_id: added.team_id,
      channel_id: added.channel_id,
      ts: added.ts,
      source: 'slack',
      posted_at: added.posted_at,
      score: 10,
      status: 'rules_ok',
      reason: null,
      features: {},
      config_hash: '',
      norm_version: 1,
      text_hash: '',
      message_updated_at: now,
      lease_owner: null,
      lease_expires_at: null,
      attempts: 0,
      created_at: now,
      updated_at: now,
      ...changes,
    };
    await this.store.transaction((tx) => tx.events.writeCandidates([row]));
  }

  remove(ts: Ts): void {
    this.#messages.delete(ts);
  }

  /** Everything a run needs; `store` may be another connection. */
  context({ settings: some, context }: RunChanges = {}): LlmContext {
    return {
      store: this.store,
      teamId,
      now: () => noon + this.lateMs,
      signal: new AbortController().signal,
      log: (line) => this.logged.push(line),
      model: openAiModel({ baseUrl: this.model.baseUrl, apiKey: 'sk-test', proxy: null }),
      settings: { ...settings, ...some },
      load: async (keys) => keys.flatMap(({ ts }) => this.#messages.get(ts) ?? []),
      save: async (_, { ts }, events, facts) => {
        this.saved.push({ ts, events, ...facts });
        return true;
      },
      sleep: async (ms) => {
        this.slept.push(ms);
      },
      random: () => 0,
      ...context,
    };
  }

  run(changes: RunChanges = {}): Promise<LlmStageReport> {
    const options: LlmOptions = { channelIds: [channelId], ...range, deadline: null, ...changes.options };
    return extractWithModel(this.context(changes), options);
  }

  /** A second connection to the same database, as another process has it. */
  async otherStore(): Promise<Store> {
    return openStore(await this.#database.open());
  }

  async candidates(): Promise<Record<string, unknown>[]> {
    return this.dialect.db
      .selectFrom('event_candidates')
      .select(['status', 'attempts', 'reason', 'lease_owner'])
      .orderBy('ts')
      .execute();
  }

  async statuses(): Promise<unknown[]> {
    return (await this.candidates()).map(({ status }) => status);
  }

  async calls() {
    return this.dialect.db.selectFrom('llm_calls').selectAll().orderBy('ts').orderBy('attempt').execute();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.model[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
  }
}

export async function openLab(
  create: () => Promise<TestDatabase>,
  answer: (request: ModelRequest) => Answer,
): Promise<LlmLab> {
  const database = await create();
  return new LlmLab(database, await database.openMigrated(), await openModel(answer));
}
