import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { UsageError } from '../errors.ts';
import { isSystemError } from './system-error.ts';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment completed by the `.env` file of the directory, if there is one. A variable that is set in the
 * environment, even to nothing, is never overridden. Neither argument is changed.
 * @throws UsageError when there is a `.env` file that cannot be read
 */
export function withDotEnv(env: Environment, directory: string): Environment {
  const path = join(directory, '.env');
  try {
    return { ...parseEnv(readFileSync(path, 'utf8')), ...env };
  } catch (error) {
    // A directory of that name is common too: Python's virtual environments.
    if (isSystemError(error, 'ENOENT', 'EISDIR')) return env;
    throw new UsageError(`${path} cannot be read`, 'Correct its permissions or remove it.', error);
  }
}

/** The value of a variable without surrounding white space; set to nothing counts as not set, as CI systems do with missing secrets. */
export function readVariable(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}
