/** The programs that the demo and the benchmark run, each as a process of its own, from the compiled tree in build/. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..', '..');

/** The real program, as users get it. */
export const cli = join(root, 'bin', 'slackingest.js');

export interface StandInProcess extends AsyncDisposable {
  /** What the program needs in its environment to call it. */
  readonly env: { readonly SLACK_API_URL: string; readonly SLACK_TOKEN: string; readonly SLACKINGEST_PACE: 'off' };
}

/** Starts Slack's stand-in on loopback with these arguments for serve.ts. It ends when it is disposed of. */
export async function startStandInProcess(args: readonly string[]): Promise<StandInProcess> {
  const script = join(import.meta.dirname, '..', 'stand-in', 'serve.js');
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  // Also when this process ends by an error that nobody caught.
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(([code]) => {
      throw new Error(`The stand-in ended with code ${code} before it was ready.`);
    }),
  ]);
  const { url, token }: { url: string; token: string } = JSON.parse(String(line[0]));
  return {
    env: { SLACK_API_URL: url, SLACK_TOKEN: token, SLACKINGEST_PACE: 'off' },
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) return;
      end();
      await exited;
    },
  };
}

/**
 * The environment of a program under demonstration: nothing of the person's own Slack and database settings, and no
 * config file of theirs.
 */
export function cleanEnvironment(added: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const ours = /^(SLACK|SLACKINGEST_|DATABASE_URL$|PG|NODE_OPTIONS$)/;
  const rest = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(rest), SLACKINGEST_CONFIG: '/dev/null', ...added };
}

/** The exit code, 1 when a signal ended the process. */
export async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code]: (number | null)[] = await once(child, 'exit');
  return code ?? 1;
}
