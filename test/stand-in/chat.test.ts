import { describe, expect, test } from 'vitest';
import { type StandIn, startStandIn } from './server.ts';
import { failureOf, openClient } from './test-client.ts';
import { ALL_SCOPES } from './tokens.ts';
import { World } from './world.ts';

const divider = [{ type: 'divider' }];
const metadata = { event_type: 'test', event_payload: { n: 1 } };

async function acme() {
  const world = new World();
  const workspace = world.workspace('T0ACME');
  const channel = workspace.channel('general');
  const slack = await startStandIn({ world });
  return { world, workspace, channel, slack, client: openClient(slack, workspace.botToken, 1000) };
}

function section(length: number) {
  return { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(length) } };
}

describe('chat.postMessage', () => {
  test('posts as the app, later than everything before', async () => {
    const { workspace, channel, slack, client } = await acme();
    await using _ = slack;
    const before = channel.post({ text: 'Before.' });
    const { ts = '' } = await client.chat.postMessage({ channel: channel.id, text: 'Hello', blocks: divider });
    expect(ts > before).toBe(true);
    expect(channel.expectedMessages().at(-1)).toMatchObject({
      ts,
      text: 'Hello',
      user: workspace.bot.id,
      blocks: divider,
    });
  });

  test('shows metadata only to those who ask for it', async () => {
    const { channel, slack, client } = await acme();
    await using _ = slack;
    await client.chat.postMessage({ channel: channel.id, text: 'Hello', metadata });
    const page = (include_all_metadata: boolean) =>
      client.conversations.history({ channel: channel.id, limit: 1, include_all_metadata });
    expect((await page(true)).messages?.[0]).toMatchObject({ metadata });
    expect((await page(false)).messages?.[0]).not.toHaveProperty('metadata');
  });

  test('cuts a text at 40,000 characters', async () => {
    const { channel, slack, client } = await acme();
    await using _ = slack;
    await client.chat.postMessage({ channel: channel.id, text: 'x'.repeat(40_001) });
    expect(channel.expectedMessages().at(-1)?.['text']).toHaveLength(40_000);
  });

  test.each([
    ['a section of 3001 characters', [section(3001)]],
    ['an empty section', [section(0)]],
    ['a header of 151 characters', [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }]],
    ['51 blocks', Array.from({ length: 51 }, () => ({ type: 'divider' }))],
    ['an unknown block', [{ type: 'marquee' }]],
    ['an unknown property', [{ type: 'divider', color: 'red' }]],
  ])('takes no %s', async (_name, blocks) => {
    const { channel, slack, client } = await acme();
    await using _ = slack;
    expect(await failureOf(client.apiCall('chat.postMessage', { channel: channel.id, text: 'x', blocks }))).toBe(
      'invalid_blocks',
    );
    expect(channel.expectedMessages()).toEqual([]);
  });

  test('refuses as Slack does', async () => {
    const { world, workspace, channel, slack, client } = await acme();
    await using _ = slack;
    const post = (to: string, text = 'x') => failureOf(client.chat.postMessage({ channel: to, text }));
    expect(await post(channel.id, '')).toBe('no_text');
    expect(await post('C0NOWHERE')).toBe('channel_not_found');
    expect(await post(workspace.channel('secret', { kind: 'private', isMember: false }).id)).toBe('channel_not_found');
    const foreign = workspace.channel('foreign', { isMember: false });
    expect(await post(foreign.id)).toBe('not_in_channel');
    world.setScopes(workspace.botToken, [...ALL_SCOPES, 'chat:write.public']);
    expect(await post(foreign.id)).toBe('none');
    channel.archive();
    expect(await post(channel.id)).toBe('is_archived');
    world.setScopes(workspace.botToken, ['channels:read']);
    expect(await post(foreign.id)).toBe('missing_scope');
  });

  test('to a person goes to the direct conversation, which the app can read', async () => {
    const { workspace, slack, client } = await acme();
    await using _ = slack;
    const ada = workspace.user('ada').id;
    const { channel = '' } = await client.chat.postMessage({ channel: ada, text: 'Hello' });
    expect((await client.conversations.open({ users: ada })).channel?.id).toBe(channel);
    expect((await client.conversations.history({ channel })).messages).toHaveLength(1);
  });
});

describe('chat.update', () => {
  test('replaces what the app has posted itself', async () => {
    const { workspace, channel, slack, client } = await acme();
    await using _ = slack;
    const { ts = '' } = await client.chat.postMessage({ channel: channel.id, text: 'Hello' });
    await client.chat.update({ channel: channel.id, ts, text: 'Goodbye' });
    expect(channel.expectedMessages()).toMatchObject([{ ts, text: 'Goodbye' }]);
    const other = channel.post({ text: 'Mine.', user: workspace.user('ada').id });
    const edit = (at: string) => failureOf(client.chat.update({ channel: channel.id, ts: at, text: 'Ours' }));
    expect(await edit(other)).toBe('cant_update_message');
    expect(await edit('1700000000.000000')).toBe('message_not_found');
  });
});

describe('an answer that is lost', () => {
  async function postTo(slack: StandIn, fault: Parameters<StandIn['faults']['add']>[0]) {
    slack.faults.add({ ...fault, method: 'chat.postMessage' });
  }

  test.each(['reset', 'hang', 'http'] as const)('has had its effect: %s', async (how) => {
    const { channel, slack, client } = await acme();
    await using _ = slack;
    await postTo(slack, { kind: 'lost', how });
    expect(await failureOf(client.chat.postMessage({ channel: channel.id, text: 'Hello' }))).not.toBe('none');
    expect(channel.expectedMessages()).toHaveLength(1);
  });

  test('may have its effect later', async () => {
    const { channel, slack, client } = await acme();
    await using _ = slack;
    await postTo(slack, { kind: 'late', delayMs: 80 });
    expect(await failureOf(client.chat.postMessage({ channel: channel.id, text: 'Hello' }))).not.toBe('none');
    expect(channel.expectedMessages()).toEqual([]);
    await expect.poll(() => channel.expectedMessages().length).toBe(1);
  });
});
