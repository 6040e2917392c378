/**
 * Every error a person may have to act on: what happened, why, what to do next.
 */
import type { ExitCode } from './exit-codes.ts';
import { exitCodes } from './exit-codes.ts';

/** An error worded for the person who must act. `hint` is the next step, one sentence. */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: { hint?: string; exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

/** The command line, the environment or the config file is wrong; nothing was started. */
export class UsageError extends AppError {
  override readonly name = 'UsageError';

  constructor(message: string, hint?: string, cause?: unknown) {
    super(message, { ...(hint === undefined ? {} : { hint }), exitCode: exitCodes.usage, cause });
  }
}

/** The database cannot be opened, read or written. */
export class DatabaseError extends AppError {
  override readonly name: string = 'DatabaseError';

  constructor(message: string, hint?: string, cause?: unknown) {
    super(message, { ...(hint === undefined ? {} : { hint }), cause });
  }
}

/** The database works, and refuses this very content: a value that its types cannot hold, a row beyond its limits. */
export class RefusedContentError extends DatabaseError {
  override readonly name = 'RefusedContentError';
}

/** Another run works on the workspace. */
export class LockedError extends AppError {
  override readonly name = 'LockedError';

  constructor(message: string, hint?: string) {
    super(message, { ...(hint === undefined ? {} : { hint }), exitCode: exitCodes.locked });
  }
}

/**
 * What a failed Slack call means for the run (slack-facts: errors and what to do).
 * - `auth`: the token is refused; stop this workspace at once
 * - `scope`: the token lacks a scope (`needed`); the capability is skipped, or the command stops when it cannot do without
 * - `capability`: Slack refuses the method for this plan or organisation; skip it
 * - `channel`: this channel or thread cannot be read; skip it, retry next run
 * - `cursor`: the page token expired; restart the listing from the last committed point
 * - `transient`: retries are used up (network, 5xx, broken bodies, rate limits); this unit fails, the next run goes on
 * - `content`: Slack will never take this very message, which is a bug of ours
 * - `caller`: Slack calls our arguments wrong, which is a bug of ours
 * - `unknown`: an error code nobody has documented; fail this unit only
 */
export type SlackErrorKind =
  | 'auth'
  | 'scope'
  | 'capability'
  | 'channel'
  | 'cursor'
  | 'transient'
  | 'content'
  | 'caller'
  | 'unknown';

/** A Slack call that failed for good. `code` is Slack's own word (`not_in_channel`) or ours (`timeout`, `http_500`, `bad_body`, ...). */
export class SlackError extends AppError {
  override readonly name = 'SlackError';
  readonly kind: SlackErrorKind;
  readonly method: string;
  readonly code: string;
  /** The missing scope, for kind `scope`. */
  readonly needed: string | undefined;
  /** The call may have been done all the same; only its answer is missing. */
  readonly isDoubtful: boolean;

  constructor(
    facts: {
      kind: SlackErrorKind;
      method: string;
      code: string;
      needed?: string;
      isDoubtful?: boolean;
      cause?: unknown;
    },
    message: string,
    hint?: string,
  ) {
    super(message, {
      ...(hint === undefined ? {} : { hint }),
      exitCode: facts.kind === 'auth' || facts.kind === 'scope' ? exitCodes.slackRefused : exitCodes.failed,
      cause: facts.cause,
    });
    this.kind = facts.kind;
    this.method = facts.method;
    this.code = facts.code;
    this.needed = facts.needed;
    this.isDoubtful = facts.isDoubtful ?? false;
  }
}

const endedBudgets = {
  requests: 'the budget of requests ended',
  duration: 'the budget of duration ended',
  patience: 'Slack limited the rate for longer than a run waits',
} as const;

/** The run's budget of requests, of time, or of time spent waiting for Slack ended; a later run goes on. Not a failure of any unit. */
export class BudgetEndedError extends AppError {
  override readonly name = 'BudgetEndedError';
  readonly budget: keyof typeof endedBudgets;

  constructor(budget: keyof typeof endedBudgets) {
    super(endedBudgets[budget], { exitCode: exitCodes.partial });
    this.budget = budget;
  }
}

/** HUP says that the terminal is gone, and asks for the same as TERM. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** A signal asked the run to stop; the current page is committed first. */
export class InterruptedError extends AppError {
  override readonly name = 'InterruptedError';
  readonly signal: StopSignal;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`, { exitCode: signal === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm });
    this.signal = signal;
  }
}

/** What happened and what to do, as two sentences. */
export function sentences(message: string, hint: string | null): string {
  if (hint === null) return message;
  return `${/[.!?…]$/.test(message) ? message : `${message}.`} ${hint}`;
}
