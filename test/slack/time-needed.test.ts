import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PaceState } from '../../src/model.ts';
import { Pacer } from '../../src/slack/pacer.ts';
import { timeNeeded } from '../../src/slack/time-needed.ts';
import { FakeClock } from './fake-clock.ts';

const history = 'conversations.history';
const replies = 'conversations.replies';
const now = 1_700_000_000_000;
const second = 1000;
const minute = 60 * second;

function inForce(states: readonly PaceState[] = [], pace: number | 'off' = 1) {
  return { pace, states, now };
}

function stateOf(method: string, state: Partial<PaceState>): PaceState {
  return { method, notBefore: 0, recentCalls: [], isRestricted: false, ...state };
}

/** What the pacer itself makes of it, each call answered after a quarter of a second. */
async function timeInReality(calls: number, state: PaceState): Promise<number> {
  const clock = new FakeClock(now);
  const { signal } = new AbortController();
  const pacer = new Pacer({ pace: 1, now: clock.now, sleep: clock.sleep, states: [state] });
  for (let n = 0; n < calls; n += 1) {
    const complete = await clock.run(pacer.acquire(history, { signal }));
    clock.pass(250);
    complete();
  }
  return clock.now() - now;
}

describe('the time that calls need', () => {
  it('is what the pacer takes for them', async () => {
    const state = fc.record({
      method: fc.constant(history),
      notBefore: fc.oneof(
        fc.constant(0),
        fc.nat(90_000).map((ms) => now + ms),
      ),
      recentCalls: fc
        .array(fc.nat(70_000), { maxLength: 50 })
        .map((ages) => ages.map((age) => now - age).sort((a, b) => a - b)),
      isRestricted: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(220), state, async (calls, known) => {
        const count = known.isRestricted ? Math.min(calls, 20) : calls;
        const expected = await timeInReality(count, known);
        const estimated = timeNeeded({ [history]: count }, inForce([known]));
        expect(Math.abs(estimated - expected)).toBeLessThanOrEqual(10 + expected / 100);
      }),
      { numRuns: 60 },
    );
  });

  it('hardly waits for what fits into half a minute of the allowance', () => {
    expect(timeNeeded({ [history]: 25 }, inForce())).toBeLessThan(10 * second);
    expect(timeNeeded({ [history]: 26 }, inForce())).toBeLessThan(10 * second);
    expect(timeNeeded({ [history]: 75 }, inForce())).toBeGreaterThan(minute);
  });

  it('is that of the longest method where methods run side by side', () => {
    const both = timeNeeded({ [history]: 1000, [replies]: 5000 }, inForce());
    expect(both).toBe(timeNeeded({ [replies]: 5000 }, inForce()));
    expect(both).toBeGreaterThan(99 * minute);
    expect(both).toBeLessThan(101 * minute);
  });

  it('is a minute for each call of an app that Slack restricts', () => {
    const restricted = inForce([stateOf(history, { isRestricted: true })]);
    expect(Math.round(timeNeeded({ [history]: 61 }, restricted) / minute)).toBe(60);
  });

  it('counts the rest that Slack asked for, and no rest that a wrong clock left', () => {
    const resting = inForce([stateOf(history, { notBefore: now + 30 * second })]);
    expect(timeNeeded({ [history]: 1 }, resting)).toBeGreaterThanOrEqual(30 * second);
    expect(timeNeeded({ [replies]: 1 }, resting)).toBeLessThan(second);
    const wrong = inForce([stateOf(history, { notBefore: now + 1000 * minute })]);
    expect(timeNeeded({ [history]: 1 }, wrong)).toBeLessThan(61 * minute);
  });

  it('grows as the pace shrinks, and is nothing without a pace', () => {
    const calls = { [history]: 500 };
    const full = timeNeeded(calls, inForce());
    expect(timeNeeded(calls, inForce([], 0.5)) / full).toBeCloseTo(2, 0);
    expect(timeNeeded(calls, inForce([], 'off'))).toBe(0);
  });

  it('is known at once for millions of calls', () => {
    expect(timeNeeded({ [replies]: 5_000_000 }, inForce()) / minute).toBeCloseTo(100_000, -2);
  });

  it('is nothing for no calls', () => {
    expect(timeNeeded({}, inForce())).toBe(0);
    expect(timeNeeded({ [history]: 0 }, inForce([stateOf(history, { notBefore: now + minute })]))).toBe(0);
  });
});
