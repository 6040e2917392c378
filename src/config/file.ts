/**
 * Finds, reads and checks the config file.
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { z } from 'zod';
import { UsageError } from '../errors.ts';
import { containsSlackToken, maskSecrets } from '../secrets.ts';
import type { Environment } from './env.ts';
import { readVariable } from './env.ts';
import { readPlainFile } from './plain-file.ts';
import type { FileSettings } from './schema.ts';
import { fileSchema, knownKeys } from './schema.ts';
import { isSystemError } from './system-error.ts';
import { describeIssues, formatPath, inOurWords } from './wrong-values.ts';

export interface ConfigFile {
  /** Null when there is no config file: all settings have their defaults. */
  path: string | null;
  settings: FileSettings;
}

/**
 * Reads the first config file there is: the one named by `--config`, by SLACKINGEST_CONFIG, `slackingest.yaml` in
 * the directory, `slackingest/config.yaml` in the config directory. One that was named must exist.
 * @throws UsageError when it cannot be read, is no YAML, has unknown or wrong keys, or holds a secret
 */
export async function readConfigFile(
  flag: string | undefined,
  env: Environment,
  directory: string,
  home: string | null,
): Promise<ConfigFile> {
  const named = flag ?? readVariable(env, 'SLACKINGEST_CONFIG');
  if (named !== undefined) {
    const path = resolve(directory, named);
    const text = readIfPresent(path);
    if (text !== undefined) return { path, settings: await parseConfig(text, path) };
    const source = flag === undefined ? 'SLACKINGEST_CONFIG' : '--config';
    throw new UsageError(
      `${source}: there is no file ${path}`,
      'Correct the path, or leave it out to use the defaults.',
    );
  }
  const xdg = readVariable(env, 'XDG_CONFIG_HOME');
  const configHome = xdg !== undefined && isAbsolute(xdg) ? xdg : home === null ? null : join(home, '.config');
  const inHome = configHome === null ? [] : [join(configHome, 'slackingest', 'config.yaml')];
  for (const path of [join(directory, 'slackingest.yaml'), ...inHome]) {
    const bytes = readPlainFile(path);
    if (bytes !== null) return { path, settings: await parseConfig(bytes.toString('utf8'), path) };
  }
  return { path: null, settings: fileSchema.parse({}) };
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new UsageError(`the config file ${path} cannot be read`, 'Correct the path or its permissions.', error);
  }
}

/**
 * The settings in the text of a config file; `path` is for messages only.
 * @throws UsageError as `readConfigFile`
 */
async function parseConfig(text: string, path: string): Promise<FileSettings> {
  // Most runs have no file, and need no parser.
  const content = readYaml(await import('yaml'), text, path);
  refuseTokens(content, path);
  const result = fileSchema.safeParse(content, { error: inOurWords });
  if (!result.success) throw wrongSettings(result.error.issues, path);
  refusePassword(result.data.database, path);
  refuseDuplicates(result.data, path);
  return result.data;
}

function readYaml({ LineCounter, parseDocument }: typeof import('yaml'), text: string, path: string): unknown {
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) {
      const { line, col } = lineCounter.linePos(problem.pos[0]);
      throw new UsageError(`${path}:${line}:${col}: ${maskSecrets(problem.message)}`, 'Correct the YAML.');
    }
    // An empty file, or one of comments only, is null.
    const content: unknown = document.toJS() ?? {};
    // What contains itself has no end, and no JSON.
    JSON.stringify(content);
    return content;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // The parser's words for aliases that multiply, the engine's for depth and circles.
    if (!(error instanceof ReferenceError || error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new UsageError(
      `${path}: its values are nested without end, or its aliases (*name) contain themselves or multiply too far`,
      'Write the values out, without anchors and aliases.',
      error,
    );
  }
}

/** Looked for before anything else, so that no later message can quote one. */
function refuseTokens(value: unknown, path: string, at: readonly PropertyKey[] = []): void {
  if (typeof value === 'string' && containsSlackToken(value)) {
    throw new UsageError(
      `${path}: ${formatPath(at)} holds a Slack token`,
      'Put the token into an environment variable, name that variable in token_env, and treat this token as leaked.',
    );
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    refuseTokens(key, path, at);
    refuseTokens(member, path, [...at, Array.isArray(value) ? Number(key) : key]);
  }
}

function refusePassword(database: string | undefined, path: string): void {
  if (database === undefined || maskSecrets(database) === database) return;
  throw new UsageError(
    `${path}: database holds a password`,
    'Leave the password out and set PGPASSWORD or a ~/.pgpass file, or set DATABASE_URL in the environment instead.',
  );
}

function refuseDuplicates({ workspaces }: FileSettings, path: string): void {
  const twice = (key: 'name' | 'team_id') => {
    const seen = new Map<string, string>();
    for (const workspace of workspaces) {
      const value = workspace[key]?.toLowerCase();
      if (value === undefined) continue;
      const other = seen.get(value);
      if (other !== undefined) return [other, workspace.name] as const;
      seen.set(value, workspace.name);
    }
    return null;
  };
  const called = twice('name');
  if (called !== null)
    throw new UsageError(`${path}: two workspaces are called "${called[1]}"`, 'Give each its own name.');
  const same = twice('team_id');
  if (same !== null)
    throw new UsageError(
      `${path}: the workspaces "${same[0]}" and "${same[1]}" have the same team_id`,
      'A team is one workspace: correct one of the ids, or leave one of the two out.',
    );
}

function wrongSettings(issues: readonly z.core.$ZodIssue[], path: string): UsageError {
  const lines = describeIssues(issues, knownKeys);
  const [only] = lines;
  const message = lines.length === 1 ? ` ${only}` : lines.map((line) => `\n  ${line}`).join('');
  return new UsageError(maskSecrets(`${path}:${message}`), 'Correct the config file.');
}
