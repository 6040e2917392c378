/** A digest that is stopped or killed in the middle of a long stretch, and the one after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeBigExport } from '../exports/big-export.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { runCli, startCli } from '../support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'slackingest-test-'));
const path = join(folder, 'export.zip');
/** A killed run's session in Postgres may outlive it by a moment. */
const digest = ['digest', '--from', '2024-03-22', '--to', '2024-07-02', '--json', '--lock-timeout', '10s'];
/** What depends on when it was done, not on what was found. */
const without = ['created_at', 'updated_at', 'extracted_at', 'message_updated_at', 'lease_owner', 'lease_expires_at'];

const tables = [
  ['event_candidates', 'channel_id, ts'],
  ['events', 'event_id'],
  ['event_sources', 'event_id, channel_id, ts'],
] as const;

beforeAll(() => writeBigExport(path, { messages: 4000, channels: 20, users: 50, days: 60 }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

eachDatabase((create) => {
  it('finds the same events after it was stopped and killed as if nothing had happened', async () => {
    await using undisturbed = await imported(create);
    await using database = await imported(create);
    expect((await runCli(digest, { env: env(undisturbed) })).code).toBe(0);

    expect(await cutOff(database, 'SIGTERM')).toEqual({ code: 143, signal: null });
    expect(await cutOff(database, 'SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await runCli(digest, { env: env(database) })).toMatchObject({ code: 0 });
    for (const [table, order] of tables) {
      const [expected, actual] = await Promise.all(
        [undisturbed, database].map((each) => each.rows(table, { order, without })),
      );
      expect(expected?.length).toBeGreaterThan(100);
      expect(actual).toEqual(expected);
    }
  });
});

/** Starts a digest and ends it while it reads. */
async function cutOff(database: TestDatabase, signal: NodeJS.Signals) {
  const cli = startCli(digest, { env: env(database) });
  while ((await database.rows('runs', { where: `command = 'digest' and status = 'running'` })).length === 0)
    await sleep(20);
  await sleep(200);
  cli.process.kill(signal);
  const { code, signal: endedBy, stderr } = await cli.result;
  expect(stderr).not.toMatch(/\n\s+at /);
  return { code, signal: endedBy };
}

async function imported(create: () => Promise<TestDatabase>): Promise<TestDatabase> {
  const database = await create();
  const { code } = await runCli(['import', path, '--workspace', 'T0BENCH', '--quiet'], { env: env(database) });
  expect(code).toBe(0);
  return database;
}

function env({ url }: TestDatabase) {
  return { DATABASE_URL: url, SLACKINGEST_PACE: undefined };
}
