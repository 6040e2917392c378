/** Asked to stop, a run stops at once, wherever it is, and leaves nothing behind that the next run would trip over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import type { Fault } from '../stand-in/faults.ts';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { locksLeft } from '../support/locks.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { smallBackfillFrom, smallPages, smallWorkspace } from '../support/small-workspace.ts';
import { type Stored, storedSlack } from '../support/stored.ts';

const { world, token, workspace } = smallWorkspace();
const ingest = ['ingest', '--json', '--backfill-from', smallBackfillFrom];
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 143 } as const;
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

const moments: readonly { when: string; faults: readonly Fault[]; atCall: { method: string; nth: number } }[] = [
  {
    when: 'a page never comes',
    faults: [{ kind: 'hang', method: 'conversations.history', nth: 3 }],
    atCall: { method: 'conversations.history', nth: 3 },
  },
  {
    when: 'the very first answer never comes',
    faults: [{ kind: 'hang', method: 'auth.test' }],
    atCall: { method: 'auth.test', nth: 1 },
  },
  {
    when: 'a page of a thread is slow',
    faults: [{ kind: 'slow', method: 'conversations.replies', nth: 2, delayMs: 20_000 }],
    atCall: { method: 'conversations.replies', nth: 2 },
  },
  {
    when: 'Slack has asked to wait',
    faults: [{ kind: '429', method: 'conversations.history', nth: 2, retryAfter: 8 }],
    atCall: { method: 'conversations.history', nth: 2 },
  },
  {
    when: 'one page follows the other',
    faults: [{ kind: 'slow', method: 'conversations.history', times: Infinity, delayMs: 30 }],
    atCall: { method: 'conversations.history', nth: 5 },
  },
  {
    when: 'the users are listed',
    faults: [{ kind: 'hang', method: 'users.list', nth: 1 }],
    atCall: { method: 'users.list', nth: 1 },
  },
];

eachDatabase((create) => {
  let undisturbed: Stored;
  beforeAll(async () => {
    await using database = await create();
    await using slack = await startStandIn({ world, thinPages: smallPages });
    await runCli(ingest, { env: { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url } });
    undisturbed = await storedSlack(database);
  });

  for (const [index, { when, faults, atCall }] of moments.entries()) {
    const signal = signals[index % signals.length] ?? 'SIGTERM';
    it(`ends with ${exitCodes[signal]} soon after ${signal} while ${when}`, async () => {
      await using database = await create();
      await using slack = await startStandIn({ world, thinPages: smallPages, faults });
      const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
      const cli = startCli(ingest, { env });
      await untilCalled(slack, atCall);
      await sleep(100);

      const sentAt = performance.now();
      cli.process.kill(signal);
      const stopped = await cli.result;
      expect(performance.now() - sentAt).toBeLessThan(3000);
      expect({ code: stopped.code, signal: stopped.signal }).toEqual({ code: exitCodes[signal], signal: null });
      expect(stopped.json()).toMatchObject({ status: 'interrupted', command: 'ingest' });
      expect(stopped.stderr).not.toMatch(/\n\s+at /);
      expect(await database.rows('runs')).toMatchObject([
        { status: 'interrupted', exit_code: exitCodes[signal], error: `stopped by ${signal}` },
      ]);
      expect(await locksLeft(database, workspace.id)).toEqual([]);

      await completes(slack, database);
    });
  }

  it('ends soon after SIGTERM while it waits for the lock', async () => {
    await using database = await create();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    await using slack = await startStandIn({ world, thinPages: smallPages });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const stopGate = slack.onRequest(({ method }) => (method === 'users.list' ? gate : undefined));
    const first = startCli(ingest, { env });
    await untilCalled(slack, { method: 'users.list', nth: 1 });

    const waiting = startCli([...ingest, '--lock-timeout', '1h'], { env });
    await untilCalled(slack, { method: 'auth.test', nth: 2 });
    await sleep(700);
    const sentAt = performance.now();
    waiting.process.kill('SIGTERM');
    expect(await waiting.result).toMatchObject({ code: 143, signal: null });
    expect(performance.now() - sentAt).toBeLessThan(3000);

    stopGate();
    open();
    expect((await first.result).code).toBe(0);
    await completes(slack, database);
  });

  it('ends at once at the second signal', async () => {
    await using database = await create();
    await using slack = await startStandIn({
      world,
      faults: [{ kind: 'hang', method: 'conversations.history' }],
    });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const cli = startCli(ingest, { env });
    await untilCalled(slack, { method: 'conversations.history', nth: 1 });
    cli.process.kill('SIGINT');
    cli.process.kill('SIGINT');
    cli.process.kill('SIGINT');
    const stopped = await cli.result;
    expect([130, null]).toContain(stopped.code);
    await completes(slack, database);
  });

  it('ends with 143 when its terminal is closed, which takes its outputs and sends HUP more than once', async () => {
    await using database = await create();
    await using slack = await startStandIn({
      world,
      thinPages: smallPages,
      faults: [{ kind: 'slow', method: 'conversations.history', times: Infinity, delayMs: 200 }],
    });
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const cli = startCli([...ingest, '--log-level', 'debug'], { env });
    await untilCalled(slack, { method: 'conversations.history', nth: 2 });
    cli.process.stdout?.destroy();
    cli.process.stderr?.destroy();
    // The kernel's, and that of the shell.
    cli.process.kill('SIGHUP');
    await sleep(5);
    cli.process.kill('SIGHUP');
    const { code, signal } = await cli.result;
    expect({ code, signal }).toEqual({ code: 143, signal: null });
    expect(await database.rows('runs')).toMatchObject([{ status: 'interrupted', exit_code: 143 }]);
    expect(await locksLeft(database, workspace.id)).toEqual([]);
    await completes(slack, database);
  });

  async function completes(slack: StandIn, database: TestDatabase): Promise<void> {
    slack.faults.clear();
    const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
    const next = await runCli(ingest, { env });
    expect({ code: next.code, stderr: next.stderr }).toMatchObject({ code: 0 });
    expect(await storedSlack(database)).toEqual(undisturbed);
  }
});

/** Resolves when the call has reached Slack, whatever becomes of it then. */
async function untilCalled(slack: StandIn, { method, nth }: { method: string; nth: number }): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (slack.count(method) < nth) {
    if (Date.now() > giveUpAt) throw new Error(`${method} was called ${slack.count(method)} times only.`);
    await sleep(10);
  }
}
