/**
 * The stage that has a language model read the best candidates. Each candidate is leased by itself right before it is read
 * and its events are stored together with its new status, so whatever ends a run, the next one goes on from there.
 */
import { randomUUID } from 'node:crypto';
import type { CandidateKey, LeasedCandidate, LeaseScope } from '../../db/repositories/candidate-leases.ts';
import { RefusedContentError } from '../../errors.ts';
import type { IsoTime } from '../../model.ts';
import { millisToIso } from '../../ts.ts';
import type { ExtractedEvent } from '../events/event.ts';
import type { CandidateMessage } from '../events/extractor.ts';
import { Asker, describe, promptVersion, refusalNote } from './ask.ts';
import { budgetDay, isScarce, leastScore } from './budget.ts';
import type { ChatFailure, ChatFailureKind } from './chat-model.ts';
import { chunkLength, chunksOf } from './chunks.ts';
import { nanosOf, usdOf } from './prices.ts';
import type { LlmContext, LlmOptions, LlmStageReport, Stopped } from './stage.ts';

/** Time for one call and the wait after it; whoever holds a candidate renews its lease before each. */
const leaseMs = 15 * 60_000;
const restOfLeaseMs = 10 * 60_000;

/** So many candidates in a row without an answer, and it is not them that the endpoint fails on. */
const failuresOfEndpoint = 3;
/** Failures that may be the endpoint's rather than the candidate's. */
const kindsOfEndpoint: ReadonlySet<ChatFailureKind> = new Set([
  'rate_limited',
  'timeout',
  'server',
  'network',
  'bad_request',
]);

/**
 * Has the model read open candidates of the channels and of `[from, to)`, the best first. Failures are in the report; throws
 * only what ends the whole run: the signal's reason, errors of the database, and `UsageError` when nobody knows what the
 * model costs. Candidates that it could not finish are given back before it returns or throws.
 */
export async function extractWithModel(context: LlmContext, options: LlmOptions): Promise<LlmStageReport> {
  return new Extraction(context, options).run();
}

interface Ending {
  why: Stopped;
  note: string;
}

type Reading =
  | { type: 'read'; events: ExtractedEvent[]; isCached: boolean }
  | { type: 'failed'; failure: ChatFailure }
  | { type: 'stopped'; ending: Ending }
  | { type: 'lost' };

class Extraction {
  readonly #context: LlmContext;
  readonly #scope: LeaseScope;
  readonly #owner = randomUUID();
  readonly #asker: Asker;
  readonly #taken: CandidateKey[] = [];
  /** Not given back yet: whether they or the endpoint are to blame shows with the next ones. */
  #unclear: { candidate: LeasedCandidate; failure: ChatFailure }[] = [];
  #places: number;
  #ending: Ending | null = null;
  /** Once money is scarce, the score that a candidate needs; for the rest of the run, or the best tenth would shrink to nothing. */
  #minScore: number | null = null;
  #counts = { read: 0, cached: 0, failed: 0, events: 0, givenUp: 0, unreadable: 0, overflowing: 0, rejected: 0 };

  constructor(context: LlmContext, { channelIds, from, to, deadline }: LlmOptions) {
    this.#context = context;
    this.#scope = { teamId: context.teamId, channelIds, from, to };
    this.#asker = new Asker(context, deadline);
    this.#places = context.settings.maxCandidates;
  }

