/** libpq's service file: connections by name (postgresql.org/docs/current/libpq-pgservice.html). */
import { readFileSync } from 'node:fs';
import { UsageError } from '../../errors.ts';
import { type Given, isParameter, type ParameterName, unknownParameter } from './postgres-parameters.ts';

/**
 * What the service says. `files` are looked through in this order, and those that do not exist are passed over; `required` is
 * one that somebody named. Throws `UsageError` when none knows the service, or says what libpq does not know.
 */
export function readService(
  service: Given,
  files: readonly { path: string; isRequired: boolean }[],
): Map<ParameterName, Given> {
  for (const { path, isRequired } of files) {
    const text = readIfThere(path, isRequired);
    const lines = text === undefined ? undefined : sectionOf(text, service.value);
    if (lines !== undefined) return parametersOf(lines, `[${service.value}] of ${path}`);
  }
  throw new UsageError(
    `${service.origin}: there is no service "${service.value}"`,
    `Describe it in ${files.map(({ path }) => path).join(' or ')}.`,
  );
}

function readIfThere(path: string, isRequired: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (isAbsent && !isRequired) return undefined;
    throw new UsageError(`the service file ${path} cannot be read`, 'Correct its path or its permissions.', error);
  }
}

/** The lines under `[name]`, up to the next section. */
function sectionOf(text: string, name: string): string[] | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const start = lines.indexOf(`[${name}]`);
  if (start === -1) return undefined;
  const end = lines.findIndex((line, i) => i > start && line.startsWith('['));
  return lines.slice(start + 1, end === -1 ? undefined : end).filter((line) => line !== '' && !line.startsWith('#'));
}

function parametersOf(lines: readonly string[], origin: string): Map<ParameterName, Given> {
  const found = new Map<ParameterName, Given>();
  for (const line of lines) {
    const equals = line.indexOf('=');
    const name = equals === -1 ? line : line.slice(0, equals);
    if (equals === -1 || !/^\w+$/.test(name) || name === 'service' || name === 'servicefile')
      throw new UsageError(
        `${origin}: a line is no parameter with its value`,
        'Write lines such as host=db.example.com.',
      );
    if (!isParameter(name)) throw unknownParameter(name, origin);
    // As in libpq, the first one counts.
    if (!found.has(name)) found.set(name, { value: line.slice(equals + 1), origin });
  }
  return found;
}
