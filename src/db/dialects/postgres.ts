import { createHash } from 'node:crypto';
import { CompiledQuery, Kysely, sql } from 'kysely';
import { columnTypes } from '../../../migrations/column-types.ts';
import { JsonText } from '../../model.ts';
import type { OpenOptions } from '../open.ts';
import { columnKind, type Schema } from '../schema.ts';
import { assertTransaction, conflictClause, type Dialect, type Relation } from './dialect.ts';
import { CopyData, copyLine } from './postgres-copy.ts';
import { explainPostgresError } from './postgres-errors.ts';
import { tryAdvisoryLock } from './postgres-lock.ts';
import { PostgresPool } from './postgres-pool.ts';
import { WatchedPostgresDialect } from './postgres-silence.ts';
import { postgresTarget } from './postgres-target.ts';

/** Fewer rows are not worth two more turns of the conversation. */
const copyPaysFrom = 50;

/**
 * Opens a pool. Throws `UsageError` for a URL or variables that nobody understands. Connects on first use; throws
 * `DatabaseError` from then on.
 */
export function openPostgres(url: string, options: OpenOptions = {}): Dialect {
  const { access = 'write', env = {}, signal, warn = () => undefined } = options;
  const target = postgresTarget(url, env);
  const { address } = target;
  const pool = new PostgresPool(target, { access, env, warn, signal });
  const { watch } = pool;
  const explain = (error: unknown) => {
    const explained = explainPostgresError(error, target, access);
    return explained === undefined ? undefined : (watch.silence ?? explained);
  };
  const kysely = new Kysely<Schema>({ dialect: new WatchedPostgresDialect({ pool }, watch) });
  const statements = new Map<string, string>();
  const statementOf = (target: { table: string; columns: readonly string[] }): string => {
    const key = `${target.table}(${target.columns.join()})`;
    const known = statements.get(key);
    if (known !== undefined) return known;
    const statement = insertStatement(target);
    statements.set(key, statement);
    return statement;
  };
  return {
    title: 'Postgres',
    address,
    made: null,
    db: kysely,
    columnTypes: columnTypes.postgres,
    isAnyOf: (column, values) => sql`${sql.ref(column)} = any(${values}::text[])`,
    async writeRows(db, target, rows) {
      assertTransaction(db);
      await insertArrays(db, `${statementOf(target)} ${conflictClause(target)}`, target.columns, rows);
    },
    async insertRows(db, target, rows) {
      assertTransaction(db);
      const { table, columns } = target;
      if (rows.length < copyPaysFrom) return insertArrays(db, statementOf(target), columns, rows);
      let text = '';
      for (const row of rows) text += copyLine(columns.map((column) => row[column as keyof typeof row]));
      await db.executeQuery(CompiledQuery.raw(`copy "${table}" (${quoted(columns)}) from stdin`, [new CopyData(text)]));
    },
    async serialize(trx, name) {
      // Waits without the statement timeout: the other one may be building an index over years of messages.
      await sql`set local statement_timeout = 0`.execute(trx);
      await sql`select pg_advisory_xact_lock(${sql.lit(lockKey(name))}::bigint)`.execute(trx);
    },
    async relations() {
      const { rows } = await sql<Relation>`${sql.raw(relationsQuery)}`.execute(kysely);
      return rows;
    },
    async columnsOf(table) {
      const { rows } = await sql<{ name: string }>`
        select attname::text as name from pg_attribute
         where attrelid = (select oid from pg_class where relname = ${table} and relnamespace = current_schema()::regnamespace)
           and attnum > 0 and not attisdropped order by attnum`.execute(kysely);
      return rows.map(({ name }) => name);
    },
    // What holds for good was set when the server's owner created the database.
    async takeOver() {},
    async mayWrite() {
      const { rows } = await sql<{ may: boolean }>`
        select not pg_is_in_recovery() and has_table_privilege('messages', 'insert, update, delete')
               and (select reset_val = 'off' from pg_settings where name = 'default_transaction_read_only') as may`.execute(
        kysely,
      );
      return rows[0]?.may === true;
    },
    async shadow(tables) {
      pool.shadow(tables);
    },
    async sizeInBytes() {
      // The database may hold more than our schema.
      const { rows } = await sql<{ bytes: number }>`
        select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as bytes
          from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace`.execute(kysely);
      return rows[0]?.bytes ?? 0;
    },
    sessionLock: async (name) => tryAdvisoryLock(await pool.connect(), watch, name, address),
    async backup() {
      return null;
    },
    explain,
    async close() {
      try {
        // kysely ends the pool only when it was used.
        await watch.during(kysely.destroy().then(() => pool.end()));
      } finally {
        await watch.dropRest();
      }
    },
  };
}

/** Indexes and types share their names with tables. What an extension brought is nobody's data. */
const relationsQuery = `
  select relname::text as name,
         case when relkind in ('r', 'p', 'f') then 'table' when relkind in ('v', 'm') then 'view'
              when relkind = 'S' then 'sequence' when relkind = 'c' then 'type' else 'index' end as kind
    from pg_class
   where relnamespace = current_schema()::regnamespace
     and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
   order by relkind in ('r', 'p', 'f') desc, relkind in ('v', 'm') desc, relname`;

function lockKey(name: string): string {
  return createHash('sha256').update(`slackingest:${name}`).digest().readBigInt64BE().toString();
}

function insertStatement({ table, columns }: { table: string; columns: readonly string[] }): string {
  const arrays = columns.map((column, i) => `$${i + 1}::${arrayTypes[columnKind(column)]}[]`).join(', ');
  return `insert into "${table}" (${quoted(columns)}) select * from unnest(${arrays})`;
}

function quoted(columns: readonly string[]): string {
  return columns.map((column) => `"${column}"`).join(', ');
}

/** One array for each column, however many rows. */
async function insertArrays(
  db: Kysely<Schema>,
  statement: string,
  columns: readonly string[],
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  const arrays = columns.map((column) => rows.map((row) => encode(row[column as keyof typeof row])));
  await db.executeQuery(CompiledQuery.raw(statement, arrays));
}

const arrayTypes = {
  json: 'jsonb',
  time: 'timestamptz',
  flag: 'boolean',
  integer: 'integer',
  bigint: 'bigint',
  real: 'double precision',
  text: 'text',
} as const;

function encode(value: unknown): unknown {
  if (value instanceof JsonText) return value.text;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
