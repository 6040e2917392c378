import type { Access, Dialect } from '../../db/dialects/dialect.ts';
import { migrate, migrationStatus } from '../../db/migrate.ts';
import { isMissing, openDatabase, openEmptyDatabase } from '../../db/open.ts';
import { exitCodes } from '../../exit-codes.ts';
import { maskSecrets, printableJson } from '../../secrets.ts';
import { type CommandContext, type GlobalFlags, openContext, type Process, surroundings } from '../context.ts';

interface MigrateFlags extends GlobalFlags {
  status?: boolean;
  dryRun?: boolean;
  to?: string;
}

/** `slackingest migrate`: needs a database and nothing else. */
export async function migrateCommand(process: Process, flags: MigrateFlags): Promise<number> {
  const context = await openContext(process, flags);
  context.progress.stop();
  const isReadOnly = flags.status === true || flags.dryRun === true;
  // Looking creates no file: what is pending for a new one, an empty one in memory tells.
  const isNew = isReadOnly && (await isMissing(context.config.database));
  const dialect = isNew ? await openEmptyDatabase() : await openFor(context, isReadOnly ? 'read' : 'write');
  try {
    if (isReadOnly) await show(context, flags, isNew, await migrationStatus(dialect));
    else await run(context, flags, dialect);
    return exitCodes.ok;
  } catch (error) {
    throw dialect.explain(error) ?? error;
  } finally {
    await dialect.close();
  }
}

function openFor(context: CommandContext, access: Access): Promise<Dialect> {
  return openDatabase(context.config.database, { ...surroundings(context), access });
}

async function show(
  { print, config }: CommandContext,
  flags: MigrateFlags,
  isNew: boolean,
  { applied, pending }: Awaited<ReturnType<typeof migrationStatus>>,
): Promise<void> {
  if (flags.json === true) {
    print(printableJson({ command: 'migrate', applied, pending }));
    return;
  }
  if (flags.dryRun === true) {
    print(
      pending.flatMap(({ name, statements }) => [`-- ${name}`, ...statements.map((text) => `${text};`)]).join('\n') ||
        '-- nothing to do',
    );
    return;
  }
  const lines = [
    ...(isNew ? [`There is no database ${maskSecrets(config.database)} yet; "slackingest migrate" creates it.`] : []),
    ...applied.map(({ name, applied_at, app_version }) => `applied  ${name}  ${applied_at} by ${app_version}`),
    ...pending.map(({ name }) => `pending  ${name}`),
  ];
  print(lines.join('\n'));
}

async function run(context: CommandContext, flags: MigrateFlags, dialect: Dialect): Promise<void> {
  const { applied, backup } = await migrate(dialect, {
    ...(flags.to === undefined ? {} : { to: flags.to }),
    now: context.now,
  });
  if (flags.json === true) {
    context.print(printableJson({ command: 'migrate', applied, backup }));
    return;
  }
  if (backup !== null) context.log.info(`The database was copied to ${backup} first.`);
  const what =
    applied.length === 0 ? 'is up to date, nothing to do' : `now at ${applied.at(-1)} (applied: ${applied.join(', ')})`;
  const made = dialect.made === null ? '' : `, created ${dialect.made}`;
  context.print(`${dialect.title} ${dialect.address}: ${what}${made}`);
}
