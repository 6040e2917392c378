import { expect, test } from 'vitest';
import type { MethodName } from '../../src/slack/methods.ts';
import { Pacer } from '../../src/slack/pacer.ts';
import { RestrictionWatch } from '../../src/slack/restricted.ts';
import { FakeClock } from './fake-clock.ts';

const history = 'conversations.history';

/** A watch over a method that was called `calls` times in the last minute. */
async function watched(calls: number, method: MethodName = history) {
  const clock = new FakeClock();
  const pacer = new Pacer({ pace: 1, now: clock.now, sleep: clock.sleep });
  for (let i = 0; i < calls; i += 1)
    (await clock.run(pacer.acquire(method, { signal: new AbortController().signal })))();
  const watch = new RestrictionWatch(
    pacer,
    () => {},
    async () => {},
  );
  return { pacer, watch };
}

test('two long rests after hardly any call are the sign', async () => {
  const { pacer, watch } = await watched(2);
  await watch.sawRateLimit(history, 60_000);
  expect(pacer.isRestricted(history)).toBe(false);
  await watch.sawRateLimit(history, 60_000);
  expect(pacer.isRestricted(history)).toBe(true);
});

test.each<[string, number, MethodName, number]>([
  ['short rests', 2, history, 30_000],
  ['long rests after many calls', 20, history, 60_000],
  ['rests of a method that is never restricted', 2, 'users.list', 60_000],
])('%s are none', async (_, calls, method, restMs) => {
  const { pacer, watch } = await watched(calls, method);
  await watch.sawRateLimit(method, restMs);
  await watch.sawRateLimit(method, restMs);
  expect(pacer.isRestricted(method)).toBe(false);
});
