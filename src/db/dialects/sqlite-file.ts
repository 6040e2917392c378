/** The file of a SQLite database: made privately, and watched for as long as it is open. */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseError } from '../../errors.ts';

/** Creates the file (0600, in a folder of 0700) when it is absent. Throws the system's error when it cannot. */
export function createPrivately(path: string): void {
  if (existsSync(path)) return;
  createFolder(dirname(path));
  closeSync(openSync(path, 'a', 0o600));
}

/** One after another: where the system answers ENOENT for good (in /proc), Node's own recursive mkdir never returns. */
function createFolder(folder: string): void {
  if (existsSync(folder)) return;
  createFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another run may have been faster.
    if (!isExisting(error)) throw error;
  }
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
