/**
 * Queries that run for every page are built and compiled once: building a kysely query takes longer than SQLite needs
 * to answer it.
 */
import { type Compilable, CompiledQuery, type Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** Stands for an argument while the query is built. */
class Placeholder {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** Runs the query on the connection or transaction it is given. */
export type PreparedQuery<Arguments extends readonly unknown[], Row> = (
  db: Kysely<Schema>,
  ...args: Arguments
) => Promise<Row[]>;

/**
 * A query of fixed shape for one dialect. `build` gets a placeholder for each of its arguments and may do nothing with
 * it but pass it on as a bound value.
 */
export function prepareQuery<Arguments extends readonly unknown[], Row>(
  build: (db: Kysely<Schema>, ...args: Arguments) => Compilable<Row>,
): PreparedQuery<Arguments, Row> {
  let text: string | undefined;
  let parameters: readonly unknown[] = [];
  return async (db, ...args) => {
    if (text === undefined) {
      const placeholders: readonly unknown[] = args.map((_, index) => new Placeholder(index));
      // A bound value may be anything while a query is only compiled; its type matters when it runs.
      const compiled = build(db, ...(placeholders as Arguments)).compile();
      text = compiled.sql;
      parameters = compiled.parameters;
    }
    const values = parameters.map((value) => (value instanceof Placeholder ? args[value.index] : value));
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, values));
    return rows;
  };
}
