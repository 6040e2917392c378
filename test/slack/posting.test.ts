/** Posting: what goes to Slack, how often, and what is known when it fails. */
import { describe, expect, test } from 'vitest';
import { SlackError } from '../../src/errors.ts';
import { exitCodes } from '../../src/exit-codes.ts';
import type { OutgoingMessage } from '../../src/model.ts';
import { openSlackApi, type SlackApiOptions } from '../../src/slack/api-source.ts';
import { parseTs } from '../../src/ts.ts';
import { json, ok, refusal, reset, serve, silent, stalled, type TinyServer, text, truncated } from './tiny-server.ts';

const message: OutgoingMessage = {
  channel: 'C1',
  text: 'Event Digest',
  blocks: [{ type: 'divider' }],
  metadata: { event_type: 'slackingest_digest', event_payload: { digest_id: 'd', chunk_no: 0 } },
};
const posted = ok({ channel: 'C1', ts: '1700000001.123450', message: {} });
const claim = async () => () => {};

function open(server: TinyServer, options: Partial<SlackApiOptions> = {}) {
  return openSlackApi({
    token: 'xoxb-secret',
    apiUrl: server.apiUrl,
    pace: 'off',
    allowPost: true,
    emit: () => {},
    signal: new AbortController().signal,
    timeoutMs: 300,
    ...options,
  });
}

async function failureOf(work: Promise<unknown>): Promise<SlackError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SlackError) return error;
  throw new Error(`expected a SlackError, got ${String(error)}`);
}

describe('a message', () => {
  test('arrives with its blocks and metadata as JSON, and shows no previews', async () => {
    const server = await serve(posted);
    const answer = await open(server).post(message, claim);
    expect(answer).toEqual({ channel: 'C1', ts: '1700000001.123450' });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: 'chat.postMessage',
      args: {
        channel: 'C1',
        text: 'Event Digest',
        blocks: '[{"type":"divider"}]',
        metadata: '{"event_type":"slackingest_digest","event_payload":{"digest_id":"d","chunk_no":0}}',
        unfurl_links: 'false',
        unfurl_media: 'false',
      },
    });
  });

  test.each([
    ['post', (api: ReturnType<typeof open>) => api.post(message, claim)],
    ['update', (api: ReturnType<typeof open>) => api.update({ ...message, ts: parseTs('1700000001.123450') })],
    ['openDirect', (api: ReturnType<typeof open>) => api.openDirect('U1')],
  ])('%s is refused without the permission to post, even with that to join', async (_, call) => {
    const server = await serve(posted);
    const error = await failureOf(call(open(server, { allowPost: false, allowJoin: true })));
    expect(error).toMatchObject({ code: 'post_not_allowed', isDoubtful: false });
    expect(server.requests).toEqual([]);
  });
});

describe('a message whose answer is lost', () => {
  test.each([
    ['the connection ends', reset],
    ['nothing is answered', silent],
    ['the answer stops', stalled],
    ['the answer breaks off', truncated],
    ['a gateway answers', text('Bad gateway', 502)],
    ['a proxy answers', text('<html>Log in</html>')],
    ['the answer has no ts', ok({ channel: 'C1' })],
    ['Slack had an error', refusal('internal_error')],
    ['Slack had a fatal error', refusal('fatal_error')],
    ['the service is down', refusal('service_unavailable')],
  ])('is sent once, and may have been posted: %s', async (_, answer) => {
    const server = await serve(answer, posted);
    const error = await failureOf(open(server).post(message, claim));
    expect(error.isDoubtful).toBe(true);
    expect(server.requests).toHaveLength(1);
  });
});

describe('a message that Slack refuses', () => {
  test.each([
    'not_in_channel',
    'channel_not_found',
    'is_archived',
    'restricted_action',
    'restricted_action_read_only_channel',
    'message_limit_exceeded',
    'slack_connect_file_link_sharing_blocked',
    'messages_tab_disabled',
    'invalid_blocks',
    'msg_too_long',
    'a_code_of_tomorrow',
  ])('is surely not posted, and its error says what to do: %s', async (code) => {
    const server = await serve(refusal(code), posted);
    const error = await failureOf(open(server).post(message, claim));
    expect(error).toMatchObject({ code, isDoubtful: false, exitCode: exitCodes.failed });
    expect(error.hint).toMatch(/\.$/);
    expect(server.requests).toHaveLength(1);
  });

  test('for a missing scope ends with the exit code for that', async () => {
    const server = await serve(refusal('missing_scope', { needed: 'chat:write' }));
    const error = await failureOf(open(server).post(message, claim));
    expect(error).toMatchObject({ needed: 'chat:write', isDoubtful: false, exitCode: exitCodes.slackRefused });
  });
});

describe('the claim', () => {
  test('is taken anew before each request when Slack says "slow down"', async () => {
    const slowDown = json({ ok: false, error: 'ratelimited' }, 429, { 'retry-after': '0' });
    const server = await serve(slowDown, slowDown, posted);
    const seen: number[] = [];
    await open(server).post(message, async () => {
      seen.push(server.requests.length);
      return () => {};
    });
    expect(seen).toEqual([0, 1, 2]);
    expect(server.requests).toHaveLength(3);
  });

  test('that is lost keeps the message from being sent', async () => {
    const server = await serve(posted);
    const lost = new Error('lost');
    await expect(open(server).post(message, async () => Promise.reject(lost))).rejects.toBe(lost);
    expect(server.requests).toEqual([]);
  });
});

describe('an edit', () => {
  test('may be repeated when its answer is lost', async () => {
    const server = await serve(reset, posted);
    await open(server).update({ ...message, ts: parseTs('1700000001.123450') });
    expect(server.requests.map(({ method, args }) => [method, args['ts']])).toEqual([
      ['chat.update', '1700000001.123450'],
      ['chat.update', '1700000001.123450'],
    ]);
  });
});

test('a person stands for the direct conversation with them', async () => {
  const server = await serve(ok({ channel: { id: 'D1' } }));
  expect(await open(server).openDirect('U1')).toBe('D1');
  expect(server.requests[0]).toMatchObject({ method: 'conversations.open', args: { users: 'U1' } });
});
