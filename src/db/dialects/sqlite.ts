import { rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type KyselyPlugin,
  type PluginTransformResultArgs,
  type QueryResult,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  sql,
} from 'kysely';
import { columnTypes } from '../../../migrations/column-types.ts';
import { AppError, DatabaseError, RefusedContentError } from '../../errors.ts';
import { JsonText } from '../../model.ts';
import { columnKind, type Schema } from '../schema.ts';
import { type Access, assertTransaction, conflictClause, type Dialect, type Relation } from './dialect.ts';
import { createBackupFile, createPrivately, FileWatch, findFault } from './sqlite-file.ts';
import { blockingTimeoutMs, busyTimeoutMs, Patience } from './sqlite-patience.ts';
import { openReadOnly } from './sqlite-reader.ts';
import { sqlitePath } from './sqlite-url.ts';

/** Statements are compiled by kysely into the same few texts over and over; this many are kept prepared. */
const preparedStatements = 200;

/** The path of a database that has no file. */
const memory = ':memory:';

export interface SqliteOptions {
  access?: Access;
  /** When it fires, waiting for a locked file ends. */
  signal?: AbortSignal;
}

/**
 * Opens the file that the URL names. To write: creates it (0600, in a folder of 0700) when it is absent. To read: takes it as
 * it is, with nothing but the right to read it. Throws `UsageError` for a URL that says what nobody understands,
 * `DatabaseError` when the file cannot be opened, written or is no database, and the signal's reason.
 */
export async function openSqlite(url: string, { access = 'write', signal }: SqliteOptions = {}): Promise<Dialect> {
  const path = sqlitePath(url);
  const explain = (error: unknown) => explainSqliteError(error, path, access);
  const patience = new Patience(signal);
  try {
    return access === 'read' ? await openToRead(path, patience, explain) : await openToWrite(path, patience, explain);
  } catch (error) {
    throw explain(error) ?? error;
  }
}

/** False where this user may not even look: opening it tells. Throws `UsageError` for a URL that names no file. */
export function isMissingFile(url: string): boolean {
  const path = sqlitePath(url);
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOTDIR';
  }
}

/** A database that is gone when it is closed. */
export function openInMemory(): Dialect {
  const raw = new Database(memory);
  const explain = (error: unknown) => explainSqliteError(error, memory, 'write');
  return sqliteDialect({
    raw,
    path: memory,
    file: null,
    made: null,
    patience: new Patience(),
    explain,
    leave: () => undefined,
  });
}

async function openToWrite(path: string, patience: Patience, explain: Dialect['explain']): Promise<Dialect> {
  const made = createPrivately(path);
  const raw = new Database(path, { timeout: blockingTimeoutMs });
  try {
    const file = new FileWatch(path);
    await patience.during(() => configure(raw));
    return sqliteDialect({ raw, path, file, made, patience, explain, leave: () => undefined });
  } catch (error) {
    raw.close();
    throw error;
  }
}

async function openToRead(path: string, patience: Patience, explain: Dialect['explain']): Promise<Dialect> {
  const { raw, leave } = await openReadOnly(path, patience);
  raw.pragma('cache_size = -16000');
  return sqliteDialect({ raw, path, file: null, made: null, patience, explain, leave });
}

/** Changes nothing of a file that holds tables: it may be another program's. */
function configure(raw: Database.Database): void {
  // Of a new file; one that has tables keeps its own. A message takes one to three kilobytes, of which few fit into the
  // usual page: files are up to a tenth smaller this way.
  raw.pragma('page_size = 8192');
  // In WAL mode `normal` cannot corrupt the file; a power cut may undo the last commits, whole pages with their
  // checkpoints, which the next run reads again (sqlite.org/pragma.html#pragma_synchronous).
  raw.pragma('synchronous = normal');
  raw.pragma('foreign_keys = on');
  // A checkpoint waits for the disk; with the default of 1000 pages a fast run waits every few dozen commits.
  raw.pragma('wal_autocheckpoint = 4000');
  raw.pragma('cache_size = -16000');
  raw.pragma('temp_store = memory');
}

