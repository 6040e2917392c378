import { expect, it } from 'vitest';
import { messageCounts, printResults } from '../../src/cli/result.ts';
import { noMessages } from '../../src/sync/counts.ts';

type Context = Parameters<typeof printResults>[0];
type Result = Parameters<typeof printResults>[1][number];

function printed(...results: Partial<Result>[]): string[] {
  const lines: string[] = [];
  const context = { flags: {}, print: (text: string) => void lines.push(text) } as unknown as Context;
  const whole = results.map((result) => ({ label: 'Acme', workspace: 'T1', ...result }) as Result);
  printResults(context, whole, { status: 'completed', exitCode: 0 }, ({ label }) => label);
  return lines;
}

it('tells two workspaces of one name apart, and only those', () => {
  expect(printed({}, { workspace: 'T2' }, { workspace: 'T3', label: 'Globex' })).toEqual([
    'Acme (T1)',
    'Acme (T2)',
    'Globex',
  ]);
  expect(printed({})).toEqual(['Acme']);
});

it('tells of every message in one count, and of rare ones only when there are any', () => {
  expect(messageCounts(noMessages())).toBe('0 new, 0 changed, 0 deleted, 0 unchanged');
  const counts = { seen: 1_300, inserted: 1_234, updated: 1, deleted: 2, unchanged: 3, stale: 4, discarded: 5 };
  expect(messageCounts(counts, { 'found more than once': 6 })).toBe(
    '1,234 new, 1 changed, 2 deleted, 3 unchanged, 4 older than what is stored, 5 discarded, 6 found more than once',
  );
});
