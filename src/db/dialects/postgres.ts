import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery, Kysely, sql } from 'kysely';
import pg from 'pg';
import { columnTypes } from '../../../migrations/column-types.ts';
import { AppError, DatabaseError, RefusedContentError } from '../../errors.ts';
import { JsonText } from '../../model.ts';
import { columnKind, type Schema } from '../schema.ts';
import { assertTransaction, conflictClause, type Dialect, type SessionLock } from './dialect.ts';
import { CopyData, CopyStatement, copyLine } from './postgres-copy.ts';
import { connectTimeoutMs, DroppableClient, SilenceWatch, WatchedPostgresDialect } from './postgres-silence.ts';

/** A command needs one connection for its work, one for its lock, one for heartbeats in between. */
const poolSize = 3;
const statementTimeoutMs = 120_000;
/**
 * An idle connection is asked for a sign of life before a firewall forgets it, and found dead when its peer is: the one
 * that holds the lock is idle for hours. Without this delay the system waits two hours before it asks.
 */
const keepAliveDelayMs = 30_000;
/** Fewer rows are not worth two more turns of the conversation. */
const copyPaysFrom = 50;
/** Waits before the next try when the server has no connection left or is just starting. */
const connectBackoffMs = [250, 500, 1000, 2000, 4000, 8000];
const retriedConnectCodes = new Set(['53300', '57P03']);

/** Opens a pool. Connects on first use; throws `DatabaseError` from then on. */
export function openPostgres(url: string, signal?: AbortSignal): Dialect {
  const clientConfig = {
    connectionString: url,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
    application_name: 'slackingest',
    types: { getTypeParser },
  };
  const pool = new pg.Pool({ ...clientConfig, max: poolSize, Client });
  // A pooled connection that dies while idle is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  const address = describeAddress(url);
  const watch = new SilenceWatch(address, () => new Client(clientConfig));
  pool.on('connect', (client) => {
    if (client instanceof Client) watch.add(client);
  });
  const server = { pool, watch, signal };
  const explain = (error: unknown) => {
    const explained = explainPostgresError(error, address);
    return explained === undefined ? undefined : (watch.silence ?? explained);
  };
  const patientPool = { connect: () => connectPatiently(server), end: () => pool.end() };
  const kysely = new Kysely<Schema>({ dialect: new WatchedPostgresDialect({ pool: patientPool }, watch) });
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
    async hasTable(name) {
      const { rows } = await sql<{ found: boolean }>`select to_regclass(${name}::text) is not null as found`.execute(
        kysely,
      );
      return rows[0]?.found === true;
    },
    async sizeInBytes() {
      // The database may hold more than our schema.
      const { rows } = await sql<{ bytes: number }>`
        select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as bytes
          from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace`.execute(kysely);
      return rows[0]?.bytes ?? 0;
    },
    sessionLock: (name) => tryAdvisoryLock(server, name),
    async backup() {
      return null;
    },
    explain,
    async close() {
      try {
        await watch.during(endOf(kysely, pool));
      } finally {
        await watch.dropRest();
      }
    },
  };
}

/** What every use of the server needs. */
interface Server {
  pool: pg.Pool;
  watch: SilenceWatch;
  signal: AbortSignal | undefined;
}

async function endOf(kysely: Kysely<Schema>, pool: pg.Pool): Promise<void> {
  await kysely.destroy();
  // kysely ends the pool only when it was used.
  if (!pool.ended) await pool.end();
}

class Client extends DroppableClient {
  /** kysely hands every statement on with its parameters; one that stands for data makes it a COPY. */
  override query: pg.Client['query'] = (...args: unknown[]) => {
    const [text, parameters] = args;
    const data: unknown = Array.isArray(parameters) ? parameters[0] : undefined;
    if (typeof text !== 'string' || !(data instanceof CopyData)) return Reflect.apply(super.query, this, args);
    const copy = new CopyStatement(text, data);
    super.query(copy);
    return copy.done;
  };