  async run(): Promise<LlmStageReport> {
    const { store, teamId, settings } = this.#context;
    await store.transaction(async (tx) => {
      await tx.leases.returnExpired(teamId, this.#now());
      await tx.languageModels.removeExpiredAnswers(this.#now());
    });
    // One that fails lets the others finish what they have begun.
    const workers = Array.from({ length: Math.max(1, settings.concurrency) }, () => this.#work());
    const failure = (await Promise.allSettled(workers)).find((outcome) => outcome.status === 'rejected');
    await this.#settleUnclear(failure === undefined && !isEndpointsFault(this.#ending));
    if (failure !== undefined) throw failure.reason;
    return this.#report();
  }

  async #work(): Promise<void> {
    try {
      while (this.#ending === null) {
        const candidate = await this.#next();
        if (candidate === null) return;
        await this.#process(candidate);
      }
    } catch (error) {
      // Ends the others too; what they say is thrown away with the report.
      this.#ending ??= { why: 'unavailable', note: '' };
      throw error;
    }
  }

  /** The best candidate that is left, ours from now on. */
  async #next(): Promise<LeasedCandidate | null> {
    const { store, settings, now, signal } = this.#context;
    signal.throwIfAborted();
    if (this.#places <= 0) return null;
    this.#places -= 1;
    const [candidate] = await store.transaction(async (tx) => {
      if (this.#minScore === null) {
        const day = budgetDay(now());
        const spent = await tx.languageModels.sumSpent(day.from, day.to);
        if (isScarce(settings.budget, spent)) this.#minScore = leastScore(await tx.leases.listOpenScores(this.#scope));
      }
      return tx.leases.lease(this.#scope, {
        owner: this.#owner,
        now: this.#now(),
        expiresAt: this.#leaseEnd(),
        limit: 1,
        minScore: this.#minScore,
        except: this.#taken,
      });
    });
    if (candidate === undefined) return null;
    this.#taken.push(candidate);
    return candidate;
  }

  async #process(candidate: LeasedCandidate): Promise<void> {
    let reading: Reading;
    try {
      const [message] = await this.#context.load([candidate]);
      if (message === undefined) return await this.#giveUp(candidate, 'the message is no longer stored');
      reading = await this.#read(candidate, message);
      if (reading.type === 'read') return await this.#store(candidate, message, reading);
    } catch (error) {
      await this.#releaseAfter(error, candidate);
      throw error;
    }
    if (reading.type === 'stopped') {
      this.#ending ??= reading.ending;
      await this.#release(candidate);
    } else if (reading.type === 'failed') {
      await this.#fail(candidate, reading.failure);
    }
  }

