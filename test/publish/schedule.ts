/**
 * One random course of events: digests that are published one after the other into a channel of their own, by runs that are
 * killed anywhere, that meet answers lost in every way, refusals and a history that cannot be read, and that race with each
 * other, until a run comes through.
 */
import { get } from 'node:http';
import { expect } from 'vitest';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import { openStore } from '../../src/db/repositories/index.ts';
import { AppError, DatabaseError } from '../../src/errors.ts';
import type { IsoTime, JsonObject } from '../../src/model.ts';
import {
  finishEarlier,
  type PublishContext,
  type PublishReport,
  type PublishRequest,
  publish,
} from '../../src/publish/publish.ts';
import { openSlackApi } from '../../src/slack/api-source.ts';
import { sleep } from '../../src/slack/waiting.ts';
import { millisToIso } from '../../src/ts.ts';
import type { Channel } from '../stand-in/channel.ts';
import type { Fault, FaultEffect } from '../stand-in/faults.ts';
import { Random } from '../stand-in/random.ts';
import type { StandIn } from '../stand-in/server.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import { type Death, Life, mortalSlack, mortalStore } from './mortal.ts';

export interface Lab {
  dialect: Dialect;
  slack: StandIn;
  workspace: Workspace;
}

const settleMs = 60_000;
const timeoutMs = 40;
const latestMs = 40;
/** In the end a run must come through, however busy the machine is. */
const calmTimeoutMs = 5000;

/** Faults end after so many runs, and nothing kills any more: then one must come through. */
const troubledRuns = 6;
const mostRuns = 12;

/**
 * Time as the runs of one schedule see it. It stands still until somebody waits for what is under way to settle, and moves on
 * when it has: thus a busy machine makes nothing appear later than it may.
 */
class SettlingClock {
  now = Date.now();
  readonly #slack: StandIn;
  #underway = 0;
  /** How often something has begun or ended. */
  #changes = 0;

  constructor(slack: StandIn) {
    this.#slack = slack;
  }

  /** Something that may have an effect until it ends, or is killed. */
  async during<T>(work: () => Promise<T>, killed: AbortSignal): Promise<T> {
    this.#changes += 1;
    this.#underway += 1;
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      this.#underway -= 1;
      this.#changes += 1;
    };
    killed.addEventListener('abort', end, { once: true });
    try {
      return await work();
    } finally {
      end();
    }
  }

  /** Until nothing was under way for so long that the latest effect has come. */
  readonly sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    const until = this.now + ms;
    let before: number;
    do {
      before = this.#changes;
      await this.#slackHasTakenAll();
      // In small steps, between which the stand-in gets its turn even where each of them takes long.
      for (let waited = 0; waited < 3 * latestMs; waited += 10) await sleep(10, signal);
    } while (this.#underway > 0 || this.#changes !== before);
    this.now = Math.max(this.now, until);
  };

  /**
   * A server takes one new connection in each turn of its loop (libuv, `uv__server_io`), in their order: on a busy machine a
   * call that its caller gave up long ago may still wait to be read. An answer on a new connection says that none does.
   */
  async #slackHasTakenAll(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      get(this.#slack.url, { agent: false }, (answer) => answer.resume().on('end', resolve)).on('error', reject);
    });
  }
}

export interface Played {
  runs: number;
  kills: number;
  failures: string[];
  races: number;
}

/** Plays it to its end and checks it: every message stands in the channel once, in order, and one more run posts nothing. */
export async function playSchedule(lab: Lab, seed: number): Promise<Played> {
  const game = new Game(lab, seed);
  await game.play();
  return game.played;
}

class Game {
  readonly played: Played = { runs: 0, kills: 0, failures: [], races: 0 };
  readonly #lab: Lab;
  readonly #seed: number;
  readonly #random: Random;
  readonly #channel: Channel;
  readonly #clock: SettlingClock;
  readonly #requests: PublishRequest[] = [];
  readonly #faults: Fault[] = [];
  /** As they should stand in the channel. */
  readonly #expected: string[] = [];

  constructor(lab: Lab, seed: number) {
    this.#lab = lab;
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#clock = new SettlingClock(lab.slack);
    this.#channel = lab.workspace.channel(`digest-${seed}`);
  }

