/**
 * Whatever happens to the runs and to Slack's answers, what is published stands there once.
 *
 * A failure tells its seed: `SLACKINGEST_TEST_SEED=42 npx vitest run test/publish` plays it again;
 * `SLACKINGEST_TEST_SCHEDULES=5000` plays more of them.
 */
import { expect, test } from 'vitest';
import { startStandIn } from '../stand-in/server.ts';
import { World } from '../stand-in/world.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, type Played, playSchedule } from './schedule.ts';

const given = process.env['SLACKINGEST_TEST_SEED'];
const wanted = Number(process.env['SLACKINGEST_TEST_SCHEDULES'] ?? 500);
/** They wait most of the time: for what is under way to settle. */
const atOnce = 16;

eachDatabase((create, name) => {
  const count = name === 'sqlite' ? wanted : Math.ceil(wanted / 8);
  const seeds = given ? given.split(',').map(Number) : Array.from({ length: count }, (_, n) => n + 1);

  test('everything that is published stands there once and in order, whatever happens meanwhile', {
    timeout: 600_000,
  }, async () => {
    await using database = await create();
    const world = new World({ start: Date.now() });
    const workspace = world.workspace('T0ACME', { name: 'Acme', domain: 'acme' });
    await using slack = await startStandIn({
      world,
      thinPages: ({ method, limit }) => (method === 'conversations.history' ? 3 : limit),
    });
    const lab: Lab = { dialect: await database.openMigrated(), slack, workspace };
    const played = await playAll(lab, seeds);
    if (given) return;
    // Otherwise the schedules have become harmless.
    expect(played.kills).toBeGreaterThan(seeds.length / 4);
    expect(played.failures.length).toBeGreaterThan(seeds.length / 4);
    expect(played.races).toBeGreaterThan(seeds.length / 4);
  });
});

async function playAll(lab: Lab, seeds: readonly number[]): Promise<Played> {
  const all: Played = { runs: 0, kills: 0, failures: [], races: 0 };
  const left = [...seeds];
  const play = async () => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const played = await playSchedule(lab, seed).catch((cause: unknown) => {
        throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
      all.runs += played.runs;
      all.kills += played.kills;
      all.failures.push(...played.failures);
      all.races += played.races;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, play));
  return all;
}
