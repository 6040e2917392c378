/** Waiting that ends at once when the run is stopped. */
import { setTimeout } from 'node:timers/promises';

/** Waits `ms` milliseconds; rejects with the signal's reason as soon as it fires. May wake early, so callers look at the clock again. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Node fires a timer of more than 2^31-1 ms at once (nodejs.org/api/timers.html). */
const longestTimerMs = 2 ** 31 - 1;

export const sleep: Sleep = async (ms, signal) => {
  try {
    await setTimeout(Math.min(ms, longestTimerMs), undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
};

/** Settles as `promise` does, or rejects with the signal's reason when that fires first. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stopListening = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    stopListening = () => signal.removeEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stopListening();
  }
}