  async play(): Promise<void> {
    const digests = 1 + this.#random.below(3);
    for (let n = 0; n < digests; n += 1) {
      const request = this.#request(n, 'post');
      this.#expected.push(...request.messages.map(({ text }) => text));
      await this.#publishAtLast(request);
      if (this.#random.chance(0.3)) this.#channel.post({ user: 'U0ANYBODY', text: 'Thanks!' });
    }
    if (this.#random.chance(0.25)) await this.#updateLast(digests - 1);
    await this.#clock.sleep(0, new AbortController().signal);
    await this.#check();
  }

  async #updateLast(n: number): Promise<void> {
    const before = this.#requests.at(-1)?.messages.length ?? 0;
    const request = this.#request(n, 'update');
    const texts = request.messages.map(({ text }) => text);
    while (texts.length < before) texts.push('The digest above has become shorter.');
    this.#expected.splice(-before, before, ...texts);
    await this.#publishAtLast(request);
  }

  #request(n: number, mode: PublishRequest['mode']): PublishRequest {
    const messages = Array.from({ length: 1 + this.#random.below(4) }, (_, part) => {
      const text = `Digest ${n}, part ${part}, seed ${this.#seed}${mode === 'update' ? ', edited' : ''}`;
      const itemKeys = Array.from({ length: this.#random.below(4) }, (_, item) => `${this.#seed}-${n}-${part}-${item}`);
      return { text, blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }], itemKeys };
    });
    const window = { from: dayAt(n), to: dayAt(n + 1) };
    const knownUntil = millisToIso(this.#clock.now);
    const request = { target: this.#channel.id, window, knownUntil, configHash: 'hash', messages, mode };
    if (mode === 'post') this.#requests.push(request);
    return request;
  }

  async #publishAtLast(request: PublishRequest): Promise<void> {
    const fresh = Array.from({ length: this.#random.below(5) }, () => this.#fault());
    for (const fault of fresh) this.#lab.slack.faults.add(fault);
    this.#faults.push(...fresh);
    for (let run = 1; run <= mostRuns; run += 1) {
      const isTroubled = run <= troubledRuns;
      if (!isTroubled) for (const fault of this.#faults) fault.times = 0;
      const isRace = isTroubled && this.#random.chance(0.25);
      if (isRace) this.played.races += 1;
      const deaths = Array.from({ length: isRace ? 2 : 1 }, () => (isTroubled ? this.#death() : null));
      const patience = isTroubled ? timeoutMs : calmTimeoutMs;
      const ended = await Promise.all(deaths.map((death) => this.#run(request, death, patience)));
      if (ended.includes('done')) return;
    }
    throw new Error(`no run came through: ${this.played.failures.join(' / ')}`);
  }

  #death(): Death | null {
    if (this.#random.chance(0.4)) return null;
    return { at: 1 + this.#random.below(24), moment: this.#random.pick(['before', 'during', 'after']) };
  }

  async #run(request: PublishRequest, death: Death | null, patience: number): Promise<'done' | 'failed' | 'killed'> {
    this.played.runs += 1;
    const life = new Life(death);
    const outcome = await life.live(this.#publish(life, request, patience));
    if (outcome.ended === 'failed') {
      const { error } = outcome;
      // Anything else would be a failure nobody could act on.
      if (!(error instanceof AppError) || error instanceof DatabaseError) throw error;
      this.played.failures.push(error.message);
    }
    if (outcome.ended === 'killed') this.played.kills += 1;
    return outcome.ended;
  }

  async #publish(life: Life, request: PublishRequest, patience = calmTimeoutMs): Promise<PublishReport> {
    const context = this.#context(life, patience);
    await finishEarlier(context, request.target);
    return publish(context, request);
  }

  #context(life: Life, patience: number): PublishContext {
    const { dialect, slack, workspace } = this.#lab;
    const { signal } = life;
    const api = openSlackApi({
      token: workspace.botToken,
      apiUrl: slack.url,
      pace: 'off',
      allowPost: true,
      emit: () => {},
      signal,
      timeoutMs: patience,
    });
    const watched: PublishContext['slack'] = {
      history: (request) => api.history(request),
      post: (message, claim) => this.#clock.during(() => api.post(message, claim), signal),
      update: (message) => api.update(message),
      remove: (channel, ts) => api.remove(channel, ts),
    };
    return {
      store: mortalStore(openStore(dialect), life),
      slack: mortalSlack(watched, life),
      teamId: workspace.id,
      userId: this.#lab.workspace.bot.id,
      now: () => this.#clock.now,
      signal,
      sleep: this.#clock.sleep,
      settleMs,
    };
  }

  #fault(): Fault {
    const effects: FaultEffect[] = [
      { kind: 'lost', how: 'reset' },
      { kind: 'lost', how: 'hang' },
      { kind: 'lost', how: 'http' },
      { kind: 'rewrite', body: () => ({ ok: false, error: 'fatal_error' }) },
      { kind: 'truncated', transfer: 'length' },
      { kind: 'broken-json' },
      { kind: 'rewrite', body: ({ ts: _, ...rest }) => rest },
      { kind: 'late', delayMs: 1 + this.#random.below(latestMs) },
      { kind: 'slow', delayMs: this.#random.below(2 * timeoutMs) },
      { kind: 'reset' },
      { kind: 'hang' },
      { kind: 'http', status: 503 },
      { kind: 'html' },
      { kind: 'error', error: 'internal_error' },
      { kind: 'error', error: 'not_in_channel' },
      { kind: 'error', error: 'ratelimited' },
      { kind: '429', retryAfter: 0 },
    ];
    const unreadable: FaultEffect[] = [
      { kind: 'http', status: 500 },
      { kind: 'error', error: 'missing_scope', needed: 'channels:history' },
      { kind: 'error', error: 'not_in_channel' },
      { kind: 'reset' },
      { kind: 'no-cursor' },
      { kind: '429', retryAfter: 0 },
    ];
    const channel = this.#channel.id;
    const nth = 1 + this.#random.below(6);
    if (this.#random.chance(0.25)) {
      const times = 1 + this.#random.below(8);
      return { method: 'conversations.history', channel, nth, times, ...this.#random.pick(unreadable) };
    }
    const method = this.#random.chance(0.1) ? 'chat.update' : 'chat.postMessage';
    return { method, channel, nth, times: 1 + this.#random.below(2), ...this.#random.pick(effects) };
  }

  async #check(): Promise<void> {
    const { dialect, slack, workspace } = this.#lab;
    const { digests } = openStore(dialect);
    const posted = this.#channel.expectedMessages({ metadata: true }).filter(({ metadata }) => metadata !== undefined);
    expect(posted.map(({ text }) => text)).toEqual(this.#expected);
    expect(await digests.listUnfinished(workspace.id, this.#channel.id)).toEqual([]);
    const before = slack.count('chat.postMessage', this.#channel.id);
    const standing: unknown[] = [];
    for (const request of this.#requests) {
      const report = await this.#publish(new Life(null), request);
      expect(report.status).toBe('already_posted');
      standing.push(...report.posted);
      const { digest_id } = report;
      const payloads = posted.map(({ metadata }) => (metadata as JsonObject)['event_payload'] as JsonObject);
      const parts = payloads.flatMap((payload) => (payload['digest_id'] === digest_id ? [payload['chunk_no']] : []));
      expect(parts).toEqual(report.posted.map((_, part) => part));
    }
    expect(standing).toEqual(posted.map(({ ts }) => ts));
    expect(slack.count('chat.postMessage', this.#channel.id)).toBe(before);
    await this.#checkItems(new Set(standing));
  }

  /** Each is recorded once, under a message that stands there. */
  async #checkItems(standing: ReadonlySet<unknown>): Promise<void> {
    const rows = await this.#lab.dialect.db
      .selectFrom('digest_items')
      .innerJoin('digests', 'digests.digest_id', 'digest_items.digest_id')
      .select(['digest_items.item_key', 'digest_items.status', 'digest_items.posted_ts'])
      .where('digests.channel_id', '=', this.#channel.id)
      .execute();
    expect(rows.filter(({ status, posted_ts }) => status !== 'posted' || !standing.has(posted_ts))).toEqual([]);
    const keys = rows.map(({ item_key }) => item_key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of this.#requests.flatMap(({ messages }) => messages.flatMap(({ itemKeys }) => itemKeys))) {
      if (this.#isEdited) break;
      expect(keys).toContain(key);
    }
  }

  get #isEdited(): boolean {
    return this.#expected.some((text) => text.includes('edited'));
  }
}

function dayAt(n: number): IsoTime {
  return millisToIso(Date.UTC(2026, 0, 1 + n));
}
