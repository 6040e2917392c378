/**
 * Slack's answers, checked once where they enter. Only what the program relies on is checked; all other fields are
 * kept as they came. One bad element never costs a page: it is set apart and reported.
 */
import * as z from 'zod';
import { isId } from '../ids.ts';
import type { Identity, JsonObject, MessagePage, ObjectPage, PostedMessage, Ts } from '../model.ts';
import { whyOdd } from '../odd-element.ts';
import { asMessage } from '../timestamps.ts';
import { isTs } from '../ts.ts';

/**
 * A usable answer, or why it is none. `why` names fields, never their content. `isOdd`: the answer is what was asked for, and
 * nothing that can be taken; asked again it would be the same.
 */
export type Reading<T> = { ok: true; value: T } | { ok: false; why: string; isOdd?: true };

export interface ListPage extends ObjectPage {
  nextCursor: string | undefined;
}

/** The end of a listing is an empty, null or absent cursor (docs.slack.dev/apis/web-api/pagination). */
const paging = z.looseObject({ next_cursor: z.string().nullish() }).nullish();

const authTestAnswer = z.looseObject({
  team_id: z.custom<string>(isId),
  team: z.string().nullish(),
  url: z.string().nullish(),
  enterprise_id: z.string().nullish(),
  is_enterprise_install: z.boolean().nullish(),
  user_id: z.string().nullish(),
  bot_id: z.string().nullish(),
  // The SDK takes them from the x-oauth-scopes header.
  response_metadata: z.looseObject({ scopes: z.array(z.string()).nullish() }).nullish(),
});

const messagesAnswer = z.looseObject({
  messages: z.array(z.unknown()),
  has_more: z.boolean().nullish(),
  is_limited: z.boolean().nullish(),
  response_metadata: paging,
});

const channelsAnswer = z.looseObject({ channels: z.array(z.unknown()), response_metadata: paging });
const usersAnswer = z.looseObject({ members: z.array(z.unknown()), response_metadata: paging });
const usergroupsAnswer = z.looseObject({ usergroups: z.array(z.unknown()) });
const userAnswer = z.looseObject({ user: z.unknown() });
const channelAnswer = z.looseObject({ channel: z.unknown() });
const postedAnswer = z.looseObject({ channel: z.custom<string>(isId), ts: z.custom<Ts>(isTs) });
const openedAnswer = z.looseObject({ channel: z.looseObject({ id: z.custom<string>(isId) }) });
const emptyAnswer = z.looseObject({});

/** Who the token is; `isOrganisation` when it is installed in a whole organisation instead of one workspace. */
export interface AuthTest {
  identity: Identity;
  isOrganisation: boolean;
}

export function readAuthTest(body: unknown): Reading<AuthTest> {
  return map(read(authTestAnswer, body), (answer) => ({
    identity: {
      teamId: answer.team_id,
      teamName: answer.team ?? '',
      url: withSlash(answer.url ?? ''),
      enterpriseId: answer.enterprise_id ?? null,
      userId: answer.user_id ?? null,
      isBot: (answer.bot_id ?? '') !== '',
      scopes: answer.response_metadata?.scopes?.filter((scope) => scope !== '') ?? null,
    },
    isOrganisation: answer.is_enterprise_install ?? false,
  }));
}

/** Permalinks are made by appending to it. */
function withSlash(url: string): string {
  return url === '' || url.endsWith('/') ? url : `${url}/`;
}

export function readMessagePage(body: unknown): Reading<MessagePage> {
  return map(read(messagesAnswer, body), (answer) => ({
    ...sortOut(answer.messages),
    hasMore: answer.has_more ?? false,
    nextCursor: answer.response_metadata?.next_cursor || undefined,
    isLimited: answer.is_limited ?? false,
  }));
}

export function readChannelPage(body: unknown): Reading<ListPage> {
  return map(read(channelsAnswer, body), (answer) => listPage(answer.channels, answer.response_metadata?.next_cursor));
}

export function readUserPage(body: unknown): Reading<ListPage> {
  return map(read(usersAnswer, body), (answer) => listPage(answer.members, answer.response_metadata?.next_cursor));
}

export function readUsergroups(body: unknown): Reading<ListPage> {
  return map(read(usergroupsAnswer, body), (answer) => listPage(answer.usergroups, undefined));
}

export function readUser(body: unknown): Reading<JsonObject> {
  const answer = read(userAnswer, body);
  return answer.ok ? readObject('user', answer.value.user) : answer;
}

export function readChannel(body: unknown): Reading<JsonObject> {
  const answer = read(channelAnswer, body);
  return answer.ok ? readObject('channel', answer.value.channel) : answer;
}

function readObject(name: string, value: unknown): Reading<JsonObject> {
  if (!isJsonObject(value)) return { ok: false, why: `${name} is no object` };
  const odd = whyOdd(value);
  return odd === null ? { ok: true, value } : { ok: false, why: `${name} ${odd}`, isOdd: true };
}

export function readPosted(body: unknown): Reading<PostedMessage> {
  return map(read(postedAnswer, body), ({ channel, ts }) => ({ channel, ts }));
}

export function readOpened(body: unknown): Reading<string> {
  return map(read(openedAnswer, body), ({ channel }) => channel.id);
}

/** For calls whose answer tells nothing but that they succeeded. */
export function readNothing(body: unknown): Reading<undefined> {
  return map(read(emptyAnswer, body), () => undefined);
}

function read<T>(schema: z.ZodType<T>, body: unknown): Reading<T> {
  const result = schema.safeParse(body);
  if (result.success) return { ok: true, value: result.data };
  const fields = result.error.issues.map((issue) => issue.path.join('.') || 'the whole');
  return { ok: false, why: `${[...new Set(fields)].join(', ')} is missing or of another type than documented` };
}

function map<A, B>(reading: Reading<A>, change: (value: A) => B): Reading<B> {
  return reading.ok ? { ok: true, value: change(reading.value) } : reading;
}

/** By hand rather than by schema: pages hold 999 messages, and only their `ts` is relied on. */
function sortOut(elements: readonly unknown[]): Pick<MessagePage, 'messages' | 'malformed'> {
  const messages: MessagePage['messages'] = [];
  const malformed: MessagePage['malformed'] = [];
  for (const [position, element] of elements.entries()) {
    const message = isJsonObject(element) ? asMessage(element) : notAnObject(element);
    if (typeof message === 'string') {
      malformed.push({ position, reason: message, outline: null });
      continue;
    }
    const odd = whyOdd(message);
    if (odd === null) messages.push(message);
    else malformed.push({ position, reason: `${odd} (ts ${message.ts})`, outline: outlineOf(message) });
  }
  return { messages, malformed };
}

function outlineOf(message: JsonObject & { ts: Ts }): JsonObject & { ts: Ts } {
  const flat = Object.entries(message).filter(([, value]) => typeof value !== 'object');
  return { ...Object.fromEntries(flat), ts: message.ts };
}

function listPage(elements: readonly unknown[], nextCursor: string | null | undefined): ListPage {
  const page: ListPage = { items: [], malformed: [], nextCursor: nextCursor || undefined };
  for (const [position, element] of elements.entries()) {
    if (!isJsonObject(element)) {
      page.malformed.push({ position, reason: notAnObject(element) });
      continue;
    }
    const reason = isId(element.id) ? whyOdd(element) : 'has no id';
    if (reason === null) page.items.push(element);
    else page.malformed.push({ position, reason });
  }
  return page;
}

function notAnObject(element: unknown): string {
  return element === null ? 'is null' : 'is no object';
}

/** Answers come from `JSON.parse`, so an object in one holds nothing but JSON. */
function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