/** An open file, and what belongs to it. */
interface OpenFile {
  raw: Database.Database;
  path: string;
  /** Null in memory, and where nothing is written. */
  file: FileWatch | null;
  /** What was created to hold it. */
  made: string | null;
  patience: Patience;
  explain: Dialect['explain'];
  /** Tidies up after the file is closed. */
  leave: () => void;
}

function sqliteDialect(opened: OpenFile): Dialect {
  const { raw, path, made, patience, explain, leave } = opened;
  const db = new Kysely<Schema>({
    dialect: new OwnSqliteDialect({ database: withStatementCache(raw) }, opened),
    plugins: [new RowDecoder()],
  });
  const writers = new Map<string, Database.Statement>();
  const statementOf = (text: string): Database.Statement => {
    const known = writers.get(text);
    if (known !== undefined) return known;
    const statement = raw.prepare(text);
    writers.set(text, statement);
    return statement;
  };
  return {
    title: 'SQLite',
    address: path,
    made,
    db,
    columnTypes: columnTypes.sqlite,
    isAnyOf: (column, values) => sql`${sql.ref(column)} in (select value from json_each(${values}))`,
    // Synchronous on the one connection that the transaction holds: no other query can come in between.
    async writeRows(db, target, rows) {
      assertTransaction(db);
      runForEach(statementOf(`${insertStatement(target)} ${conflictClause(target)}`), target.columns, rows);
    },
    async insertRows(db, target, rows) {
      assertTransaction(db);
      runForEach(statementOf(insertStatement(target)), target.columns, rows);
    },
    // Every transaction begins as a writer (BEGIN IMMEDIATE), so they already wait for each other.
    async serialize() {},
    async relations() {
      const list = () => raw.prepare<[], Relation>(relationsQuery).all();
      return patience.during(list);
    },
    async columnsOf(table) {
      const list = raw.prepare<[string], { name: string }>('select name from pragma_table_info(?)');
      return (await patience.during(() => list.all(table))).map(({ name }) => name);
    },
    async takeOver() {
      // Not in `configure`: this is written into the file for good.
      await patience.during(() => raw.pragma('journal_mode = wal'));
    },
    mayWrite: async () => findFault(path, 'write') === null,
    async shadow(tables) {
      await patience.during(() => createShadows(raw, tables));
    },
    async sizeInBytes() {
      return numberOf(raw.pragma('page_count', { simple: true })) * numberOf(raw.pragma('page_size', { simple: true }));
    },
    async backup(suffix) {
      const holdsTables = await patience.during(
        () => raw.prepare('select 1 from sqlite_master limit 1').get() !== undefined,
      );
      if (path === memory || !holdsTables) return null;
      const copy = createBackupFile(`${path}.${suffix}`);
      try {
        await patience.during(() => raw.prepare('vacuum into ?').run(copy));
      } catch (error) {
        // Half a copy would pass for a backup.
        rmSync(copy, { force: true });
        throw error;
      }
      return copy;
    },
    explain,
    async close() {
      await db.destroy();
      leave();
    },
  };
}

const relationsQuery = `
  select name, case type when 'table' then 'table' when 'view' then 'view' else type end as kind
    from sqlite_master where type in ('table', 'view', 'index') and name not like 'sqlite\\_%' escape '\\' order by kind desc, name`;

