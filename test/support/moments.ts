import type { DatabaseName } from './databases.ts';

/**
 * Kills come just before or just after a step, and after one step is much the same as before the next. So each
 * database takes every other kill of either kind, and together they take all. `SLACKINGEST_TEST_KILLS=all` tries both
 * kinds on both databases, in twice the time.
 */
export const killPlans: readonly ((n: number, database: DatabaseName) => 'before' | 'after')[] =
  process.env['SLACKINGEST_TEST_KILLS'] === 'all'
    ? [() => 'before', () => 'after']
    : [(n, database) => ((n % 2 === 0) === (database === 'sqlite') ? 'before' : 'after')];
