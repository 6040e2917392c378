/**
 * How a command comes to its database. Three ways: those that write bring its schema up to date and create what is missing;
 * those that look open it to read, and nothing of theirs can change it; those that rehearse write into copies, or undo.
 */
import type { Dialect } from '../db/dialects/dialect.ts';
import { migrate, migrationStatus, outdatedSchema, requireCurrentSchema } from '../db/migrate.ts';
import * as databases from '../db/open.ts';
import type { Schema } from '../db/schema.ts';
import { AppError } from '../errors.ts';
import { maskSecrets } from '../secrets.ts';
import { type CommandContext, surroundings } from './context.ts';

/** Tables by name, or all of them. */
export type Tables = readonly (keyof Schema & string)[] | 'all';

/**
 * Opens the configured database with a current schema: brought up to date first, unless `--no-migrate` was given, which
 * then refuses one that is behind. Before anything is created, `isWanted` may throw: it is given a database without
 * content when ours has none. The caller closes it.
 */
export async function openMigratedDatabase(
  context: CommandContext,
  isWanted: (empty: Dialect) => Promise<void>,
): Promise<Dialect> {
  const isNew = await databases.isMissing(context.config.database);
  if (isNew) await tryOnEmpty(context, isWanted);
  return opened(context, 'write', async (dialect) => {
    if (!isNew && (await migrationStatus(dialect)).applied.length === 0) await tryOnEmpty(context, isWanted);
    if (context.flags.migrate) await bringUpToDate(context, dialect);
    else await requireCurrentSchema(dialect).then(() => dialect.takeOver());
    return dialect;
  });
}

async function bringUpToDate({ log, now }: CommandContext, dialect: Dialect): Promise<void> {
  const { made, address } = dialect;
  if (made === address) log.info(`Created the database ${address}.`);
  else if (made !== null) log.info(`Created the folder ${made} for the database ${address}.`);
  const { applied, backup } = await migrate(dialect, { now });
  if (backup !== null) log.info(`Before the upgrade the database was copied to ${backup}.`);
  const last = applied.at(-1);
  if (last === undefined) return;
  const what = applied.length === 1 ? last : `${applied.length} migrations, the last is ${last}`;
  log.info(`${dialect.title} ${dialect.address}: schema brought up to date (${what}).`);
}

async function tryOnEmpty(context: CommandContext, isWanted: (empty: Dialect) => Promise<void>): Promise<void> {
  const empty = await openEmpty(context);
  try {
    await isWanted(empty);
  } finally {
    await empty.close();
  }
}

/**
 * Opens the configured database to read. One that does not exist is an error; where nothing is stored yet an empty one in
 * memory stands in. The caller closes it.
 */
export async function openForReading(context: CommandContext): Promise<Dialect> {
  if (await databases.isMissing(context.config.database)) throw noDatabase(context);
  return (await openIfFilled(context)) ?? openEmpty(context);
}

/**
 * Opens the configured database for a job that writes these tables, transaction by transaction, and undoes each. It
 * writes copies of them that only it sees, and needs no right but to read. All of them are too much to copy where the
 * right to write is there: then it works on them as they are. One that does not exist, or holds nothing, is replaced by an
 * empty one in memory. The caller closes it.
 */
export async function openRehearsal(context: CommandContext, tables: Tables): Promise<Dialect> {
  const reader = (await databases.isMissing(context.config.database)) ? null : await openIfFilled(context);
  if (reader === null) return openEmpty(context);
  if (tables === 'all' && (await reader.mayWrite())) {
    await reader.close();
    return opened(context, 'write', async (dialect) => dialect);
  }
  await closingOnFailure(reader, async () => reader.shadow(tables === 'all' ? await allTables(reader) : tables));
  return reader;
}

async function allTables(dialect: Dialect): Promise<string[]> {
  const relations = await dialect.relations();
  return relations.filter(({ kind }) => kind === 'table').map(({ name }) => name);
}

/** To read, with a current schema; null when it holds nothing. */
function openIfFilled(context: CommandContext): Promise<Dialect | null> {
  return opened(context, 'read', async (dialect) => {
    const { applied, pending } = await migrationStatus(dialect);
    if (applied.length === 0) {
      await dialect.close();
      return null;
    }
    if (pending.length > 0) throw outdatedSchema(dialect, pending);
    return dialect;
  });
}

async function opened<Result>(
  context: CommandContext,
  access: 'read' | 'write',
  prepare: (dialect: Dialect) => Promise<Result>,
): Promise<Result> {
  const dialect = await databases.openDatabase(context.config.database, { ...surroundings(context), access });
  return closingOnFailure(dialect, () => prepare(dialect));
}

async function closingOnFailure<Result>(dialect: Dialect, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await dialect.close();
    throw dialect.explain(error) ?? error;
  }
}

/** In memory, with the schema. */
async function openEmpty({ now }: CommandContext): Promise<Dialect> {
  const empty = await databases.openEmptyDatabase();
  await migrate(empty, { now });
  return empty;
}

/** What a command says that needs a database and finds none at the path it was given. */
export function noDatabase({ config }: CommandContext): AppError {
  return new AppError(`there is no database ${maskSecrets(config.database)}`, {
    hint: 'Correct the path in --database or DATABASE_URL; "slackingest ingest" or "slackingest import" creates one.',
  });
}
