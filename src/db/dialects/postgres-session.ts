/**
 * What every session relies on, whatever the role, the database or the server were set up with: set by statements after
 * connecting, because poolers refuse what they do not know in the start of a connection.
 */
import type pg from 'pg';
import { DatabaseError } from '../../errors.ts';
import type { Access } from './dialect.ts';
import { settingsIn } from './postgres-options.ts';
import type { SessionAttributes } from './postgres-parameters.ts';

export const statementTimeoutMs = 120_000;

const ownSettings: Readonly<Record<string, string>> = {
  // How values are written: the driver and we read this form and no other.
  client_encoding: 'UTF8',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // How long things may take: a statement and a forgotten transaction have an end, an idle session has none, for the lock's
  // session is idle by its nature.
  statement_timeout: String(statementTimeoutMs),
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '300000',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  // Transactions that retry nothing would fail at random under a stricter one.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
};

export interface SessionFacts {
  encoding: string;
  /** The schema in which unqualified names are made; null when the search path names none that exists. */
  schema: string | null;
  searchPath: string;
  isStandby: boolean;
  isReadOnly: boolean;
}

export type Query = <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<pg.QueryResult<Row>>;

/** Sets what is relied on. Throws `DatabaseError` for a database in which messages cannot be stored safely. */
export async function prepareSession(
  query: Query,
  { options, address, access }: { options: string; address: string; access: Access },
): Promise<SessionFacts> {
  // Sent at the start as well; a pooler may have swallowed them there (`ignore_startup_parameters = options`).
  await set(
    query,
    settingsIn(options),
    `and (name like '%.%' or exists (
    select from pg_settings p where lower(p.name) = lower(s.name) and context in ('user', 'superuser')))`,
  );
  const { rows } = await query<SessionFacts>(
    `select current_setting('server_encoding') as encoding, current_schema() as schema,
            current_setting('search_path') as "searchPath", pg_is_in_recovery() as "isStandby",
            current_setting('transaction_read_only') = 'on' as "isReadOnly"`,
  );
  const [facts] = rows;
  if (facts === undefined) throw new Error('Postgres did not answer a question about itself');
  assertUsable(facts, address);
  await set(query, Object.entries(ownSettings), 'and current_setting(name, true) is not null');
  // Names are looked up where they are made: another program's table further down the path is none of ours.
  await query(`select set_config('search_path', quote_ident($1), false)`, [facts.schema]);
  if (access === 'read') await query('set default_transaction_read_only = on');
  return facts;
}

/** TEMP tables are found before those of the search path, and may be written in a read-only transaction. */
export async function createShadows(query: Query, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  await query('begin read write');
  // There may be years of messages to copy.
  await query('set local statement_timeout = 0');
  const { rows } = await query<{ place: string }>('select quote_ident(current_schema()) as place');
  for (const table of tables) {
    const stored = `${rows[0]?.place}."${table}"`;
    await query(`create temp table "${table}" (like ${stored} including all)`);
    await query(`insert into pg_temp."${table}" select * from ${stored}`);
    await query(`analyze pg_temp."${table}"`);
  }
  await query('commit');
}

async function set(query: Query, settings: readonly (readonly [string, string])[], where: string): Promise<void> {
  if (settings.length === 0) return;
  await query(
    `select set_config(name, value, false) from unnest($1::text[], $2::text[]) as s(name, value) where true ${where}`,
    [settings.map(([name]) => name), settings.map(([, value]) => value)],
  );
}

function assertUsable({ encoding, schema, searchPath }: SessionFacts, address: string): void {
  if (encoding !== 'UTF8')
    throw new DatabaseError(
      `Postgres at ${address} keeps text as ${encoding}, which cannot hold what people write on Slack`,
      'Create a database for it: createdb --encoding=UTF8 --template=template0 NAME, and name it in DATABASE_URL.',
    );
  if (schema === null)
    throw new DatabaseError(
      `no schema of the search path (${searchPath}) exists in Postgres at ${address} for this user`,
      'Create it (create schema NAME), grant usage on it, or correct search_path in DATABASE_URL or of the role.',
    );
  if (schema.startsWith('pg_') || schema === 'information_schema')
    throw new DatabaseError(
      `the search path (${searchPath}) of Postgres at ${address} begins with ${schema.replace(/^(pg_temp)_\d+$/, '$1')}, where nothing can be kept`,
      'Set search_path to a schema of your own, in DATABASE_URL (options=-csearch_path%3DNAME) or for the role.',
    );
}

/** Whether the server is one that `target_session_attrs` asks for. */
export function isWanted(attributes: SessionAttributes, { isStandby, isReadOnly }: SessionFacts): boolean {
  switch (attributes) {
    case 'any':
      return true;
    case 'read-write':
      return !isReadOnly;
    case 'read-only':
      return isReadOnly;
    case 'primary':
      return !isStandby;
    case 'standby':
    case 'prefer-standby':
      return isStandby;
  }
}
