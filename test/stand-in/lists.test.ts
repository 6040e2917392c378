import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StandIn, startStandIn } from './server.ts';
import { failureOf, openClient } from './test-client.ts';
import type { Workspace } from './workspace.ts';
import { World } from './world.ts';

let slack: StandIn;
let world: World;
let acme: Workspace;

beforeEach(async () => {
  world = new World();
  acme = world.workspace('T0ACME', { name: 'Acme', domain: 'acme' });
  acme.user('alice', { id: 'U1' });
  slack = await startStandIn({ world });
});
afterEach(() => slack.close());

const bot = () => openClient(slack, acme.botToken);
const user = () => openClient(slack, acme.token({ kind: 'user', user: 'U1' }));

describe('auth', () => {
  test('auth.test says who the token is and what it may', async () => {
    expect(await bot().auth.test()).toMatchObject({
      ok: true,
      url: 'https://acme.slack.com/',
      team_id: 'T0ACME',
      bot_id: 'B0ACMEBOT',
      response_metadata: { scopes: expect.arrayContaining(['channels:history']) },
    });
  });

  test('bad tokens are refused by their state', async () => {
    expect(await failureOf(openClient(slack, 'xoxb-unknown').auth.test())).toBe('invalid_auth');
    world.revokeToken(acme.botToken);
    expect(await failureOf(bot().auth.test())).toBe('token_revoked');
    world.setToken(acme.botToken, 'account_inactive');
    expect(await failureOf(bot().auth.test())).toBe('account_inactive');
    expect(await (await fetch(`${slack.url}auth.test`)).json()).toEqual({ ok: false, error: 'not_authed' });
  });

  test('an unknown method is an error, and so is a missing scope, which is named', async () => {
    expect(await failureOf(bot().apiCall('no.such'))).toBe('unknown_method');
    world.setScopes(acme.botToken, ['channels:read', 'channels:history']);
    const secret = acme.channel('secret', { kind: 'private' });
    await expect(bot().conversations.history({ channel: secret.id })).rejects.toMatchObject({
      data: { error: 'missing_scope', needed: 'groups:history', provided: 'channels:read,channels:history' },
    });
    expect(await failureOf(bot().conversations.list({ types: 'public_channel,im' }))).toBe('missing_scope');
  });

  test('the token may come as an argument, arguments as query or JSON; the log has no token', async () => {
    const general = acme.channel('general');
    const query = await fetch(`${slack.url}conversations.info?channel=${general.id}&token=${acme.botToken}`);
    const json = await fetch(`${slack.url}conversations.info`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${acme.botToken}` },
      body: JSON.stringify({ channel: general.id }),
    });
    expect(await query.json()).toMatchObject({ ok: true });
    expect(await json.json()).toMatchObject({ ok: true });
    expect(JSON.stringify(slack.requests)).not.toContain('xoxb');
  });
});

describe('conversations.list', () => {
  test('filters after the page is cut: short and empty pages with a cursor', async () => {
    for (const id of ['C1', 'C2', 'C3', 'C4', 'C5']) acme.channel(id.toLowerCase(), { id, isArchived: id < 'C4' });
    const sizes: number[] = [];
    let cursor = '';
    do {
      const page = await bot().conversations.list({ limit: 2, exclude_archived: true, cursor });
      sizes.push(page.channels?.length ?? -1);
      cursor = page.response_metadata?.next_cursor ?? '';
    } while (cursor);
    expect(sizes).toEqual([0, 1, 1]);
  });

  test('lists public channels unless types says more, private ones to members only', async () => {
    acme.channel('open', { id: 'C1', isMember: false });
    acme.channel('ours', { id: 'C2', kind: 'private' });
    acme.channel('theirs', { id: 'C3', kind: 'private', isMember: false });
    acme.channel('', { id: 'D1', kind: 'im', members: ['U1'] });
    const all = 'public_channel,private_channel,im,mpim';
    const ids = async (call: Promise<{ channels?: { id?: string }[] }>) => (await call).channels?.map(({ id }) => id);
    expect(await ids(bot().conversations.list({}))).toEqual(['C1']);
    expect(await ids(bot().conversations.list({ types: all }))).toEqual(['C1', 'C2', 'D1']);
    expect(await ids(bot().users.conversations({ types: all }))).toEqual(['C2', 'D1']);
    expect(await failureOf(bot().conversations.list({ types: 'rooms' }))).toBe('invalid_types');
  });

  test('an im has a user and no name; updated is in milliseconds', async () => {
    const direct = acme.channel('', { kind: 'im', members: ['U1'] });
    const { channel } = await bot().conversations.info({ channel: direct.id });
    expect(channel).toMatchObject({ is_im: true, user: 'U1' });
    expect(channel).not.toHaveProperty('name');
    expect(String(channel?.updated)).toHaveLength(13);
  });
});

describe('reading rights', () => {
  test('a bot outside gets not_in_channel for public and channel_not_found for private; a user reads all public', async () => {
    const open = acme.channel('open', { isMember: false, members: [] });
    const theirs = acme.channel('theirs', { kind: 'private', isMember: false, members: [] });
    expect(await failureOf(bot().conversations.history({ channel: open.id }))).toBe('not_in_channel');
    expect(await failureOf(bot().conversations.history({ channel: theirs.id }))).toBe('channel_not_found');
    expect(await failureOf(user().conversations.history({ channel: open.id }))).toBe('none');
    expect(await failureOf(user().conversations.history({ channel: theirs.id }))).toBe('channel_not_found');
  });

  test('joining works once for open channels and is refused for archived and private ones', async () => {
    const open = acme.channel('open', { isMember: false });
    const old = acme.channel('old', { isMember: false, isArchived: true });
    const ours = acme.channel('ours', { kind: 'private' });
    expect(await bot().conversations.join({ channel: open.id })).toMatchObject({ channel: { is_member: true } });
    expect(await bot().conversations.join({ channel: open.id })).toMatchObject({ warning: 'already_in_channel' });
    expect(await failureOf(bot().conversations.join({ channel: old.id }))).toBe('is_archived');
    expect(await failureOf(bot().conversations.join({ channel: ours.id }))).toBe(
      'method_not_supported_for_channel_type',
    );
  });

  test('a converted channel answers under its new id only; a rename keeps the old name', async () => {
    const channel = acme.channel('plans', { id: 'G1', kind: 'private' });
    const ts = channel.post({ text: 'kept' });
    channel.convertChannelId('C1');
    channel.rename('plans-shared');
    expect(await failureOf(bot().conversations.history({ channel: 'G1' }))).toBe('channel_not_found');
    const { messages } = await bot().conversations.history({ channel: 'C1' });
    expect(messages?.at(-1)?.ts).toBe(ts);
    expect(messages?.[0]).toMatchObject({ subtype: 'channel_name', old_name: 'plans' });
    expect(await bot().conversations.info({ channel: 'C1' })).toMatchObject({ channel: { previous_names: ['plans'] } });
  });

  test('one Connect channel is the same conversation in two workspaces', async () => {
    const beta = world.workspace('T0BETA');
    const here = acme.channel('shared', { id: 'C1' });
    const there = beta.channel('ext-acme', { sharedWith: here });
    const ts = here.post({ text: 'seen by both', user: 'U1' });
    const { messages } = await openClient(slack, beta.botToken).conversations.history({ channel: there.id });
    expect(there.id).toBe('C1');
    expect(messages).toMatchObject([{ ts, team: 'T0ACME' }]);
  });
});

describe('people', () => {
  test('users.list has deleted accounts and bots, neither strangers nor Slackbot; users.info knows both', async () => {
    acme.user('gone', { id: 'U2', kind: 'deleted' });
    acme.user('stranger', { id: 'U3', kind: 'external' });
    acme.user('hidden', { id: 'U4', kind: 'external', isInvisible: true });
    const { members } = await bot().users.list({});
    expect(members?.map(({ id }) => id)).toEqual(['U0ACMEBOT', 'U1', 'U2']);
    expect(await bot().users.info({ user: 'U3' })).toMatchObject({ user: { is_stranger: true } });
    expect(await bot().users.info({ user: 'USLACKBOT' })).toMatchObject({ user: { is_bot: false } });
    expect(await failureOf(bot().users.info({ user: 'U4' }))).toBe('user_not_visible');
    expect(await failureOf(bot().users.info({ user: 'U9' }))).toBe('user_not_found');
  });

  test('the e-mail address needs its scope', async () => {
    expect(await bot().users.info({ user: 'U1' })).toMatchObject({
      user: { profile: { email: 'alice@acme.example' } },
    });
    world.setScopes(acme.botToken, ['users:read']);
    expect((await bot().users.info({ user: 'U1' })).user?.profile).not.toHaveProperty('email');
  });

  test('usergroups need a paid plan; bots are found by their bot id', async () => {
    acme.usergroup('oncall', ['U1']);
    expect(await bot().usergroups.list({ include_users: true })).toMatchObject({ usergroups: [{ users: ['U1'] }] });
    acme.plan = 'free';
    expect(await failureOf(bot().usergroups.list({}))).toBe('plan_upgrade_required');
    expect(await bot().bots.info({ bot: 'B0ACMEBOT' })).toMatchObject({ bot: { user_id: 'U0ACMEBOT' } });
    expect(await failureOf(bot().bots.info({ bot: 'B404' }))).toBe('bot_not_found');
  });
});
