/**
 * Which messages this run stored while a walk was under way. A walk may conclude only about what was stored before it asked
 * Slack, and no clock tells that: clocks are set, and runs of several machines write into one database. Whoever writes
 * messages holds the workspace's lock, so that everything written meanwhile was written by this very process.
 */
import type { Ts } from '../model.ts';

/** What others stored in one channel since the watch began; disposing ends it. */
export class Watch implements Disposable {
  readonly #written = new Set<Ts>();
  readonly #end: (watch: Watch) => void;

  constructor(end: (watch: Watch) => void) {
    this.#end = end;
  }

  has(ts: Ts): boolean {
    return this.#written.has(ts);
  }

  add(ts: Ts): void {
    this.#written.add(ts);
  }

  [Symbol.dispose](): void {
    this.#end(this);
  }
}

export class WriteLog {
  readonly #watched = new Map<string, Set<Watch>>();

  watch(channelId: string): Watch {
    const watches = this.#watched.get(channelId) ?? new Set<Watch>();
    const watch = new Watch((ended) => {
      watches.delete(ended);
      if (watches.size === 0) this.#watched.delete(channelId);
    });
    this.#watched.set(channelId, watches.add(watch));
    return watch;
  }

  /** To be called before the transaction that stores them commits. What a walk stores itself is no news to its own watch. */
  note(channelId: string, messages: readonly { ts: Ts }[], own: Watch): void {
    for (const watch of this.#watched.get(channelId) ?? []) {
      if (watch !== own) for (const { ts } of messages) watch.add(ts);
    }
  }
}
