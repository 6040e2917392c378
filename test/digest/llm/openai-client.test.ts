/** What one call sends, and what it makes of what comes back. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ChatRequest, requestForms } from '../../../src/digest/llm/chat-model.ts';
import { openAiModel } from '../../../src/digest/llm/openai-client.ts';
import * as answers from '../../stand-in-llm/answers.ts';
import { type Answer, openModel } from '../../stand-in-llm/server.ts';

const request: ChatRequest = {
  model: 'gpt-5-nano',
  temperature: 1,
  system: 'the rules, in JSON',
  user: 'a secret message',
  form: requestForms[0],
  schema: { name: 'answer', schema: { type: 'object' } },
  maxOutputTokens: 100,
  timeoutMs: 5000,
};
const never = new AbortController().signal;

async function answerTo(answer: Answer, changes: Partial<ChatRequest> = {}) {
  await using endpoint = await openModel(() => answer);
  const model = openAiModel({ baseUrl: endpoint.baseUrl, apiKey: 'sk-test', proxy: null });
  return await model.complete({ ...request, ...changes }, never);
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('a call', () => {
  it('brings the text and the tokens', async () => {
    expect(await answerTo(answers.content('{}', { usage: { prompt_tokens: 5, completion_tokens: 7 } }))).toEqual({
      ok: true,
      content: '{}',
      isCutOff: false,
      usage: { input: 5, output: 7 },
    });
  });

  it('tells that an answer was cut off, and believes no nonsense about tokens', async () => {
    const usage = { prompt_tokens: -5, completion_tokens: 0.5 };
    expect(await answerTo(answers.content('{"a', { finishReason: 'length', usage }))).toEqual({
      ok: true,
      content: '{"a',
      isCutOff: true,
      usage: null,
    });
  });

  it('is made once, whatever comes back', async () => {
    for (const answer of [answers.failure(500), answers.rateLimited('1'), answers.reset]) {
      await using endpoint = await openModel(() => answer);
      const model = openAiModel({ baseUrl: endpoint.baseUrl, apiKey: 'sk-test', proxy: null });
      expect(await model.complete(request, never)).toMatchObject({ ok: false });
      expect(endpoint.requests).toHaveLength(1);
    }
  });

  it('takes nothing from the environment and tells nothing of the machine', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/elsewhere');
    vi.stubEnv('OPENAI_API_KEY', 'sk-environment');
    vi.stubEnv('OPENAI_ORG_ID', 'org-environment');
    vi.stubEnv('OPENAI_PROJECT_ID', 'proj-environment');
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'X-Spy: 1\nAuthorization: Bearer sk-other');
    await using endpoint = await openModel(() => answers.good);
    const model = openAiModel({ baseUrl: endpoint.baseUrl, apiKey: 'sk-test', proxy: null });
    expect(await model.complete(request, never)).toMatchObject({ ok: true });
    const [sent] = endpoint.requests;
    expect(sent?.authorization).toBe('Bearer sk-test');
    expect(Object.keys(sent?.headers ?? {}).filter((name) => /^(x-|openai-)/.test(name))).toEqual([]);
  });

  it('prints nothing, not even when the SDK is told to', async () => {
    vi.stubEnv('OPENAI_LOG', 'debug');
    const printed = (['log', 'debug', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    await answerTo(answers.good);
    await answerTo(answers.failure(500));
    await answerTo(answers.reset);
    for (const spy of [...printed, ...written]) expect(spy).not.toHaveBeenCalled();
  });

  it('ends at its time, in the middle of a body too', async () => {
    for (const answer of [answers.hang, answers.stall]) {
      const begin = performance.now();
      expect(await answerTo(answer, { timeoutMs: 200 })).toMatchObject({
        ok: false,
        failure: { kind: 'timeout', charge: 'all' },
      });
      expect(performance.now() - begin).toBeLessThan(3000);
    }
  });

  it('ends with the reason of the signal, and is not begun after it fired', async () => {
    await using endpoint = await openModel(() => answers.hang);
    const model = openAiModel({ baseUrl: endpoint.baseUrl, apiKey: 'sk-test', proxy: null });
    const stop = new AbortController();
    const call = expect(model.complete(request, stop.signal)).rejects.toThrow('enough');
    while (endpoint.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error('enough'));
    await call;
    await expect(model.complete(request, stop.signal)).rejects.toThrow('enough');
    expect(endpoint.requests).toHaveLength(1);
  });

  it('does not follow redirects, which would carry the message elsewhere', async () => {
    await using elsewhere = await openModel(() => answers.good);
    const headers = { location: `${elsewhere.baseUrl}/chat/completions` };
    expect(await answerTo(answers.failure(307, { headers }))).toMatchObject({ failure: { kind: 'refused' } });
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('a failure', () => {
  it.each([
    [400, 'bad_request', 'nothing'],
    [401, 'refused', 'nothing'],
    [403, 'refused', 'nothing'],
    [404, 'refused', 'nothing'],
    [408, 'timeout', 'all'],
    [413, 'bad_request', 'nothing'],
    [422, 'bad_request', 'nothing'],
    [429, 'rate_limited', 'nothing'],
    [500, 'server', 'input'],
    [503, 'server', 'input'],
    [504, 'server', 'all'],
  ])('of status %d is %s, and may have cost %s', async (status, kind, charge) => {
    expect(await answerTo(answers.failure(status))).toEqual({
      ok: false,
      usage: null,
      failure: { kind, charge, code: `http_${status}`, retryAfterMs: null },
    });
  });

  it.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': '7', 'retry-after-ms': '1500' }, 1500],
    [{ 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT', date: 'Fri, 20 Nov 2026 12:00:00 GMT' }, 30_000],
    [{ 'retry-after': 'Fri, 20 Nov 2015 12:00:30 GMT' }, 0],
    [{ 'retry-after': 'soon' }, null],
  ])('tells when to ask again: %o', async (headers, retryAfterMs) => {
    expect(await answerTo(answers.failure(429, { headers }))).toMatchObject({ failure: { retryAfterMs } });
  });

  it('never repeats words of the message or of the answer', async () => {
    const quoting = answers.failure(400, { message: 'cannot read "a secret message"', code: 'a secret message' });
    expect(JSON.stringify(await answerTo(quoting))).not.toContain('secret');
  });
});
