/** Runs that are killed: from one operation on, nothing they do has any effect, and nothing comes back to them. */
import type { Store } from '../../src/db/repositories/index.ts';
import type { PublishContext } from '../../src/publish/publish.ts';

/** Before the operation, after it, or, of a transaction, before it is committed. */
export type DeathMoment = 'before' | 'during' | 'after';

export interface Death {
  /** 1 is the first operation of the run. */
  at: number;
  moment: DeathMoment;
}

/** Thrown inside a transaction to have it rolled back, as the end of a process does. */
class Killed extends Error {}

const never = <T>(): Promise<T> => new Promise<T>(() => {});

export class Life {
  readonly #death: Death | null;
  readonly #end = new AbortController();
  #operations = 0;

  constructor(death: Death | null) {
    this.#death = death;
  }

  /** Fires at death: what is on its way ends with it. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get operations(): number {
    return this.#operations;
  }

  /** What `work` comes to, or that the run was killed before it ended. */
  async live<T>(
    work: Promise<T>,
  ): Promise<{ ended: 'done'; value: T } | { ended: 'failed'; error: unknown } | { ended: 'killed' }> {
    const killed = once(this.#end.signal).then(() => ({ ended: 'killed' as const }));
    const ended = work.then(
      (value) => ({ ended: 'done' as const, value }),
      (error: unknown) => ({ ended: 'failed' as const, error }),
    );
    return Promise.race([ended, killed]);
  }

  async do<T>(work: () => Promise<T>): Promise<T> {
    if (this.signal.aborted) return never();
    const dies = this.#next();
    if (dies === 'before' || dies === 'during') return this.#die();
    return this.#finish(work, dies === 'after');
  }

  async transact<T>(store: Store, work: Parameters<Store['transaction']>[0]): Promise<T> {
    if (this.signal.aborted) return never();
    const dies = this.#next();
    if (dies === 'before') return this.#die();
    const run = () =>
      store.transaction(async (tx) => {
        const result = await work(tx);
        if (dies === 'during') throw new Killed();
        return result as T;
      });
    return this.#finish(run, dies !== null);
  }

  async #finish<T>(work: () => Promise<T>, dies: boolean): Promise<T> {
    try {
      const result = await work();
      if (!dies && !this.signal.aborted) return result;
    } catch (error) {
      if (!dies && !this.signal.aborted) throw error;
    }
    return this.#die();
  }

  #next(): DeathMoment | null {
    this.#operations += 1;
    return this.#death?.at === this.#operations ? this.#death.moment : null;
  }

  #die<T>(): Promise<T> {
    this.#end.abort(new Error('killed'));
    return never();
  }
}

export function mortalStore(store: Store, life: Life): Store {
  const { digests } = store;
  return {
    ...store,
    digests: {
      ...digests,
      find: (id) => life.do(() => digests.find(id)),
      findPosted: (...of) => life.do(() => digests.findPosted(...of)),
      findLastPosted: (...of) => life.do(() => digests.findLastPosted(...of)),
      listUnfinished: (...of) => life.do(() => digests.listUnfinished(...of)),
      listChunks: (id) => life.do(() => digests.listChunks(id)),
    },
    transaction: (work) => life.transact(store, work),
  };
}

export function mortalSlack(slack: PublishContext['slack'], life: Life): PublishContext['slack'] {
  return {
    history: (request) => life.do(() => slack.history(request)),
    post: (message, claim) => life.do(() => slack.post(message, claim)),
    update: (message) => life.do(() => slack.update(message)),
    remove: (channel, ts) => life.do(() => slack.remove(channel, ts)),
  };
}

/** Resolves when the signal fires, or has fired already. */
async function once(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
