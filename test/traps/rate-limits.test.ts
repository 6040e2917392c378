import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { startCli } from '../support/run-cli.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';
const replies = 'conversations.replies';

function channelsWithThreads(lab: Lab, count: number): Channel[] {
  return Array.from({ length: count }, (_, n) => {
    const channel = lab.acme.channel(`channel-${n}`);
    for (let i = 0; i < 3; i += 1) channel.reply(channel.post({ text: `root ${i}` }), { text: `reply ${i}` });
    return channel;
  });
}

eachDatabase((create) => {
  it('rests only the method that Slack limits, for as long as Slack says, and loses nothing', async () => {
    await using lab = await openLab(create);
    const channels = channelsWithThreads(lab, 3);
    lab.slack.faults.add({ kind: '429', retryAfter: 2, method: history, nth: 2 });
    // Slow answers, so that what goes on meanwhile can be told from what came before.
    lab.slack.faults.add({ kind: 'slow', delayMs: 400, method: replies, times: 3 });

    const run = await lab.ingest();
    expect(run.code).toBe(0);
    expect(run.out).toMatchObject({ status: 'completed', rate_limited: 1 });
    const asked = run.requests.filter(({ method }) => method === history);
    const refused = asked.findIndex(({ status }) => status === 429);
    const refusedAt = asked[refused]?.at ?? 0;
    const resumedAt = asked[refused + 1]?.at ?? 0;
    expect(resumedAt - refusedAt).toBeGreaterThanOrEqual(1990);
    expect(resumedAt - refusedAt).toBeLessThan(4500);
    const meanwhile = run.requests.filter(({ method, at }) => method === replies && at > refusedAt && at < resumedAt);
    expect(meanwhile.length).toBeGreaterThanOrEqual(2);
    expect(run.stderr).toContain(`Slack limits ${history}`);
    expect(run.stdout.trim().split('\n')).toHaveLength(1);
    await expectWorld(lab.database, channels);
  });

  it('waits and goes on when a 429 names no time, and when "ratelimited" comes with status 200', async () => {
    await using lab = await openLab(create);
    const channels = channelsWithThreads(lab, 2);
    lab.slack.faults.add({ kind: '429', method: history });
    lab.slack.faults.add({ kind: 'error', error: 'ratelimited', method: history, nth: 3 });
    lab.slack.faults.add({ kind: 'error', error: 'rate_limited', method: replies, nth: 2 });
    lab.slack.faults.add({ kind: '429', method: 'users.list' });
    lab.slack.faults.add({ kind: '429', method: 'conversations.list' });

    const run = await lab.ingest();
    expect(run.out.errors).toEqual([]);
    expect(run.code).toBe(0);
    expect(run.out.rate_limited).toBe(5);
    await expectWorld(lab.database, channels);
  });

  it('respects what Slack asked for even after the waiting run was killed', async () => {
    await using lab = await openLab(create);
    const channels = channelsWithThreads(lab, 1);
    lab.slack.faults.add({ kind: '429', retryAfter: 5, method: history });
    const { process, result } = startCli(['ingest'], { env: lab.env });
    try {
      await until(() => lab.slack.requests.some(({ method, status }) => method === history && status === 429));
      const refusedAt = lab.slack.requests.at(-1)?.at ?? 0;
      const isStored = await until(async () => {
        const [row] = await lab.database.rows('rate_limits', { where: `method = '${history}'` });
        return row !== undefined && row['not_before_at'] !== null;
      });
      process.kill('SIGKILL');
      await result;
      expect(isStored).toBe(true);

      const run = await lab.ingest();
      expect(run.code).toBe(0);
      const [first] = run.requests.filter(({ method }) => method === history);
      expect((first?.at ?? 0) - refusedAt).toBeGreaterThanOrEqual(4990);
      await expectWorld(lab.database, channels);
    } finally {
      process.kill('SIGKILL');
    }
  });
});

/** Whether the condition came true within two seconds. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  const end = Date.now() + 2000;
  while (Date.now() < end) {
    if (await tryIt(isTrue)) return true;
    await sleep(50);
  }
  return false;
}

/** The table may not be there yet. */
async function tryIt(isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await isTrue();
  } catch {
    return false;
  }
}
