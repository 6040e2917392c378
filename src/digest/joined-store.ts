import type { Store, TransactionStore } from '../db/repositories/index.ts';

/** A store whose transactions are parts of one that is under way: what they write is seen by the later ones, and undone with it. */
export function joinedStore(tx: TransactionStore): Store {
  const store: Store = { ...tx, transaction: (work) => work(tx), undoes: true, undoing: () => store };
  return store;
}
