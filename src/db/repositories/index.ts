import type { Kysely } from 'kysely';
import type { Dialect } from '../dialects/dialect.ts';
import type { Lock } from '../lock.ts';
import type { Schema } from '../schema.ts';
import { type ActivityRepository, activityRepository } from './activity.ts';
import { type CandidateLeaseRepository, candidateLeaseRepository } from './candidate-leases.ts';
import { type DigestRepository, digestRepository } from './digests.ts';
import { type DirectoryRepository, directoryRepository } from './directory.ts';
import { type EventRepository, eventRepository } from './events.ts';
import { type ImportRepository, importRepository } from './imports.ts';
import { type IntegrityRepository, integrityRepository } from './integrity.ts';
import { type LanguageModelRepository, languageModelRepository } from './language-models.ts';
import { type MessageRepository, messageRepository } from './messages.ts';
import { type OverviewRepository, overviewRepository } from './overview.ts';
import { type PositionRepository, positionRepository } from './positions.ts';
import { type RunRepository, runRepository } from './runs.ts';
import { type ToldNameRepository, toldNameRepository } from './told-names.ts';

interface Repositories {
  readonly messages: MessageRepository;
  readonly directory: DirectoryRepository;
  readonly positions: PositionRepository;
  readonly runs: RunRepository;
  readonly toldNames: ToldNameRepository;
  readonly imports: ImportRepository;
  readonly integrity: IntegrityRepository;
  readonly overview: OverviewRepository;
  readonly activity: ActivityRepository;
  readonly events: EventRepository;
  readonly digests: DigestRepository;
  readonly languageModels: LanguageModelRepository;
  readonly leases: CandidateLeaseRepository;
}

/** The database as the layers above see it, the same for both dialects. Read at any time; write inside `transaction` only. */
export interface Store extends Repositories {
  /**
   * Runs `work` in one transaction: all of it is committed, or nothing. Transactions of one store queue up; do not
   * begin one inside another.
   */
  transaction<Result>(work: (store: Repositories) => Promise<Result>): Promise<Result>;
  /** Every transaction is undone after it ran, so work whose result nobody reads within it may be left out. */
  readonly undoes: boolean;
  /** The same database, with every transaction undone after it ran: for finding out what it would change. */
  undoing(): Store;
}

export type TransactionStore = Repositories;

export interface StoreOptions {
  /** Fences every transaction: one that would commit after the lock was lost fails instead. */
  lock?: Lock;
  /** Undo every transaction after it ran: for `--dry-run`, which must decide everything and write nothing. */
  rollBack?: boolean;
}

/** Thrown to make kysely roll back; carries nothing. */
class RollBack extends Error {}

/** Repositories over an open database. Database errors come out worded for people (`DatabaseError`). */
export function openStore(dialect: Dialect, options: StoreOptions = {}): Store {
  return storeOf(dialect, prepareRepositories(dialect), options);
}

function storeOf(dialect: Dialect, repositories: (db: Kysely<Schema>) => Repositories, options: StoreOptions): Store {
  const { lock, rollBack = false } = options;
  const inTurn = takeTurns();
  return {
    ...repositories(dialect.db),
    undoes: rollBack,
    transaction: (work) =>
      inTurn(async () => {
        let outcome: { result: Awaited<ReturnType<typeof work>> } | undefined;
        try {
          await dialect.db.transaction().execute(async (trx) => {
            await lock?.assertHeld(trx);
            outcome = { result: await work(repositories(trx)) };
            if (rollBack) throw new RollBack();
          });
        } catch (error) {
          if (!(error instanceof RollBack)) throw dialect.explain(error) ?? error;
        }
        if (outcome === undefined) throw new Error('the transaction ended without a result');
        return outcome.result;
      }),
    undoing: () => storeOf(dialect, repositories, { ...options, rollBack: true }),
  };
}

/**
 * One after another: ours read, decide and write, so two that overlapped in Postgres could undo each other's work or
 * deadlock, while those of SQLite share a connection and cannot overlap anyway.
 */
function takeTurns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

function prepareRepositories(dialect: Dialect): (db: Kysely<Schema>) => Repositories {
  const messages = messageRepository(dialect);
  const directory = directoryRepository(dialect);
  const positions = positionRepository(dialect);
  const runs = runRepository(dialect);
  const toldNames = toldNameRepository(dialect);
  const imports = importRepository(dialect);
  const integrity = integrityRepository(dialect);
  const overview = overviewRepository();
  const activity = activityRepository(dialect);
  const events = eventRepository(dialect);
  const digests = digestRepository(dialect);
  const languageModels = languageModelRepository(dialect);
  const leases = candidateLeaseRepository(dialect);
  return (db) => ({
    messages: messages(db),
    directory: directory(db),
    positions: positions(db),
    runs: runs(db),
    toldNames: toldNames(db),
    imports: imports(db),
    integrity: integrity(db),
    overview: overview(db),
    activity: activity(db),
    events: events(db),
    digests: digests(db),
    languageModels: languageModels(db),
    leases: leases(db),
  });
}
