/** What a command runs in: configuration, log, progress, signal. The composition of everything happens here. */
import { homedir, userInfo } from 'node:os';
import { dotEnvIn, type Environment, readVariable, withDotEnv } from '../config/env.ts';
import { type Config, type ConfigFlags, loadConfig } from '../config/load.ts';
import { isExposed } from '../config/plain-file.ts';
import type { OpenOptions } from '../db/open.ts';
import type { RunRow } from '../db/schema.ts';
import { UsageError } from '../errors.ts';
import { checkApiUrl, isLoopback } from '../slack/api-url.ts';
import { createLogger, type Logger, type LogLevel, logLevels } from './log.ts';
import type { Outlet } from './outlet.ts';
import { canColor, canSpin, loadPaint, openProgress, type Progress } from './progress.ts';
import { detectTrigger } from './trigger.ts';

/** Options every command has, as commander gives them. */
export interface GlobalFlags {
  database?: string;
  config?: string;
  json?: boolean;
  logFormat?: string;
  logLevel?: string;
  quiet?: boolean;
  /** False for `--no-migrate`. */
  migrate: boolean;
  /** False for `--no-color`. */
  color: boolean;
}

/** What the process gives: streams, environment, signals. */
export interface Process {
  env: Environment;
  cwd: string;
  stdout: Outlet;
  stderr: Outlet;
  /** Standard input or error is a terminal. */
  isTerminal: boolean;
  signal: AbortSignal;
}

export interface CommandContext {
  flags: GlobalFlags;
  env: Environment;
  config: Config;
  log: Logger;
  progress: Progress;
  signal: AbortSignal;
  trigger: RunRow['trigger'];
  apiUrl: string | undefined;
  /** Epoch milliseconds. */
  now: () => number;
  /** Writes the command's result, its only output on stdout. */
  print: (text: string) => void;
}

export async function openContext(process: Process, flags: GlobalFlags & ConfigFlags): Promise<CommandContext> {
  const env = withDotEnv(process.env, process.cwd);
  const apiUrl = env['SLACK_API_URL'] || undefined;
  const apiUrlIsLoopback = apiUrl !== undefined && isLoopback(checkApiUrl(apiUrl));
  const config = await loadConfig({ flags, env, directory: process.cwd, home: homeDirectory(env), apiUrlIsLoopback });
  const log = await openLog(process, flags, env);
  warnOfExposed(process, env, log);
  const isQuiet = flags.quiet === true;
  const { terminal } = process.stderr;
  const progress = await openProgress({
    stream: terminal,
    log,
    hasSpinner: !isQuiet && flags.logFormat !== 'json' && canSpin(terminal, env),
    hasColor: canColor(terminal, env, flags.color),
  });
  return {
    flags,
    env,
    config,
    log,
    progress,
    signal: process.signal,
    trigger: detectTrigger(env, process.isTerminal),
    apiUrl,
    now: Date.now,
    print: (text) => process.stdout.write(`${text}\n`),
  };
}

/** Null for a user the system does not know, as containers start programs. HOME that is set to nothing counts as not set. */
function homeDirectory(env: Environment): string | null {
  try {
    return readVariable(env, 'HOME') === undefined ? userInfo().homedir || null : homedir();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/** A token that everybody on the machine may read is worth a line in every run. */
function warnOfExposed(process: Process, env: Environment, log: Logger): void {
  const tokenFile = readVariable(env, 'SLACK_TOKEN_FILE');
  for (const path of [dotEnvIn(process.cwd), ...(tokenFile === undefined ? [] : [tokenFile])]) {
    if (isExposed(path)) log.warn(`${path} holds a secret, and others than its owner may read it: chmod 600 ${path}`);
  }
}

async function openLog(process: Process, flags: GlobalFlags, env: Environment): Promise<Logger> {
  const level = flags.logLevel ?? (flags.quiet === true ? 'error' : 'info');
  if (!isLogLevel(level))
    throw new UsageError(`--log-level: "${level}" is no level`, `Write one of ${logLevels.join(', ')}.`);
  const format = flags.logFormat ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`--log-format: "${format}" is no format`, 'Write text or json.');
  const { terminal } = process.stderr;
  const hasColor = canColor(terminal, env, flags.color);
  return createLogger({
    sink: process.stderr,
    format,
    level,
    hasTimes: terminal.isTTY !== true,
    ...(hasColor ? { paint: await loadPaint() } : {}),
  });
}

function isLogLevel(text: string): text is LogLevel {
  return logLevels.some((level) => level === text);
}

/** What the opening of a database needs besides its URL. */
export function surroundings({ env, signal, log }: CommandContext): OpenOptions {
  return { env, signal, warn: (text) => log.warn(text) };
}
