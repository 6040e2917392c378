/** When a failed call of a language model is made again, and after how long. */
import type { ChatFailure, ChatFailureKind } from './chat-model.ts';

const delaysByKind: Readonly<Partial<Record<ChatFailureKind, readonly number[]>>> = {
  rate_limited: [10_000, 20_000, 30_000],
  timeout: [5_000, 10_000, 15_000],
  server: [2_000, 4_000, 6_000],
  network: [2_000, 4_000, 6_000],
  bad_answer: [2_000, 4_000, 6_000],
};

/** Added at random, as a share of the delay, so that several programs on one limit do not come back in step. */
const jitter = 0.25;
const retryAfterJitterMs = 500;

/**
 * Milliseconds to wait after the `attempt`-th failed attempt (from 1); null when it was the last. A `Retry-After` wins over
 * our own delays, which alone become shorter by `speed`. `random` gives [0, 1).
 */
export function retryDelay(
  failure: ChatFailure,
  attempt: number,
  { speed, random }: { speed: number; random: () => number },
): number | null {
  const delay = delaysByKind[failure.kind]?.[attempt - 1];
  if (delay === undefined) return null;
  if (failure.retryAfterMs !== null) return Math.ceil(failure.retryAfterMs + random() * retryAfterJitterMs);
  return Math.ceil((delay * (1 + jitter * random())) / speed);
}
