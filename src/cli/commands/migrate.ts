import { migrate, migrationStatus } from '../../db/migrate.ts';
import { isAbsent, openDatabase } from '../../db/open.ts';
import { exitCodes } from '../../exit-codes.ts';
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
  // Looking must not create the file; an empty one in memory has the same pending migrations.
  const url = isReadOnly && (await isAbsent(context.config.database)) ? 'sqlite::memory:' : context.config.database;
  const dialect = await openDatabase(url, surroundings(context));
  try {
    if (isReadOnly) await show(context, flags, await migrationStatus(dialect));
    else await run(context, flags, dialect);
    return exitCodes.ok;
  } catch (error) {
    throw dialect.explain(error) ?? error;
  } finally {
    await dialect.close();
  }
}

async function show(
  { print }: CommandContext,
  flags: MigrateFlags,
  { applied, pending }: Awaited<ReturnType<typeof migrationStatus>>,
): Promise<void> {
  if (flags.json === true) {
    print(JSON.stringify({ command: 'migrate', applied, pending }));
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
    ...applied.map(({ name, applied_at, app_version }) => `applied  ${name}  ${applied_at} by ${app_version}`),
    ...pending.map(({ name }) => `pending  ${name}`),
  ];
  print(lines.join('\n'));
}

async function run(
  context: CommandContext,
  flags: MigrateFlags,
  dialect: Awaited<ReturnType<typeof openDatabase>>,
): Promise<void> {
  const { applied, backup } = await migrate(dialect, {
    ...(flags.to === undefined ? {} : { to: flags.to }),
    now: context.now,
  });
  if (flags.json === true) {
    context.print(JSON.stringify({ command: 'migrate', applied, backup }));
    return;
  }
  if (backup !== null) context.log.info(`The database was copied to ${backup} first.`);
  const what =
    applied.length === 0 ? 'is up to date, nothing to do' : `now at ${applied.at(-1)} (applied: ${applied.join(', ')})`;
  context.print(`${dialect.title} ${dialect.address}: ${what}`);
}
