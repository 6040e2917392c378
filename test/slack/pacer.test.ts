import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BudgetEndedError } from '../../src/errors.ts';
import type { PaceState } from '../../src/model.ts';
import type { Pace } from '../../src/slack/allowance.ts';
import type { MethodName } from '../../src/slack/methods.ts';
import { publishedRate } from '../../src/slack/methods.ts';
import { Pacer } from '../../src/slack/pacer.ts';
import { FakeClock } from './fake-clock.ts';

const minute = 60_000;
const history = 'conversations.history';
const { signal } = new AbortController();

function openPacer(clock: FakeClock, options: { pace?: Pace; states?: PaceState[] } = {}): Pacer {
  return new Pacer({ pace: options.pace ?? 1, now: clock.now, sleep: clock.sleep, states: options.states ?? [] });
}

/** Makes one call after another, each taking `latencyMs`. Returns when they were sent. */
async function callTimes(clock: FakeClock, pacer: Pacer, count: number, latencyMs = 0, method: MethodName = history) {
  const sent: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const complete = await clock.run(pacer.acquire(method, { signal }));
    sent.push(clock.now());
    clock.pass(latencyMs);
    complete();
  }
  return sent;
}

/** The largest number of `times` (ascending) in any window. */
function fullestWindow(times: readonly number[], windowMs: number): number {
  let first = 0;
  let fullest = 0;
  for (const [last, time] of times.entries()) {
    while ((times[first] ?? time) <= time - windowMs) first += 1;
    fullest = Math.max(fullest, last - first + 1);
  }
  return fullest;
}

interface Load {
  gapMs: number;
  latencyMs: number;
  /** Where between sending and answer Slack counts the call. */
  arrival: number;
  isRestart: boolean;
}

const idleLoad: fc.Arbitrary<Load> = fc.record({
  gapMs: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(30_000)),
  latencyMs: fc.oneof(fc.nat(300), fc.nat(20_000)),
  arrival: fc.double({ min: 0, max: 1, noNaN: true }),
  isRestart: fc.boolean(),
});

/** No gaps, and Slack counts at once or just before it answers: the hardest case for the window. */
const busyLoad: fc.Arbitrary<Load> = fc.record({
  gapMs: fc.constant(0),
  latencyMs: fc.constantFrom(0, 100, 900),
  arrival: fc.constantFrom(0, 1),
  isRestart: fc.constant(false),
});

const loads: fc.Arbitrary<Load[]> = fc.oneof(
  fc.array(idleLoad, { minLength: 60, maxLength: 150 }),
  fc.array(busyLoad, { minLength: 60, maxLength: 150 }),
);

/** When Slack counts the calls of a load that restarts the program now and then. */
async function arrivals(method: MethodName, pace: number, loads: readonly Load[]): Promise<number[]> {
  const clock = new FakeClock();
  let pacer = openPacer(clock, { pace });
  const counted: number[] = [];
  for (const { gapMs, latencyMs, arrival, isRestart } of loads) {
    clock.pass(gapMs);
    if (isRestart) pacer = openPacer(clock, { pace, states: pacer.snapshot() });
    const complete = await clock.run(pacer.acquire(method, { signal }));
    counted.push(clock.now() + arrival * latencyMs);
    clock.pass(latencyMs);
    complete();
  }
  return counted;
}

describe('the rate', () => {
  test.each<MethodName>(['users.list', history])('of %s is never above its tier in any minute', async (method) => {
    await fc.assert(
      fc.asyncProperty(loads, async (calls) => {
        expect(fullestWindow(await arrivals(method, 1, calls), minute)).toBeLessThanOrEqual(publishedRate(method));
      }),
      { numRuns: 25 },
    );
  });

  test('at half the pace is never above half the tier', async () => {
    await fc.assert(
      fc.asyncProperty(loads, async (calls) => {
        expect(fullestWindow(await arrivals('users.list', 0.5, calls), minute)).toBeLessThanOrEqual(10);
      }),
      { numRuns: 25 },
    );
  });

  test('half the allowance comes without waiting', async () => {
    const clock = new FakeClock();
    const sent = await callTimes(clock, openPacer(clock), 25);
    expect(new Set(sent).size).toBe(1);
  });

  test('the second half keeps an even distance', async () => {
    const clock = new FakeClock();
    const sent = await callTimes(clock, openPacer(clock), 50);
    const distances = sent.slice(26).map((time, i) => time - (sent[i + 25] ?? 0));
    expect(new Set(distances)).toEqual(new Set([1200]));
  });

  test('of a long run settles at the tier, latency or not', async () => {
    const clock = new FakeClock();
    const start = clock.now();
    await callTimes(clock, openPacer(clock), 1000, 400);
    const perMinute = 1000 / ((clock.now() - start) / minute);
    expect(perMinute).toBeGreaterThan(49);
    expect(perMinute).toBeLessThan(52);
  });

  test('of many callers at once is that of one', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    const sent: number[] = [];
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 40; i += 1) {
        const complete = await pacer.acquire(history, { signal });
        sent.push(clock.now());
        await clock.sleep(50, signal);
        complete();
      }
    };
    await clock.run(Promise.all([worker(), worker(), worker(), worker()]));
    expect(fullestWindow(sent, minute)).toBe(50);
  });

  test('in compressed time a minute passes faster', async () => {
    const clock = new FakeClock();
    const start = clock.now();
    await callTimes(clock, openPacer(clock, { pace: 60 }), 101);
    expect(clock.now() - start).toBe(2000);
  });

  test('is not kept when the pace is off', async () => {
    const clock = new FakeClock();
    expect(new Set(await callTimes(clock, openPacer(clock, { pace: 'off' }), 500)).size).toBe(1);
  });

  test('of a restricted method is one call a minute', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    pacer.setRestricted(history, true);
    const [first = 0, second = 0, third = 0] = await callTimes(clock, pacer, 3);
    expect([second - first, third - second]).toEqual([minute, minute]);
  });

  test('below one call a minute stretches the window', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock, { pace: 0.5 });
    pacer.setRestricted(history, true);
    const [first = 0, second = 0] = await callTimes(clock, pacer, 2);
    expect(second - first).toBe(2 * minute);
  });

  test('does not suffer from a clock that is set back', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    await callTimes(clock, pacer, 50);
    clock.pass(-3_600_000);
    const before = clock.now();
    await callTimes(clock, pacer, 1);
    expect(clock.now() - before).toBeLessThanOrEqual(minute);
  });
});

