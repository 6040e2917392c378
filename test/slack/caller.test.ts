import { describe, expect, test } from 'vitest';
import { BudgetEndedError, SlackError } from '../../src/errors.ts';
import type { Answer, CallFailure } from '../../src/slack/answer.ts';
import type { CallerOptions } from '../../src/slack/caller.ts';
import { Caller } from '../../src/slack/caller.ts';
import type { MethodName } from '../../src/slack/methods.ts';
import { Pacer } from '../../src/slack/pacer.ts';
import { PageLimit } from '../../src/slack/page-limit.ts';
import { readNothing, readUserPage } from '../../src/slack/payloads.ts';
import { retryPolicy } from '../../src/slack/retry.ts';
import type { RunEvent } from '../../src/sync/events.ts';
import { FakeClock } from './fake-clock.ts';

const done: Answer = { ok: true, body: { ok: true } };
const failed = (failure: CallFailure): Answer => ({ ok: false, failure });
const http503 = failed({ type: 'http', status: 503 });
const refused = (code: string): Answer => failed({ type: 'refused', code, needed: undefined });
const limited = (retryAfterMs?: number): Answer => failed({ type: 'rate_limited', retryAfterMs });

/** A caller whose n-th HTTP call gets the n-th answer, later ones the last; the random numbers are all 1/2. */
function scripted(answers: Answer[], options: Partial<CallerOptions> = {}) {
  const clock = new FakeClock();
  const start = clock.now();
  const events: RunEvent[] = [];
  const sentAt: number[] = [];
  const caller = new Caller({
    send: async () => {
      sentAt.push(clock.now() - start);
      return answers[Math.min(sentAt.length, answers.length) - 1] ?? done;
    },
    pacer: new Pacer({ pace: 1, now: clock.now, sleep: clock.sleep }),
    policy: { ...retryPolicy(1), retryAfterJitterMs: 0 },
    permissions: new Set(),
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    budget: undefined,
    deadline: undefined,
    patienceMs: 3_600_000,
    onRateLimit: async () => {},
    onServerRest: async () => {},
    ...options,
  });
  const call = (method: MethodName = 'users.list') => clock.run(caller.call(method, {}, readNothing));
  return { clock, start, events, sentAt, caller, call };
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('retries', () => {
  test('a failing service is tried again after growing, jittered delays', async () => {
    const { call, sentAt } = scripted([http503, http503, http503, done]);
    await call();
    expect(sentAt).toEqual([0, 500, 1500, 3500]);
  });

  test('delays stop growing at thirty seconds', async () => {
    const policy = { ...retryPolicy(1), attempts: 9 };
    const { call, sentAt } = scripted([http503], { policy });
    await errorOf(call());
    expect((sentAt.at(-1) ?? 0) - (sentAt.at(-2) ?? 0)).toBe(15_000);
  });

  test('end after six attempts with an error that says so', async () => {
    const { call, sentAt } = scripted([http503]);
    const error = await errorOf(call());
    expect(error).toBeInstanceOf(SlackError);
    expect(error).toMatchObject({
      kind: 'transient',
      code: 'http_503',
      message: 'users.list was answered with HTTP status 503. The call failed 6 times in a row.',
    });
    expect(sentAt).toHaveLength(6);
  });

  test('a broken page counts as a failed try', async () => {
    const page = { ok: true as const, body: { ok: true, members: [] } };
    const { clock, caller, events } = scripted([done, page]);
    await clock.run(caller.call('users.list', {}, readUserPage));
    expect(events).toContainEqual({
      type: 'retry',
      method: 'users.list',
      attempt: 1,
      code: 'bad_body',
      message: "Slack's answer to users.list cannot be used: members is missing or of another type than documented.",
    });
  });

  test.each([
    'invalid_auth',
    'missing_scope',
    'not_in_channel',
    'invalid_cursor',
    'invalid_arguments',
    'brand_new_code',
  ])('%s is final after one request', async (code) => {
    const { call, sentAt } = scripted([refused(code)]);
    expect(await errorOf(call())).toMatchObject({ code });
    expect(sentAt).toHaveLength(1);
  });

  test('a workspace on its way into an organisation is given 104 seconds', async () => {
    const { call, sentAt } = scripted([refused('team_added_to_org')]);
    expect(await errorOf(call())).toMatchObject({ kind: 'transient', code: 'team_added_to_org' });
    expect(sentAt).toEqual([0, 1000, 4000, 14_000, 44_000, 104_000]);
  });

  test('are calls like others: they count and are paced', async () => {
    const { call, caller, events } = scripted([http503, http503, done]);
    await call();
    expect(caller.requests).toEqual({ 'users.list': 3 });
    expect(events.filter(({ type }) => type === 'request')).toEqual([
      { type: 'request', method: 'users.list', requests: 1 },
      { type: 'request', method: 'users.list', requests: 2 },
      { type: 'request', method: 'users.list', requests: 3 },
    ]);
  });

  test('stop at once with the signal', async () => {
    const stop = new AbortController();
    const { caller, clock } = scripted([http503], { signal: stop.signal });
    const call = caller.call('users.list', {}, readNothing);
    const failed = errorOf(call);
    await new Promise(setImmediate);
    stop.abort(new Error('stopped'));
    expect(await clock.run(failed)).toMatchObject({ message: 'stopped' });
  });
});

describe('rate limits', () => {
  test('are waited for as long as Slack says, and reported', async () => {
    const { call, caller, sentAt, events } = scripted([limited(30_000), done]);
    await call();
    expect(sentAt).toEqual([0, 30_000]);
    expect(caller.rateLimited).toBe(1);
    expect(events.map(({ type }) => type)).toEqual(['request', 'rate_limited', 'request']);
  });

  test('without a time rest the method for half a minute', async () => {
    const { call, sentAt } = scripted([limited(), done]);
    await call();
    expect(sentAt).toEqual([0, 30_000]);
  });

  test('do not use up the attempts', async () => {
    const { call } = scripted([...Array.from({ length: 20 }, () => limited(1000)), http503, done]);
    await expect(call()).resolves.toBeUndefined();
  });

  test('end after twenty-one in a row', async () => {
    const { call, sentAt } = scripted([limited(1000)]);
    expect(await errorOf(call())).toMatchObject({ kind: 'transient', code: 'ratelimited' });
    expect(sentAt).toHaveLength(21);
  });

  test('are believed for an hour at most, whatever Slack or a proxy says', async () => {
    const { call, sentAt, events } = scripted([limited(999_999_999_000), done]);
    await call();
    expect(sentAt).toEqual([0, 3_600_000]);
    expect(events).toContainEqual({ type: 'rate_limited', method: 'users.list', retryAfterMs: 3_600_000 });
  });

  test('of more than an hour in a row end the run, so that it does not hold its lock for nothing', async () => {
    const { call, sentAt } = scripted([limited(1_000_000)]);
    expect(await errorOf(call())).toEqual(new BudgetEndedError('patience'));
    expect(sentAt).toEqual([0, 1_000_000, 2_000_000, 3_000_000]);
  });

  test('of one method leave the others alone', async () => {
    const { clock, caller, sentAt } = scripted([limited(30_000), done]);
    const limitedCall = caller.call('conversations.history', {}, readNothing);
    const otherCall = caller.call('users.info', {}, readNothing);
    await clock.run(Promise.all([limitedCall, otherCall]));
    expect(sentAt).toEqual([0, 0, 30_000]);
  });

  test('hold for those who stood behind the limited call', async () => {
    const { clock, caller, sentAt } = scripted([limited(30_000), done]);
    const calls = Array.from({ length: 3 }, () => caller.call('users.info', {}, readNothing));
    await clock.run(Promise.all(calls));
    expect(sentAt).toEqual([0, 30_000, 30_000, 30_000]);
  });

  test('near the deadline end the run instead of sleeping', async () => {
    const { clock, caller } = scripted([limited(30_000)], { deadline: new FakeClock().now() + 20_000 });
    const before = clock.now();
    expect(await errorOf(caller.call('users.list', {}, readNothing))).toEqual(new BudgetEndedError('duration'));
    expect(clock.now()).toBe(before);
  });
});

describe('a failing server', () => {
  const rested = (retryAfterMs: number) => failed({ type: 'http', status: 503, retryAfterMs });

  test('that says how long it wants to be left alone is left alone for so long, and it counts as a failure', async () => {
    const { call, caller, sentAt } = scripted([rested(20_000), done]);
    await call();
    expect(sentAt).toEqual([0, 20_000]);
    expect(caller.rateLimited).toBe(0);
  });

  test('is left alone for an hour at most', async () => {
    const { call, sentAt } = scripted([rested(999_999_999_000), done]);
    await call();
    expect(sentAt).toEqual([0, 3_600_000]);
  });

  test.each([
    ['HTTP 500', failed({ type: 'http', status: 500 })],
    ['a timeout', failed({ type: 'network', code: 'timeout', cause: new Error('late') })],
    ['a body that breaks off', failed({ type: 'network', code: 'connection_lost', cause: new Error('cut') })],
    ['an internal error', refused('internal_error')],
  ])('is asked for ever smaller pages from the second failure of a page on: %s', async (_, answer) => {
    const limits: unknown[] = [];
    const { clock, caller } = scripted([], {
      send: async (_method, args) => {
        limits.push(args['limit']);
        return answer;
      },
    });
    const call = caller.call('conversations.history', {}, readNothing, { page: new PageLimit(999) });
    expect(await errorOf(clock.run(call))).toMatchObject({ kind: 'transient' });
    expect(limits).toEqual([999, 999, 499, 124, 31, 15]);
  });

  test('that cannot be reached is not asked for smaller pages', async () => {
    const limits: unknown[] = [];
    const { clock, caller } = scripted([], {
      send: async (_method, args) => {
        limits.push(args['limit']);
        return failed({ type: 'network', code: 'ECONNREFUSED', cause: new Error('refused') });
      },
    });
    await errorOf(clock.run(caller.call('users.list', {}, readNothing, { page: new PageLimit(200) })));
    expect(limits).toEqual([200, 200, 200, 200, 200, 200]);
  });

  test('that serves small pages again is asked for larger ones step by step', () => {
    const page = new PageLimit(999);
    for (let n = 0; n < 3; n += 1) page.failed();
    const limits = Array.from({ length: 17 }, () => {
      page.served();
      return page.lastServed;
    });
    expect(limits).toEqual([
      ...Array(4).fill(124),
      ...Array(4).fill(248),
      ...Array(4).fill(496),
      ...Array(4).fill(992),
      999,
    ]);
  });

  test('whose certificate is not trusted is not tried again, and the words say what to do', async () => {
    const { call, sentAt } = scripted([
      failed({ type: 'network', code: 'SELF_SIGNED_CERT_IN_CHAIN', cause: new Error('self-signed') }),
    ]);
    expect(await errorOf(call())).toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('nothing this machine trusts has signed the certificate'),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(sentAt).toHaveLength(1);
  });
});

describe('budget and allow-list', () => {
  test('the budget of requests counts every HTTP call', async () => {
    const { call, sentAt } = scripted([http503], { budget: { left: 3 } });
    expect(await errorOf(call())).toEqual(new BudgetEndedError('requests'));
    expect(sentAt).toHaveLength(3);
  });

  test('the budget of requests holds for callers that waited together', async () => {
    const { clock, caller, sentAt } = scripted([done], { budget: { left: 2 } });
    const calls = Array.from({ length: 4 }, () => errorOf(caller.call('users.info', {}, readNothing)));
    const ended = new BudgetEndedError('requests');
    expect(await clock.run(Promise.all(calls))).toEqual([undefined, undefined, ended, ended]);
    expect(sentAt).toHaveLength(2);
  });

  test('a backoff that would pass the deadline is not begun', async () => {
    const { call } = scripted([http503], { deadline: new FakeClock().now() + 1400 });
    expect(await errorOf(call())).toEqual(new BudgetEndedError('duration'));
  });

  test('joining is refused before any request', async () => {
    const { call, sentAt } = scripted([done]);
    expect(await errorOf(call('conversations.join'))).toMatchObject({ kind: 'caller', code: 'join_not_allowed' });
    expect(sentAt).toEqual([]);
  });

  test('joining is possible when it was asked for', async () => {
    const { call } = scripted([done], { permissions: new Set(['join']) });
    await expect(call('conversations.join')).resolves.toBeUndefined();
  });
});
