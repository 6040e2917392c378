import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import type { Channel } from './channel.ts';
import { type StandIn, startStandIn } from './server.ts';
import { failureOf, openClient } from './test-client.ts';
import { World } from './world.ts';

let slack: StandIn;
let general: Channel;
let client: ReturnType<typeof openClient>;
let root: string;

beforeEach(async () => {
  const world = new World();
  const acme = world.workspace('T0ACME');
  acme.user('alice', { id: 'U1' });
  acme.user('bob', { id: 'U2' });
  general = acme.channel('general');
  root = general.post({ text: 'root', user: 'U1' });
  slack = await startStandIn({ world });
  client = openClient(slack, acme.botToken);
});
afterEach(() => slack.close());

async function history(): Promise<JsonObject[]> {
  return ((await client.conversations.history({ channel: general.id })).messages ?? []) as unknown as JsonObject[];
}

async function repliesPages(args: object = {}): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await client.conversations.replies({
      channel: general.id,
      ts: root,
      ...args,
      ...(cursor ? { cursor } : {}),
    });
    pages.push((page.messages ?? []).map((message) => message.ts ?? ''));
    cursor = page.response_metadata?.next_cursor;
  } while (cursor);
  return pages;
}

describe('threads', () => {
  test('history has the root with its counters and no plain reply', async () => {
    const reply = general.reply(root, { text: 'reply', user: 'U2' });
    expect(await history()).toMatchObject([
      { ts: root, thread_ts: root, reply_count: 1, reply_users: ['U2'], reply_users_count: 1, latest_reply: reply },
    ]);
  });

  test('reply_users names five at most, bots by their bot id', async () => {
    general.reply(root, { bot_id: 'B1', text: 'beep' });
    for (const user of ['U2', 'U3', 'U4', 'U5', 'U6']) general.reply(root, { user });
    expect(await history()).toMatchObject([{ reply_users: ['B1', 'U2', 'U3', 'U4', 'U5'], reply_users_count: 6 }]);
  });

  test('a broadcast stands in history with a copy of its root, and in the thread', async () => {
    const reply = general.reply(root, { text: 'all of you' }, { broadcast: true });
    const [broadcast] = await history();
    expect(broadcast).toMatchObject({
      ts: reply,
      subtype: 'thread_broadcast',
      thread_ts: root,
      root: { ts: root, reply_count: 1, latest_reply: reply },
    });
    expect(await repliesPages()).toEqual([[root, reply]]);
  });

  test('deleting the latest reply moves the counters back; with none left thread_ts stays', async () => {
    const first = general.reply(root, { user: 'U2' });
    const second = general.reply(root, { user: 'U1' });
    general.deleteMessage(second);
    expect(await history()).toMatchObject([{ reply_count: 1, latest_reply: first, reply_users: ['U2'] }]);
    general.deleteMessage(first);
    const [parent] = await history();
    expect(parent).toMatchObject({ thread_ts: root, reply_count: 0 });
    expect(parent).not.toHaveProperty('latest_reply');
  });

  test('a deleted root with replies is a tombstone, and vanishes with the last reply', async () => {
    const reply = general.reply(root);
    general.deleteMessage(root);
    const [tombstone] = await history();
    expect(tombstone).toMatchObject({
      subtype: 'tombstone',
      user: 'USLACKBOT',
      text: 'This message was deleted.',
      hidden: true,
      reply_count: 1,
    });
    expect(tombstone).not.toHaveProperty('blocks');
    general.deleteMessage(reply);
    expect(await history()).toEqual([]);
  });

  test('a deleted message without replies vanishes', async () => {
    general.deleteMessage(root);
    expect(await history()).toEqual([]);
    expect(await failureOf(client.conversations.replies({ channel: general.id, ts: root }))).toBe('thread_not_found');
  });

  test('join messages have no thread, other lone messages are their own', async () => {
    general.join('U7');
    const [join] = await history();
    expect(await failureOf(client.conversations.replies({ channel: general.id, ts: String(join?.ts) }))).toBe(
      'thread_not_found',
    );
    expect(await repliesPages()).toEqual([[root]]);
  });
});

describe('conversations.replies', () => {
  test('goes from the earliest to the latest and repeats the parent, which counts towards the limit', async () => {
    const replies = Array.from({ length: 5 }, () => general.reply(root));
    expect(await repliesPages({ limit: 3 })).toEqual([
      [root, ...replies.slice(0, 2)],
      [root, ...replies.slice(2, 4)],
      [root, ...replies.slice(4)],
    ]);
    expect((await repliesPages({ limit: 1 })).flat().filter((ts) => ts !== root)).toEqual(replies);
  });

  test('can leave the parent off later pages', async () => {
    const replies = Array.from({ length: 3 }, () => general.reply(root));
    await using other = await startStandIn({ world: general.workspace.world, repeatsParent: false });
    client = openClient(other, general.workspace.botToken);
    expect(await repliesPages({ limit: 2 })).toEqual([[root, ...replies.slice(0, 1)], replies.slice(1)]);
  });

  test('oldest is exclusive and the parent still comes', async () => {
    const replies = Array.from({ length: 3 }, () => general.reply(root));
    expect(await repliesPages({ oldest: replies[0] })).toEqual([[root, ...replies.slice(1)]]);
  });

  test('accepts the ts of any message of the thread', async () => {
    const reply = general.reply(root);
    const page = await client.conversations.replies({ channel: general.id, ts: reply });
    expect(page.messages?.map((message) => message.ts)).toEqual([root, reply]);
  });
});

describe('changes', () => {
  test('an edit sets edited, a silent change does not', async () => {
    general.edit(root, { text: 'better' });
    expect(await history()).toMatchObject([{ text: 'better', edited: { user: 'U1' } }]);
    const other = general.post({ text: 'link' });
    general.change(other, (message) => ({ ...message, attachments: [{ id: 1 }] }));
    const [changed] = await history();
    expect(changed).toMatchObject({ attachments: [{ id: 1 }] });
    expect(changed).not.toHaveProperty('edited');
  });

  test('a reaction may count more than it names', async () => {
    general.react(root, 'tada', ['U1', 'U2'], 60);
    expect(await history()).toMatchObject([{ reactions: [{ name: 'tada', users: ['U1', 'U2'], count: 60 }] }]);
    general.react(root, 'eyes', 'U1');
    general.unreact(root, 'eyes', 'U1');
    expect((await history())[0]?.reactions).toHaveLength(1);
  });

  test('the truth of a channel is what history and replies serve together', async () => {
    general.reply(root, { text: 'plain' });
    general.reply(root, { text: 'loud' }, { broadcast: true });
    general.post({ text: 'weird \u0000 \ud800 😀' });
    const served = new Map((await history()).map((message) => [message.ts, message]));
    const thread = await client.conversations.replies({ channel: general.id, ts: root });
    for (const message of (thread.messages ?? []) as unknown as JsonObject[]) served.set(message.ts, message);
    const byTs = [...served.values()].sort((a, b) => String(a.ts).localeCompare(String(b.ts)));
    expect(general.expectedMessages()).toEqual(byTs);
  });
});
