/**
 * `npm run soak`: random worlds for as long as there is time. One line for each seed on stdout, a summary in the end; a
 * failure is printed with its seed and its first differences, and the exit code is 1.
 *
 *   npm run -s soak -- --hours 0.5
 *   npm run -s soak -- --seed 42 --database sqlite
 */
import { parseArgs } from 'node:util';
import { createPostgresOn, createSqlite, type TestDatabase } from '../support/databases.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { playScenario, type ScenarioResult } from './scenario.ts';
import { traitsOf } from './traits.ts';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '0.5' },
    /** Only this one; without it new ones, from the clock on. */
    seed: { type: 'string' },
    database: { type: 'string', default: 'both' },
    rounds: { type: 'string', default: '12' },
    /** Stop at the first failure. */
    bail: { type: 'boolean', default: false },
  },
});

const names = { sqlite: ['sqlite'], postgres: ['postgres'], both: ['sqlite', 'postgres'] }[values.database];
if (names === undefined) throw new Error(`--database is sqlite, postgres or both, not ${values.database}.`);

const until = Date.now() + Number(values.hours) * 3_600_000;
const server = names.includes('postgres') ? await startPostgres() : undefined;
const total = { seeds: 0, changes: 0, runs: 0, kills: 0, requests: 0, messages: 0, most_quiet_runs: 0 };
const failed: number[] = [];
try {
  const first = values.seed === undefined ? Math.floor(Date.now() / 1000) : Number(values.seed);
  for (let seed = first; ; seed += 1) {
    await soak(seed);
    if (values.seed !== undefined || Date.now() > until || (values.bail && failed.length > 0)) break;
  }
} finally {
  await server?.stop();
}
print({ ...total, failed });
process.exitCode = failed.length > 0 ? 1 : 0;

async function soak(seed: number): Promise<void> {
  const databases: TestDatabase[] = [];
  const traits = traitsOf(seed, { rounds: Number(values.rounds) });
  const began = Date.now();
  try {
    for (const name of names ?? []) {
      databases.push(await (name === 'sqlite' ? createSqlite() : createPostgresOn(server?.url ?? '')));
    }
    const result = await playScenario({ seed, now: began, databases, ...traits });
    add(result);
    print({ seed, ...result, seconds: Math.round((Date.now() - began) / 1000) });
  } catch (error) {
    failed.push(seed);
    print({ seed, failed: true, traits: JSON.stringify(traits) });
    process.stdout.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.stdout.write(
      `Again: npm run -s soak -- --seed ${seed} --rounds ${values.rounds} --database ${values.database}\n`,
    );
  } finally {
    total.seeds += 1;
    for (const database of databases) await database[Symbol.asyncDispose]();
  }
}

function add({ changes, runs, kills, requests, messages, quietRuns }: ScenarioResult): void {
  total.changes += changes;
  total.runs += runs;
  total.kills += kills;
  total.requests += requests;
  total.messages += messages;
  total.most_quiet_runs = Math.max(total.most_quiet_runs, quietRuns);
}

function print(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
