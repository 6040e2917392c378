/**
 * Any life a workspace may have, any trouble a run may have: in the end the copy is the original, on both databases.
 *
 * A failure tells its seed: `SLACKINGEST_TEST_SEED=42 npx vitest run test/world` plays it again, and
 * `npm run soak` tries others.
 */
import { describe, expect, it } from 'vitest';
import { createPostgres, createSqlite, type DatabaseName, type TestDatabase } from '../support/databases.ts';
import { storedSlack } from '../support/stored.ts';
import { playScenario } from './scenario.ts';
import { traitsOf } from './traits.ts';

const given = process.env['SLACKINGEST_TEST_SEED'];
const only = process.env['SLACKINGEST_TEST_DATABASE'];
const names = (['sqlite', 'postgres'] as const).filter((name) => !only || only === name);

/** Both databases copy one world side by side. */
async function play(seed: number, { calm }: { calm: boolean }): Promise<void> {
  const databases: TestDatabase[] = [];
  try {
    for (const name of names) databases.push(await create(name));
    await playScenario({ seed, now: Date.now(), databases, ...traitsOf(seed, { calm, rounds: 6 }) });
    const [first, second] = databases;
    // In trouble they see different versions of what is gone by now.
    if (calm && first !== undefined && second !== undefined) {
      expect(await storedSlack(second)).toEqual(await storedSlack(first));
    }
  } finally {
    for (const database of databases) await database[Symbol.asyncDispose]();
  }
}

function create(name: DatabaseName): Promise<TestDatabase> {
  return name === 'sqlite' ? createSqlite() : createPostgres();
}

describe('a random world', () => {
  it.each(given ? given.split(',').map(Number) : [1, 2, 3])(
    'is copied in the end, whatever happens to it and to the runs: seed %d',
    { timeout: 600_000 },
    (seed) => play(seed, { calm: false }),
  );

  it.each(given ? given.split(',').map(Number) : [5])(
    'leaves the same rows in both databases when nothing disturbs the runs: seed %d',
    { timeout: 600_000 },
    (seed) => play(seed, { calm: true }),
  );
});
