import { UsageError } from '../errors.ts';
import type { Dialect } from './dialects/dialect.ts';

/** What surrounds a database's URL. */
export interface OpenOptions {
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
  const { signal } = options;
  if (url.startsWith('sqlite:')) {
    const { openSqlite } = await import('./dialects/sqlite.ts');
    return openSqlite(url, signal);
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

/** Whether `url` names a database that surely does not exist yet, or an empty file: opening it would write to it. */
export async function isAbsent(url: string): Promise<boolean> {
  if (!url.startsWith('sqlite:')) return false;
  const { statSync } = await import('node:fs');
  const { sqlitePath } = await import('./dialects/sqlite.ts');
  const file = statSync(sqlitePath(url), { throwIfNoEntry: false });
  return file === undefined || (file.isFile() && file.size === 0);
}