  /**
   * The driver leaves the socket open when a connection fails halfway (no password was given), and an open socket
   * keeps the process alive until the server closes it, a minute later.
   */
  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: unknown): Promise<pg.Client> | undefined {
    const connecting = super.connect().catch((error: unknown) => {
      void this.end();
      throw error;
    });
    if (typeof callback !== 'function') return connecting;
    connecting.then(
      () => callback(null, this),
      (error: unknown) => callback(error),
    );
    return undefined;
  }
}

/** A run that is told to stop still gets a connection to record it, but waits for none. */
async function connectPatiently(server: Server): Promise<pg.PoolClient> {
  const { signal } = server;
  for (const wait of connectBackoffMs) {
    try {
      return await connect(server);
    } catch (error) {
      if (!retriedConnectCodes.has(sqlState(error) ?? '') || signal?.aborted === true) throw error;
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }
  return connect(server);
}

/** As the driver says it of a new connection. */
function isConnectTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout expired';
}

const configured = new WeakSet<pg.PoolClient>();

async function connect({ pool, watch }: Server): Promise<pg.PoolClient> {
  if (watch.silence !== undefined) throw watch.silence;
  const client = await pool.connect().catch((error: unknown) => {
    if (isConnectTimeout(error)) watch.sawNoAnswer();
    throw error;
  });
  if (configured.has(client)) return client;
  try {
    // Set by statement, not as start-up parameters: PgBouncer refuses the ones it does not know.
    await watch.during(client.query(`set statement_timeout = ${statementTimeoutMs}`));
    await watch.during(client.query('set idle_in_transaction_session_timeout = 300000'));
  } catch (error) {
    client.release(true);
    throw error;
  }
  configured.add(client);
  return client;
}

/**
 * A session-level advisory lock needs a connection of its own: given back to the pool, it would take the lock along.
 */
