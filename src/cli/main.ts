/** The process: parses the command line, runs one command, prints one error, returns the exit code. */
import { isatty } from 'node:tty';
import { CommanderError } from 'commander';
import { AppError, UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { printable } from '../secrets.ts';
import { appVersion } from '../version.ts';
import type { Process } from './context.ts';
import { type Outlet, openOutlet } from './outlet.ts';
import { buildProgram } from './program.ts';
import { listenToSignals } from './signals.ts';

export interface Outputs {
  stdout: Outlet;
  stderr: Outlet;
}

/** Runs the command line (without node and script) and returns the exit code. Never throws. */
export async function main(
  args: readonly string[],
  { stdout, stderr }: Outputs = { stdout: openOutlet(process.stdout), stderr: openOutlet(process.stderr) },
): Promise<number> {
  const controller = new AbortController();
  listenToSignals(controller, (signal) => {
    stderr.write(`error: stopped by ${signal} without waiting longer for the database\n`);
  });
  const code = await run(args, {
    env: process.env,
    get cwd() {
      return workingDirectory();
    },
    stdout,
    stderr,
    isTerminal: isatty(0) || isatty(2),
    signal: controller.signal,
  });
  const failure = await stdout.drained();
  if (failure === null) return code;
  stderr.write(
    `error: the result could not be written to standard output: ${failure}; what the command did is not affected\n`,
  );
  return code === exitCodes.ok ? exitCodes.failed : code;
}

/** Asked for by those commands only that need it. Throws `UsageError` when somebody removed it. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new UsageError(
      'the working directory does not exist any more',
      'Change to another one (cd) and run again.',
      error,
    );
  }
}

async function run(args: readonly string[], streams: Process): Promise<number> {
  const { stdout, stderr } = streams;
  let code: number = exitCodes.ok;
  const program = buildProgram(streams, appVersion, (exit) => {
    code = exit;
  });
  for (const command of [program, ...program.commands]) {
    // commander would end the process itself, and with 1 for a wrong option.
    command.exitOverride().configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(printable(text)),
    });
  }
  if (args.length === 0) {
    stderr.write(program.helpInformation());
    return exitCodes.usage;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      if (args.includes('--json')) await reportUsageAsJson(stdout, args, error.message);
      return exitCodes.usage;
    }
    return reportError(stderr, error, args);
  }
}

/** The promised one object, also for a command line that cannot be understood. */
async function reportUsageAsJson(stdout: Outlet, args: readonly string[], message: string): Promise<void> {
  const { printFailure } = await import('./result.ts');
  const command = args.find((arg) => !arg.startsWith('-')) ?? '';
  printFailure(stdout, command, new UsageError(message.replace(/^error: /, '')));
}

function reportError(stderr: Outlet, error: unknown, args: readonly string[]): number {
  const isDebug = args.join(' ').includes('--log-level debug') || args.includes('--log-level=debug');
  const message = error instanceof Error ? error.message : String(error);
  stderr.write(`error: ${printable(message)}\n`);
  if (error instanceof AppError && error.hint !== undefined) stderr.write(`  ${printable(error.hint)}\n`);
  if (!(error instanceof AppError)) {
    stderr.write(
      '  This is a bug of slackingest; what was committed is kept. "--log-level debug" shows where it happened.\n',
    );
  }
  if (isDebug && error instanceof Error) stderr.write(`${printable(error.stack ?? '')}\n`);
  return error instanceof AppError ? error.exitCode : exitCodes.failed;
}
