/** Waiting for a SQLite file that another program has locked, without standing still meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a writer waits for another process's transaction. Ours are short: a page of messages takes milliseconds. */
export const busyTimeoutMs = 10_000;

/**
 * How long SQLite itself waits within one try. The driver is synchronous, so nothing else happens in that time, signals
 * included; it only keeps a short lock from costing a whole `pauseMs`.
 */
export const blockingTimeoutMs = 50;

const pauseMs = 20;

/** What a run that was told to stop may still wait for, all in all, to record that it stopped. */
const afterSignalMs = 500;

/** Tries again while the file is locked. Between tries the event loop runs: signals, timers and Slack's answers get through. */
export class Patience {
  readonly #signal: AbortSignal | undefined;
  #stopAt = Number.POSITIVE_INFINITY;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    const stopSoon = () => {
      this.#stopAt = performance.now() + afterSignalMs;
    };
    if (signal?.aborted === true) stopSoon();
    else signal?.addEventListener('abort', stopSoon, { once: true });
  }

  /**
   * The result of `attempt`, which must have no effect when it throws SQLITE_BUSY (every single statement of SQLite is
   * like that). Throws the last SQLITE_BUSY after `busyTimeoutMs`, and the signal's reason when that fires first.
   */
  async during<T>(attempt: () => T | Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + busyTimeoutMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (performance.now() >= this.#stopAt) throw this.#signal?.reason;
        if (performance.now() >= giveUpAt) throw error;
      }
      await sleep(pauseMs);
    }
  }
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^SQLITE_(BUSY|LOCKED)/.test(error.code)
  );
}
