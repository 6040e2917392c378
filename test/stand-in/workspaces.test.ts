import { expect, test } from 'vitest';
import { bulkWorkspace } from './bulk-workspace.ts';
import { sampleWorkspace } from './sample-workspace.ts';
import { startStandIn } from './server.ts';
import { openClient } from './test-client.ts';
import type { Workspace } from './workspace.ts';

const now = Date.parse('2026-11-20T15:00:00Z');

function everything(workspace: Workspace) {
  return [...workspace.channels.values()].map((channel) => [channel.name, channel.expectedMessages()]);
}

test('the sample is the same for the same seed and moment', () => {
  const build = (seed: number) => everything(sampleWorkspace({ seed, now }).workspace);
  expect(build(7)).toEqual(build(7));
  expect(build(7)).not.toEqual(build(8));
});

test('the sample is a month of a small company, never later than now', () => {
  const { workspace, world } = sampleWorkspace({ now });
  const messages = [...workspace.channels.values()].flatMap((channel) => channel.expectedMessages());
  const kinds = new Set([...workspace.channels.values()].map((channel) => channel.kind));
  expect(messages.length).toBeGreaterThan(1300);
  expect(messages.length).toBeLessThan(1900);
  expect(kinds).toEqual(new Set(['public', 'private', 'im', 'mpim']));
  expect(messages.filter((message) => Number(message.ts) * 1000 > now)).toEqual([]);
  expect(messages.filter((message) => message.subtype === 'tombstone')).toHaveLength(2);
  expect(messages.some((message) => message.subtype === 'thread_broadcast')).toBe(true);
  expect(world.clock.now).toBe(now);
});

test('bulk messages are served as JSON of a realistic size and no two builds differ', async () => {
  const build = () => bulkWorkspace({ channels: 2, messages: 3000, now });
  const { world, workspace, token } = build();
  const all = everything(workspace);
  expect(everything(build().workspace)).toEqual(all);
  const messages = [...workspace.channels.values()].flatMap((channel) => channel.expectedMessages());
  expect(messages).toHaveLength(3000);
  const replies = messages.filter((message) => message.parent_user_id !== undefined);
  expect(replies.length / messages.length).toBeCloseTo(0.3, 1);
  const size = JSON.stringify(messages).length / messages.length;
  expect(size).toBeGreaterThan(700);
  expect(size).toBeLessThan(1000);
  await using slack = await startStandIn({ world });
  const [channel] = workspace.channels.keys();
  const page = await openClient(slack, token).conversations.history({ channel: channel ?? '', limit: 999 });
  expect(page.messages).toHaveLength(999);
});
