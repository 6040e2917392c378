/** The whole stage against a stand-in over HTTP: what is read, what it costs, and what becomes of candidates in every case. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/db/repositories/index.ts';
import { costOf, nanosOf, priceOf, usdOf } from '../../../src/digest/llm/prices.ts';
import { version } from '../../../src/digest/llm/prompts/events-2026-11-23.ts';
import { DatabaseError, RefusedContentError } from '../../../src/errors.ts';
import { millisToIso } from '../../../src/ts.ts';
import * as answers from '../../stand-in-llm/answers.ts';
import type { Answer, Usage } from '../../stand-in-llm/server.ts';
import { eachDatabase } from '../../support/databases.ts';
import { channelId, type LlmLab, message, noon, openLab, range, settings, teamId, tsOf } from './llm-lab.ts';

const price = priceOf('gpt-5-nano', {});

function bill({ prompt_tokens, completion_tokens }: Usage): number {
  return costOf({ input: prompt_tokens, output: completion_tokens }, price);
}

async function recordedNanos(lab: LlmLab): Promise<number> {
  return (await lab.calls()).reduce((sum, { cost_usd }) => sum + nanosOf(cost_usd), 0);
}

/** A store whose transactions are slow between finding out what was spent and what follows from it. */
function thinksLong(store: Store): Store {
  return {
    ...store,
    transaction: (work) =>
      store.transaction((tx) =>
        work({
          ...tx,
          languageModels: {
            ...tx.languageModels,
            async sumSpent(from, to) {
              const spent = await tx.languageModels.sumSpent(from, to);
              await new Promise((resolve) => setTimeout(resolve, 30));
              return spent;
            },
          },
        }),
      ),
  };
}

