import * as z from 'zod';
import type { JsonObject } from '../../../src/model.ts';
import type { Channel } from '../channel.ts';
import { Refusal } from '../refusal.ts';
import { type Call, demand, demandScopes, isMember, isVisible, type Method } from './call.ts';

/** docs.slack.dev/reference/block-kit/blocks: of what Block Kit has, only what a digest is made of. */
const plainText = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const mrkdwn = (max: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(max), verbatim: z.boolean().optional() });
const anyText = z.union([mrkdwn(3000), plainText(3000)]);
const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plainText(150) }),
  z.strictObject({ type: z.literal('divider') }),
  z.strictObject({ type: z.literal('section'), text: anyText }),
  z.strictObject({ type: z.literal('context'), elements: z.array(anyText).min(1).max(10) }),
]);
const blocksSchema = z.array(block).max(50);
const metadataSchema = z.strictObject({
  event_type: z.string().min(1),
  event_payload: z.record(z.string(), z.unknown()),
});

/** Text beyond this is cut (docs.slack.dev/reference/methods/chat.postMessage). */
const longestText = 40_000;

export const chatPostMessage: Method = {
  accepts: ['chat:write'],
  answer: (call) => {
    demandScopes(call, ['chat:write']);
    const channel = target(call, demand(call, 'channel'));
    if (channel.isArchived) throw new Refusal('is_archived');
    const message = contentOf(call);
    const ts = call.workspace.world.clock.nextTs();
    channel.postRaw({ ...message, ts });
    const { metadata: _, ...shown } = message;
    return JSON.stringify({ ok: true, channel: channel.id, ts, message: { ...shown, ts } });
  },
};

export const chatUpdate: Method = {
  accepts: ['chat:write'],
  answer: (call) => {
    demandScopes(call, ['chat:write']);
    const channel = call.workspace.channels.get(demand(call, 'channel'));
    if (channel === undefined) throw new Refusal('channel_not_found');
    const ts = demand(call, 'ts');
    const found = channel.store.find(ts);
    if (found === undefined) throw new Refusal('message_not_found');
    if (found.author !== call.token.user) throw new Refusal('cant_update_message');
    const message = contentOf(call);
    channel.change(ts, (before) => ({
      ...before,
      ...message,
      ts,
      edited: { user: call.token.user, ts: `${ts.slice(0, 10)}.000000` },
    }));
    return JSON.stringify({ ok: true, channel: channel.id, ts, text: message.text });
  },
};

export const chatDelete: Method = {
  accepts: ['chat:write'],
  answer: (call) => {
    demandScopes(call, ['chat:write']);
    const channel = call.workspace.channels.get(demand(call, 'channel'));
    if (channel === undefined) throw new Refusal('channel_not_found');
    const ts = demand(call, 'ts');
    const found = channel.store.find(ts);
    if (found === undefined) throw new Refusal('message_not_found');
    if (found.author !== call.token.user) throw new Refusal('cant_delete_message');
    channel.deleteMessage(ts);
    return JSON.stringify({ ok: true, channel: channel.id, ts });
  },
};

export const conversationsOpen: Method = {
  accepts: ['im:write'],
  answer: (call) => {
    demandScopes(call, ['im:write']);
    return JSON.stringify({ ok: true, channel: { id: directWith(call, demand(call, 'users')).id } });
  },
};

/** A person's id stands for the direct conversation with them. */
function target(call: Call, id: string): Channel {
  if (/^[UW]/.test(id)) return directWith(call, id);
  const channel = call.workspace.channels.get(id);
  if (channel === undefined || !isVisible(call, channel)) throw new Refusal('channel_not_found');
  if (!isMember(call, channel) && !call.token.scopes.includes('chat:write.public')) throw new Refusal('not_in_channel');
  return channel;
}

function directWith({ workspace }: Call, userId: string): Channel {
  if (!workspace.users.has(userId)) throw new Refusal('user_not_found');
  const known = [...workspace.channels.values()].find(({ kind, members }) => kind === 'im' && members.has(userId));
  return known ?? workspace.channel(userId, { kind: 'im', members: [userId] });
}

function contentOf(call: Call): JsonObject {
  const text = call.params['text'] ?? '';
  const blocks = parsed(call.params['blocks'], blocksSchema, 'invalid_blocks');
  const metadata = parsed(call.params['metadata'], metadataSchema, 'invalid_metadata_format');
  if (text === '' && (blocks === undefined || blocks.length === 0)) throw new Refusal('no_text');
  const user = call.workspace.users.get(call.token.user);
  return {
    type: 'message',
    user: call.token.user,
    ...(user?.botId === undefined ? {} : { bot_id: user.botId, app_id: user.appId ?? '' }),
    text: text.slice(0, longestText),
    ...(blocks === undefined ? {} : { blocks: JSON.parse(call.params['blocks'] ?? '[]') }),
    ...(metadata === undefined ? {} : { metadata: JSON.parse(call.params['metadata'] ?? '{}') }),
  };
}

function parsed<T>(json: string | undefined, schema: z.ZodType<T>, refusal: string): T | undefined {
  if (json === undefined || json === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal(refusal);
    throw error;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const at = result.error.issues.map(({ path, message }) => `${message} [json-pointer:/${path.join('/')}]`);
  throw new Refusal(refusal, { response_metadata: { messages: at } });
}
