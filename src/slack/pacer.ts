/**
 * Keeps one workspace's calls within Slack's rate limits, which count per method, workspace and app in windows of a
 * minute (docs.slack.dev/apis/web-api/rate-limits). What it knows outlives the run: the next one, a minute later from
 * cron, must not start with a full allowance.
 */
import { BudgetEndedError } from '../errors.ts';
import type { PaceState } from '../model.ts';
import type { Allowance, Pace } from './allowance.ts';
import { allowanceAt, nextCallAt } from './allowance.ts';
import type { MethodName } from './methods.ts';
import { isMethodName, publishedRate } from './methods.ts';
import type { Sleep } from './waiting.ts';
import { untilAborted } from './waiting.ts';

/** New non-Marketplace apps that are distributed commercially get one call a minute (docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps). */
export const restrictedRate = 1;
/**
 * The longest rest that is believed, in a run and across runs. Slack rests a method for seconds or minutes: more comes from
 * a clock that was wrong, or from something between us and Slack, and would hold the workspace's lock for nothing.
 */
export const longestRestMs = 3_600_000;

export interface PacerOptions {
  pace: Pace;
  /** Epoch milliseconds. */
  now: () => number;
  sleep: Sleep;
  /** What the last run knew; see `inherit`. */
  states?: readonly PaceState[];
  /** Told before each wait: for our pace, or for Slack's `Retry-After`. */
  onWait?: (method: MethodName, reason: 'pace' | 'rate_limit', ms: number) => void;
}

export interface AcquireLimits {
  signal: AbortSignal;
  /** Epoch milliseconds; a wait that would end later is not begun. */
  deadline?: number | undefined;
}

interface Lane {
  method: MethodName;
  notBefore: number;
  recentCalls: number[];
  lastStart: number;
  /** When the call that is on its way was started. */
  underway: number | undefined;
  isRestricted: boolean;
  /** Resolves when everyone who asked so far has had their turn. */
  tail: Promise<void>;
}

export class Pacer {
  readonly #options: PacerOptions;
  readonly #lanes = new Map<MethodName, Lane>();

  constructor(options: PacerOptions) {
    this.#options = options;
    this.inherit(options.states ?? []);
  }

  /**
   * Takes over what an earlier run knew, for methods not called yet: whose states to take over is known only when
   * `auth.test` has told which workspace this is. States of methods we no longer call are dropped.
   */
  inherit(states: readonly PaceState[]): void {
    const now = this.#options.now();
    for (const state of states) {
      if (!isMethodName(state.method) || this.#lanes.has(state.method)) continue;
      this.#lanes.set(state.method, inheritedLane(state.method, state, now));
    }
  }

  /**
   * Waits for the method's turn: calls of one method never overlap, those of different methods are independent. The
   * returned function must be called when the call was answered or failed. Throws the signal's reason as soon as it
   * fires, and `BudgetEndedError` at once when the wait would end after the deadline.
   */
  async acquire(method: MethodName, limits: AcquireLimits): Promise<() => void> {
    const lane = this.#lane(method);
    const leave = await enter(lane, limits.signal);
    try {
      lane.lastStart = await this.#untilDue(lane, limits);
      lane.underway = this.#options.now();
    } catch (error) {
      leave();
      throw error;
    }
    return () => {
      this.#record(lane);
      leave();
    };
  }

  /** Slack asked for `ms` milliseconds without calls of this method. Returns how many it gets. */
  rest(method: MethodName, ms: number): number {
    const lane = this.#lane(method);
    const believed = Math.min(ms, longestRestMs);
    lane.notBefore = Math.max(lane.notBefore, this.#options.now() + believed);
    return believed;
  }

  /** Milliseconds until the rest ends that Slack asked for; 0 when it wants none. */
  restLeft(method: MethodName): number {
    return Math.max(0, this.#lane(method).notBefore - this.#options.now());
  }

  isRestricted(method: MethodName): boolean {
    return this.#lane(method).isRestricted;
  }

  /** Whether this method is limited to one call a minute from now on. */
  setRestricted(method: MethodName, isRestricted: boolean): void {
    this.#lane(method).isRestricted = isRestricted;
  }

  /** Calls of this method within the last minute, the one under way included. Without a pace nobody counts the others. */
  recentCalls(method: MethodName): number {
    const lane = this.#lane(method);
    this.#forgetOldCalls(lane);
    return callsWithUnderway(lane).length;
  }

  /** What the next run has to know. */
  snapshot(): PaceState[] {
    return [...this.#lanes.values()].map((lane) => {
      this.#forgetOldCalls(lane);
      return {
        method: lane.method,
        notBefore: lane.notBefore > this.#options.now() ? Math.ceil(lane.notBefore) : 0,
        recentCalls: callsWithUnderway(lane),
        isRestricted: lane.isRestricted,
      };
    });
  }

  /** Sleeps until the next call is due, and returns that moment, which is earlier than now when a timer was late. */
  async #untilDue(lane: Lane, { signal, deadline }: AcquireLimits): Promise<number> {
    const { now, sleep, onWait } = this.#options;
    let due = now();
    for (;;) {
      signal.throwIfAborted();
      const at = now();
      const byPace = this.#paceDue(lane, at);
      const next = Math.max(byPace, lane.notBefore);
      due = Math.max(due, next);
      if (deadline !== undefined && Math.max(at, next) >= deadline) throw new BudgetEndedError('duration');
      if (next <= at) return due;
      onWait?.(lane.method, lane.notBefore > byPace ? 'rate_limit' : 'pace', Math.ceil(next - at));
      await sleep(Math.ceil(next - at), signal);
    }
  }

  #paceDue(lane: Lane, now: number): number {
    const allowance = this.#allowance(lane);
    if (allowance === undefined) return 0;
    this.#forgetOldCalls(lane);
    return nextCallAt(lane, allowance, now);
  }