/** TEMP tables with the names, columns and indexes of the stored ones: unqualified names find them first. */
function createShadows(raw: Database.Database, tables: readonly string[]): void {
  // There may be years of messages to copy.
  raw.pragma('temp_store = file');
  const definitions = raw.prepare<[string], string>(
    'select sql from main.sqlite_master where tbl_name = ? and sql is not null order by type desc',
  );
  for (const table of tables) {
    for (const text of definitions.pluck().all(table))
      raw.exec(text.replace(/^create (unique )?(table|index) /i, 'create $1$2 temp.'));
    raw.exec(`insert into temp."${table}" select * from main."${table}"`);
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function insertStatement({ table, columns }: { table: string; columns: readonly string[] }): string {
  const names = columns.map((column) => `"${column}"`).join(', ');
  return `insert into "${table}" (${names}) values (${columns.map(() => '?').join(', ')})`;
}

function runForEach(statement: Database.Statement, columns: readonly string[], rows: readonly object[]): void {
  const values: unknown[] = new Array(columns.length);
  for (const row of rows) {
    for (let i = 0; i < columns.length; i += 1) values[i] = encode(row[columns[i] as keyof typeof row]);
    statement.run(values);
  }
}

/** better-sqlite3 binds numbers, strings, bigints, buffers and null only; anything else throws. */
function encode(value: unknown): unknown {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0;
    case 'undefined':
      return null;
    case 'object':
      if (value === null) return null;
      return value instanceof JsonText ? value.text : JSON.stringify(value);
    default:
      return value;
  }
}

/** JSON text and 0/1 back into objects and booleans, by the column's name. */
class RowDecoder implements KyselyPlugin {
  transformQuery: KyselyPlugin['transformQuery'] = ({ node }) => node;

  async transformResult({ result }: PluginTransformResultArgs): ReturnType<KyselyPlugin['transformResult']> {
    for (const row of result.rows) {
      for (const column in row) {
        const value = row[column];
        if (value === null) continue;
        const kind = columnKind(column);
        if (kind === 'json' && typeof value === 'string') row[column] = JSON.parse(value);
        else if (kind === 'flag') row[column] = value === 1;
      }
    }
    return result;
  }
}

class OwnSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;
  readonly #opened: OpenFile;

  constructor(config: SqliteDialectConfig, opened: OpenFile) {
    super(config);
    this.#config = config;
    this.#opened = opened;
  }

  override createDriver(): SqliteDriver {
    return new OwnSqliteDriver(this.#config, this.#opened);
  }
}

class OwnSqliteDriver extends SqliteDriver {
  readonly #opened: OpenFile;
  #connection: PatientConnection | null = null;

  constructor(config: SqliteDialectConfig, opened: OpenFile) {
    super(config);
    this.#opened = opened;
  }

  /** There is one connection; whoever acquired it has it alone. */
  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    this.#connection ??= new PatientConnection(connection, this.#opened.patience);
    return this.#connection;
  }

  /**
   * As a writer: our transactions read before they write, and a deferred one that turns into a writer after another
   * process wrote fails at once with SQLITE_BUSY_SNAPSHOT, busy timeout or not (sqlite.org/isolation.html).
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** What is committed to a file that has no name any more is lost, so it is not committed and told. */
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    this.#opened.file?.assertInPlace();
    await super.commitTransaction(connection);
  }

  /**
   * After some failures, a full disk among them, SQLite has rolled back by itself (sqlite.org/lang_transaction.html);
   * a second rollback would fail and hide why.
   */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#opened.raw.inTransaction) await super.rollbackTransaction(connection);
  }
}

/** Every statement waits for a locked file without holding up the rest of the program. */
class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  readonly #patience: Patience;

  constructor(connection: DatabaseConnection, patience: Patience) {
    this.#connection = connection;
    this.#patience = patience;
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#patience.during(() => this.#connection.executeQuery<Row>(query));
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize);
  }
}

/** kysely prepares every query anew; compiling a statement costs more than running most of ours. */
function withStatementCache(raw: Database.Database): { prepare(text: string): CachedStatement; close(): void } {
  const cache = new Map<string, CachedStatement>();
  return {
    prepare(text) {
      const known = cache.get(text);
      if (known !== undefined) return known;
      const statement = new CachedStatement(raw.prepare(text));
      if (cache.size >= preparedStatements) cache.clear();
      cache.set(text, statement);
      return statement;
    },
    close() {
      raw.close();
    },
  };
}

class CachedStatement {
  readonly reader: boolean;
  readonly #statement: Database.Statement;

  constructor(statement: Database.Statement) {
    this.#statement = statement;
    this.reader = statement.reader;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(parameters.map(encode));
  }

  run(parameters: readonly unknown[]): Database.RunResult {
    return this.#statement.run(parameters.map(encode));
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(parameters.map(encode));
  }
}

