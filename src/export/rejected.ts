/** Saying of many files that they cannot be read, and why. */
import type { RejectedFile } from './archive.ts';

/** So many files of one reason are told one by one, unless something else is asked for. */
const toldAlone = 5;

/** Files, and the sentence about them. */
export interface RejectedGroup {
  reason: string;
  paths: string[];
  /** For people. */
  text: string;
}

/** Groups files by why they cannot be read; few of one reason each stand alone. */
export function groupRejected(rejected: readonly RejectedFile[], alone = toldAlone): RejectedGroup[] {
  const byReason = new Map<string, string[]>();
  for (const { path, reason } of rejected) {
    const same = byReason.get(reason);
    if (same === undefined) byReason.set(reason, [path]);
    else same.push(path);
  }
  return [...byReason].flatMap(([reason, paths]) =>
    paths.length > alone
      ? [{ reason, paths, text: textOf(paths, reason) }]
      : paths.map((path) => ({ reason, paths: [path], text: `${printable(path)} ${reason}` })),
  );
}

function textOf(paths: readonly string[], reason: string): string {
  const named = paths.slice(0, 3).map(printable).join(', ');
  return `${paths.length} files (${named}${paths.length > 3 ? ' and others' : ''}): each ${reason}`;
}

/** A name may hold anything, line ends too. */
export function printable(path: string): string {
  return path.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
