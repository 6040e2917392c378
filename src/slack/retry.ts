/** When a failed call is tried again, and after how long. */
import type { SlackError } from '../errors.ts';
import type { Pace } from './allowance.ts';

export interface RetryPolicy {
  /** Tries of one call, the first included. */
  attempts: number;
  /** The longest delay before the second try; it doubles with each further one. */
  baseDelayMs: number;
  maxDelayMs: number;
  /** While a workspace moves into an organisation, Slack asks to try again later; these delays, then no more. */
  teamMoveDelaysMs: readonly number[];
  /** How often in a row one call may be answered with "slow down". Not failures, but there must be an end. */
  rateLimits: number;
  /** The rest after a rate limit that names no time. */
  defaultRetryAfterMs: number;
  /** Added at random to `Retry-After`, so that several programs on one limit do not come back in step. */
  retryAfterJitterMs: number;
}

const policyForSlack: RetryPolicy = {
  attempts: 6,
  baseDelayMs: 1000,
  maxDelayMs: 30_000,
  teamMoveDelaysMs: [1000, 3000, 10_000, 30_000, 60_000],
  rateLimits: 20,
  defaultRetryAfterMs: 30_000,
  retryAfterJitterMs: 500,
};

/** Without a pace (a stand-in of Slack) delays shrink to milliseconds. */
const unpacedSpeed = 1000;

/** The policy at a pace: compressed time shortens our own delays, a slow pace does not lengthen them. */
export function retryPolicy(pace: Pace): RetryPolicy {
  const speed = pace === 'off' ? unpacedSpeed : Math.max(1, pace);
  return {
    ...policyForSlack,
    baseDelayMs: policyForSlack.baseDelayMs / speed,
    maxDelayMs: policyForSlack.maxDelayMs / speed,
    teamMoveDelaysMs: policyForSlack.teamMoveDelaysMs.map((ms) => ms / speed),
    defaultRetryAfterMs: policyForSlack.defaultRetryAfterMs / speed,
    retryAfterJitterMs: policyForSlack.retryAfterJitterMs / speed,
  };
}

/**
 * Milliseconds to wait after the `failures`-th failure of one call; undefined when it is final. `random` gives [0, 1).
 * Delays are drawn from the whole range below the exponential bound ("full jitter",
 * aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), which spreads clients best.
 */
export function retryDelay(
  error: SlackError,
  failures: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (error.kind !== 'transient') return undefined;
  if (error.code === 'team_added_to_org') return policy.teamMoveDelaysMs[failures - 1];
  if (failures >= policy.attempts) return undefined;
  return random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (failures - 1));
}

/** Milliseconds a method rests after a rate limit. */
export function restAfterRateLimit(
  retryAfterMs: number | undefined,
  policy: RetryPolicy,
  random: () => number,
): number {
  return Math.ceil((retryAfterMs ?? policy.defaultRetryAfterMs) + random() * policy.retryAfterJitterMs);
}
