/**
 * Shows a run's events: a spinner line on a terminal, else a line now and then. The only file that knows ora and
 * chalk, and loads them only when there is a terminal to show them on.
 */
import type { Ora } from 'ora';
import { channelLabel } from '../labels.ts';
import { truncate } from '../output/cells.ts';
import { countOf } from '../output/counts.ts';
import type { Paint } from '../output/text-page.ts';
import type { Emit, RunEvent } from '../sync/events.ts';
import type { LineSink, Logger, LogLevel } from './log.ts';
import type { RunView } from './progress-line.ts';
import { emptyView, formatView, updateView } from './progress-line.ts';

/** What is needed of `process.stderr`. */
export interface ProgressStream extends LineSink {
  isTTY?: boolean;
  columns?: number;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export interface Progress extends AsyncDisposable {
  /** Shows one event. Never throws. */
  emit: Emit;
  /** Takes the spinner off the screen. May be called twice. */
  stop(): void;
}

export interface ProgressOptions {
  stream: ProgressStream;
  /** Takes notices and failures at once, and the line now and then where there is no spinner. */
  log: Logger;
  hasSpinner: boolean;
  hasColor: boolean;
  now?: () => number;
}

/** A line into a file or mail at most so often. */
const plainIntervalMs = 10_000;
const spinnerIntervalMs = 200;
/** The spinner's symbol and the space after it, and one cell that stays free: some terminals wrap when the last one is written. */
const spinnerCells = 3;

/**
 * Whether a spinner can be shown. A terminal that reports no columns (`script`, some CI systems) sends ora 9.4.1
 * into an endless loop, and a dumb one cannot move its cursor.
 */
export function canSpin(stream: ProgressStream, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (stream.columns ?? 0) > spinnerCells && env.TERM !== 'dumb' && !env.CI;
}

/** Whether to colour: on terminals, unless `--no-color`, a non-empty NO_COLOR (no-color.org) or TERM=dumb say no. */
export function canColor(
  stream: ProgressStream,
  env: Readonly<Record<string, string | undefined>>,
  flag: boolean,
): boolean {
  return flag && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** Colours for the logger's words; loads chalk. */
export async function loadPaint(): Promise<(level: LogLevel, word: string) => string> {
  const { Chalk } = await import('chalk');
  // The level is given because chalk itself does not know NO_COLOR and looks into process.argv.
  const chalk = new Chalk({ level: 1 });
  const paints: Record<LogLevel, (word: string) => string> = {
    debug: chalk.dim,
    info: chalk.cyan,
    warn: chalk.yellow,
    error: chalk.red,
  };
  return (level, word) => paints[level](word);
}

/** Colours for a digest; loads chalk. */
export async function loadTextPaint(): Promise<Paint> {
  const { Chalk } = await import('chalk');
  const { bold, dim, red, yellow, cyan } = new Chalk({ level: 1 });
  return { bold, dim, red, yellow, cyan };
}

/** Starts showing progress. Whoever opens it stops it, before the result is printed. */
export async function openProgress(options: ProgressOptions): Promise<Progress> {
  const now = options.now ?? Date.now;
  const display = options.hasSpinner ? await openSpinner(options, now) : openPlain(options.log, now);
  let view = emptyView;

  function emit(event: RunEvent): void {
    view = updateView(view, event, now());
    report(event, options.log);
    display.show(view, event);
  }
  return {
    emit,
    stop: display.stop,
    async [Symbol.asyncDispose]() {
      display.stop();
    },
  };
}

interface Display {
  show(view: RunView, event: RunEvent): void;
  stop(): void;
}

/** Events that a person should see whatever else happens. */
function report(event: RunEvent, log: Logger): void {
  switch (event.type) {
    case 'notice':
      log.warn(event.message);
      return;
    case 'unit_failed': {
      const where = event.channelId === null ? '' : `${channelLabel(event.channel, event.channelId)}: `;
      log.error(`${where}${event.message}`, { channel_id: event.channelId, code: event.code });
      return;
    }
    case 'retry':
      log.warn(`${event.method} failed and is tried again: ${event.message}`, {
        code: event.code,
        attempt: event.attempt,
      });
      return;
    case 'rate_limited':
      log.warn(`Slack limits ${event.method}; it rests for ${Math.ceil(event.retryAfterMs / 1_000)} s`);
      return;
    case 'channels': {
      // That there is nothing to read is said by itself.
      if (event.total === 0) return;
      const skipped = event.skipped === 0 ? '' : `, ${event.skipped} skipped`;
      log.info(`${countOf(event.total, 'channel')} to read${skipped}`);
      return;
    }
    case 'request':
      log.debug(`calling ${event.method}`, { requests: event.requests });
      return;
    default:
  }
}

/** Without a terminal: driven by events alone, so that nothing keeps the process alive. */
function openPlain(log: Logger, now: () => number): Display {
  let nextAt = now() + plainIntervalMs;
  return {
    show(view, event) {
      // A long wait is told when it begins: nothing else would be said until it ends.
      const isLongWait = event.type === 'waiting' && event.ms >= plainIntervalMs;
      if (event.type === 'notice' || event.type === 'unit_failed' || (now() < nextAt && !isLongWait)) return;
      nextAt = now() + plainIntervalMs;
      log.info(formatView(view, now()));
    },
    stop() {},
  };
}

async function openSpinner({ stream, hasColor }: ProgressOptions, now: () => number): Promise<Display> {
  const [{ default: ora }, { Chalk }] = await Promise.all([import('ora'), import('chalk')]);
  const chalk = new Chalk({ level: hasColor ? 1 : 0 });
  let view = emptyView;
  const spinner: Ora = ora({
    stream: stream as NodeJS.WriteStream,
    text: 'starting',
    // ora's own guess would not know about the columns, and would look at process.env.
    isEnabled: true,
    color: hasColor ? 'cyan' : false,
    // Reading stdin would steal the terminal's SIGINT; hiding the cursor would bring signal handlers that end the
    // process before the current page is committed.
    discardStdin: false,
    hideCursor: false,
  });

  function refresh(): void {
    const [head = '', ...details] = truncate(formatView(view, now()), (stream.columns ?? 80) - spinnerCells).split(
      ' · ',
    );
    spinner.text = details.length === 0 ? head : `${head}${chalk.dim(` · ${details.join(' · ')}`)}`;
  }
  // The columns may vanish while the run goes on, when a terminal multiplexer detaches.
  function followSize(): void {
    if ((stream.columns ?? 0) > spinnerCells) spinner.start();
    else spinner.stop();
  }
  stream.on?.('resize', followSize);
  spinner.start();
  // Waits count down without events.
  const timer = setInterval(refresh, spinnerIntervalMs).unref();
  return {
    show(next) {
      view = next;
    },
    stop() {
      clearInterval(timer);
      stream.off?.('resize', followSize);
      spinner.stop();
    },
  };
}
