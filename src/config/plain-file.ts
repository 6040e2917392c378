/** Files that are read because of where they lie, not because somebody named them. */
import { readFileSync, statSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { maskSecrets } from '../secrets.ts';
import { isSystemError } from './system-error.ts';

/**
 * The file's content; null when there is none, or a folder of that name (Python's virtual environments are called `.env` too).
 * @throws UsageError when it cannot be read, or is no plain file: to open a pipe would wait, deaf to signals, for whoever
 *   writes to it
 */
export function readPlainFile(path: string): Buffer | null {
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts === undefined || facts.isDirectory()) return null;
    if (facts.isFile()) return readFileSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw new UsageError(`${path} cannot be read`, 'Correct its permissions or remove it.', error);
  }
  throw new UsageError(`${path} is no plain file`, 'Remove it, and set the variables in the environment instead.');
}

/** Whether the file holds a secret and others than its owner may read it. Never throws: it is for a warning only. */
export function isExposed(path: string): boolean {
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts === undefined || !facts.isFile() || (facts.mode & 0o077) === 0) return false;
    const text = readFileSync(path, 'utf8');
    return maskSecrets(text) !== text;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
