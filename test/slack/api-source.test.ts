import { inspect } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { ObjectPage, PaceState, Ts } from '../../src/model.ts';
import type { SlackApiHandle, SlackApiOptions } from '../../src/slack/api-source.ts';
import { openSlackApi } from '../../src/slack/api-source.ts';
import type { RunEvent } from '../../src/sync/events.ts';
import { parseTs } from '../../src/ts.ts';
import type { TinyServer } from './tiny-server.ts';
import { json, ok, refusal, reset, serve, silent, text, truncated } from './tiny-server.ts';

const token = 'xoxb-very-secret';
const identity = { team_id: 'T1', team: 'Acme', url: 'https://acme.slack.com/', user_id: 'U1' };

function open(server: TinyServer, options: Partial<SlackApiOptions> = {}) {
  const events: RunEvent[] = [];
  const api = openSlackApi({
    token,
    apiUrl: server.apiUrl,
    pace: 'off',
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    timeoutMs: 2000,
    ...options,
  });
  return { api, events };
}

async function all(pages: AsyncIterable<ObjectPage>): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const { items } of pages) ids.push(...items.map(({ id }) => id));
  return ids;
}

function tsList(count: number): { ts: Ts }[] {
  return Array.from({ length: count }, (_, i) => ({ ts: parseTs(`1700000000.${String(i).padStart(6, '0')}`) }));
}

const channelPage = (ids: string[], next_cursor = '') =>
  ok({ channels: ids.map((id) => ({ id })), response_metadata: { next_cursor } });

describe('listings', () => {
  test('go on over empty pages until there is no cursor', async () => {
    const server = await serve(channelPage(['C1'], 'a'), channelPage([], 'b'), channelPage(['C2']));
    const { api } = open(server);
    expect(await all(api.channels(['public', 'private', 'im', 'mpim']))).toEqual(['C1', 'C2']);
    expect(server.requests.map(({ args }) => args.cursor)).toEqual([undefined, 'a', 'b']);
    expect(server.requests[0]).toMatchObject({
      method: 'conversations.list',
      args: { types: 'public_channel,private_channel,im,mpim', exclude_archived: 'false', limit: '999' },
    });
  });

  test('begin anew when a cursor has expired', async () => {
    const server = await serve(
      channelPage(['C1'], 'a'),
      refusal('invalid_cursor'),
      channelPage(['C1'], 'b'),
      channelPage(['C2']),
    );
    const { api } = open(server);
    expect(await all(api.channels(['public']))).toEqual(['C1', 'C1', 'C2']);
  });

  test('fail when cursors keep expiring', async () => {
    const server = await serve(refusal('invalid_cursor'));
    await expect(all(open(server).api.users())).rejects.toMatchObject({ kind: 'cursor', code: 'invalid_cursor' });
    expect(server.requests).toHaveLength(3);
  });

  test('fail when cursors run in a circle', async () => {
    const server = await serve(channelPage(['C1'], 'a'), channelPage(['C2'], 'b'), channelPage(['C3'], 'a'));
    await expect(all(open(server).api.channels(['public']))).rejects.toMatchObject({
      kind: 'cursor',
      code: 'cursor_loop',
    });
  });

  test('call nothing when no kind is wanted', async () => {
    const server = await serve(ok());
    expect(await all(open(server).api.channels([]))).toEqual([]);
    expect(server.requests).toEqual([]);
  });
});

describe('the workspace', () => {
  test('is sent with listings once it is known', async () => {
    const server = await serve(ok(identity), channelPage([]), ok({ members: [] }), ok({ usergroups: [] }));
    const { api } = open(server);
    expect(await api.identify()).toMatchObject({ teamId: 'T1', teamName: 'Acme', scopes: null });
    await all(api.channels(['public']));
    await all(api.users());
    await api.usergroups();
    expect(server.requests.map(({ args }) => args.team_id)).toEqual([undefined, 'T1', 'T1', 'T1']);
  });

  test("must be named for an organisation's token", async () => {
    const server = await serve(ok({ ...identity, team_id: 'E1', is_enterprise_install: true }));
    await expect(open(server).api.identify()).rejects.toThrow(UsageError);
    expect(await open(server, { teamId: 'T7' }).api.identify()).toMatchObject({ teamId: 'T7' });
  });
});

describe('messages', () => {
  test('are asked for with exclusive bounds, in the largest pages', async () => {
    const server = await serve(ok({ messages: [] }));
    const { api } = open(server);
    await api.history({ channel: 'C1', oldest: parseTs('1700000000.000100'), latest: parseTs('1700000009.123450') });
    await api.replies({ channel: 'C1', ts: parseTs('1700000001.100000'), cursor: 'a' });
    expect(server.requests.map(({ args }) => args)).toEqual([
      {
        channel: 'C1',
        oldest: '1700000000.000100',
        latest: '1700000009.123450',
        limit: '999',
        include_all_metadata: 'true',
      },
      { channel: 'C1', ts: '1700000001.100000', cursor: 'a', limit: '200', include_all_metadata: 'true' },
    ]);
  });

  test('survive a page without messages, a truncated and a reset one', async () => {
    const server = await serve(ok(), truncated, reset, text('<html>'), text('', 500), ok({ messages: tsList(2) }));
    const page = await open(server).api.history({ channel: 'C1' });
    expect(page.messages).toHaveLength(2);
    expect(server.requests).toHaveLength(6);
  });
});

