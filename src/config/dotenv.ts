/** A `.env` file: `KEY=value` lines, as the shells and tools write them that people copy such files between. */
import { parseEnv } from 'node:util';
import { UsageError } from '../errors.ts';

/** What a line may be outside of a value that goes on over several lines; the value is the last group. */
const assignment = /^\s*(?:export\s+)?[A-Za-z_][\w.-]*\s*=\s*(.*)$/;

/**
 * The variables of a `.env` file, in UTF-8 or UTF-16 with or without a byte order mark. `path` is for messages only.
 * @throws UsageError naming the line that is no assignment: one that is passed over in silence would be a setting that does
 *   not hold. The line is not quoted, since it may hold a secret.
 */
export function parseDotEnv(bytes: Buffer, path: string): Record<string, string | undefined> {
  const text = decode(bytes).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  let open: string | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    if (open !== null) {
      if (line.includes(open)) open = null;
      continue;
    }
    if (/^\s*(?:#|$)/.test(line)) continue;
    const value = assignment.exec(line)?.[1];
    if (value === undefined) throw notAnAssignment(path, index + 1, line);
    open = openQuote(value);
  }
  if (open !== null) {
    throw new UsageError(`${path}: a value begins with ${open} and the quote is never closed`, 'Close the quote.');
  }
  return parseEnv(text);
}

/** Windows editors write a mark of the byte order, PowerShell's `>` writes UTF-16. */
function decode(bytes: Buffer): string {
  const [first, second] = bytes;
  const isUtf16 = (high: number, low: number) => first === high && second === low;
  if (isUtf16(0xff, 0xfe) || (second === 0 && first !== 0)) return new TextDecoder('utf-16le').decode(bytes);
  if (isUtf16(0xfe, 0xff) || (first === 0 && second !== 0)) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder('utf-8').decode(bytes);
}

/** The quote that a value opens and does not close in its line. */
function openQuote(value: string): string | null {
  const quote = /^["'`]/.exec(value)?.[0];
  return quote === undefined || value.indexOf(quote, 1) !== -1 ? null : quote;
}

function notAnAssignment(path: string, line: number, text: string): UsageError {
  const isYaml = /^\s*[A-Za-z_][\w.-]*\s*:/.test(text);
  const why = isYaml ? 'is written KEY: value, as YAML is' : 'is no KEY=value';
  return new UsageError(`${path}: line ${line} ${why}`, 'Write KEY=value there, or put a # before it.');
}