async function tryAdvisoryLock(server: Server, name: string): Promise<SessionLock | undefined> {
  const { watch } = server;
  const client = await connectPatiently(server);
  const lost = new AbortController();
  const onError = (error: Error) => lost.abort(error);
  const onEnd = () => lost.abort(new Error('the connection that held the lock ended'));
  client.on('error', onError).on('end', onEnd);
  try {
    const answer = client.query<{ key: string; locked: boolean }>(
      // The schema belongs to the name: two installations in one database must not exclude each other.
      `select k.key::text as key, pg_try_advisory_lock(k.key) as locked
         from (select ('x' || substr(md5('slackingest:' || current_schema() || ':' || $1), 1, 16))::bit(64)::bigint as key) k`,
      [name],
    );
    const { rows } = await watch.during(answer);
    const row = rows[0];
    if (row?.locked !== true) {
      // Whoever waits for the lock asks again and again, over the same pooled connection.
      client.off('error', onError).off('end', onEnd);
      client.release();
      return undefined;
    }
    return {
      lost: lost.signal,
      async release() {
        try {
          await watch.during(client.query('select pg_advisory_unlock($1::bigint)', [row.key]));
        } finally {
          // Destroyed, not pooled: whatever happened to the unlock, the session and its lock are gone.
          client.release(true);
        }
      },
    };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

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

/** int8 as a number (throws beyond 2^53), timestamptz as the ISO text SQLite stores; everything else as pg does it. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (format !== 'binary' && oid === pg.types.builtins.INT8) return parseSafeInteger;
  const parse = pg.types.getTypeParser(oid, format as 'text');
  if (format !== 'binary' && oid === pg.types.builtins.TIMESTAMPTZ) {
    return (value) => {
      const date: unknown = parse(value);
      return date instanceof Date ? date.toISOString() : date;
    };
  }
  return parse;
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`the database returned ${text}, beyond the integers a number can hold`);
  return value;
}

/** Host, port and database for messages, as pg understands the URL and the PG* variables together. */
function describeAddress(url: string): string {
  const { host, port, database } = new pg.Client({ connectionString: url });
  // In a URL with unescaped signs a part of the password may pass for the host or the database.
  const safe = (part: string) => (/^[\w.:/-]*$/.test(part) ? part : '…');
  return `${safe(host)}:${port}/${/^[\w.-]*$/.test(database ?? '') ? (database ?? '') : '…'}`;
}

function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function explainPostgresError(error: unknown, address: string): DatabaseError | undefined {
  // Errors of Slack's side have codes like ECONNREFUSED too, and are worded already.
  if (!(error instanceof Error) || error instanceof AppError) return undefined;
  const code = sqlState(error) ?? '';
  for (const [matches, message, hint] of errorTexts) {
    if (matches(code, error.message)) return new DatabaseError(message(address, error.message), hint, error);
  }
  if (!(error instanceof pg.DatabaseError)) return undefined;
  // Data exceptions, constraints, and limits of the program (postgresql.org/docs/current/errcodes-appendix.html).
  const isContent = /^(22|23|54)/.test(code);
  return new (isContent ? RefusedContentError : DatabaseError)(
    `Postgres at ${address} failed: ${error.message} (${code})`,
    'Run again; if it happens again, report it.',
    error,
  );
}

type ErrorText = [
  matches: (code: string, message: string) => boolean,
  message: (address: string, detail: string) => string,
  hint: string,
];

const errorTexts: readonly ErrorText[] = [
  [
    (code) => code === 'ECONNREFUSED' || code === 'ENOENT',
    (address) => `Postgres at ${address} refuses the connection`,
    'Check that the server runs and that DATABASE_URL names its host and port.',
  ],
  [
    (code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN',
    (address) => `the host of Postgres at ${address} cannot be found`,
    'Check the host name in DATABASE_URL and the network.',
  ],
  [
    (code, message) => code === 'ETIMEDOUT' || /timeout expired/i.test(message),
    (address) => `Postgres at ${address} does not answer within ${connectTimeoutMs / 1000} seconds`,
    'Check the host, the port and any firewall between.',
  ],
  [
    (code, message) =>
      code === '28P01' || code === '28000' || /password must be a string|no password supplied/i.test(message),
    (address, detail) => `Postgres at ${address} refuses the user or the password: ${detail}`,
    'Check user and password in DATABASE_URL (or PGUSER and PGPASSWORD); special characters in a URL are percent-encoded.',
  ],
  [
    (code) => code === '3D000',
    (address, detail) => `Postgres at ${address}: ${detail}`,
    'Create it first: createdb NAME, or correct the name in DATABASE_URL.',
  ],
  [
    (code) => code === '53300',
    (address) => `Postgres at ${address} has no connection left (too many clients), also after waiting`,
    'Close idle clients, raise max_connections, or put PgBouncer in session mode before it.',
  ],
  [
    (code) => code === '57014',
    (address) => `a statement on Postgres at ${address} took longer than ${statementTimeoutMs / 1000} seconds`,
    'Check the load of the server and for locks held by others; the next run goes on.',
  ],
  [
    (code) => code === '53100' || code === '53200',
    (address, detail) => `Postgres at ${address} is out of resources: ${detail}`,
    'Free disk or memory on the server and run again; everything committed before is kept.',
  ],
  [
    (code) => code === '42501' || code === '25006',
    (address, detail) => `Postgres at ${address} does not let this user write: ${detail}`,
    'Grant the user its rights on the schema (create for migrations, insert, update, delete for the rest), and connect to the primary.',
  ],
  [
    (code, message) =>
      /^(57P0[1235]|08...|ECONNRESET|EPIPE)$/.test(code) ||
      /connection terminated|not queryable|client has encountered a connection error/i.test(message),
    (address, detail) => `the connection to Postgres at ${address} was lost: ${detail}`,
    'Everything committed before is kept; run again when the server is back.',
  ],
  [
    (_, message) => /SSL|certificate/i.test(message),
    (address, detail) => `no secure connection to Postgres at ${address}: ${detail}`,
    'Set sslmode in DATABASE_URL as the server needs it (sslmode=require, or sslmode=verify-full with sslrootcert=…).',
  ],
];
