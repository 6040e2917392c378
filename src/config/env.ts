import { join } from 'node:path';
import { parseDotEnv } from './dotenv.ts';
import { readPlainFile } from './plain-file.ts';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment completed by the `.env` file of the directory, if there is one. A variable that is set in the
 * environment, even to nothing, is never overridden. Neither argument is changed.
 * @throws UsageError when there is a `.env` file that cannot be read or understood
 */
export function withDotEnv(env: Environment, directory: string): Environment {
  const path = dotEnvIn(directory);
  const bytes = readPlainFile(path);
  return bytes === null ? env : { ...parseDotEnv(bytes, path), ...env };
}

export function dotEnvIn(directory: string): string {
  return join(directory, '.env');
}

/** The value of a variable without surrounding white space; set to nothing counts as not set, as CI systems do with missing secrets. */
export function readVariable(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}