  #record(lane: Lane): void {
    if (lane.underway === undefined) return;
    lane.underway = undefined;
    if (this.#options.pace === 'off') return;
    lane.recentCalls.push(Math.max(this.#options.now(), lane.recentCalls.at(-1) ?? 0));
  }

  #forgetOldCalls(lane: Lane): void {
    const allowance = this.#allowance(lane);
    if (allowance === undefined) return;
    const now = this.#options.now();
    const first = lane.recentCalls.findIndex((at) => at > now - allowance.windowMs);
    lane.recentCalls.splice(0, first === -1 ? lane.recentCalls.length : first);
    // A clock that was set back must not make us wait for as long as it was set back.
    if ((lane.recentCalls.at(-1) ?? 0) > now) lane.recentCalls = lane.recentCalls.map((at) => Math.min(at, now));
    lane.lastStart = Math.min(lane.lastStart, now);
  }

  #allowance(lane: Lane): Allowance | undefined {
    const { pace } = this.#options;
    if (pace === 'off') return undefined;
    return allowanceAt(pace, lane.isRestricted ? restrictedRate : publishedRate(lane.method));
  }

  #lane(method: MethodName): Lane {
    const known = this.#lanes.get(method);
    if (known !== undefined) return known;
    const lane = newLane(method);
    this.#lanes.set(method, lane);
    return lane;
  }
}

/** A call under way may have been counted by Slack already. */
function callsWithUnderway(lane: Lane): number[] {
  return lane.underway === undefined ? [...lane.recentCalls] : [...lane.recentCalls, lane.underway];
}

function newLane(method: MethodName): Lane {
  return {
    method,
    notBefore: 0,
    recentCalls: [],
    lastStart: 0,
    underway: undefined,
    isRestricted: false,
    tail: Promise.resolve(),
  };
}

function inheritedLane(method: MethodName, state: PaceState, now: number): Lane {
  const recentCalls = state.recentCalls.map((at) => Math.min(at, now)).sort((a, b) => a - b);
  return {
    ...newLane(method),
    notBefore: Math.min(state.notBefore, now + longestRestMs),
    recentCalls,
    lastStart: recentCalls.at(-1) ?? 0,
    isRestricted: state.isRestricted,
  };
}

/** Waits until all who came before have left the lane. The returned function leaves it. */
async function enter(lane: Lane, signal: AbortSignal): Promise<() => void> {
  const before = lane.tail;
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  lane.tail = before.then(() => left);
  try {
    await untilAborted(before, signal);
  } catch (error) {
    leave();
    throw error;
  }
  return leave;
}
