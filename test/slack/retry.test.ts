import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slackError } from '../../src/slack/call-errors.ts';
import { restAfterRateLimit, retryDelay, retryPolicy } from '../../src/slack/retry.ts';

const transient = slackError('users.list', { type: 'http', status: 503 });

test('a delay is drawn from all below its exponential bound', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), random, (failures, drawn) => {
      const delay = retryDelay(transient, failures, retryPolicy(1), () => drawn);
      return delay === drawn * Math.min(30_000, 1000 * 2 ** (failures - 1));
    }),
  );
});

test('the sixth failure is final', () => {
  expect(retryDelay(transient, 6, retryPolicy(1), () => 0)).toBeUndefined();
});

test.each([
  ['off' as const, 1],
  [100, 10],
  [1, 1000],
  [0.5, 1000],
])('at pace %s the first delay is at most %d ms', (pace, ms) => {
  expect(retryPolicy(pace).baseDelayMs).toBe(ms);
});

test('the pace never shortens what Slack asks for', () => {
  expect(restAfterRateLimit(30_000, retryPolicy('off'), () => 0)).toBe(30_000);
});
