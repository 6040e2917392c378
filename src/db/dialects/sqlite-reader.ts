/**
 * Reading a SQLite file with the right to read it and no other, and without leaving anything beside it.
 *
 * In WAL mode, which our files are in, SQLite wants the files `-wal` and `-shm` beside the database even of a reader, and creates
 * them where they are missing (sqlite.org/wal.html#read_only_databases). In a folder that may not be written it then
 * cannot open the database at all; in one that may, it leaves files of this user behind that keep the owner out. While
 * somebody works on the database both are there. While nobody does, a copy of it is the same database.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { DatabaseError } from '../../errors.ts';
import { findFault } from './sqlite-file.ts';
import { blockingTimeoutMs, type Patience } from './sqlite-patience.ts';

export interface ReadOnlyFile {
  raw: Database.Database;
  /** Call it when `raw` is closed. */
  leave: () => void;
}

/** So often is a copy begun that a writer changed under our hands: one that works needs no copy. */
const copyTries = 5;

/** Throws SQLite's or the system's error, `DatabaseError` when there is no room for a copy, and the signal's reason. */
export async function openReadOnly(path: string, patience: Patience): Promise<ReadOnlyFile> {
  for (let tries = 1; ; tries += 1) {
    if (isReadableInPlace(path)) {
      try {
        return await openInPlace(path, patience);
      } catch (error) {
        // What a killed run left beside the file need not be whole.
        if (!isUnopenable(error) || findFault(path, 'read') !== null) throw error;
      }
    }
    const copied = openCopy(path);
    if (copied !== null) return copied;
    if (tries > copyTries) {
      throw new DatabaseError(
        `the database file ${path} changes while it is copied to be read, again and again`,
        'Run again when the program that writes it has come to an end.',
      );
    }
  }
}

/** Without creating a file, or with the right to clear it away again. */
function isReadableInPlace(path: string): boolean {
  return !isInWalMode(path) || existsSync(`${path}-shm`) || findFault(path, 'write') === null;
}

async function openInPlace(path: string, patience: Patience): Promise<ReadOnlyFile> {
  const isFirst = isInWalMode(path) && !existsSync(`${path}-shm`);
  const raw = new Database(path, { readonly: true, fileMustExist: true, timeout: blockingTimeoutMs });
  try {
    await patience.during(() => touch(raw));
    return { raw, leave: () => (isFirst ? clearAway(path) : undefined) };
  } catch (error) {
    raw.close();
    throw error;
  }
}

/** SQLite opens the file when it is read for the first time. */
function touch(raw: Database.Database): void {
  raw.prepare('select 1 from sqlite_master').get();
}

/** A reader leaves the files beside the database where they are; whoever may write and is the last one takes them away. */
function clearAway(path: string): void {
  const raw = new Database(path, { fileMustExist: true, timeout: 0 });
  try {
    touch(raw);
  } catch (error) {
    // Somebody works on it, and will do it.
    if (!(error instanceof Database.SqliteError)) throw error;
  } finally {
    raw.close();
  }
}

/** Null when the database was changed meanwhile. */
function openCopy(path: string): ReadOnlyFile | null {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-read-'));
  const leave = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, basename(path));
    if (!copyUnchanged(path, copy)) {
      leave();
      return null;
    }
    // What is in the write-ahead log goes into the file, which then needs nothing beside it.
    const writer = new Database(copy);
    writer.pragma('journal_mode = delete');
    writer.close();
    const raw = new Database(copy, { readonly: true });
    touch(raw);
    // Gone with this process, however that ends; where an open file cannot be removed, when it is closed.
    if (process.platform !== 'win32') leave();
    return { raw, leave };
  } catch (error) {
    leave();
    throw error;
  }
}

function copyUnchanged(path: string, copy: string): boolean {
  const before = stateOf(path);
  try {
    copyFileSync(path, copy, constants.COPYFILE_FICLONE);
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`, constants.COPYFILE_FICLONE);
  } catch (error) {
    if (!isWithoutRoom(error)) throw error;
    throw new DatabaseError(
      `the database file ${path} is read from a copy, because nothing can be written beside it, and ${tmpdir()} has no room for one`,
      'Set TMPDIR to a folder with as much room as the database takes.',
      error,
    );
  }
  return before === stateOf(path);
}

function stateOf(path: string): string {
  return ['', '-wal']
    .map((end) => statSync(path + end, { bigint: true, throwIfNoEntry: false }))
    .map((stats) => (stats === undefined ? '-' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`))
    .join(', ');
}

/** The "read version" in the header of the file (sqlite.org/fileformat.html#file_format_version_numbers). */
function isInWalMode(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(20);
    return readSync(file, header, 0, 20, 0) === 20 && header[19] === 2;
  } finally {
    closeSync(file);
  }
}

function isUnopenable(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(CANTOPEN|READONLY)/.test(error.code);
}

function isWithoutRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(ENOSPC|EDQUOT|EFBIG)$/.test(String(error.code));
}
