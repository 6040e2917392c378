/** The program as a process: arguments and environment in, exit code and both outputs out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

/** From test/ as it is written, or from its compiled copy in build/. */
const bin = ['../../bin/slackingest.js', '../../../bin/slackingest.js']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** The one JSON object on stdout; throws when there is none. */
  json(): ReturnType<typeof JSON.parse>;
}

export interface CliOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** As this system user; for tests that run as root. */
  uid?: number;
  /** Arguments for node itself, e.g. `--import` of a hook. */
  nodeArgs?: readonly string[];
  /** Where an output goes instead of into the result: an open file. */
  stdout?: number;
  stderr?: number;
}

export interface RunningCli {
  process: ChildProcess;
  result: Promise<CliResult>;
}

/**
 * Starts the built program with nothing of the surrounding environment but PATH, so that a developer's SLACK_TOKEN never
 * gets into a test.
 */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: tmpdir(), SLACKINGEST_PACE: 'off', ...options.env };
  for (const [key, value] of Object.entries(env)) if (value === undefined) delete env[key];
  if (bin === undefined) throw new Error('There is no bin/slackingest.js where it should be.');
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), bin, ...args], {
    env,
    cwd: options.cwd ?? tmpdir(),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    stdio: ['ignore', options.stdout ?? 'pipe', options.stderr ?? 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
  const result = new Promise<CliResult>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal, stdout, stderr, json: () => JSON.parse(stdout) }));
  });
  return { process: child, result };
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).result;
}
