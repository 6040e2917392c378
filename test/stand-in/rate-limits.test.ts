import { describe, expect, test } from 'vitest';
import { RateLimiter } from './rate-limits.ts';
import { startStandIn } from './server.ts';
import { failureOf, openClient } from './test-client.ts';
import { World } from './world.ts';

describe('windows', () => {
  test('the 51st history call of a minute is refused until the minute is over', () => {
    let now = 1000;
    const limiter = new RateLimiter({ now: () => now });
    const take = () => limiter.take('T1', 'A1', 'conversations.history');
    for (let call = 0; call < 50; call += 1) expect(take()).toBeUndefined();
    now += 20_500;
    expect(take()).toBe(40);
    now += 39_500;
    expect(take()).toBeUndefined();
  });

  test('methods, workspaces and apps have windows of their own', () => {
    const limiter = new RateLimiter({ perMinute: { 'users.info': 1 }, now: () => 0 });
    expect(limiter.take('T1', 'A1', 'users.info')).toBeUndefined();
    expect(limiter.take('T1', 'A1', 'users.info')).toBe(60);
    expect(limiter.take('T1', 'A1', 'users.list')).toBeUndefined();
    expect(limiter.take('T2', 'A1', 'users.info')).toBeUndefined();
    expect(limiter.take('T1', 'A2', 'users.info')).toBeUndefined();
  });

  test('a compressed minute still asks for whole seconds', () => {
    let now = 0;
    const limiter = new RateLimiter({ timeScale: 100, perMinute: { 'auth.test': 1 }, now: () => now });
    limiter.take('T1', 'A1', 'auth.test');
    expect(limiter.take('T1', 'A1', 'auth.test')).toBe(1);
    now = 600;
    expect(limiter.take('T1', 'A1', 'auth.test')).toBeUndefined();
  });
});

describe('served', () => {
  test('two tokens of one app share a window, and the answer is a 429 with Retry-After', async () => {
    const world = new World();
    const acme = world.workspace('T0ACME');
    await using slack = await startStandIn({ world, limits: { perMinute: { 'auth.test': 1 } } });
    await openClient(slack, acme.botToken).auth.test();
    const second = await fetch(`${slack.url}auth.test`, { headers: { authorization: `Bearer ${acme.token()}` } });
    expect(second.status).toBe(429);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(55);
    expect(await second.json()).toEqual({ ok: false, error: 'ratelimited' });
  });

  test('the restricted regime serves 15 messages once a minute', async () => {
    const world = new World();
    const acme = world.workspace('T0ACME');
    const general = acme.channel('general');
    for (let index = 0; index < 30; index += 1) general.post();
    await using slack = await startStandIn({ world, limits: 'restricted' });
    const client = openClient(slack, acme.botToken);
    const page = await client.conversations.history({ channel: general.id, limit: 999 });
    expect(page.messages).toHaveLength(15);
    expect(page.has_more).toBe(true);
    expect(await failureOf(client.conversations.history({ channel: general.id }))).toBe(
      'slack_webapi_rate_limited_error',
    );
    expect(await failureOf(client.conversations.info({ channel: general.id }))).toBe('none');
  });
});