describe('a restricted app', () => {
  const page15 = ok({ messages: tsList(15), has_more: true });

  test('is noticed by pages of fifteen, said once, and kept for the next run', async () => {
    const stored: PaceState[][] = [];
    const { api, events } = open(await serve(page15), { onPaceChange: (states) => void stored.push(states) });
    await api.history({ channel: 'C1' });
    await api.replies({ channel: 'C1', ts: parseTs('1700000001.100000') });
    expect(events.filter(({ type }) => type === 'notice')).toHaveLength(1);
    expect(stored.at(-1)?.map(({ method, isRestricted }) => [method, isRestricted])).toEqual([
      ['conversations.history', true],
      ['conversations.replies', true],
    ]);
  });

  test('that is none any more is forgotten', async () => {
    const states = [{ method: 'conversations.history', notBefore: 0, recentCalls: [], isRestricted: true }];
    const { api } = open(await serve(ok({ messages: tsList(16) })), { paceStates: states });
    await api.history({ channel: 'C1' });
    expect(api.paceSnapshot()).toMatchObject([{ isRestricted: false }]);
  });

  test('is not suspected for a last page of fifteen', async () => {
    const { api, events } = open(await serve(ok({ messages: tsList(15), has_more: false })));
    await api.history({ channel: 'C1' });
    expect(events.filter(({ type }) => type === 'notice')).toEqual([]);
  });
});

describe('refusals', () => {
  test('of the token cost exactly one request', async () => {
    const server = await serve(refusal('invalid_auth'));
    await expect(open(server).api.identify()).rejects.toMatchObject({ kind: 'auth', code: 'invalid_auth' });
    expect(server.requests).toHaveLength(1);
  });

  test('for a scope name it', async () => {
    const server = await serve(refusal('missing_scope', { needed: 'usergroups:read', provided: 'chat:write' }));
    await expect(open(server).api.usergroups()).rejects.toMatchObject({ kind: 'scope', needed: 'usergroups:read' });
  });

  test('of a user pass the code on', async () => {
    await expect(open(await serve(refusal('user_not_found'))).api.user('U9')).rejects.toMatchObject({
      code: 'user_not_found',
    });
  });

  test('of joining come before any request', async () => {
    const server = await serve(ok());
    await expect(open(server).api.join('C1')).rejects.toMatchObject({ code: 'join_not_allowed' });
    expect(server.requests).toEqual([]);
    await open(server, { allowJoin: true }).api.join('C1');
    expect(server.requests).toMatchObject([{ method: 'conversations.join', args: { channel: 'C1' } }]);
  });
});

describe('rate limits', () => {
  test('are stored as soon as they come', async () => {
    const stored: PaceState[][] = [];
    const server = await serve(text('', 429, { 'retry-after': '1' }), ok({ user: { id: 'U1' } }));
    const { api } = open(server, { onPaceChange: (states) => void stored.push(states) });
    const before = Date.now();
    await api.user('U1');
    expect(Date.now() - before).toBeGreaterThanOrEqual(1000);
    expect(stored).toHaveLength(1);
    expect(stored[0]?.[0]?.notBefore).toBeGreaterThanOrEqual(before + 1000);
    expect(api).toMatchObject({ rateLimited: 1, requests: { 'users.info': 2 } });
  });

  test('are not slept through once the run is stopped', async () => {
    const stop = new AbortController();
    const server = await serve(text('', 429, { 'retry-after': '3600' }));
    const { api, events } = open(server, { signal: stop.signal });
    const call = api.user('U1');
    call.catch(() => {});
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: 'waiting', reason: 'rate_limit' }));
    stop.abort(new Error('stopped'));
    await expect(call).rejects.toThrow('stopped');
  });
});

describe('the token', () => {
  const failing: [name: string, call: (api: SlackApiHandle) => Promise<unknown>][] = [
    ['users.info', (api) => api.user('U1')],
    ['auth.test', (api) => api.identify()],
  ];

  test.each(failing)('is in no error and no event of %s', async (_, call) => {
    const echo = (request: { authorization: string | undefined }) => `<html>${request.authorization}</html>`;
    const server = await serve(
      (request, response) => response.end(echo(request)),
      (request, response) => response.writeHead(500).end(echo(request)),
      (request, response) => response.writeHead(404).end(echo(request)),
    );
    const { api, events } = open(server);
    const error = await call(api).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'http_404' });
    // inspect shows the stack and all causes, as a debug log would.
    expect(inspect([events, error], { depth: null })).not.toContain(token);
  });

  test.each(['', 'xoxb-1\n', ' xoxb-1', 'xoxb-é'])('may not be %j', async (bad) => {
    const server = await serve(ok());
    expect(() => open(server, { token: bad })).toThrow(UsageError);
  });
});

test('a hanging call is tried again after the timeout', async () => {
  const server = await serve(silent, ok({ user: { id: 'U1' } }));
  const { api, events } = open(server, { timeoutMs: 60 });
  await api.user('U1');
  expect(events).toContainEqual(expect.objectContaining({ type: 'retry', code: 'timeout' }));
});

test('the budget of requests ends the run', async () => {
  const server = await serve(json({ ok: true, user: { id: 'U1' } }));
  const { api } = open(server, { budget: { left: 2 } });
  await api.user('U1');
  await api.user('U1');
  await expect(api.user('U1')).rejects.toMatchObject({ budget: 'requests' });
});
