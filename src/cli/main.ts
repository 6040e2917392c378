/**
 * The process: parses the command line, runs one command, prints one error, returns the exit code. Signals become an
 * AbortSignal; the second one ends the process as if nobody had listened.
 */
import { CommanderError } from 'commander';
import { AppError, InterruptedError, UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { printable } from '../secrets.ts';
import { appVersion } from '../version.ts';
import { buildProgram } from './program.ts';

/** Runs the command line (without node and script) and returns the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  ignoreClosedPipes();
  const controller = new AbortController();
  listenToSignals(controller);
  let code: number = exitCodes.ok;
  const program = buildProgram(
    {
      env: process.env,
      cwd: process.cwd(),
      stdout: process.stdout,
      stderr: process.stderr,
      isTerminal: process.stdin.isTTY === true || process.stderr.isTTY === true,
      signal: controller.signal,
    },
    appVersion,
    (exit) => {
      code = exit;
    },
  );
  for (const command of [program, ...program.commands]) {
    // commander would end the process itself, and with 1 for a wrong option.
    command.exitOverride().configureOutput({ writeErr: (text) => void process.stderr.write(printable(text)) });
  }
  if (args.length === 0) {
    process.stderr.write(program.helpInformation());
    return exitCodes.usage;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      if (args.includes('--json')) await reportUsageAsJson(args, error.message);
      return exitCodes.usage;
    }
    return reportError(error, args);
  }
}

/** The promised one object, also for a command line that cannot be understood. */
async function reportUsageAsJson(args: readonly string[], message: string): Promise<void> {
  const { printFailure } = await import('./result.ts');
  const command = args.find((arg) => !arg.startsWith('-')) ?? '';
  printFailure(process.stdout, command, new UsageError(message.replace(/^error: /, '')));
}

function reportError(error: unknown, args: readonly string[]): number {
  const isDebug = args.join(' ').includes('--log-level debug') || args.includes('--log-level=debug');
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error: ${printable(message)}\n`);
  if (error instanceof AppError && error.hint !== undefined) process.stderr.write(`  ${printable(error.hint)}\n`);
  if (!(error instanceof AppError)) {
    process.stderr.write(
      '  This is a bug of slackingest; what was committed is kept. "--log-level debug" shows where it happened.\n',
    );
  }
  if (isDebug && error instanceof Error) process.stderr.write(`${printable(error.stack ?? '')}\n`);
  return error instanceof AppError ? error.exitCode : exitCodes.failed;
}

/** Below the ten seconds after which Docker and others send SIGKILL. */
const stopGraceMs = 8_000;

function listenToSignals(controller: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      controller.abort(new InterruptedError(signal));
      // From now on the signal does what it does by default: whoever sends it twice means it. So do we, when the
      // database does not even let us say that we stopped; what is committed stays, and the lock ends by itself.
      setTimeout(() => {
        process.stderr.write(`error: stopped by ${signal} without waiting longer for the database\n`);
        process.kill(process.pid, signal);
      }, stopGraceMs).unref();
    });
  }
}

/** `slackingest … | head` closes our output early; that is no error of ours. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
