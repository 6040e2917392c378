/** How long calls take under the limits now in force. Pure: the pacer's own arithmetic, run ahead of time. */
import type { PaceState } from '../model.ts';
import { type Allowance, allowanceAt, nextCallAt, type Pace } from './allowance.ts';
import { isMethodName, type MethodName, publishedRate } from './methods.ts';
import { longestRestMs, restrictedRate } from './pacer.ts';

/** Calls by method; methods that are not ours take no time. */
export type Calls = Readonly<Record<string, number>>;

export interface LimitsInForce {
  pace: Pace;
  /** What the pacer knows, or the last run knew, of each method. */
  states: readonly PaceState[];
  /** Epoch milliseconds. */
  now: number;
}

/** What every command does in turn; methods of one step run side by side. */
const steps: readonly (readonly MethodName[])[] = [
  ['auth.test'],
  ['conversations.list'],
  ['conversations.join'],
  ['conversations.history', 'conversations.replies'],
  ['users.list'],
  ['usergroups.list'],
  ['users.info'],
];

/** About what Slack takes to answer; only a short run notices, a long one waits for its allowance anyway. */
const answerMs = 250;

/** After so many times the allowance calls are evenly spaced for good, and need not be followed one by one. */
const followedAllowances = 3;

/**
 * Milliseconds that the calls take, waits that Slack asked for included. `inTurn`: methods that usually run side by side come
 * one after the other.
 */
export function timeNeeded(calls: Calls, limits: LimitsInForce, { inTurn = false } = {}): number {
  const inOrder = inTurn ? steps.flat().map((method) => [method]) : steps;
  const end = inOrder.reduce(
    (at, methods) => Math.max(at, ...methods.map((method) => endOf(method, calls[method] ?? 0, limits, at))),
    limits.now,
  );
  return Math.ceil(end - limits.now);
}

/** Milliseconds that the calls of one method take by themselves. */
export function timeOfMethod(method: string, calls: number, limits: LimitsInForce): number {
  return isMethodName(method) ? Math.ceil(endOf(method, calls, limits, limits.now) - limits.now) : 0;
}

/** When the last of `calls` is answered, if the first may start at `start`. */
function endOf(method: MethodName, calls: number, { pace, states, now }: LimitsInForce, start: number): number {
  if (calls <= 0) return start;
  const state = states.find((one) => one.method === method);
  const from = Math.max(start, Math.min(state?.notBefore ?? 0, now + longestRestMs));
  if (pace === 'off') return from;
  const allowance = allowanceAt(pace, state?.isRestricted === true ? restrictedRate : publishedRate(method));
  // Time is compressed for a stand-in of Slack only, which answers at once.
  const answer = pace > 1 ? 0 : answerMs;
  const followed = Math.min(calls, followedAllowances * allowance.calls);
  // Noted under a clock that was ahead.
  const earlier = (state?.recentCalls ?? []).map((at) => Math.min(at, now));
  const end = follow(followed, allowance, answer, from, earlier);
  return end + (calls - followed) * Math.max(answer, allowance.windowMs / allowance.calls);
}

/** When the last of `calls` is answered, each sent when the pacer would send it. */
function follow(calls: number, allowance: Allowance, answer: number, from: number, earlier: readonly number[]): number {
  const recentCalls = [...earlier];
  let lastStart = recentCalls.at(-1) ?? 0;
  let at = from;
  for (let n = 0; n < calls; n += 1) {
    // The last of the burst may leave the window while we wait, and then nothing is left to wait for.
    for (let due = nextCallAt({ recentCalls, lastStart }, allowance, at); due > at; ) {
      at = due;
      due = nextCallAt({ recentCalls, lastStart }, allowance, at);
    }
    lastStart = at;
    at += answer;
    recentCalls.push(at);
  }
  return at;
}
