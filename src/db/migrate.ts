/**
 * Brings the schema up to date. Own code instead of kysely's Migrator, which has neither lock nor atomic steps on
 * SQLite, knows no hashes, and holds one transaction over all steps on Postgres. Here each migration is one
 * transaction that first waits for its turn and looks again at what is applied: two runners cannot collide, and a
 * killed one leaves whole steps only.
 */
import { createHash } from 'node:crypto';
import { CompiledQuery, sql, type Transaction } from 'kysely';
import type { ColumnTypes, Migration } from '../../migrations/column-types.ts';
import { migrations as allMigrations } from '../../migrations/index.ts';
import { AppError, DatabaseError, UsageError } from '../errors.ts';
import type { IsoTime } from '../model.ts';
import { appVersion } from '../version.ts';
import type { Dialect, Relation } from './dialects/dialect.ts';
import type { Schema } from './schema.ts';

export interface AppliedMigration {
  name: string;
  sha256: string;
  app_version: string;
  applied_at: IsoTime;
}

export interface MigrationStatus {
  applied: AppliedMigration[];
  pending: { name: string; statements: string[] }[];
}

export interface MigrateResult {
  applied: string[];
  /** The copy made of an existing SQLite file before it was changed. */
  backup: string | null;
}

const lockName = 'migrate';

/**
 * What is applied and what is not. Writes nothing. Throws `DatabaseError` on an edited or unknown migration, and where another
 * program has its tables.
 */
export async function migrationStatus(dialect: Dialect, migrations = allMigrations): Promise<MigrationStatus> {
  // Listed first: another runner's migration, committed in between, brings its tables and its record at once.
  const relations = await dialect.relations();
  const applied = await findApplied(dialect, relations);
  checkHistory(dialect, applied, migrations);
  const pending = migrations
    .slice(applied.length)
    .map((migration) => ({ name: migration.name, statements: migration.statements(dialect.columnTypes) }));
  checkNames(dialect, relations, applied, pending);
  return { applied, pending };
}

/**
 * Applies what is pending, up to and including `to`. Running it again, or twice at once, does nothing more.
 * Throws `UsageError` for an unknown `to` or one below the present version, `DatabaseError` on an edited migration
 * or a database newer than this program.
 */
export async function migrate(
  dialect: Dialect,
  options: { to?: string; now: () => number; migrations?: readonly Migration[] },
): Promise<MigrateResult> {
  const migrations = options.migrations ?? allMigrations;
  const target = targetOf(migrations, options.to);
  const { applied } = await migrationStatus(dialect, migrations);
  await dialect.takeOver();
  if (options.to !== undefined && applied.length > target.length) {
    throw new UsageError(
      `the database is already beyond ${options.to}`,
      'slackingest does not downgrade a schema; restore the backup made before the upgrade instead.',
    );
  }
  const result: MigrateResult = { applied: [], backup: null };
  if (applied.length >= target.length) return result;
  result.backup = await dialect.backup(backupSuffix(target, options.now()));
  for (const migration of target.slice(applied.length)) {
    try {
      const done = await applyOne(dialect, migration, migrations, options.now);
      if (done) result.applied.push(migration.name);
    } catch (error) {
      throw explainMigrationError(dialect, error, migration.name);
    }
  }
  return result;
}

/** Refuses to go on when the schema is behind (with a hint to migrate) or cannot be trusted. */
export async function requireCurrentSchema(dialect: Dialect): Promise<void> {
  const { pending } = await migrationStatus(dialect);
  if (pending.length > 0) throw outdatedSchema(dialect, pending);
}

/** What a command that must not upgrade the schema says of one that is behind. */
export function outdatedSchema({ address }: Dialect, pending: MigrationStatus['pending']): DatabaseError {
  return new DatabaseError(
    `the schema of ${address} is out of date: ${pending.map(({ name }) => name).join(', ')} not applied`,
    'Run "slackingest migrate" first, as a user who may write.',
  );
}

function targetOf(migrations: readonly Migration[], to: string | undefined): readonly Migration[] {
  if (to === undefined) return migrations;
  const index = migrations.findIndex(({ name }) => name === to);
  if (index === -1) {
    throw new UsageError(`there is no migration "${to}"`, `The last one is ${migrations.at(-1)?.name}.`);
  }
  return migrations.slice(0, index + 1);
}

