/** What the SDK makes of real HTTP answers; these tests fail when a new version of it behaves differently. */
import { expect, test, vi } from 'vitest';
import type { Send } from '../../src/slack/answer.ts';
import { openClient } from '../../src/slack/client.ts';
import type { Answerer } from './tiny-server.ts';
import { json, ok, refusal, reset, serve, silent, stalled, text, truncated, unusedUrl } from './tiny-server.ts';

const rateLimited = (retryAfterMs?: number) => ({ ok: false, failure: { type: 'rate_limited', retryAfterMs } });
const network = (code: string) => ({ ok: false, failure: { type: 'network', code } });
const badBody = { ok: false, failure: { type: 'bad_body' } };

function open(apiUrl: string, options: { token?: string; signal?: AbortSignal; timeoutMs?: number } = {}): Send {
  return openClient({
    token: options.token ?? 'xoxb-one',
    apiUrl: new URL(apiUrl),
    proxy: null,
    timeoutMs: options.timeoutMs ?? 2000,
    signal: options.signal ?? new AbortController().signal,
    onDate: () => undefined,
  });
}

const cases: [name: string, answer: Answerer, expected: object][] = [
  ['a result', ok({ n: 1 }), { ok: true, body: { ok: true, n: 1 } }],
  ['429 with Retry-After', text('', 429, { 'retry-after': '30' }), rateLimited(30_000)],
  ['429 without Retry-After', text('', 429), rateLimited()],
  [
    '429 with a date, which counts from the date of the answer',
    text('', 429, { date: 'Wed, 21 Oct 2026 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }),
    rateLimited(30_000),
  ],
  ['429 with what is neither seconds nor a date', text('', 429, { 'retry-after': 'later' }), rateLimited()],
  ['ratelimited in a 200 body', refusal('ratelimited'), rateLimited()],
  [
    'rate_limited in a 200 body',
    json({ ok: false, error: 'rate_limited' }, 200, { 'retry-after': '7' }),
    rateLimited(7000),
  ],
  ['a refusal', refusal('not_in_channel'), { ok: false, failure: { type: 'refused', code: 'not_in_channel' } }],
  [
    'a missing scope',
    refusal('missing_scope', { needed: 'users:read' }),
    { ok: false, failure: { needed: 'users:read' } },
  ],
  ['HTML with status 200', text('<html>sign in</html>'), badBody],
  ['truncated JSON', text('{"ok":true,"messages":['), badBody],
  ['an empty body', text(''), badBody],
  ['a refusal without a code', json({ ok: false }), badBody],
  ['null', text('null'), badBody],
  ['a number', text('12'), badBody],
  ['a list', text('[]'), badBody],
  ['metadata that is null', ok({ response_metadata: null }), { ok: true, body: { response_metadata: {} } }],
  ['no content', text('', 204), { ok: false, failure: { type: 'http', status: 204 } }],
  ['HTTP 503', text('<html>', 503), { ok: false, failure: { type: 'http', status: 503 } }],
  [
    'HTTP 503 with Retry-After',
    text('', 503, { 'retry-after': '12' }),
    { ok: false, failure: { type: 'http', status: 503, retryAfterMs: 12_000 } },
  ],
  ['HTTP 404', text('not found', 404), { ok: false, failure: { type: 'http', status: 404 } }],
  ['a redirect', text('', 302, { location: 'https://login.example/' }), network('redirected')],
  ['a body that breaks off', truncated, network('connection_lost')],
];

test.each(cases)('%s is understood, after one request', async (_, answer, expected) => {
  const server = await serve(answer);
  await expect(open(server.apiUrl)('users.list', {})).resolves.toMatchObject(expected);
  expect(server.requests).toHaveLength(1);
});

test('a connection that is reset is a network failure', async () => {
  const server = await serve(reset);
  const answer = await open(server.apiUrl)('users.list', {});
  expect(answer).toMatchObject({
    ok: false,
    failure: { type: 'network', code: expect.stringMatching(/^(ECONNRESET|connection_lost)$/) },
  });
});

test('a connection that is refused is a network failure', async () => {
  const answer = await open(await unusedUrl())('users.list', {});
  expect(answer).toMatchObject(network('ECONNREFUSED'));
});

test.each([
  ['before the headers', silent],
  ['within the body', stalled],
])('silence %s ends with the timeout', async (_, answer) => {
  const server = await serve(answer);
  await expect(open(server.apiUrl, { timeoutMs: 60 })('users.list', {})).resolves.toMatchObject(network('timeout'));
});

test('the signal ends a call under way at once, with its reason', async () => {
  const server = await serve(stalled);
  const stop = new AbortController();
  const call = open(server.apiUrl, { signal: stop.signal, timeoutMs: 60_000 })('users.list', {});
  await vi.waitFor(() => expect(server.requests).toHaveLength(1));
  stop.abort(new Error('stopped by the test'));
  await expect(call).rejects.toThrow('stopped by the test');
});

test('no call starts after the signal', async () => {
  const server = await serve(ok());
  const call = open(server.apiUrl, { signal: AbortSignal.abort(new Error('stopped')) })('users.list', {});
  await expect(call).rejects.toThrow('stopped');
  expect(server.requests).toEqual([]);
});

test('two clients never mix their tokens', async () => {
  const server = await serve(ok());
  const one = open(server.apiUrl, { token: 'xoxb-one' });
  const two = open(server.apiUrl, { token: 'xoxp-two' });
  await Promise.all([one('users.list', {}), two('users.list', {}), one('users.info', {}), two('users.info', {})]);
  const sent = server.requests.map(({ method, authorization }) => `${method} ${authorization}`).sort();
  expect(sent).toEqual([
    'users.info Bearer xoxb-one',
    'users.info Bearer xoxp-two',
    'users.list Bearer xoxb-one',
    'users.list Bearer xoxp-two',
  ]);
});

test('scopes come from the header', async () => {
  const server = await serve(json({ ok: true }, 200, { 'x-oauth-scopes': 'channels:read,users:read' }));
  await expect(open(server.apiUrl)('auth.test', {})).resolves.toMatchObject({
    body: { response_metadata: { scopes: ['channels:read', 'users:read'] } },
  });
});

test('nothing is written to stdout or stderr', async () => {
  const out = vi.spyOn(process.stdout, 'write');
  const err = vi.spyOn(process.stderr, 'write');
  const server = await serve(
    text('', 429, { 'retry-after': '1' }),
    text('', 500),
    ok({ response_metadata: { warnings: ['w'] } }),
  );
  const send = open(server.apiUrl);
  for (let i = 0; i < 3; i += 1) await send('users.list', {});
  expect([out.mock.calls, err.mock.calls]).toEqual([[], []]);
  out.mockRestore();
  err.mockRestore();
});
