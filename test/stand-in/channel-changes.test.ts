import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { type StandIn, startStandIn } from './server.ts';
import { failureOf, openClient } from './test-client.ts';
import type { Workspace } from './workspace.ts';
import { World } from './world.ts';

let world: World;
let acme: Workspace;
let slack: StandIn;
let client: ReturnType<typeof openClient>;

beforeEach(async () => {
  world = new World();
  acme = world.workspace('T0ACME');
  acme.user('alice', { id: 'U1' });
  slack = await startStandIn({ world });
  client = openClient(slack, acme.botToken);
});
afterEach(() => slack.close());

async function shown(channel: Channel): Promise<string[]> {
  const { messages } = await client.conversations.history({ channel: channel.id });
  return (messages ?? []).map(({ ts }) => ts ?? '').sort();
}

async function repliesTo(channel: Channel, root: string): Promise<string[]> {
  const { messages } = await client.conversations.replies({ channel: channel.id, ts: root });
  return (messages ?? []).map(({ ts }) => ts ?? '');
}

/** By id, as conversations.list shows them. */
async function listed(): Promise<Map<string, object>> {
  const { channels } = await client.conversations.list({ types: 'public_channel,private_channel' });
  return new Map((channels ?? []).map((channel) => [channel.id ?? '', channel]));
}

describe('retention', () => {
  test('makes what is older vanish from one channel, and nothing says so', async () => {
    const [general, random] = [acme.channel('general'), acme.channel('random')];
    const posted = [1, 2, 3].map(() => general.post());
    const elsewhere = random.post({ ts: posted[0] ?? '' });
    general.expireBefore(posted[1] ?? '');
    const page = await client.conversations.history({ channel: general.id });
    expect(page.messages?.map(({ ts }) => ts)).toEqual([posted[2], posted[1]]);
    expect(page).not.toHaveProperty('is_limited');
    expect(general.expectedMessages().map(({ ts }) => ts)).toEqual(posted.slice(1));
    expect(await shown(random)).toEqual([elsewhere]);
  });

  test('holds for a whole workspace, and never brings anything back', async () => {
    const [general, random] = [acme.channel('general'), acme.channel('random')];
    const posted = [1, 2, 3].map(() => general.post());
    random.post({ ts: posted[0] ?? '' });
    acme.expireBefore(posted[2] ?? '');
    acme.expireBefore(posted[0] ?? '');
    general.expireBefore(posted[1] ?? '');
    expect(await shown(general)).toEqual([posted[2]]);
    expect(await shown(random)).toEqual([]);
  });

  test('leaves a tombstone of a root whose replies live on, and takes it with the last of them', async () => {
    const general = acme.channel('general');
    const root = general.post();
    const newer = general.post();
    const reply = general.reply(root);
    const newest = general.post();
    general.expireBefore(newer);
    const replies = () => client.conversations.replies({ channel: general.id, ts: root });
    expect((await replies()).messages).toMatchObject([{ ts: root, subtype: 'tombstone' }, { ts: reply }]);
    general.expireBefore(newest);
    expect(await failureOf(replies())).toBe('thread_not_found');
    expect(general.expectedMessages().map(({ ts }) => ts)).toEqual([newest]);
  });

  test('leaves nothing that the limit of a plan could hide', async () => {
    const general = acme.channel('general');
    const posted = [1, 2, 3].map(() => general.post());
    acme.hideBefore(posted[2] ?? '');
    expect(await client.conversations.history({ channel: general.id })).toMatchObject({ is_limited: true });
    general.expireBefore(posted[2] ?? '');
    expect(await client.conversations.history({ channel: general.id })).not.toHaveProperty('is_limited');
  });
});

