/** The program on a disk that is full, as far as a test can have one. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CliResult } from './run-cli.ts';

/** Writing beyond the limit fails with EFBIG, once the signal that comes with it is ignored. `env` is all it gets beside PATH. */
export async function runWithFileLimit(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  bytes: number,
): Promise<CliResult> {
  const bin = fileURLToPath(new URL('../../bin/slackingest.js', import.meta.url));
  const script = `trap '' XFSZ; ulimit -f ${Math.floor(bytes / 512)}; exec "$@"`;
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, bin, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done) =>
    child.once('close', (...end) => done(end)),
  );
  return { code, signal, stdout, stderr, json: () => JSON.parse(stdout) };
}
