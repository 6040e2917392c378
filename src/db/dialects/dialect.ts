/**
 * What the two databases do differently, and nothing else. Everything above this interface is written once.
 */
import type { Expression, Kysely, SqlBool, Transaction } from 'kysely';
import type { ColumnTypes } from '../../../migrations/column-types.ts';
import type { DatabaseError } from '../../errors.ts';
import type { JsonText } from '../../model.ts';
import type { Schema } from '../schema.ts';

/** A row to write: every column of the table, JSON columns as objects or as `JsonText`. */
export type Writable<Row> = {
  [Column in keyof Row]: Row[Column] extends string | number | boolean | null ? Row[Column] : Row[Column] | JsonText;
};

/** A table as `writeRows` needs it. */
export interface WriteTarget<Table extends keyof Schema> {
  table: Table;
  columns: readonly (keyof Schema[Table] & string)[];
  key: readonly (keyof Schema[Table] & string)[];
  /** On an existing key: replace every other column, or keep the row as it is. */
  onConflict: 'replace' | 'keep';
}

/** What a connection is opened for. The database itself refuses the writes of one that was opened to read. */
export type Access = 'read' | 'write';

/** Something with a name in the place where our tables are. */
export interface Relation {
  name: string;
  /** "table", "view", "index", …: a word for people. */
  kind: string;
}

export interface Dialect {
  /** For people: "SQLite" or "Postgres". */
  readonly title: string;
  /** The address for messages, without secrets. */
  readonly address: string;
  /** The file or folder that was created to hold it; null when it was there. */
  readonly made: string | null;
  readonly db: Kysely<Schema>;
  readonly columnTypes: ColumnTypes;

  /** `column` equals one of `values`, with one bound parameter however many they are (SQLite allows 32,766 of them). */
  isAnyOf(column: string, values: readonly string[]): Expression<SqlBool>;

  /**
   * Writes many rows in one go: a prepared statement run per row in SQLite, one set-based statement in Postgres.
   * Rows must differ in their keys. Throws unless `db` is a transaction.
   */
  writeRows<Table extends keyof Schema>(
    db: Kysely<Schema>,
    target: WriteTarget<Table>,
    rows: readonly Writable<Schema[Table]>[],
  ): Promise<void>;

  /**
   * The same for rows that are known to be absent, in the fastest way there is; throws when one of them exists.
   */
  insertRows<Table extends keyof Schema>(
    db: Kysely<Schema>,
    target: Omit<WriteTarget<Table>, 'onConflict'>,
    rows: readonly Writable<Schema[Table]>[],
  ): Promise<void>;

  /** Makes concurrent transactions that call it with the same name wait for each other until `trx` ends. */
  serialize(trx: Transaction<Schema>, name: string): Promise<void>;

  /** All that has a name where our tables are or would be created, tables first; without what belongs to extensions. */
  relations(): Promise<Relation[]>;

  /** The columns of a table there, in order; empty when there is none. */
  columnsOf(table: string): Promise<string[]>;

  /** Sets what a database of ours has for good. Call it when it is known to be ours, or to hold nothing. */
  takeOver(): Promise<void>;

  /** Whether this user has the right to write, however the database was opened. */
  mayWrite(): Promise<boolean>;

  /**
   * From now on these tables are copies that only this connection sees and may write, and that end with it. For a database
   * that was opened to read.
   */
  shadow(tables: readonly string[]): Promise<void>;

  /** How much room the tables and their indexes take on disk. */
  sizeInBytes(): Promise<number>;

  /**
   * A lock that the server gives back by itself when this process dies, or who holds it.
   * Absent where the database has no such thing: there the lock row with its expiry decides.
   */
  readonly sessionLock?: (name: string) => Promise<SessionLock | SessionHolder>;

  /** Copies the database to a new file beside it and returns its path; null where there is no file or nothing in it. */
  backup(suffix: string): Promise<string | null>;

  /** The error a person can act on, for an error thrown by this database; undefined when it is none of its errors. */
  explain(error: unknown): DatabaseError | undefined;

  close(): Promise<void>;
}

export interface SessionLock {
  /** Aborted when the connection that holds the lock is gone, and the lock with it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** The session that holds a lock, as far as the server tells. */
export interface SessionHolder {
  /** The server's process, by which the session can be ended. */
  pid: number | null;
  application: string | null;
  clientAddress: string | null;
}

/** Rows and what vouches for them must commit together: writing many rows outside a transaction is a bug. */
export function assertTransaction(db: Kysely<Schema>): void {
  if (!db.isTransaction) throw new Error('rows may be written inside a transaction only');
}

/** What an insert does where the key exists; the same SQL in both databases. */
export function conflictClause<Table extends keyof Schema>({ columns, key, onConflict }: WriteTarget<Table>): string {
  const updates = columns
    .filter((column) => !key.includes(column))
    .map((column) => `"${column}" = excluded."${column}"`);
  const action = onConflict === 'keep' || updates.length === 0 ? 'nothing' : `update set ${updates.join(', ')}`;
  return `on conflict (${key.join(', ')}) do ${action}`;
}
