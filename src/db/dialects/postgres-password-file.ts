/** libpq's password file (postgresql.org/docs/current/libpq-pgpass.html). */
import { readFileSync, statSync } from 'node:fs';
import type { PostgresHost, PostgresTarget } from './postgres-target.ts';

/** host:port:database:user:password, with a backslash before a colon that belongs to a field. */
const field = String.raw`((?:\\.|[^:\\])*):`;
const entry = new RegExp(`^${field.repeat(4)}(.*)$`);

/**
 * The password that the file holds for this host; undefined when there is none, or when others can read the file: libpq passes
 * over such a one, and so does this, with a warning.
 */
export function findPassword(
  target: PostgresTarget,
  host: PostgresHost,
  warn: (text: string) => void,
): string | undefined {
  const text = readPrivate(target.passwordFile.path, warn);
  const wanted = [nameOf(host), String(host.port), target.database, target.user];
  for (const line of text?.split(/\r?\n/) ?? []) {
    const [, ...fields] = (line.startsWith('#') ? null : entry.exec(line)) ?? [];
    const isMeant =
      fields.length > 0 && wanted.every((value, i) => fields[i] === '*' || unescaped(fields[i]) === value);
    if (isMeant) return unescaped(fields[4]) || undefined;
  }
  return undefined;
}

function readPrivate(path: string, warn: (text: string) => void): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined || !file.isFile()) return undefined;
  if (process.platform !== 'win32' && (file.mode & 0o077) !== 0) {
    warn(`The password file ${path} is passed over, because others may read it. Mend it with: chmod 600 ${path}`);
    return undefined;
  }
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    warn(`The password file ${path} cannot be read (${error.code}).`);
    return undefined;
  }
}

/** The sockets of this machine's own server stand there as localhost. */
function nameOf({ host }: PostgresHost): string {
  return /^(\/var)?\/run\/postgresql$|^\/tmp$/.test(host) ? 'localhost' : host;
}

function unescaped(field: string | undefined): string {
  return (field ?? '').replace(/\\(.)/g, '$1');
}