describe('a channel that changes', () => {
  test('gets a new id when it is shared; the old one is not listed and does not exist; the rest stays', async () => {
    const plans = acme.channel('plans', { id: 'G1', kind: 'private' });
    const root = plans.post({ text: 'kept' });
    const reply = plans.reply(root);
    const before = (await listed()).get('G1');
    plans.convertChannelId();
    expect(plans.id).toMatch(/^C/);
    const channels = await listed();
    expect(channels.has('G1')).toBe(false);
    const { created, creator, name }: { created?: number; creator?: string; name?: string } = before ?? {};
    expect(channels.get(plans.id)).toMatchObject({ created, creator, name, is_private: true });
    expect(await failureOf(client.conversations.info({ channel: 'G1' }))).toBe('channel_not_found');
    expect(await repliesTo(plans, root)).toEqual([root, reply]);
  });

  test('is out of sight when the app is removed from it, and as it was when it is back', async () => {
    const [open, secret] = [acme.channel('open'), acme.channel('secret', { kind: 'private' })];
    for (const channel of [open, secret]) {
      channel.post();
      channel.leave();
    }
    const channels = await listed();
    expect(channels.get(open.id)).toMatchObject({ is_member: false });
    expect(channels.has(secret.id)).toBe(false);
    expect(await failureOf(client.conversations.history({ channel: open.id }))).toBe('not_in_channel');
    expect(await failureOf(client.conversations.history({ channel: secret.id }))).toBe('channel_not_found');
    for (const channel of [open, secret]) {
      channel.join();
      expect(await shown(channel)).toEqual(channel.expectedMessages().map(({ ts }) => ts));
    }
  });

  test('is not found any more when it is deleted', async () => {
    const general = acme.channel('general');
    general.post();
    acme.deleteChannel(general);
    expect(await failureOf(client.conversations.history({ channel: general.id }))).toBe('channel_not_found');
    expect((await listed()).has(general.id)).toBe(false);
  });

  test('tells of being archived, brought back, made private and given a topic', async () => {
    const general = acme.channel('general', { id: 'C1' });
    general.archive();
    expect((await listed()).get('C1')).toMatchObject({ is_archived: true });
    general.unarchive();
    general.makePrivate();
    general.setTopic('Nothing special');
    expect((await listed()).get('C1')).toMatchObject({
      is_archived: false,
      is_private: true,
      topic: { value: 'Nothing special' },
    });
    const { messages } = await client.conversations.history({ channel: 'C1' });
    expect(messages?.map(({ subtype }) => subtype)).toEqual([
      'channel_topic',
      'channel_convert_to_private',
      'channel_unarchive',
      'channel_archive',
    ]);
  });

  test('remembers its former names, the last one first', async () => {
    const general = acme.channel('one');
    general.rename('two');
    general.rename('three');
    expect((await listed()).get(general.id)).toMatchObject({ name: 'three', previous_names: ['two', 'one'] });
  });
});

describe('changes inside threads', () => {
  test('an edit or a reaction of a reply shows in the thread and leaves the root as it was', async () => {
    const general = acme.channel('general');
    const root = general.post();
    const reply = general.reply(root, { text: 'tpyo', user: 'U1' });
    const before = (await client.conversations.history({ channel: general.id })).messages;
    general.edit(reply, { text: 'typo' });
    general.react(reply, 'eyes', 'U1');
    expect((await client.conversations.history({ channel: general.id })).messages).toEqual(before);
    const thread = await client.conversations.replies({ channel: general.id, ts: root });
    expect(thread.messages?.[1]).toMatchObject({ text: 'typo', edited: { user: 'U1' }, reactions: [{ count: 1 }] });
  });

  test('a deleted broadcast vanishes from the channel and from the thread', async () => {
    const general = acme.channel('general');
    const root = general.post();
    const plain = general.reply(root);
    const loud = general.reply(root, {}, { broadcast: true });
    expect(await shown(general)).toEqual([root, loud]);
    general.deleteMessage(loud);
    expect(await shown(general)).toEqual([root]);
    expect(await repliesTo(general, root)).toEqual([root, plain]);
  });
});

test('of many reactors only the first are named, while the count tells them all', async () => {
  const general = acme.channel('general');
  general.store.reactorsShown = 2;
  const ts = general.post();
  general.react(ts, 'eyes', ['U1', 'U2', 'U3']);
  const reactions = async () => (await client.conversations.history({ channel: general.id })).messages?.[0]?.reactions;
  expect(await reactions()).toEqual([{ name: 'eyes', users: ['U1', 'U2'], count: 3 }]);
  general.unreact(ts, 'eyes', 'U1');
  expect(await reactions()).toEqual([{ name: 'eyes', users: ['U2', 'U3'], count: 2 }]);
});
