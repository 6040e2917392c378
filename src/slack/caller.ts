/** Makes one call of a method succeed, or fail for good: allow-list, budget, pace, retries. */
import { BudgetEndedError } from '../errors.ts';
import type { Emit } from '../sync/events.ts';
import type { CallArguments, CallFailure, Send } from './answer.ts';
import { slackError, unrepeatedError } from './call-errors.ts';
import type { MethodName, Permission } from './methods.ts';
import { checkCallable } from './methods.ts';
import type { Pacer } from './pacer.ts';
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
  maxRequests: number | undefined;
  /** Epoch milliseconds. */
  deadline: number | undefined;
  /** Told when Slack said "slow down", after the pacer knows of it. */
  onRateLimit: (method: MethodName, restMs: number) => Promise<void>;
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
    const { maxRequests } = this.#options;
    return maxRequests === undefined ? null : Math.max(0, maxRequests - this.#total);
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
   * Throws `SlackError`, `BudgetEndedError`, or the signal's reason.
   */
  async call<T>(
    method: MethodName,
    args: CallArguments,
    read: (body: unknown) => Reading<T>,
    { beforeEach }: { beforeEach?: () => Promise<void> } = {},
  ): Promise<T> {
    const { policy, random, permissions } = this.#options;
    checkCallable(method, permissions);
    let failures = 0;
    let rateLimits = 0;
    for (;;) {
      const outcome = await this.#attempt(method, args, read, beforeEach);
      if (outcome.ok) return outcome.value;
      const { failure } = outcome;
      if (failure.type === 'rate_limited') {
        rateLimits += 1;
        if (rateLimits > policy.rateLimits) throw slackError(method, failure, rateLimits);
        continue;
      }
      rateLimits = 0;
      failures += 1;
      if (beforeEach !== undefined) throw unrepeatedError(method, failure);
      const delay = retryDelay(slackError(method, failure), failures, policy, random);
      if (delay === undefined) throw slackError(method, failure, failures);
      await this.#backOff(method, failure, failures, Math.ceil(delay));
    }
  }

  async #attempt<T>(
    method: MethodName,
    args: CallArguments,
    read: (body: unknown) => Reading<T>,
    beforeEach: (() => Promise<void>) | undefined,
  ): Promise<{ ok: true; value: T } | { ok: false; failure: CallFailure }> {
    const { send, pacer, signal, deadline } = this.#options;
    this.#checkRequests();
    const complete = await pacer.acquire(method, { signal, deadline });
    try {
      // Calls of other methods may have used the budget up while this one waited.
      this.#checkRequests();
      await beforeEach?.();
      this.#count(method);
      const answer = await send(method, args);
      if (answer.ok) {
        const reading = read(answer.body);
        return reading.ok ? reading : { ok: false, failure: { type: 'bad_body', why: reading.why } };
      }
      if (answer.failure.type === 'rate_limited') await this.#rest(method, answer.failure.retryAfterMs);
      return answer;
    } finally {
      complete();
    }
  }

  #checkRequests(): void {
    const { maxRequests } = this.#options;
    if (maxRequests !== undefined && this.#total >= maxRequests) throw new BudgetEndedError('requests');
  }

  #count(method: MethodName): void {
    this.#total += 1;
    this.#requests.set(method, (this.#requests.get(method) ?? 0) + 1);
    this.#options.emit({ type: 'request', method, requests: this.#total });
  }

  /** While this call still holds its lane, so that nobody behind it slips through before the rest. */
  async #rest(method: MethodName, retryAfterMs: number | undefined): Promise<void> {
    const { pacer, policy, random, emit, onRateLimit } = this.#options;
    const restMs = restAfterRateLimit(retryAfterMs, policy, random);
    this.#rateLimited += 1;
    pacer.rest(method, restMs);
    emit({ type: 'rate_limited', method, retryAfterMs: restMs });
    await onRateLimit(method, restMs);
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
