import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { type Fault, wrongShape } from './faults.ts';
import { type StandIn, startStandIn } from './server.ts';
import { failureOf, openClient } from './test-client.ts';
import { World } from './world.ts';

let slack: StandIn;
let general: Channel;
let client: ReturnType<typeof openClient>;

beforeEach(async () => {
  const world = new World();
  const acme = world.workspace('T0ACME');
  general = acme.channel('general');
  for (let index = 0; index < 4; index += 1) general.post({ text: 'x'.repeat(2000) });
  slack = await startStandIn({ world });
  client = openClient(slack, acme.botToken, 400);
});
afterEach(() => slack.close());

const history = (args: object = {}) => client.conversations.history({ channel: general.id, ...args });

test.each<[string, Fault, string]>([
  ['HTTP 503', { kind: 'http', status: 503 }, 'slack_webapi_http_error'],
  ['HTTP 404', { kind: 'http', status: 404 }, 'slack_webapi_http_error'],
  ['an error code', { kind: 'error', error: 'ekm_access_denied' }, 'ekm_access_denied'],
  ['ratelimited with status 200', { kind: 'error', error: 'ratelimited' }, 'ratelimited'],
  ['429', { kind: '429', retryAfter: 30 }, 'slack_webapi_rate_limited_error'],
  ['429 without Retry-After', { kind: '429' }, 'Error'],
  ['HTML', { kind: 'html' }, expect.stringContaining('<!DOCTYPE html>') as string],
  ['a body cut short', { kind: 'truncated' }, 'TypeError'],
  ['a chunked body cut short', { kind: 'truncated', transfer: 'chunked' }, 'TypeError'],
  ['a reset connection', { kind: 'reset' }, 'slack_webapi_request_error'],
  ['no answer at all', { kind: 'hang' }, 'slack_webapi_request_error'],
])('%s fails one call and no more', async (_, fault, failure) => {
  slack.faults.add(fault);
  expect(await failureOf(history())).toEqual(failure);
  expect(await failureOf(history())).toBe('none');
});

test('broken JSON is no JSON', async () => {
  slack.faults.add({ kind: 'broken-json' });
  expect(await failureOf(history())).not.toBe('none');
});

test('a slow answer is late and honest', async () => {
  slack.faults.add({ kind: 'slow', delayMs: 60 });
  const start = performance.now();
  expect((await history()).messages).toHaveLength(4);
  expect(performance.now() - start).toBeGreaterThanOrEqual(55);
});

test('a fault meets the nth call that fits, as often as it says', async () => {
  slack.faults.add({
    kind: 'error',
    error: 'internal_error',
    method: 'conversations.history',
    channel: general.id,
    nth: 2,
    times: 2,
  });
  const outcomes: string[] = [];
  for (let call = 0; call < 5; call += 1) {
    await client.auth.test();
    outcomes.push(await failureOf(history()));
  }
  expect(outcomes).toEqual(['none', 'internal_error', 'internal_error', 'none', 'none']);
});

test('wrong shapes reach the caller as they are', async () => {
  slack.faults.add({ kind: 'rewrite', body: wrongShape.nullMessages });
  slack.faults.add({ kind: 'rewrite', body: wrongShape.strangeMessages, nth: 2 });
  expect((await history()).messages).toBeNull();
  const { messages } = await history();
  expect(messages).toHaveLength(6);
  expect(messages?.[0]).toBeNull();
});

test('a cursor loop gives back the cursor it was sent', async () => {
  slack.faults.add({ kind: 'cursor-loop', nth: 2 });
  const cursor = (await history({ limit: 1 })).response_metadata?.next_cursor ?? '';
  expect((await history({ limit: 1, cursor })).response_metadata?.next_cursor).toBe(cursor);
});

test('has_more may come without a cursor', async () => {
  slack.faults.add({ kind: 'no-cursor' });
  const page = await history({ limit: 2 });
  expect(page.has_more).toBe(true);
  expect(page.response_metadata?.next_cursor).toBeUndefined();
});

test('hooks run before a request and after its answer, and the next request waits for them', async () => {
  const order: string[] = [];
  slack.onRequest(({ n }) => void order.push(`request ${n}`));
  const stop = slack.onResponse(async ({ n, status }) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push(`answered ${n} ${status}`);
  });
  await history();
  await history();
  stop();
  await history();
  expect(order).toEqual(['request 1', 'answered 1 200', 'request 2', 'answered 2 200', 'request 3']);
});

test('the log counts by method and channel', async () => {
  await client.auth.test();
  await history();
  expect(slack.count()).toBe(2);
  expect(slack.count('conversations.history', general.id)).toBe(1);
  expect(slack.requests[1]).toMatchObject({ n: 2, workspace: 'T0ACME', status: 200, params: { channel: general.id } });
});

test('close ends a hanging request', async () => {
  slack.faults.add({ kind: 'hang' });
  const failure = failureOf(history());
  await new Promise((resolve) => setTimeout(resolve, 50));
  await slack.close();
  expect(await failure).toBe('slack_webapi_request_error');
});
