/** A digest for programs. */
import type { Digest } from '../digest/digest.ts';
import { printable } from '../secrets.ts';

/**
 * One JSON document, indented: of one workspace its `Digest` itself, so that `.events` is where a reader looks for it; of none
 * or several `{ "workspaces": [...] }`, as the other commands do with `--json`. Secrets are masked and controls removed inside
 * the strings, never across them, so the document stays whole.
 */
export function renderJson(digests: readonly Digest[]): string {
  const [only, ...others] = digests;
  const content = only !== undefined && others.length === 0 ? only : { workspaces: digests };
  return JSON.stringify(
    content,
    (_key, value: unknown) => (typeof value === 'string' ? printable(value.toWellFormed()) : value),
    2,
  );
}