  async #read(candidate: LeasedCandidate, message: CandidateMessage): Promise<Reading> {
    const { settings } = this.#context;
    const events: ExtractedEvent[] = [];
    let isCached = true;
    for (const [index, text] of chunksOf(message.text.plain, chunkLength(settings.model, settings.chunk)).entries()) {
      const outcome = await this.#asker.ask({ message, index, text }, (tx) =>
        tx.leases.renew(candidate, this.#owner, this.#leaseEnd()),
      );
      if (outcome.type === 'stopped') return { type: 'stopped', ending: outcome };
      if (outcome.type !== 'answered') return outcome;
      const { reading } = outcome;
      if (!outcome.isCached) await this.#settleUnclear(true);
      isCached &&= outcome.isCached;
      events.push(...reading.events);
      this.#counts.unreadable += reading.unreadable;
      this.#counts.overflowing += reading.hasOverflow ? 1 : 0;
    }
    return { type: 'read', events: events.slice(0, settings.maxEventsPerMessage), isCached };
  }

  async #store(
    candidate: LeasedCandidate,
    message: CandidateMessage,
    { events, isCached }: Extract<Reading, { type: 'read' }>,
  ): Promise<void> {
    const { store, save, settings } = this.#context;
    let isOurs: boolean;
    let isSaved = true;
    try {
      isOurs = await store.transaction(async (tx) => {
        if (!(await tx.leases.finish(candidate, this.#owner, this.#now()))) return false;
        isSaved = await save(tx, message, events, { model: settings.model, promptVersion });
        return true;
      });
    } catch (error) {
      if (!(error instanceof RefusedContentError)) throw error;
      return this.#giveUp(candidate, 'the database refuses what the model answered');
    }
    // Somebody else has it now, or the message has changed since: what was read of it does not count.
    if (!isOurs) return;
    this.#counts.read += 1;
    this.#counts.rejected += isSaved ? 0 : 1;
    this.#counts.cached += isCached ? 1 : 0;
    this.#counts.events += events.length;
  }

  async #fail(candidate: LeasedCandidate, failure: ChatFailure): Promise<void> {
    this.#counts.failed += 1;
    if (!kindsOfEndpoint.has(failure.kind)) return this.#countFailure(candidate, failure);
    this.#unclear.push({ candidate, failure });
    if (this.#unclear.length < failuresOfEndpoint) return;
    const isRefusal = this.#unclear.every(({ failure: { kind } }) => kind === 'bad_request');
    this.#ending ??= isRefusal
      ? { why: 'refused', note: refusalNote(failure.code) }
      : {
          why: 'unavailable',
          note: `The language model was not asked any more: ${failuresOfEndpoint} messages in a row got no answer, the last one because ${describe(failure)}. The rest is read by a later run.`,
        };
    await this.#settleUnclear(false);
  }

  /** Counts an attempt of those that failed in a row, or, when it was not their fault, gives them back uncounted. */
  async #settleUnclear(isTheirs: boolean): Promise<void> {
    const unclear = this.#unclear;
    this.#unclear = [];
    for (const { candidate, failure } of unclear) {
      if (isTheirs) await this.#countFailure(candidate, failure);
      else await this.#release(candidate);
    }
  }

  async #countFailure(candidate: LeasedCandidate, failure: ChatFailure): Promise<void> {
    const reason = describe(failure);
    const result = await this.#context.store.transaction((tx) =>
      tx.leases.fail(candidate, this.#owner, { reason, now: this.#now() }),
    );
    if (result === 'llm_fail') this.#counts.givenUp += 1;
  }

  async #giveUp(candidate: LeasedCandidate, reason: string): Promise<void> {
    await this.#context.store.transaction((tx) =>
      tx.leases.giveUp(candidate, this.#owner, { reason, now: this.#now() }),
    );
    this.#counts.failed += 1;
    this.#counts.givenUp += 1;
  }

  async #release(candidate: LeasedCandidate): Promise<void> {
    await this.#context.store.transaction((tx) => tx.leases.release(candidate, this.#owner, this.#now()));
  }

  /** Where even that fails the lease ends by itself; the first error says more than the second. */
  async #releaseAfter(cause: unknown, candidate: LeasedCandidate): Promise<void> {
    try {
      await this.#release(candidate);
    } catch (error) {
      this.#context.log?.(`giving a candidate back failed too (${error instanceof Error ? error.name : typeof error})`);
      throw cause;
    }
  }

  #now(): IsoTime {
    return millisToIso(this.#context.now());
  }

  #leaseEnd(): IsoTime {
    const { now, settings } = this.#context;
    return millisToIso(now() + Math.max(leaseMs, settings.timeoutMs + restOfLeaseMs));
  }

  async #report(): Promise<LlmStageReport> {
    const { store, now } = this.#context;
    const { read, cached, failed, events } = this.#counts;
    const { calls, tokens, nanos } = this.#asker.sums;
    const day = budgetDay(now());
    const spent = await store.languageModels.sumSpent(day.from, day.to);
    return {
      read,
      cached,
      failed,
      events,
      calls,
      tokens_in: tokens.input,
      tokens_out: tokens.output,
      cost_usd: usdOf(nanos),
      // Without the dust of a sum of fractions.
      spent_today_usd: usdOf(nanosOf(spent.usd)),
      stopped: this.#ending?.why ?? null,
      notes: this.#notes(),
    };
  }

  #notes(): string[] {
    const { givenUp, unreadable, overflowing, rejected } = this.#counts;
    const lines: [isTrue: boolean, line: string][] = [
      [
        this.#minScore !== null,
        'Less than a fifth of the budget was left: only the best tenth of the messages was read.',
      ],
      [
        givenUp > 0,
        `${messages(givenUp)} given up: the language model could not read ${givenUp === 1 ? 'it' : 'them'}.`,
      ],
      [unreadable > 0, `${unreadable} of the events that the model told of could not be read.`],
      [
        rejected > 0,
        `Of ${messages(rejected)} nothing that the language model told can be true; what the rules found stays.`,
      ],
      [overflowing > 0, `${messages(overflowing)} told of more events than are kept of one.`],
    ];
    return [
      ...(this.#ending === null ? [] : [this.#ending.note]),
      ...lines.filter(([isTrue]) => isTrue).map(([, line]) => line),
    ];
  }
}

function isEndpointsFault(ending: Ending | null): boolean {
  return ending?.why === 'unavailable' || ending?.why === 'refused';
}

function messages(count: number): string {
  return count === 1 ? '1 message' : `${count} messages`;
}