/** One migration, its record included, in one transaction. False when another runner was faster. */
async function applyOne(
  dialect: Dialect,
  migration: Migration,
  migrations: readonly Migration[],
  now: () => number,
): Promise<boolean> {
  return dialect.db.transaction().execute(async (trx) => {
    await dialect.serialize(trx, lockName);
    await createRecordTable(trx, dialect.columnTypes);
    const applied = await selectApplied(trx);
    checkHistory(dialect, applied, migrations);
    if (applied.some(({ name }) => name === migration.name)) return false;
    for (const statement of migration.statements(dialect.columnTypes)) {
      await trx.executeQuery(CompiledQuery.raw(statement));
    }
    const appliedAt = new Date(now()).toISOString();
    const hash = hashOf(migration, dialect.columnTypes);
    await sql`insert into schema_migrations (name, sha256, app_version, applied_at)
      values (${migration.name}, ${hash}, ${appVersion}, ${appliedAt})`.execute(trx);
    return true;
  });
}

function createRecordTable(trx: Transaction<Schema>, types: ColumnTypes): Promise<unknown> {
  const { text, time, tableOptions } = types;
  return trx.executeQuery(
    CompiledQuery.raw(`create table if not exists schema_migrations (
      name ${text} not null primary key,
      sha256 ${text} not null,
      app_version ${text} not null,
      applied_at ${time} not null
    )${tableOptions}`),
  );
}

const recordColumns = ['name', 'sha256', 'app_version', 'applied_at'];

async function findApplied(dialect: Dialect, relations: readonly Relation[]): Promise<AppliedMigration[]> {
  if (!relations.some(({ name }) => name === 'schema_migrations')) return [];
  // Others call their record the same.
  const columns = await dialect.columnsOf('schema_migrations');
  return recordColumns.every((column) => columns.includes(column)) ? selectApplied(dialect.db) : [];
}

/**
 * Tables that are not ours, where nothing is ours yet or where a later step needs the name: a database of ours holds nothing
 * else in the beginning, and whoever shares one would lose data to whichever program is the first to drop, restore or
 * rename.
 */
function checkNames(
  dialect: Dialect,
  relations: readonly Relation[],
  applied: readonly AppliedMigration[],
  pending: MigrationStatus['pending'],
): void {
  const wanted = new Set(pending.flatMap(({ statements }) => statements.flatMap(createdName)));
  if (applied.length === 0) wanted.add('schema_migrations');
  const [taken] = relations.filter(({ name }) => wanted.has(name));
  const foreign = taken ?? (applied.length === 0 ? relations[0] : undefined);
  if (foreign === undefined) return;
  throw new DatabaseError(
    `${dialect.address} holds ${article(foreign.kind)} ${foreign.kind} "${foreign.name}" that slackingest did not make`,
    applied.length === 0
      ? 'Give slackingest a database (or a Postgres schema) of its own.'
      : `Rename it: this version of slackingest makes one of that name.`,
  );
}

function article(word: string): string {
  return /^[aeiou]/.test(word) ? 'an' : 'a';
}

function createdName(statement: string): string[] {
  const [, name] =
    statement.match(/^\s*create\s+(?:unique\s+)?(?:table|index|view)\s+(?:if\s+not\s+exists\s+)?"?(\w+)/i) ?? [];
  return name === undefined ? [] : [name];
}

async function selectApplied(db: Dialect['db']): Promise<AppliedMigration[]> {
  const { rows } = await sql<AppliedMigration>`
    select name, sha256, app_version, applied_at from schema_migrations order by name`.execute(db);
  return rows;
}

function checkHistory(dialect: Dialect, applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  applied.forEach((row, i) => {
    const migration = migrations[i];
    if (migration?.name !== row.name) {
      throw new DatabaseError(
        `${dialect.address} was upgraded by a newer slackingest (${row.app_version}): it has ${row.name}, which this one (${appVersion}) does not know`,
        'Upgrade slackingest: build the newer version, as the README tells under "Build the program".',
      );
    }
    if (hashOf(migration, dialect.columnTypes) !== row.sha256) {
      throw new DatabaseError(
        `migration ${row.name} is not the one that was applied to ${dialect.address} by slackingest ${row.app_version}`,
        'Install an unmodified slackingest: a migration is never edited after its release.',
      );
    }
  });
}

function hashOf(migration: Migration, types: ColumnTypes): string {
  return createHash('sha256').update(migration.statements(types).join(';\n')).digest('hex');
}

/** `file.db.before-0002_words.20261122T121314Z.bak`: a second upgrade never overwrites the backup of the first. */
function backupSuffix(target: readonly Migration[], now: number): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  return `before-${target.at(-1)?.name}.${time}.bak`;
}

function explainMigrationError(dialect: Dialect, error: unknown, name: string): AppError {
  if (error instanceof AppError) return error;
  const reason = dialect.explain(error) ?? error;
  const mend =
    (reason instanceof AppError ? reason.hint : undefined) ?? 'Mend the cause and run "slackingest migrate" again.';
  return new DatabaseError(
    `migration ${name} failed: ${reason instanceof Error ? reason.message : String(reason)}`,
    `The database is as it was before this migration. ${mend}`,
    error,
  );
}
