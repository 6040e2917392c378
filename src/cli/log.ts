import { printable, printableJson } from '../secrets.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Facts beside the message: written after it as `key=value`, or as members of the JSON object. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes to stderr; never throws and decides nothing. Messages may hold anything: secrets and terminal controls are taken out. */
export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

/** The part of a stream that is written to. */
export interface LineSink {
  write(text: string): unknown;
}

export interface LogOptions {
  sink: LineSink;
  format: 'text' | 'json';
  /** The least important level that is written. */
  level: LogLevel;
  /** Lines of text begin with the time: for files and mail, not for a terminal. */
  hasTimes?: boolean;
  /** Colours the word for the level. */
  paint?: (level: LogLevel, word: string) => string;
  now?: () => Date;
}

const words: Record<LogLevel, string> = { debug: 'debug', info: '', warn: 'warning', error: 'error' };

/** A logger for one run: one line of text, or one JSON object (`time`, `level`, `message` and the fields), per message. */
export function createLogger(options: LogOptions): Logger {
  const threshold = logLevels.indexOf(options.level);
  const now = options.now ?? (() => new Date());
  const format = options.format === 'json' ? formatJson : formatText;

  const at = (level: LogLevel) => {
    if (logLevels.indexOf(level) < threshold) return () => {};
    return (message: string, fields: LogFields = {}) => {
      options.sink.write(`${format(level, message, fields, now(), options)}\n`);
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Each text is masked by itself, so that what is written stays JSON. */
function formatJson(level: LogLevel, message: string, fields: LogFields, time: Date): string {
  const safe = Object.entries(fields).map(([key, value]) => [
    key,
    typeof value === 'string' ? printable(value) : value,
  ]);
  return printableJson({ time: time.toISOString(), level, message: printable(message), ...Object.fromEntries(safe) });
}

function formatText(level: LogLevel, message: string, fields: LogFields, time: Date, options: LogOptions): string {
  const word = words[level];
  const painted = options.paint === undefined ? word : options.paint(level, word);
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key}=${formatValue(value)}`);
  const prefix = [...(options.hasTimes === true ? [time.toISOString()] : []), ...(word === '' ? [] : [`${painted}:`])];
  // Continuation lines are indented, so that a text from Slack cannot pose as a line of its own.
  const body = printable([message, ...pairs].join(' ')).replaceAll('\n', '\n  ');
  return [...prefix, body].join(' ');
}

function formatValue(value: unknown): string {
  const text = String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
