import { UsageError } from '../errors.ts';
import type { Access, Dialect } from './dialects/dialect.ts';

/** What surrounds a database's URL. */
export interface OpenOptions {
  /** To read: nothing is created, and the database itself refuses to be written. Default: to write. */
  access?: Access;
  /** Where libpq's variables (`PGPASSWORD`, …) fill what the URL leaves out. Default: nowhere. */
  env?: Readonly<Record<string, string | undefined>>;
  /** When it fires, waiting for a free connection or a locked file ends. */
  signal?: AbortSignal;
  /** Is told what a person should mend and nobody has to wait for. */
  warn?: (text: string) => void;
}

/**
 * Opens the database that `url` names; its scheme chooses the dialect, and only that dialect's driver is loaded.
 * The caller closes it. Throws `UsageError` for a scheme nobody knows or a URL that says what nobody understands,
 * `DatabaseError` when it cannot be opened, and the signal's reason.
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<Dialect> {
  const { signal, access = 'write' } = options;
  if (url.startsWith('sqlite:')) {
    const { openSqlite } = await import('./dialects/sqlite.ts');
    return openSqlite(url, { access, ...(signal === undefined ? {} : { signal }) });
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { openPostgres } = await import('./dialects/postgres.ts');
    return openPostgres(url, options);
  }
  throw new UsageError(
    `the database URL does not begin with sqlite: or postgres://`,
    'Set DATABASE_URL or --database to sqlite:slackingest.db, or to postgres://user@host/database.',
  );
}

/** A database in memory, without tables, that is gone when it is closed. */
export async function openEmptyDatabase(): Promise<Dialect> {
  const { openInMemory } = await import('./dialects/sqlite.ts');
  return openInMemory();
}

/** Whether the URL names a file that does not exist. What a server has only it can tell. Throws as `openDatabase` does. */
export async function isMissing(url: string): Promise<boolean> {
  if (!url.startsWith('sqlite:')) return false;
  const { isMissingFile } = await import('./dialects/sqlite.ts');
  return isMissingFile(url);
}