eachDatabase((create) => {
  describe('reading candidates', () => {
    it('stores the events of each, marks it as read, and says what it cost', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(3);
      const report = await lab.run();
      expect(report).toEqual({
        read: 3,
        cached: 0,
        failed: 0,
        events: 3,
        calls: 3,
        tokens_in: 3 * 1234,
        tokens_out: 3 * 321,
        cost_usd: usdOf(3 * bill(answers.usualUsage)),
        spent_today_usd: usdOf(3 * bill(answers.usualUsage)),
        stopped: null,
        notes: [],
      });
      expect(await lab.statuses()).toEqual(['llm_ok', 'llm_ok', 'llm_ok']);
      expect(lab.saved.map(({ ts }) => ts)).toEqual([tsOf(1), tsOf(2), tsOf(3)]);
      expect(lab.saved[0]).toMatchObject({ model: 'gpt-5-nano', promptVersion: version });
      expect(lab.saved[0]?.events[0]).toMatchObject({ action: 'Deploy', actual_start: '2026-11-20T10:00:00.000Z' });
    });

    it('asks with the key, the model, the temperature, a limit and a schema, and tells no names', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      await lab.run({ settings: { temperature: 0.7 } });
      const [request] = lab.model.requests;
      expect(request?.path).toBe('/v1/chat/completions');
      expect(request?.authorization).toBe('Bearer sk-test');
      expect(request?.body).toMatchObject({
        model: 'gpt-5-nano',
        temperature: 0.7,
        max_completion_tokens: 1000,
        response_format: { type: 'json_schema', json_schema: { strict: true } },
      });
      expect(request?.user).toContain('Payments were deployed, number 1');
      expect(request?.user).toContain('Channel: #releases');
    });

    it('takes a message without events as read', async () => {
      await using lab = await openLab(create, () => answers.noEvent);
      await lab.addCandidates(1);
      expect(await lab.run()).toMatchObject({ read: 1, events: 0, failed: 0 });
      expect(await lab.statuses()).toEqual(['llm_ok']);
      expect(lab.saved).toHaveLength(1);
    });

    it('takes only open candidates of the channels and the window, those that the rules have not read too', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidate(message(1), { status: 'new' });
      await lab.addCandidate(message(2), { status: 'skipped' });
      await lab.addCandidate(message(3), { status: 'llm_ok' });
      await lab.addCandidate(message(4), { status: 'llm_fail' });
      await lab.addCandidate(message(5, { channel_id: 'C2' }));
      await lab.addCandidate(message(6), { posted_at: millisToIso(noon) });
      await lab.addCandidate(message(7, { team_id: 'T2' }));
      await lab.addCandidate(message(8), { attempts: 3 });
      expect(await lab.run()).toMatchObject({ read: 1 });
      expect(lab.saved.map(({ ts }) => ts)).toEqual([tsOf(1)]);
    });

    it('takes the best first, and no more than it may', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidate(message(1), { score: 1 });
      await lab.addCandidate(message(2), { score: 30 });
      await lab.addCandidate(message(3), { score: 20 });
      expect(await lab.run({ settings: { maxCandidates: 2 } })).toMatchObject({ read: 2 });
      expect(lab.saved.map(({ ts }) => ts)).toEqual([tsOf(2), tsOf(3)]);
    });

    it('asks nobody about a message without text', async () => {
      await using lab = await openLab(create, () => answers.good);
      const { text } = message(1);
      await lab.addCandidate(message(1, { text: { ...text, plain: ' \n ' } }));
      expect(await lab.run()).toMatchObject({ read: 1, events: 0, calls: 0 });
    });

    it('gives up a candidate whose message is gone', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(2);
      lab.remove(tsOf(1));
      expect(await lab.run()).toMatchObject({ read: 1, failed: 1 });
      expect(await lab.candidates()).toMatchObject([
        { status: 'llm_fail', reason: 'the message is no longer stored' },
        { status: 'llm_ok' },
      ]);
    });

    it('reads long messages in pieces, and keeps at most as many events as it may', async () => {
      await using lab = await openLab(create, () =>
        answers.events([answers.event(), answers.event(), answers.event({ summary: '' })]),
      );
      const { text } = message(1);
      const plain = 'alpha beta gamma delta epsilon zeta eta theta';
      await lab.addCandidate(message(1, { text: { ...text, plain } }));
      const report = await lab.run({ settings: { chunk: { tokens: 5, charsPerToken: 4 } } });
      expect(report).toMatchObject({ read: 1, calls: 3, events: 5 });
      expect(lab.model.requests.map(({ user }) => /Message text:\n(.*)/.exec(user)?.[1])).toEqual([
        'alpha beta gamma …',
        'delta epsilon zeta …',
        'eta theta',
      ]);
      expect((await lab.calls()).map(({ chunk_index }) => chunk_index)).toEqual([0, 1, 2]);
    });

    it('reads several at once where it is told to, each once', async () => {
      const answer = answers.together(4, answers.good);
      await using lab = await openLab(create, () => answer);
      await lab.addCandidates(8);
      expect(await lab.run({ settings: { concurrency: 4 } })).toMatchObject({ read: 8, calls: 8 });
      expect(lab.model.busiest).toBe(4);
      expect(new Set(lab.saved.map(({ ts }) => ts)).size).toBe(8);
    });
  });

  describe('the cache', () => {
    it('answers the same question again without a call, a cost, or other events', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      await lab.run();
      await lab.addCandidate(message(1));
      expect(await lab.run()).toMatchObject({ read: 1, cached: 1, calls: 0, cost_usd: 0, events: 1 });
      expect(lab.saved[1]?.events).toEqual(lab.saved[0]?.events);
      expect(lab.model.requests).toHaveLength(1);
      const [cached] = (await lab.calls()).filter((call) => call.cached);
      expect(cached).toMatchObject({ cost_usd: 0, tokens_in: 0, tokens_out: 0, success: true, error_code: null });
    });

    it('ends with its time', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      await lab.run({ settings: { cacheTtlMs: 1000 } });
      await lab.addCandidate(message(1));
      lab.lateMs = 1000;
      expect(await lab.run()).toMatchObject({ read: 1, cached: 0, calls: 1 });
    });

    it.each([
      ['another model', { settings: { model: 'gpt-4o' } }],
      ['another temperature', { settings: { temperature: 0 } }],
    ])('does not answer for %s', async (_, changes) => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      await lab.run();
      await lab.addCandidate(message(1));
      expect(await lab.run(changes)).toMatchObject({ cached: 0, calls: 1 });
    });

    it('does not answer for an edited message', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      await lab.run();
      await lab.addCandidate(message(1, { text: { ...message(1).text, plain: 'Payments were rolled back' } }));
      expect(await lab.run()).toMatchObject({ cached: 0, calls: 1 });
    });

    it('keeps no failed answers', async () => {
      await using lab = await openLab(create, answers.inTurn(answers.malformed, answers.wrongShape, answers.good));
      await lab.addCandidates(1);
      await lab.run();
      await lab.addCandidate(message(1));
      const report = await lab.run();
      expect(report).toMatchObject({ cached: 1, events: 1 });
    });

    it('keeps the pieces that were answered when another one failed', async () => {
      await using lab = await openLab(create, ({ index }) => (index === 1 ? answers.refused : answers.good));
      const { text } = message(1);
      await lab.addCandidate(message(1, { text: { ...text, plain: 'alpha beta gamma delta' } }));
      const changes = { settings: { chunk: { tokens: 5, charsPerToken: 4 } } };
      expect(await lab.run(changes)).toMatchObject({ read: 0, failed: 1, calls: 2 });
      expect(await lab.run(changes)).toMatchObject({ read: 1, calls: 1, events: 2 });
    });
  });

  describe('failures', () => {
    /** Answer, its word in the record, and the delays before it is asked again. */
    const passing: [string, Answer, string, number[]][] = [
      ['malformed JSON', answers.malformed, 'bad_shape', [2000, 4000, 6000]],
      ['JSON of another shape', answers.wrongShape, 'bad_shape', [2000, 4000, 6000]],
      ['an answer that was cut off', answers.cutOff, 'cut_off', [2000, 4000, 6000]],
      ['a page that is no JSON', answers.noJson, 'no_completion', [2000, 4000, 6000]],
      ['an endless body', answers.endless, 'too_long', [2000, 4000, 6000]],
      ['a server error', answers.failure(500), 'http_500', [2000, 4000, 6000]],
      ['a gateway error', answers.failure(503, { code: 'overloaded' }), 'overloaded', [2000, 4000, 6000]],
      ['a rate limit', answers.rateLimited(), 'rate_limit_exceeded', [10_000, 20_000, 30_000]],
      ['a rate limit that tells its end', answers.rateLimited('7'), 'rate_limit_exceeded', [7000, 7000, 7000]],
      ['a broken connection', answers.reset, 'ECONNRESET', [2000, 4000, 6000]],
    ];

    it.each(passing)('asks again after %s, three times, and records each', async (_, answer, code, delays) => {
      await using lab = await openLab(create, answers.inTurn(answer, answer, answer, answers.good));
      await lab.addCandidates(1);
      expect(await lab.run()).toMatchObject({ read: 1, failed: 0, calls: 4 });
      expect(lab.slept).toEqual(delays);
      const calls = await lab.calls();
      expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
      expect(calls.map(({ success }) => success)).toEqual([false, false, false, true]);
      expect(calls[0]?.error_code).toMatch(code === 'ECONNRESET' ? /ECONNRESET|UND_ERR_SOCKET|connection_lost/ : code);
    });

    it.each(passing)('gives the candidate back after %s that does not pass', async (_, answer) => {
      await using lab = await openLab(create, () => answer);
      await lab.addCandidates(1);
      expect(await lab.run()).toMatchObject({ read: 0, failed: 1, calls: 4, stopped: null });
      expect(await lab.candidates()).toEqual([{ status: 'rules_ok', attempts: 1, reason: null, lease_owner: null }]);
      expect(lab.saved).toEqual([]);
    });

    it.each([
      ['hangs', answers.hang],
      ['stops in the middle', answers.stall],
    ])('asks again when the endpoint %s', async (_, answer) => {
      await using lab = await openLab(create, answers.inTurn(answer, answers.good));
      await lab.addCandidates(1);
      expect(await lab.run({ settings: { timeoutMs: 300 } })).toMatchObject({ read: 1, calls: 2 });
      expect(lab.slept).toEqual([5000]);
      expect((await lab.calls())[0]?.error_code).toBe('timeout');
    });

    it.each([
      ['a refusal', answers.refused, 'refusal'],
      ['a content filter', answers.filtered, 'content_filter'],
    ])('does not ask again in this run after %s', async (_, answer, code) => {
      await using lab = await openLab(create, ({ index }) => (index === 0 ? answer : answers.good));
      await lab.addCandidates(2);
      expect(await lab.run()).toMatchObject({ read: 1, failed: 1, calls: 2, stopped: null });
      expect((await lab.calls())[0]).toMatchObject({ success: false, error_code: code, tokens_in: 1234 });
    });

    it('gives a candidate up after three runs that failed on it, and says why', async () => {
      await using lab = await openLab(create, ({ user }) => (/number 1\b/.test(user) ? answers.refused : answers.good));
      await lab.addCandidates(1);
      await lab.run();
      await lab.run();
      expect(await lab.candidates()).toMatchObject([{ status: 'rules_ok', attempts: 2 }]);
      const report = await lab.run();
      expect(report.notes).toEqual(['1 message given up: the language model could not read it.']);
      expect(await lab.candidates()).toEqual([
        {
          status: 'llm_fail',
          attempts: 3,
          reason: 'the model or a filter declined to answer (refusal)',
          lease_owner: null,
        },
      ]);
      expect(await lab.run()).toMatchObject({ read: 0, failed: 0, calls: 0 });
    });

    it('goes back to what it was, whether the rules had read it or not', async () => {
      await using lab = await openLab(create, () => answers.refused);
      await lab.addCandidate(message(1), { status: 'new' });
      await lab.addCandidate(message(2), { status: 'rules_ok' });
      await lab.run();
      expect(await lab.statuses()).toEqual(['new', 'rules_ok']);
    });

    it.each([
      [401, 'invalid_api_key'],
      [403, 'unsupported_country_region_territory'],
      [404, 'model_not_found'],
      [402, 'payment_required'],
      [429, 'insufficient_quota'],
      [307, 'http_307'],
    ])('stops at once when the endpoint refuses us with %d %s', async (status, code) => {
      const headers = { location: 'http://127.0.0.1:9/elsewhere' };
      await using lab = await openLab(create, () =>
        answers.failure(status, { headers, ...(code.startsWith('http_') ? {} : { code }) }),
      );
      await lab.addCandidates(3);
      const report = await lab.run();
      expect(report).toMatchObject({ read: 0, failed: 0, calls: 1, cost_usd: 0, stopped: 'refused' });
      expect(report.notes[0]).toContain(code);
      expect(await lab.candidates()).toMatchObject(Array(3).fill({ status: 'rules_ok', attempts: 0 }));
    });

    it('stops when three in a row get no answer, and does not blame them', async () => {
      await using lab = await openLab(create, () => answers.failure(500));
      await lab.addCandidates(5);
      const report = await lab.run();
      expect(report).toMatchObject({ read: 0, failed: 3, calls: 12, stopped: 'unavailable' });
      expect(await lab.candidates()).toMatchObject(Array(5).fill({ status: 'rules_ok', attempts: 0 }));
    });

    it('stops when the endpoint accepts none of the requests', async () => {
      await using lab = await openLab(create, () => answers.failure(400, { code: 'unsupported_value' }));
      await lab.addCandidates(5);
      const report = await lab.run();
      expect(report).toMatchObject({ read: 0, failed: 3, stopped: 'refused', cost_usd: 0 });
      expect(report.notes[0]).toContain('unsupported_value');
      expect(await lab.candidates()).toMatchObject(Array(5).fill({ status: 'rules_ok', attempts: 0 }));
    });

    it('goes on when one request of many is not accepted', async () => {
      await using lab = await openLab(create, ({ user }) =>
        /number 2\b/.test(user) ? answers.failure(400, { code: 'context_length_exceeded' }) : answers.good,
      );
      await lab.addCandidates(4);
      expect(await lab.run()).toMatchObject({ read: 3, failed: 1, calls: 4, stopped: null });
      expect(await lab.candidates()).toMatchObject([
        { status: 'llm_ok' },
        { status: 'rules_ok', attempts: 1 },
        { status: 'llm_ok' },
        { status: 'llm_ok' },
      ]);
    });

    it('stops when it is asked to wait for very long', async () => {
      await using lab = await openLab(create, () => answers.rateLimited('3600'));
      await lab.addCandidates(2);
      expect(await lab.run()).toMatchObject({ calls: 1, stopped: 'unavailable' });
      expect(lab.slept).toEqual([]);
      expect(await lab.candidates()).toMatchObject(Array(2).fill({ status: 'rules_ok', attempts: 0 }));
    });

    it('ends at its deadline, in the middle of a call or before a wait, and counts no attempt', async () => {
      await using lab = await openLab(create, answers.inTurn(answers.rateLimited('60'), answers.good));
      await lab.addCandidates(2);
      const report = await lab.run({ options: { deadline: noon + 30_000 } });
      expect(report).toMatchObject({ read: 0, failed: 0, calls: 1, stopped: 'deadline' });
      expect(await lab.candidates()).toMatchObject(Array(2).fill({ status: 'rules_ok', attempts: 0 }));

      await using hanging = await openLab(create, () => answers.hang);
      await hanging.addCandidates(1);
      const begin = Date.now();
      const clock = { context: { now: () => noon + Date.now() - begin } };
      expect(await hanging.run({ ...clock, options: { deadline: noon + 400 } })).toMatchObject({
        calls: 1,
        stopped: 'deadline',
      });
      expect(await hanging.candidates()).toMatchObject([{ status: 'rules_ok', attempts: 0 }]);
    });

    it('writes neither messages nor answers nor the key into the record or the log', async () => {
      const secret = 'the merger with Acme';
      await using lab = await openLab(
        create,
        answers.inTurn(
          answers.failure(500, { message: `cannot read "${secret}" with sk-test`, code: secret }),
          answers.content(`${secret} {`),
          answers.events([answers.event({ summary: secret })]),
        ),
      );
      await lab.addCandidate(message(1, { text: { ...message(1).text, plain: secret } }));
      const events: unknown[] = [];
      const report = await lab.run({ context: { emit: (event) => events.push(event) } });
      expect(report.read).toBe(1);
      const told = JSON.stringify([await lab.calls(), lab.logged, report, events]);
      expect(told).not.toContain('merger');
      expect(told).not.toContain('sk-test');
      expect(lab.logged).toHaveLength(3);
    });
  });

  describe('endpoints that know less than OpenAI', () => {
    it('are asked for a JSON object when they do not know schemas, from then on at once', async () => {
      await using lab = await openLab(create, ({ body }) =>
        body.response_format?.type === 'json_schema' ? answers.failure(400, { code: 'invalid_request' }) : answers.good,
      );
      await lab.addCandidates(3);
      expect(await lab.run()).toMatchObject({ read: 3, failed: 0, calls: 4 });
      expect(lab.model.requests.map(({ body }) => body.response_format?.type)).toEqual([
        'json_schema',
        'json_object',
        'json_object',
        'json_object',
      ]);
      expect(lab.slept).toEqual([]);
    });

    it('are asked with the older limit, or for mere text', async () => {
      await using lab = await openLab(create, ({ body }) =>
        body.max_completion_tokens !== undefined || body.response_format !== undefined
          ? answers.failure(422)
          : answers.good,
      );
      await lab.addCandidates(2);
      expect(await lab.run()).toMatchObject({ read: 2, failed: 0, calls: 6 });
      expect(lab.model.requests.at(-1)?.body).toMatchObject({ max_tokens: 1000 });
    });
  });

  describe('money', () => {
    it('is recorded to the cent as the endpoint bills it, failed answers included', async () => {
      const script = [answers.good, answers.malformed, answers.wrongShape, answers.failure(400), answers.refused];
      let calls = 0;
      await using lab = await openLab(create, ({ index }) => {
        calls = index + 1;
        const answer = script[index % script.length] ?? answers.good;
        return answer.usage === null
          ? answer
          : answers.content(index % script.length === 0 ? '{"is_event":false}' : 'no', {
              usage: { prompt_tokens: 1000 + index * 7, completion_tokens: index * 13 },
            });
      });
      await lab.addCandidates(40);
      const report = await lab.run({ settings: { concurrency: 3 } });
      expect(calls).toBeGreaterThan(60);
      expect(report.calls).toBe(calls);
      expect(await recordedNanos(lab)).toBe(bill(lab.model.billed));
      expect(nanosOf(report.cost_usd)).toBe(bill(lab.model.billed));
      expect(nanosOf(report.spent_today_usd)).toBe(bill(lab.model.billed));
      expect(report.tokens_in).toBe(lab.model.billed.prompt_tokens);
      expect(report.tokens_out).toBe(lab.model.billed.completion_tokens);
    });

    it('is counted as the most it can have been where the endpoint does not tell', async () => {
      await using lab = await openLab(create, answers.inTurn(answers.hang, answers.failure(500), answers.withoutUsage));
      await lab.addCandidates(1);
      await lab.run({ settings: { timeoutMs: 300 } });
      const [hung, failed, good] = await lab.calls();
      const bytes = Buffer.byteLength((lab.model.requests[0]?.system ?? '') + (lab.model.requests[0]?.user ?? ''));
      expect(hung?.tokens_in).toBeGreaterThan(bytes);
      expect(hung?.tokens_out).toBe(1000);
      expect(failed).toMatchObject({ tokens_in: hung?.tokens_in, tokens_out: 0 });
      expect(good?.tokens_in).toBe(hung?.tokens_in);
      expect(good?.tokens_out).toBeGreaterThan(100);
      expect(await recordedNanos(lab)).toBe(
        [hung, failed, good].reduce(
          (sum, call) => sum + costOf({ input: call?.tokens_in ?? 0, output: call?.tokens_out ?? 0 }, price),
          0,
        ),
      );
    });

    it('costs nothing where nothing was sent', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      await lab.model[Symbol.asyncDispose]();
      expect(await lab.run()).toMatchObject({ read: 0, failed: 1, calls: 4, cost_usd: 0 });
      expect((await lab.calls())[0]).toMatchObject({ error_code: 'ECONNREFUSED', cost_usd: 0 });
    });

    it('that was spent stops the reading, gives the candidate back uncounted, and says so', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(9);
      const report = await lab.run({ settings: { budget: { usd: 0.002, tokens: null } } });
      expect(report.stopped).toBe('budget');
      expect(report.read).toBeGreaterThan(0);
      expect(report.read).toBeLessThan(9);
      expect(report.notes[0]).toMatch(/^The language model was not asked any more: of today's budget/);
      expect(report.spent_today_usd).toBeLessThanOrEqual(0.002);
      const rest = (await lab.candidates()).slice(report.read);
      expect(rest).toEqual(
        Array(9 - report.read).fill({ status: 'rules_ok', attempts: 0, reason: null, lease_owner: null }),
      );
      expect(await lab.run({ settings: { budget: { usd: 0.002, tokens: null } } })).toMatchObject({
        read: 0,
        calls: 0,
        stopped: 'budget',
      });
    });

    it('is there again on the next UTC day', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(9);
      const changes = { settings: { budget: { usd: 0.002, tokens: null } } };
      const first = await lab.run(changes);
      lab.lateMs = 12 * 3_600_000;
      const second = await lab.run(changes);
      expect(first.read).toBeGreaterThan(0);
      expect(second.read).toBeGreaterThan(0);
      expect(second.spent_today_usd).toBe(second.cost_usd);
    });

    it('is one budget for all workspaces', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(9);
      await lab.addCandidate(message(50, { team_id: 'T2' }));
      const changes = { settings: { budget: { usd: 0.002, tokens: null } } };
      await lab.run(changes);
      expect(await lab.run({ ...changes, context: { teamId: 'T2' } })).toMatchObject({ calls: 0, stopped: 'budget' });
    });

    it('may be limited in tokens too', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(9);
      const report = await lab.run({ settings: { budget: { usd: 10, tokens: 15_000 } } });
      expect(report.stopped).toBe('budget');
      expect(report.notes[0]).toContain('15000 tokens');
      expect(report.tokens_in + report.tokens_out).toBeLessThanOrEqual(15_000);
      expect(report.read).toBeGreaterThan(0);
    });

    it('that covers one more call is not spent twice by runs that ask for it at the same moment', async () => {
      // All but a little of what a call is reserved with: the second one does not fit, before the answer and after it.
      const usage: Usage = { prompt_tokens: 6500, completion_tokens: 1000 };
      await using lab = await openLab(create, () => answers.slow(50, answers.events([answers.event()], { usage })));
      await lab.addCandidates(12);
      const budget = { usd: usdOf(1.5 * bill(usage)), tokens: null };
      const stores = await Promise.all(Array.from({ length: 6 }, async () => thinksLong(await lab.otherStore())));
      const reports = await Promise.all(
        stores.map((store) => lab.run({ settings: { budget, concurrency: 1 }, context: { store } })),
      );
      expect(lab.model.requests).toHaveLength(1);
      expect(reports.map(({ stopped }) => stopped)).toEqual(Array(6).fill('budget'));
      expect(reports.reduce((sum, { calls }) => sum + calls, 0)).toBe(1);
    });

    it('never goes beyond the budget, also when two runs spend it at once', async () => {
      const usage: Usage = { prompt_tokens: 6000, completion_tokens: 1000 };
      await using lab = await openLab(create, () => answers.slow(20, answers.events([answers.event()], { usage })));
      await lab.addCandidates(40);
      const budget = { usd: 0.01, tokens: null };
      const other = await lab.otherStore();
      const reports = await Promise.all([
        lab.run({ settings: { budget, concurrency: 3 } }),
        lab.run({ settings: { budget, concurrency: 3 }, context: { store: other } }),
      ]);
      expect(usdOf(bill(lab.model.billed))).toBeLessThanOrEqual(0.01);
      expect(await recordedNanos(lab)).toBe(bill(lab.model.billed));
      expect(reports.map(({ stopped }) => stopped)).toContain('budget');
      const ts = lab.saved.map((saved) => saved.ts);
      expect(new Set(ts).size).toBe(ts.length);
      expect(ts.length).toBe(reports.reduce((sum, { read }) => sum + read, 0));
      expect((await lab.candidates()).filter(({ lease_owner }) => lease_owner !== null)).toEqual([]);
    });

    it('is not asked for again by an endpoint that bills more than it can have read', async () => {
      const usage: Usage = { prompt_tokens: 500_000_000, completion_tokens: 1 };
      await using lab = await openLab(create, () => answers.events([answers.event()], { usage }));
      await lab.addCandidates(3);
      const report = await lab.run();
      expect(report).toMatchObject({ read: 1, calls: 1, stopped: 'budget', spent_today_usd: usdOf(bill(usage)) });
    });

    it('that is nearly spent is kept for the best tenth', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(20);
      // What was spent before, today.
      await lab.addCandidate(message(90), { score: -1 });
      await lab.run({
        settings: {
          maxCandidates: 1,
          prices: { 'gpt-5-nano': { input: 8.01e6 / 1234, output: 0 } },
          budget: { usd: 1e9, tokens: null },
        },
      });
      const report = await lab.run();
      expect(report.spent_today_usd).toBeCloseTo(8.01, 2);
      // 20 candidates were left: those of the third-highest score and above.
      expect(report).toMatchObject({ read: 3, stopped: null });
      expect(report.notes[0]).toContain('best tenth');
    });
  });

  describe('leases', () => {
    it('of a run that was killed end, and the next run reads the candidate', async () => {
      await using lab = await openLab(create, answers.inTurn(answers.hang, answers.good));
      await lab.addCandidates(1);
      // Neither ended nor told: as a process that was killed in the middle of a call.
      const abandoned = lab.run({ context: { store: await lab.otherStore() }, settings: { timeoutMs: 2_000_000 } });
      abandoned.catch(() => {});
      while (lab.model.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));

      expect(await lab.run()).toMatchObject({ read: 0, calls: 0 });
      lab.lateMs = 3_600_000;
      expect(await lab.run()).toMatchObject({ read: 1, events: 1, calls: 1 });
      expect(await lab.candidates()).toMatchObject([{ status: 'llm_ok', attempts: 2, lease_owner: null }]);
      const [unfinished] = await lab.calls();
      expect(unfinished).toMatchObject({ success: false, error_code: 'unfinished', tokens_out: 1000 });
      expect(lab.saved).toHaveLength(1);
      // What the first one still gets to hear changes nothing.
      await lab.model[Symbol.asyncDispose]();
    });

    it('that ended three times give the candidate up', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidate(message(1), {
        status: 'processing',
        attempts: 3,
        lease_owner: 'gone',
        lease_expires_at: millisToIso(noon),
      });
      expect(await lab.run()).toMatchObject({ read: 0, calls: 0 });
      expect(await lab.candidates()).toEqual([
        {
          status: 'llm_fail',
          attempts: 3,
          reason: 'given up after 3 attempts, the last of which did not end',
          lease_owner: null,
        },
      ]);
    });

    it('keep two runs at once from reading the same candidate', async () => {
      await using lab = await openLab(create, () => answers.slow(10, answers.good));
      await lab.addCandidates(20);
      const other = await lab.otherStore();
      const reports = await Promise.all([
        lab.run({ settings: { concurrency: 2 } }),
        lab.run({ settings: { concurrency: 2 }, context: { store: other } }),
      ]);
      expect(reports.map(({ read }) => read).reduce((a, b) => a + b)).toBe(20);
      expect(lab.model.requests).toHaveLength(20);
      expect(lab.saved).toHaveLength(20);
    });

    it('that somebody else took over make the answer worthless', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      const context = lab.context();
      const report = await lab.run({
        context: {
          model: {
            async complete(request, signal) {
              const answer = await context.model.complete(request, signal);
              // The message was edited, and scoring has put it back.
              await lab.addCandidate(message(1), { status: 'new' });
              return answer;
            },
          },
        },
      });
      expect(report).toMatchObject({ read: 0, failed: 0, calls: 1 });
      expect(lab.saved).toEqual([]);
      expect(await lab.candidates()).toMatchObject([{ status: 'new', attempts: 0 }]);
    });

    it('that are lost between two calls end the asking', async () => {
      await using lab = await openLab(create, () => answers.malformed);
      await lab.addCandidates(1);
      const sleep = () => lab.addCandidate(message(1), { status: 'new', attempts: 3 });
      expect(await lab.run({ context: { sleep } })).toMatchObject({ read: 0, failed: 0, calls: 1 });
      expect(await lab.candidates()).toMatchObject([{ status: 'new', attempts: 3 }]);
    });

    it('asked for at the same moment are of different candidates, one for each who asks', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(12);
      const stores = await Promise.all(Array.from({ length: 6 }, () => lab.otherStore()));
      const leased = await Promise.all(
        stores.map((store, owner) =>
          store.transaction((tx) =>
            tx.leases.lease(
              { teamId, channelIds: [channelId], ...range },
              { owner: `${owner}`, now: range.to, expiresAt: range.to, limit: 2, minScore: null, except: [] },
            ),
          ),
        ),
      );
      expect(leased.map((candidates) => candidates.length)).toEqual(Array(6).fill(2));
      expect(new Set(leased.flat().map(({ ts }) => ts)).size).toBe(12);
    });

    it('are given back uncounted when the run is stopped', async () => {
      await using lab = await openLab(create, () => answers.hang);
      await lab.addCandidates(3);
      const stop = new AbortController();
      const run = lab.run({ settings: { concurrency: 2 }, context: { signal: stop.signal } });
      const stopped = expect(run).rejects.toThrow('stopped by a person');
      while (lab.model.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      stop.abort(new Error('stopped by a person'));
      await stopped;
      expect(await lab.candidates()).toEqual(
        Array(3).fill({ status: 'rules_ok', attempts: 0, reason: null, lease_owner: null }),
      );
      expect((await lab.calls()).map(({ error_code }) => error_code)).toEqual(['unfinished', 'unfinished']);
    });
  });

  it('ends with every candidate read or given up, whatever the endpoint does and whoever stops the runs', async () => {
    const script = [
      answers.good,
      answers.malformed,
      answers.cutOff,
      answers.refused,
      answers.good,
      answers.failure(500),
      answers.noEvent,
      answers.rateLimited(),
      answers.failure(400),
      answers.reset,
      answers.slow(15, answers.good),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.nat(script.length - 1)),
        fc.infiniteStream(fc.nat(120)),
        async (picks, stops) => {
          await using lab = await openLab(create, () => script[picks.next().value ?? 0] ?? answers.good);
          await lab.addCandidates(10);
          const other = await lab.otherStore();
          const run = async (store: Store) => {
            const stop = new AbortController();
            const ms = stops.next().value ?? 0;
            const timer = setTimeout(() => stop.abort(new Error('stopped')), ms < 60 ? ms : 60_000);
            try {
              const changes = { settings: { concurrency: 2 }, context: { store, signal: stop.signal } };
              expect((await lab.run(changes)).stopped).toBeOneOf([null, 'unavailable', 'refused']);
            } catch (error) {
              if (!stop.signal.aborted || error !== stop.signal.reason) throw error;
            } finally {
              clearTimeout(timer);
            }
          };
          const isOver = async () =>
            (await lab.statuses()).every((status) => status === 'llm_ok' || status === 'llm_fail');
          for (let round = 0; round < 60 && !(await isOver()); round += 1) {
            await Promise.all([run(lab.store), run(other)]);
            expect((await lab.candidates()).filter(({ lease_owner }) => lease_owner !== null)).toEqual([]);
          }
          expect(await isOver()).toBe(true);
          const read = (await lab.statuses()).filter((status) => status === 'llm_ok').length;
          expect(lab.saved).toHaveLength(read);
          expect(await recordedNanos(lab)).toBeGreaterThanOrEqual(bill(lab.model.billed));
        },
      ),
      { numRuns: 4 },
    );
  }, 60_000);

  describe('events that cannot be stored', () => {
    it('leave the candidate as it was when the database fails', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(1);
      const save = async () => {
        throw new DatabaseError('the disk is full');
      };
      await expect(lab.run({ context: { save } })).rejects.toThrow('the disk is full');
      expect(await lab.candidates()).toMatchObject([{ status: 'rules_ok', attempts: 0, lease_owner: null }]);
    });

    it('give the candidate up when the database refuses just them, and the others are read', async () => {
      await using lab = await openLab(create, () => answers.good);
      await lab.addCandidates(2);
      const { save } = lab.context();
      const report = await lab.run({
        context: {
          async save(tx, read, events, facts) {
            if (read.ts === tsOf(1)) throw new RefusedContentError('too long for an index');
            return save(tx, read, events, facts);
          },
        },
      });
      expect(report).toMatchObject({ read: 1, failed: 1 });
      expect(await lab.statuses()).toEqual(['llm_fail', 'llm_ok']);
    });
  });

  it('says before it begins that nobody knows what a model costs', async () => {
    await using lab = await openLab(create, () => answers.good);
    await expect(lab.run({ settings: { model: 'llama-9' } })).rejects.toThrow('"llama-9" costs');
    expect(settings.prices).toEqual({});
  });
});
