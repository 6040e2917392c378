import { expect, it } from 'vitest';
import type { ChatFailure, ChatFailureKind } from '../../../src/digest/llm/chat-model.ts';
import { retryDelay } from '../../../src/digest/llm/retry.ts';

const failure = (kind: ChatFailureKind, retryAfterMs: number | null = null): ChatFailure => ({
  kind,
  code: 'code',
  retryAfterMs,
  charge: 'nothing',
});
const delays = (one: ChatFailure, random = 0, speed = 1) =>
  [1, 2, 3, 4].map((attempt) => retryDelay(one, attempt, { speed, random: () => random }));

it('waits longer each time, and three times only', () => {
  expect(delays(failure('rate_limited'))).toEqual([10_000, 20_000, 30_000, null]);
  expect(delays(failure('timeout'))).toEqual([5000, 10_000, 15_000, null]);
  for (const kind of ['bad_answer', 'server', 'network'] as const) {
    expect(delays(failure(kind))).toEqual([2000, 4000, 6000, null]);
  }
});

it('does not try again what will not get better', () => {
  for (const kind of ['declined', 'bad_request', 'refused'] as const) {
    expect(delays(failure(kind, 1000))).toEqual([null, null, null, null]);
  }
});

it('spreads the delays, and is faster where it is told to be', () => {
  expect(delays(failure('timeout'), 0.8)).toEqual([6000, 12_000, 18_000, null]);
  expect(delays(failure('timeout'), 0, 1000)).toEqual([5, 10, 15, null]);
});

it('waits as long as the endpoint asks for, however fast we are', () => {
  expect(delays(failure('rate_limited', 1000), 0, 1000)).toEqual([1000, 1000, 1000, null]);
  expect(delays(failure('server', 1000), 0.5)).toEqual([1250, 1250, 1250, null]);
});
