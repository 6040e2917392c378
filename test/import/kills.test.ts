/** An import that ends before its time leaves nothing behind that the next one would trip over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CompiledQuery } from 'kysely';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { exportWorld } from '../exports/export-world.ts';
import { writeExportFolder } from '../exports/make-export.ts';
import { World } from '../stand-in/world.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { untilNoMore } from '../support/in-parallel.ts';
import { locksLeft } from '../support/locks.ts';
import { killPlans } from '../support/moments.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { type Stored, storedSlack } from '../support/stored.ts';
import { postDaily, tsOn } from './import-lab.ts';

vi.setConfig({ testTimeout: 300_000 });

const hook = fileURLToPath(new URL('../support/kill-at-commit.mjs', import.meta.url));

/** Enough to be read in a thread of its own, with threads that cross days. */
function makeFiles() {
  const world = new World();
  const acme = world.workspace('T0ACME', { name: 'Acme', domain: 'acme' });
  acme.user('ann');
  const text = 'word '.repeat(1200);
  for (const name of ['general', 'random']) {
    const channel = acme.channel(name);
    const daily = postDaily(channel, 300, 3);
    for (const [n, root] of daily.entries()) {
      if (n % 10 === 0 && n > 0) channel.reply(root, { ts: tsOn(298 - n, 30), text: 'a reply on another day' });
    }
    for (let day = 140; day > 50; day -= 1) {
      for (let n = 1; n <= 4; n += 1) channel.post({ ts: tsOn(day, n), text });
    }
  }
  return exportWorld(acme);
}

eachDatabase((create, database) => {
  let folder: string;
  let whole: Stored;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slackingest-export-'));
    writeExportFolder(folder, makeFiles());
    await using undisturbed = await create();
    const run = await runCli(['import', folder, '--json'], { env: envOf(undisturbed) });
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
    whole = await storedSlack(undisturbed);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function expectWholeAfterNext(at: TestDatabase, label: string): Promise<void> {
    const next = await runCli(['import', folder, '--lock-timeout', '10s', '--json'], { env: envOf(at) });
    expect({ label, code: next.code, stderr: next.stderr }).toMatchObject({ label, code: 0 });
    expect(await storedSlack(at), label).toEqual(whole);
  }

  it.each(killPlans)('killed around any commit, the next import makes up for it', async (momentOf) => {
    const kills = await untilNoMore(async (n) => {
      await using killed = await create();
      const moment = momentOf(n, database);
      const { signal } = await runCli(['import', folder], {
        env: { ...envOf(killed), KILL_AT_COMMIT: `${moment}:${n}` },
        nodeArgs: ['--import', hook],
      });
      if (signal !== 'SIGKILL') return false;
      await expectWholeAfterNext(killed, `killed ${moment} commit ${n}`);
      return true;
    });
    expect(kills).toBeGreaterThan(8);
  });

  it('killed while it brings back lost rows, at this commit or that: each row is counted once', async () => {
    const kills = await untilNoMore(async (n) => {
      await using killed = await create();
      await expectWholeAfterNext(killed, 'the first import');
      const { db } = await killed.open();
      await db.executeQuery(CompiledQuery.raw(`delete from messages where ts < '${tsOn(60)}'`));
      const { signal } = await runCli(['import', folder], {
        env: { ...envOf(killed), KILL_AT_COMMIT: `after:${4 * n}` },
        nodeArgs: ['--import', hook],
      });
      await runCli(['import', folder, '--lock-timeout', '10s'], { env: envOf(killed) });
      expect(await killed.rows('stored_counts', { order: 'channel_id' }), `commit ${4 * n}`).toEqual(
        whole.stored_counts,
      );
      return signal === 'SIGKILL';
    });
    expect(kills).toBeGreaterThan(1);
  });

  it('killed at any moment, again and again, it gets to the end', async () => {
    await using killed = await create();
    for (const after of [200, 350, 450, 550, 700, 900]) {
      const { process, result } = startCli(['import', folder, '--lock-timeout', '10s'], { env: envOf(killed) });
      await sleep(after);
      process.kill('SIGKILL');
      await result;
    }
    await expectWholeAfterNext(killed, 'killed again and again');
  });

  it('ends with 143 soon after SIGTERM, tells so, and goes on next time', async () => {
    await using stopped = await create();
    const cli = startCli(['import', folder, '--json'], { env: envOf(stopped) });
    await untilRunning(stopped);
    const sentAt = performance.now();
    cli.process.kill('SIGTERM');
    const ended = await cli.result;
    expect(performance.now() - sentAt).toBeLessThan(3000);
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code: 143, signal: null });
    expect(ended.json()).toMatchObject({ command: 'import', status: 'interrupted' });
    expect(await stopped.rows('runs')).toMatchObject([
      { command: 'import', status: 'interrupted', exit_code: 143, error: 'stopped by SIGTERM' },
    ]);
    expect(await locksLeft(stopped, 'T0ACME')).toEqual([]);
    await expectWholeAfterNext(stopped, 'after SIGTERM');
  });
});

/** No Slack, and so no token and no pace. */
function envOf({ url }: TestDatabase) {
  return { DATABASE_URL: url, SLACKINGEST_PACE: undefined };
}

/** Resolves when the first run is recorded as running. */
async function untilRunning(database: TestDatabase): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  for (;;) {
    const runs = await database.rows('runs').catch(() => []);
    if (runs.length > 0) return;
    if (Date.now() > giveUpAt) throw new Error('no run began');
    await sleep(5);
  }
}