function explainSqliteError(error: unknown, path: string, access: Access): DatabaseError | undefined {
  if (error instanceof AppError) return undefined;
  const code = errorCode(error);
  if (code === undefined) return undefined;
  const [message, hint] = sqliteErrorTexts(code, path, access);
  if (message === undefined) {
    if (!(error instanceof Database.SqliteError)) return undefined;
    const isContent = /^SQLITE_(TOOBIG|CONSTRAINT|MISMATCH)/.test(code);
    return new (isContent ? RefusedContentError : DatabaseError)(
      `SQLite failed on ${path}: ${error.message} (${code})`,
      'Run again; if it happens again, report it.',
      error,
    );
  }
  return new DatabaseError(message, hint, error);
}

function errorCode(error: unknown): string | undefined {
  // The package `bindings`, which looks for the compiled part of the driver, gives its failure no code.
  if (error instanceof Error && error.message.startsWith('Could not locate the bindings file')) return 'NO_BINDINGS';
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function sqliteErrorTexts(
  code: string,
  path: string,
  access: Access,
): [message: string, hint: string] | [undefined, undefined] {
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return [
      `the database file ${path} stayed locked by another program for ${busyTimeoutMs / 1000} seconds`,
      'Close the program that holds it (a database browser with an open transaction?) and run again; nothing was lost.',
    ];
  }
  if (isRefusal(code)) return refusalTexts(code, path, access);
  if (
    code === 'SQLITE_FULL' ||
    code === 'ENOSPC' ||
    code === 'SQLITE_IOERR_WRITE' ||
    code === 'EDQUOT' ||
    code === 'EFBIG'
  ) {
    return [
      `the disk is full: ${path} cannot grow`,
      'Free some space and run again: everything committed before is kept, and the run goes on from there.',
    ];
  }
  if (code === 'ERR_DLOPEN_FAILED' || code === 'NO_BINDINGS') {
    const what = code === 'NO_BINDINGS' ? 'was never compiled here' : 'was compiled for another Node.js or system';
    return [
      `the SQLite driver (better-sqlite3) ${what}`,
      'Run "npm rebuild better-sqlite3" in the folder of slackingest, with the Node.js that runs it.',
    ];
  }
  if (code === 'SQLITE_NOTADB') {
    return [
      `${path} is not an SQLite database`,
      'Give the path of a slackingest database, or of a file that does not exist yet.',
    ];
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return [
      `the database file ${path} is damaged`,
      'Restore it from a backup, or recover it with "sqlite3 FILE .recover".',
    ];
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return [
      `reading or writing ${path} failed (${code})`,
      'Check the disk; on a network drive, move the database to a local one.',
    ];
  }
  return [undefined, undefined];
}

/** Of the file or of its folder, by the system or by SQLite. */
function isRefusal(code: string): boolean {
  return /^(SQLITE_READONLY|SQLITE_CANTOPEN|EROFS$|EACCES$|EPERM$|ENOENT$|ENOTDIR$|EISDIR$|EEXIST$)/.test(code);
}

/** SQLite speaks of the database whichever of its files is at fault. */
function refusalTexts(code: string, path: string, access: Access): [message: string, hint: string] {
  const fault = findFault(path, access);
  const why = fault === null ? '' : `: ${fault}`;
  if (code === 'SQLITE_READONLY_ROLLBACK' || code === 'SQLITE_READONLY_RECOVERY')
    return [
      `the database file ${path} holds a write that was cut off, and to undo it takes the right to write`,
      'Run any command as the user who owns the file, then again.',
    ];
  if (access === 'read')
    return [
      `the database file ${path} cannot be read${why}`,
      'Give this user the right to read it, and what lies beside it under the same name, or run as the user who owns it.',
    ];
  if (code.startsWith('SQLITE_READONLY') || code === 'EROFS')
    return [
      `the database file ${path} cannot be written${why}`,
      'Check the permissions of the file and of its folder, or give another --database.',
    ];
  return [
    `the database file ${path} cannot be opened or created${why}`,
    'Check that the path is a file in a folder this user may write, or give another --database.',
  ];
}
