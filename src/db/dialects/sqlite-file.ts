/** The file of a SQLite database: made privately, and watched for as long as it is open. */
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseError } from '../../errors.ts';
import type { Access } from './dialect.ts';

/**
 * Creates the file (0600, in a folder of 0700) when it is absent, and returns the outermost of what it made; null when the
 * file was there. Throws the system's error when it cannot.
 */
export function createPrivately(path: string): string | null {
  if (existsSync(path)) return null;
  const folder = createFolder(dirname(path));
  closeSync(openSync(path, 'a', 0o600));
  return folder ?? path;
}

/**
 * One after another: where the system answers ENOENT for good (in /proc), Node's own recursive mkdir never returns. Returns
 * the outermost folder that was made.
 */
function createFolder(folder: string): string | null {
  if (existsSync(folder)) return null;
  const outer = createFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
    return outer ?? folder;
  } catch (error) {
    // Another run may have been faster.
    if (!isExisting(error)) throw error;
    return outer;
  }
}

/** What SQLite keeps beside a database while it is open, or after a crash. */
const besides = ['-wal', '-shm', '-journal'];

/**
 * Which of a database's files this user may not read or write, as the end of a sentence; null when it is none of them. A
 * writer needs the folder too, for the files that SQLite puts beside the database.
 */
export function findFault(path: string, access: Access): string | null {
  const mode = access === 'write' ? constants.R_OK | constants.W_OK : constants.R_OK;
  const files = [path, ...besides.map((end) => path + end)].filter((file) => existsSync(file));
  for (const file of files) if (!allows(file, mode)) return `this user may not ${access} ${file}${ownerOf(file)}`;
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  const needed = access === 'write' ? constants.W_OK | constants.X_OK : constants.X_OK;
  if (allows(folder, needed)) return null;
  return `this user may not ${access === 'write' ? 'create files in' : 'look into'} ${folder}${ownerOf(folder)}`;
}

function allows(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

function ownerOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || process.getuid === undefined || stats.uid === process.getuid()) return '';
  return `, which belongs to ${stats.uid === 0 ? 'root' : `user ${stats.uid}`}`;
}

/** An empty file of a name nobody has, private before there is anything in it. Two upgrades may begin in one second. */
export function createBackupFile(path: string): string {
  for (let n = 1; ; n += 1) {
    const free = n === 1 ? path : path.replace(/\.bak$/, `-${n}.bak`);
    try {
      closeSync(openSync(free, 'wx', 0o600));
      return free;
    } catch (error) {
      if (!isExisting(error)) throw error;
    }
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/**
 * Tells when the path no longer leads to the file that is open: the system lets a file be deleted or replaced while a
 * program works on it, SQLite goes on writing into the nameless rest, and all of it is gone when the file is closed.
 * SQLite itself only logs this (os_unix.c, verifyDbFile); it compares the same numbers.
 */
export class FileWatch {
  readonly #path: string;
  readonly #identity: string | null;

  /** Call it when the file has just been opened. */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(path);
  }

  /** Throws `DatabaseError` when the file was deleted, moved away or replaced. Takes microseconds. */
  assertInPlace(): void {
    const present = identityOf(this.#path);
    if (present !== null && present === this.#identity) return;
    const happened = present === null ? 'deleted or moved away' : 'replaced by another file';
    throw new DatabaseError(
      `the database file ${this.#path} was ${happened} while the run worked on it; what the run stored is not in ${present === null ? 'any file' : 'the new one'}`,
      'Stop whatever deletes, moves or restores the file while runs work on it (a clean-up, a sync program), then run again: the next run goes on from what the file then holds.',
    );
  }
}

/** Null when there is no such file. As bigints: on some file systems the number of a file exceeds 2^53. */
function identityOf(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}
