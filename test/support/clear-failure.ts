import { expect } from 'vitest';
import type { CliResult } from './run-cli.ts';

/** A failure a person can act on: the expected exit code and words, no stack trace, not taken for a bug of the program. */
export function expectClearFailure(
  run: CliResult,
  expected: { code: number; says: readonly (string | RegExp)[] },
): void {
  expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: expected.code });
  const said = run.stderr + run.stdout;
  for (const words of expected.says) expect(said).toMatch(words);
  expect(said).not.toMatch(/\n\s+at .*\d+:\d+/);
  expect(said).not.toContain('bug of slackingest');
  expect(said).not.toMatch(/Error:|undefined|\[object/);
  expectAtMostOneObject(run);
}

/** With `--json`: stdout is one JSON object. Without it the caller passes what it likes. */
function expectAtMostOneObject(run: CliResult): void {
  if (!run.stdout.startsWith('{')) return;
  const object: unknown = run.json();
  expect(object).toBeTypeOf('object');
  expect(run.stdout.trimEnd().split('\n')).toHaveLength(1);
}
