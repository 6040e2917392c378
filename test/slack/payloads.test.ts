import { describe, expect, test } from 'vitest';
import { readAuthTest, readChannelPage, readMessagePage, readUser, readUsergroups } from '../../src/slack/payloads.ts';

const message = { type: 'message', ts: '1700000001.123450', text: 'hi', of_2031: { nested: [1, null] } };

/** As JSON.parse makes it of a text, whatever its depth. */
function nested(levels: number): unknown {
  return JSON.parse(`${'[{"a":'.repeat(levels / 2)}0${'}]'.repeat(levels / 2)}`);
}

describe('a page of messages', () => {
  test('sets apart what is nested too deeply, and keeps what tells which message it is', () => {
    const deep = { ...message, thread_ts: message.ts, reply_count: 2, of_2031: nested(20_000) };
    const { of_2031: _, ...outline } = deep;
    expect(readMessagePage({ ok: true, messages: [deep, message] })).toMatchObject({
      value: {
        messages: [message],
        malformed: [{ position: 0, reason: `is nested too deeply (ts ${message.ts})`, outline }],
      },
    });
  });

  test('keeps every field of a message', () => {
    expect(readMessagePage({ ok: true, messages: [message], has_more: true, is_limited: true })).toEqual({
      ok: true,
      value: { messages: [message], malformed: [], hasMore: true, nextCursor: undefined, isLimited: true },
    });
  });

  test('sets apart what is no message and keeps the rest', () => {
    const messages = [null, message, 'text', {}, { ts: 12.5 }, { ts: '1700000001.1234567' }, [message]];
    expect(readMessagePage({ ok: true, messages })).toMatchObject({
      value: {
        messages: [message],
        malformed: [
          { position: 0, reason: 'is null' },
          { position: 2, reason: 'is no object' },
          { position: 3, reason: 'has no ts' },
          { position: 4, reason: 'has a ts that is none' },
          { position: 5, reason: 'has a ts that is none' },
          { position: 6, reason: 'is no object' },
        ],
      },
    });
  });

  test('has every ts in one form, however it was written', () => {
    const messages = [{ ts: 1700000001.12345, thread_ts: '1700000001' }];
    expect(readMessagePage({ ok: true, messages })).toMatchObject({
      value: { messages: [{ ts: '1700000001.123450', thread_ts: '1700000001.000000' }], malformed: [] },
    });
  });

  test.each([undefined, null, {}, 'messages'])('is none when messages is %j', (messages) => {
    expect(readMessagePage({ ok: true, messages })).toEqual({
      ok: false,
      why: 'messages is missing or of another type than documented',
    });
  });

  test.each([
    [undefined, undefined],
    [{}, undefined],
    [{ next_cursor: '' }, undefined],
    [{ next_cursor: null }, undefined],
    [{ next_cursor: 'bmV4dA==' }, 'bmV4dA=='],
  ])('with metadata %j has the cursor %s', (response_metadata, nextCursor) => {
    expect(readMessagePage({ ok: true, messages: [], response_metadata })).toMatchObject({ value: { nextCursor } });
  });

  test('of a thousand messages is read in a few milliseconds', () => {
    const messages = Array.from({ length: 999 }, (_, i) => ({
      ...message,
      ts: `1700000001.${String(i).padStart(6, '0')}`,
    }));
    const start = performance.now();
    for (let i = 0; i < 100; i += 1) readMessagePage({ ok: true, messages });
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('identity', () => {
  const answer = { ok: true, team_id: 'T1', team: 'Acme', url: 'https://acme.slack.com/', user_id: 'U1', bot_id: 'B1' };

  test('comes from auth.test', () => {
    const body = { ...answer, response_metadata: { scopes: ['users:read'] } };
    expect(readAuthTest(body)).toEqual({
      ok: true,
      value: {
        isOrganisation: false,
        identity: {
          teamId: 'T1',
          teamName: 'Acme',
          url: 'https://acme.slack.com/',
          enterpriseId: null,
          userId: 'U1',
          isBot: true,
          scopes: ['users:read'],
        },
      },
    });
  });

  test('knows no scopes when Slack did not say', () => {
    expect(readAuthTest(answer)).toMatchObject({ value: { identity: { scopes: null } } });
  });

  test('has no scopes when the header is empty', () => {
    const body = { ...answer, response_metadata: { scopes: [''] } };
    expect(readAuthTest(body)).toMatchObject({ value: { identity: { scopes: [] } } });
  });

  test('always has a trailing slash', () => {
    const body = { ...answer, url: 'https://acme.slack.com' };
    expect(readAuthTest(body)).toMatchObject({ value: { identity: { url: 'https://acme.slack.com/' } } });
  });
});

test('list entries that cannot be taken are set apart, with their place and why', () => {
  const channels = [
    { id: 'C1' },
    null,
    { name: 'x' },
    { id: 'C2', topic: nested(20_000) },
    { id: 'C3', topic: nested(100) },
  ];
  expect(readChannelPage({ ok: true, channels })).toEqual({
    ok: true,
    value: {
      items: [channels[0], channels[4]],
      malformed: [
        { position: 1, reason: 'is null' },
        { position: 2, reason: 'has no id' },
        { position: 3, reason: 'is nested too deeply' },
      ],
      nextCursor: undefined,
    },
  });
});

test('user groups are one page', () => {
  expect(readUsergroups({ ok: true, usergroups: [{ id: 'S1' }] })).toMatchObject({ value: { items: [{ id: 'S1' }] } });
});

test('a user must be an object', () => {
  expect(readUser({ ok: true, user: { id: 'U1' } })).toEqual({ ok: true, value: { id: 'U1' } });
  expect(readUser({ ok: true, user: null })).toMatchObject({ ok: false });
  expect(readUser({ ok: true })).toMatchObject({ ok: false });
  expect(readUser({ ok: true, user: { id: 'U1', profile: nested(20_000) } })).toEqual({
    ok: false,
    why: 'user is nested too deeply',
    isOdd: true,
  });
});
