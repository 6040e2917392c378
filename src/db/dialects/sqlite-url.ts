/**
 * Which file a `sqlite:` URL means. It carries a path and nothing else: what looks like more (a host, parameters, escapes)
 * would become part of a file's name, and the copy would grow where nobody looks for it.
 */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';

const ways = 'Write sqlite:slackingest.db, sqlite:/absolute/slackingest.db or sqlite:~/slackingest.db.';

/**
 * The absolute path that the URL means: `sqlite:file.db`, `sqlite:/abs/file.db`, `sqlite:///abs/file.db`, `sqlite:~/file.db`.
 * Throws `UsageError` where it says anything else, or names what cannot be a file.
 */
export function sqlitePath(url: string): string {
  const text = url.slice('sqlite:'.length);
  const refuse = (why: string, way = ways): UsageError => new UsageError(`the database URL ${url} ${why}`, way);
  if (text.startsWith(':memory:'))
    throw refuse('means a database in memory, which would be gone at the end of the run', ways);
  if (/^file:/i.test(text)) throw refuse('holds a second scheme, "file:"');
  if (/^\/\/[^/]/.test(text))
    throw refuse(
      'names a host, and SQLite has none',
      `Write sqlite:${text.slice(2)} for a path from here on, or sqlite:/${text.slice(2)} for one from the root.`,
    );
  if (/^~(?!\/)/.test(text)) throw refuse('begins with "~", of which only "~/" is understood');
  const written = text.replace(/^\/\/(?=\/)/, '');
  if (/^(\/\/)?\s*$/.test(text)) throw refuse('names no file');
  const path = written.startsWith('~/') ? resolve(homedir(), written.slice(2)) : resolve(written);
  if (written.endsWith('/') || kindOf(path) === 'folder') throw refuse('names a folder and no file');
  if (kindOf(path) === 'other') throw refuse('names a device, a pipe or a socket');
  refuseParameters(path, refuse);
  return path;
}

/** The signs of URLs stand for themselves only in folders that are there: `/srv/c#/slack.db` is no fragment. */
function refuseParameters(path: string, refuse: (why: string, way: string) => UsageError): void {
  for (let part = path; part !== dirname(part); part = dirname(part)) {
    const [sign] = basename(part).match(/[?#]|%[\da-f]{2}/i) ?? [];
    if (sign === undefined || (part !== path && existsSync(part))) continue;
    const leaveOut = `Leave out the "${sign}" and what follows.${existsSync(path) ? ' A file by the whole name is there, perhaps of an earlier run: rename it.' : ''}`;
    if (sign === '?') throw refuse('has parameters, and SQLite takes none here', leaveOut);
    if (sign === '#') throw refuse('has a fragment, which means nothing here', leaveOut);
    throw refuse(
      `holds "${sign}", and a path is not percent-encoded here`,
      `Write the sign itself: sqlite:${decoded(path)}`,
    );
  }
}

function decoded(path: string): string {
  return path.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function kindOf(path: string): 'file' | 'folder' | 'other' {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined || stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    // What may not be looked at is told where it is opened.
    if (error instanceof Error && 'code' in error) return 'file';
    throw error;
  }
}
