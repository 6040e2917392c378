/** `ingest --plan` tells what the next run does, and does nothing itself. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, type LabRun, openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';
import { dump } from '../support/world-rows.ts';

const history = 'conversations.history';
const replies = 'conversations.replies';

/** Messages at even distances over the last `days`, every `threadEvery`th with two replies. */
function fill(lab: Lab, channel: Channel, count: number, days: number, threadEvery: number): void {
  const { clock } = lab.world;
  for (let n = 0; n < count; n += 1) {
    const age = days * (1 - n / count);
    const ts = channel.post({ ts: clock.daysAgo(age), text: `message ${n}` });
    if (n % threadEvery !== 0) continue;
    for (let i = 1; i <= 2; i += 1) channel.reply(ts, { ts: clock.daysAgo(age - i / 10_000), text: `reply ${i}` });
  }
}

function calls(run: LabRun): Record<string, number> {
  const methods = new Set(run.requests.map(({ method }) => method));
  return Object.fromEntries([...methods].map((method) => [method, run.count(method)]));
}

function monthsAgo(months: number): string {
  return new Date(Date.now() - months * 30 * 86_400_000).toISOString().slice(0, 10);
}

eachDatabase((create, name) => {
  it('asks who we are and which channels there are, and leaves no trace', async () => {
    await using lab = await openLab(create);
    fill(lab, lab.acme.channel('general'), 20, 10, 5);
    const plan = await lab.ingest('--plan');
    expect(plan.code).toBe(0);
    expect(calls(plan)).toEqual({ 'auth.test': 1, 'conversations.list': 1 });
    expect(plan.out).toMatchObject({ run_id: null, status: 'completed', remaining: null });
    expect(plan.out.plan).toMatchObject({
      is_lower_bound: true,
      channels: { total: 1, never_read: 1 },
      is_rate_assumed: true,
    });
    if (name === 'sqlite') expect(existsSync(lab.database.url.replace('sqlite:', ''))).toBe(false);
    else await expect(lab.database.rows('messages')).rejects.toThrow();

    const first = await lab.ingest();
    for (const [method, n] of Object.entries<number>(plan.out.plan.requests))
      expect(first.count(method), method).toBeGreaterThanOrEqual(n);

    const before = await dump(lab.database);
    expect((await lab.ingest('--plan')).code).toBe(0);
    expect(await dump(lab.database)).toBe(before);
  });

  it('tells of every run exactly how many calls of each method it makes, while nothing changes in Slack', async () => {
    await using lab = await openLab(create);
    const large = lab.acme.channel('large');
    fill(lab, large, 1_200, 150, 100);
    fill(lab, lab.acme.channel('middling'), 100, 100, 20);
    lab.acme.channel('empty');
    lab.acme.channel('elsewhere', { isMember: false });
    await lab.ingest('--backfill-from', monthsAgo(6));

    const kinds = { history: 0, replies: 0 };
    for (let n = 0; n < 5; n += 1) {
      const { plan } = (await lab.ingest('--plan')).out;
      const run = await lab.ingest();
      expect(calls(run), `run ${n}`).toEqual(plan.requests);
      expect(plan).toMatchObject({ is_lower_bound: false, total: run.requests.length, channels: { total: 3 } });
      kinds.history += plan.audits.history;
      kinds.replies += plan.audits.replies;
    }
    expect(kinds.history).toBeGreaterThan(0);
    expect(kinds.replies).toBeGreaterThan(0);
  });

  it('counts a look-back window that takes pages of its own, and a budget of none for audits', async () => {
    await using lab = await openLab(create);
    fill(lab, lab.acme.channel('busy'), 1_200, 5, 500);
    await lab.ingest();
    const folder = mkdtempSync(join(tmpdir(), 'slackingest-plan-'));
    const config = join(folder, 'config.yaml');
    writeFileSync(config, 'audit_requests: 0\n');
    try {
      for (const args of [[], ['--lookback', '1d'], ['--lookback', '0s'], ['--config', config], ['--no-threads']]) {
        const { plan } = (await lab.ingest('--plan', ...args)).out;
        expect(calls(await lab.ingest(...args)), args.join(' ')).toEqual(plan.requests);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tells what a run with a budget of requests makes of each method, and how much it leaves', async () => {
    await using lab = await openLab(create);
    for (const channel of ['a', 'b', 'c', 'd']) fill(lab, lab.acme.channel(channel), 40, 60, 10);
    const from = ['--backfill-from', monthsAgo(3)];
    await lab.ingest(...from, '--max-requests', '9');
    for (const budget of ['3', '5', '8', '12', '40']) {
      const args = [...from, '--max-requests', budget];
      const { plan } = (await lab.ingest('--plan', ...args)).out;
      const run = await lab.ingest(...args);
      // Holes hold threads that nobody knew, and their replies take what the plan gives to others.
      if (plan.total < Number(budget)) expect(plan.total).toBeLessThanOrEqual(run.requests.length);
      else expect({ budget, total: plan.total }).toEqual({ budget, total: run.requests.length });
      expect(plan.total).toBeLessThanOrEqual(Number(budget));
      expect(plan.requests[history] ?? 0, budget).toBe(run.count(history));
    }
  });

  it('counts threads that wait and the holes that an ended budget left', async () => {
    await using lab = await openLab(create);
    const channels = ['a', 'b', 'c'].map((channel) => lab.acme.channel(channel));
    for (const channel of channels) fill(lab, channel, 30, 60, 3);
    const from = ['--backfill-from', monthsAgo(3)];
    const short = await lab.ingest(...from, '--max-requests', '12');
    expect(short.code).toBe(3);
    const { remaining } = short.out;
    expect(remaining).toMatchObject({ channels: expect.any(Number), holes: expect.any(Number) });
    expect(remaining.threads).toBeGreaterThan(0);
    expect(remaining.requests).toBeGreaterThanOrEqual(remaining.threads);

    const { plan } = (await lab.ingest('--plan', ...from)).out;
    expect(plan.threads).toBeGreaterThan(0);
    expect(plan.holes).toBe(3);
    expect(plan.is_lower_bound).toBe(true);
    const run = await lab.ingest(...from);
    expect(run.count(history)).toBe(plan.requests[history]);
    // The holes hold threads that nobody knew.
    expect(run.count(replies)).toBeGreaterThan(plan.requests[replies]);
  });

  it('counts the channels that --join is going to join', async () => {
    await using lab = await openLab(create);
    lab.acme.channel('general').post({ text: 'hello' });
    await lab.ingest();
    lab.acme.channel('open', { isMember: false }).post({ text: 'hello' });
    lab.acme.channel('secret', { isMember: false, kind: 'private' });
    const { plan } = (await lab.ingest('--plan', '--join')).out;
    const run = await lab.ingest('--join');
    expect(calls(run)).toEqual(plan.requests);
    expect(plan.requests['conversations.join']).toBe(1);
    expect(plan.channels).toEqual({ total: 2, never_read: 1 });
  });

  it('knows that Slack restricts the app: small pages, a minute each, hardly any audits', async () => {
    // A minute passes in 100 ms.
    const scale = 600;
    await using lab = await openLab(create, { limits: { regime: 'restricted', timeScale: scale } });
    const fast = { env: { SLACKINGEST_PACE: String(scale) } };
    fill(lab, lab.acme.channel('general'), 40, 5, 10);
    fill(lab, lab.acme.channel('random'), 10, 5, 5);
    await lab.run(['ingest'], fast);
    await lab.run(['ingest'], fast);
    for (let n = 0; n < 4; n += 1) {
      const { plan } = (await lab.run(['ingest', '--plan'], fast)).out;
      const run = await lab.run(['ingest'], fast);
      expect(run.out.rate_limited).toBe(0);
      expect(calls(run), `run ${n}`).toEqual(plan.requests);
      expect(plan.requests[history]).toBeGreaterThanOrEqual(4);
    }
    // At the true pace each of these calls takes a minute.
    const slow = await runCli(['ingest', '--plan', '--json'], { env: { ...lab.env, SLACKINGEST_PACE: '1' } });
    const { plan } = slow.json();
    expect(plan.seconds).toBeGreaterThanOrEqual(60 * (plan.requests[history] - 1));
    const { stdout } = await runCli(['ingest', '--plan'], { env: { ...lab.env, SLACKINGEST_PACE: '1' } });
    expect(stdout).toContain(`Slack allows one call of ${history} a minute, 15 messages each`);
  });

  it('tells what more freshness costs, from how often ingest runs', async () => {
    await using lab = await openLab(create);
    fill(lab, lab.acme.channel('large'), 1_200, 150, 50);
    await lab.ingest('--backfill-from', monthsAgo(6));
    await lab.ingest();
    const { plan } = (await lab.ingest('--plan')).out;
    expect(plan).toMatchObject({ runs_per_day: 24, is_rate_assumed: true });
    expect(plan.freshness.map(({ every_days }: { every_days: number | null }) => every_days)).toEqual([
      1,
      3,
      7,
      30,
      null,
    ]);
    const costs = plan.freshness.slice(0, 4).map((level: { extra_requests: number }) => level.extra_requests);
    expect([...costs].sort((a, b) => b - a)).toEqual(costs);
    expect(plan.freshness.at(-1)).toMatchObject({ audit_requests: 10, every_runs: 3 });
  });

  it('is readable in 80 columns', async () => {
    await using lab = await openLab(create);
    const env = { ...lab.env, SLACKINGEST_PACE: '0.5' };
    fill(lab, lab.acme.channel('general'), 30, 20, 4);
    const first = await runCli(['ingest', '--plan'], { env });
    expect(first.stdout).toContain('1 of 1 channel was never read');
    await lab.ingest();
    lab.acme.channel('new').post({ text: 'hello' });
    const second = await runCli(['ingest', '--plan', '--max-requests', '3'], { env });
    for (const { code, stdout } of [first, second]) {
      expect(code).toBe(0);
      expect(stdout).toContain('nothing written');
      expect(stdout).toContain(history);
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }
    expect(second.stdout).toContain('every week');
    expect(second.stdout).toContain('now: every');
    expect(second.stdout).toContain('The budget of 3 requests leaves 1 to later runs.');
  });

  it('says for people what an ended budget leaves and how long it takes', async () => {
    await using lab = await openLab(create);
    for (const channel of ['a', 'b', 'c']) fill(lab, lab.acme.channel(channel), 30, 20, 3);
    const env = { ...lab.env, SLACKINGEST_PACE: '1' };
    const { code, stdout } = await runCli(['ingest', '--max-requests', '8'], { env });
    expect(code).toBe(3);
    expect(stdout).toMatch(/remaining: (\d+ channels?, )?\d+ threads; about \d+ requests, \d+ s; run again to go on/);
  });
});