describe('what the last run knew', () => {
  test('is respected: a new pacer does not start with a full allowance', async () => {
    const clock = new FakeClock();
    const last = openPacer(clock);
    await callTimes(clock, last, 50);
    const [first = 0] = await callTimes(clock, openPacer(clock, { states: last.snapshot() }), 1);
    const fresh = new FakeClock();
    await callTimes(fresh, openPacer(fresh), 51);
    expect(first).toBe(fresh.now());
  });

  test('holds the call that was under way when it was written', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    await clock.run(pacer.acquire(history, { signal }));
    expect(pacer.snapshot()).toEqual([
      { method: history, notBefore: 0, recentCalls: [clock.now()], isRestricted: false },
    ]);
  });

  test('of methods that are no longer called is dropped', () => {
    const state = { method: 'files.list', notBefore: 9e12, recentCalls: [], isRestricted: false };
    expect(openPacer(new FakeClock(), { states: [state] }).snapshot()).toEqual([]);
  });

  test('cannot stop a method for ever because its clock was wrong', async () => {
    const clock = new FakeClock();
    const before = clock.now();
    const state = { method: history, notBefore: before + 1e12, recentCalls: [before + 1e12], isRestricted: false };
    await callTimes(clock, openPacer(clock, { states: [state] }), 1);
    expect(clock.now() - before).toBe(3_600_000);
  });
});

describe('Retry-After', () => {
  test('rests its method only', async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const pacer = openPacer(clock);
    pacer.rest(history, 30_000);
    expect(await callTimes(clock, pacer, 1, 0, 'users.info')).toEqual([start]);
    expect(await callTimes(clock, pacer, 1)).toEqual([start + 30_000]);
  });

  test('is obeyed without a pace too, and remembered', async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const last = openPacer(clock, { pace: 'off' });
    last.rest(history, 30_000);
    const next = openPacer(clock, { pace: 'off', states: last.snapshot() });
    expect(await callTimes(clock, next, 1)).toEqual([start + 30_000]);
  });

  test('and our pace are told apart to the listener', async () => {
    const clock = new FakeClock();
    const waits: unknown[] = [];
    const onWait = (...wait: unknown[]): void => void waits.push(wait);
    const pacer = new Pacer({ pace: 1, now: clock.now, sleep: clock.sleep, onWait });
    await callTimes(clock, pacer, 26);
    pacer.rest(history, 5000);
    await callTimes(clock, pacer, 1);
    expect(waits).toEqual([
      [history, 'pace', 1200],
      [history, 'rate_limit', 5000],
    ]);
  });
});

describe('limits of a wait', () => {
  test('a wait that would end after the deadline is not begun', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    pacer.rest(history, 30_000);
    const before = clock.now();
    await expect(pacer.acquire(history, { signal, deadline: before + 29_999 })).rejects.toThrow(BudgetEndedError);
    expect(clock.now()).toBe(before);
  });

  test('a passed deadline lets nothing start', async () => {
    const clock = new FakeClock();
    const call = openPacer(clock).acquire(history, { signal, deadline: clock.now() });
    await expect(call).rejects.toThrow('the budget of duration ended');
  });

  test('the signal ends the wait for the pace at once, with its reason, and those behind go on', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    pacer.rest(history, 30_000);
    const stop = new AbortController();
    const call = pacer.acquire(history, { signal: stop.signal });
    const behind = pacer.acquire(history, { signal });
    stop.abort(new Error('stopped'));
    await expect(call).rejects.toThrow('stopped');
    await clock.run(behind);
  });

  test('the signal ends the wait for another call, and those behind go on', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    const complete = await pacer.acquire(history, { signal });
    const stop = new AbortController();
    const aborted = pacer.acquire(history, { signal: stop.signal });
    const behind = pacer.acquire(history, { signal });
    stop.abort(new Error('stopped'));
    await expect(aborted).rejects.toThrow('stopped');
    complete();
    await clock.run(behind);
  });

  test('nothing starts after the signal', async () => {
    const call = openPacer(new FakeClock()).acquire(history, { signal: AbortSignal.abort(new Error('stopped')) });
    await expect(call).rejects.toThrow('stopped');
  });

  test('calls of one method never overlap, those of two do', async () => {
    const clock = new FakeClock();
    const pacer = openPacer(clock);
    const log: string[] = [];
    const call = async (method: MethodName, name: string, latencyMs: number): Promise<void> => {
      const complete = await pacer.acquire(method, { signal });
      log.push(`${name} sent`);
      await clock.sleep(latencyMs, signal);
      log.push(`${name} answered`);
      complete();
    };
    await clock.run(Promise.all([call(history, 'a', 100), call(history, 'b', 100), call('users.info', 'c', 150)]));
    expect(log).toEqual(['a sent', 'c sent', 'a answered', 'b sent', 'c answered', 'b answered']);
  });
});
