/** Makes one call of a method succeed, or fail for good: allow-list, budget, pace, retries. */
import { BudgetEndedError } from '../errors.ts';
import type { LastCheck } from '../model.ts';
import type { Emit } from '../sync/events.ts';
import type { CallArguments, CallFailure, Send } from './answer.ts';
import { isFaultOfServer, slackError, unrepeatedError } from './call-errors.ts';
import type { MethodName, Permission } from './methods.ts';
import { checkCallable } from './methods.ts';
import type { Pacer } from './pacer.ts';
import type { PageLimit } from './page-limit.ts';
import type { Reading } from './payloads.ts';
import type { RetryPolicy } from './retry.ts';
import { restAfterRateLimit, retryDelay } from './retry.ts';
import type { Sleep } from './waiting.ts';

export interface CallerOptions {
  send: Send;
  pacer: Pacer;
  policy: RetryPolicy;
  permissions: ReadonlySet<Permission>;
  emit: Emit;
  signal: AbortSignal;
  now: () => number;
  sleep: Sleep;
  random: () => number;
  budget: RequestBudget | undefined;
  /** Epoch milliseconds. */
  deadline: number | undefined;
  /** A rest that would keep the run waiting for longer ends it. Milliseconds. */
  patienceMs: number;
  /** Told when Slack said "slow down", after the pacer knows of it. */
  onRateLimit: (method: MethodName, restMs: number) => Promise<void>;
  /** Told when a failing server asked to be left alone, after the pacer knows of it. */
  onServerRest: () => Promise<void>;
}

/** HTTP calls, retries included, that may still be sent by all who share it. */
export interface RequestBudget {
  left: number;
}

/** How a call is to be sent. */
export interface CallOptions {
  beforeEach?: () => Promise<LastCheck>;
  page?: PageLimit;
}

export class Caller {
  readonly #options: CallerOptions;
  readonly #requests = new Map<MethodName, number>();
  #total = 0;
  #rateLimited = 0;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** HTTP calls sent so far, retries included. */
  get requests(): Record<string, number> {
    return Object.fromEntries(this.#requests);
  }

  /** Calls that the budget has left; null without one. */
  get requestsLeft(): number | null {
    return this.#options.budget?.left ?? null;
  }

  /** How often Slack said "slow down". */
  get rateLimited(): number {
    return this.#rateLimited;
  }

  /**
   * What `read` makes of Slack's answer. An answer that `read` does not accept counts as a failed try like a broken
   * connection. A call with `beforeEach` is not repeatable: it is sent again only when Slack said "slow down", which says too
   * that it was not done; otherwise its first failure is thrown, and its `isDoubtful` tells whether it may have been done all
   * the same. `beforeEach` is run right before each HTTP request, after all waiting; what it throws keeps it from being sent.
   * A call with `page` asks for as many objects as that says, fewer when Slack fails at so many.
   * Throws `SlackError`, `BudgetEndedError`, or the signal's reason.
   */
  async call<T>(
    method: MethodName,
    args: CallArguments,
    read: (body: unknown) => Reading<T>,
    { beforeEach, page }: CallOptions = {},
  ): Promise<T> {
    const { policy, random, permissions } = this.#options;
    checkCallable(method, permissions);
    let failures = 0;
    let rateLimits = 0;
    let restedMs = 0;
    for (;;) {
      const sized = page === undefined ? args : { ...args, limit: page.current };
      const outcome = await this.#attempt(method, sized, read, beforeEach);
      if (outcome.ok) {
        page?.served();
        return outcome.value;
      }
      const { failure } = outcome;
      if (failure.type === 'rate_limited') {
        rateLimits += 1;
        restedMs += outcome.restMs;
        if (rateLimits > policy.rateLimits) throw slackError(method, failure, rateLimits);
        this.#checkPatience(method, restedMs);
        continue;
      }
      rateLimits = 0;
      restedMs = 0;
      failures += 1;
      if (beforeEach !== undefined) throw unrepeatedError(method, failure);
      if (isFaultOfServer(failure)) page?.failed();
      const delay = retryDelay(slackError(method, failure), failures, policy, random);
      if (delay === undefined) throw slackError(method, failure, failures);
      await this.#backOff(method, failure, failures, Math.ceil(delay));
    }
  }

  async #attempt<T>(
    method: MethodName,
    args: CallArguments,
    read: (body: unknown) => Reading<T>,
    beforeEach: (() => Promise<LastCheck>) | undefined,
  ): Promise<{ ok: true; value: T } | { ok: false; failure: CallFailure; restMs: number }> {
    const { send, pacer, signal, deadline } = this.#options;
    this.#checkRequests();
    this.#checkPatience(method, pacer.restLeft(method));
    const complete = await pacer.acquire(method, { signal, deadline });
    try {
      // Calls of other methods may have used the budget up while this one waited.
      this.#checkRequests();
      const lastCheck = await beforeEach?.();
      this.#count(method);
      const answer = await send(method, args, lastCheck);
      if (answer.ok) {
        const reading = read(answer.body);
        if (reading.ok) return reading;
        return { ok: false, failure: { type: reading.isOdd ? 'odd_body' : 'bad_body', why: reading.why }, restMs: 0 };
      }
      return { ...answer, restMs: await this.#rest(method, answer.failure) };
    } finally {
      complete();
    }
  }

  #checkRequests(): void {
    const { budget } = this.#options;
    if (budget !== undefined && budget.left <= 0) throw new BudgetEndedError('requests');
  }

  #count(method: MethodName): void {
    const { budget } = this.#options;
    if (budget !== undefined) budget.left -= 1;
    this.#total += 1;
    this.#requests.set(method, (this.#requests.get(method) ?? 0) + 1);
    this.#options.emit({ type: 'request', method, requests: this.#total });
  }

  /**
   * The rest that a failed answer asked for, in milliseconds. Begun while this call still holds its lane, so that nobody behind
   * it slips through before.
   */
  async #rest(method: MethodName, failure: CallFailure): Promise<number> {
    const { pacer, policy, random, emit, onRateLimit, onServerRest } = this.#options;
    if (failure.type === 'rate_limited') {
      const restMs = pacer.rest(method, restAfterRateLimit(failure.retryAfterMs, policy, random));
      this.#rateLimited += 1;
      emit({ type: 'rate_limited', method, retryAfterMs: restMs });
      await onRateLimit(method, restMs);
      return restMs;
    }
    if (failure.type !== 'http' || failure.retryAfterMs === undefined) return 0;
    const restMs = pacer.rest(method, failure.retryAfterMs);
    await onServerRest();
    return restMs;
  }

  /** Ends the run rather than let it keep others from working. */
  #checkPatience(method: MethodName, restMs: number): void {
    const { patienceMs, emit } = this.#options;
    if (restMs <= patienceMs) return;
    const message =
      `Slack wants no call of ${method} for another ${Math.ceil(restMs / 60_000)} min. The run ends here so that it does not keep others from ` +
      'working; a later one goes on.';
    emit({ type: 'notice', message });
    throw new BudgetEndedError('patience');
  }

  async #backOff(method: MethodName, failure: CallFailure, attempt: number, ms: number): Promise<void> {
    const { emit, now, sleep, signal, deadline } = this.#options;
    const { code, message } = slackError(method, failure);
    emit({ type: 'retry', method, attempt, code, message });
    if (deadline !== undefined && now() + ms >= deadline) throw new BudgetEndedError('duration');
    emit({ type: 'waiting', method, reason: 'retry', ms });
    await sleep(ms, signal);
  }
}
