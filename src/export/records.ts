/**
 * What the objects of a JSON file are, whatever is wrapped around them: answers of the API, dumps, pages in a list, lists by the
 * name of their channel. Told by what the objects hold, since files are called as people like.
 */
import type { JsonObject, JsonValue } from '../model.ts';
import { asMessage, canonicalTs } from '../timestamps.ts';

/** `foreign`: a message, but none that can be stored: of another program, an event of Slack's, a result of a search. */
export type RecordKind = 'message' | 'user' | 'conversation' | 'foreign';

/** Of which conversation a message is, as far as what stands around it tells. */
export interface Around {
  /** What it is said to be of: an id, or a name. */
  channel: string | null;
  /** Names that may be the conversation's: of the objects around it, and the keys it stands under. */
  hints: readonly string[];
}

export interface FoundRecord {
  kind: RecordKind;
  value: JsonObject;
  around: Around;
}

/**
 * Of a file that is no day file: the folder of its messages by what stands around them, see `routeOf`. Null for those that are
 * left out, of which was told.
 */
export type Routes = ReadonlyMap<string, string | null>;

/** Key of what stands around a message. */
export function routeOf({ channel, hints }: Around): string {
  return channel ?? `/${hints.join('/')}`;
}

export const nothingAround: Around = { channel: null, hints: [] };

/** Deeper nothing is looked for: answers wrapped in answers have three or four levels. */
const deepestWrapping = 12;

/** The records that a value is or holds, in their order; replies that a root holds come after it. */
export function recordsIn(value: JsonValue, around: Around = nothingAround): FoundRecord[] {
  const found: FoundRecord[] = [];
  visit(value, around, 0, found);
  return found;
}

function visit(value: JsonValue, around: Around, depth: number, found: FoundRecord[]): void {
  if (depth > deepestWrapping || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const element of value) visit(element, around, depth + 1, found);
    return;
  }
  const kind = kindOf(value);
  if (kind === 'message') {
    const { root, replies } = withoutReplies(value);
    const channel = channelOf(value);
    found.push({
      kind,
      value: channel === null ? root : withoutChannel(root),
      around: { ...around, channel: channel ?? around.channel },
    });
    for (const reply of replies) visit(reply, around, depth + 1, found);
  } else if (kind !== null && !holdsMessages(value)) found.push({ kind, value, around });
  else {
    const inner = aroundIn(value, around);
    for (const [key, held] of Object.entries(value)) {
      visit(held, under(inner, key), depth + 1, found);
    }
  }
}

/** As the channel's own history has the message: what others wrote into it to tell of the channel is no part of it. */
function withoutChannel({ channel: _, channel_id: __, ...message }: JsonObject): JsonObject {
  return message;
}

/** What an object tells of the conversation of all that it holds. */
export function aroundIn(object: JsonObject, around: Around): Around {
  const { id, name, channel_name: channelName } = object;
  const hint = nameOf(channelName) ?? nameOf(name);
  return {
    channel: channelOf(object) ?? (isChannelId(id) ? id : around.channel),
    hints: hint === null ? around.hints : [...around.hints, hint],
  };
}

/** What stands under a key of an object. */
export function under({ channel, hints }: Around, key: string): Around {
  return { channel, hints: [...hints, key] };
}

function nameOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The id or name of the channel that an object itself names. */
export function channelOf({ channel_id: id, channel }: JsonObject): string | null {
  if (typeof channel === 'object' && channel !== null && !Array.isArray(channel)) {
    return nameOf(channel['id']) ?? nameOf(channel['name']) ?? nameOf(id);
  }
  return nameOf(id) ?? nameOf(channel);
}

/** Slack's have 9 to 12 characters. */
export function isChannelId(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^[CDG][A-Z0-9]{7,}$/.test(value);
}

/** Null for an object that is none of them; it may hold some. */
export function kindOf(value: JsonObject): RecordKind | null {
  if (isMessage(value)) return isWholeMessage(value) ? 'message' : 'foreign';
  const { id } = value;
  if (typeof id === 'string') {
    if (/^[UW][A-Z0-9]{2,}$/.test(id) && ['profile', 'name', 'team_id'].some((key) => key in value)) return 'user';
    if (/^[CDG][A-Z0-9]{2,}$/.test(id) && ['name', 'user', 'members', 'created'].some((key) => key in value))
      return 'conversation';
  }
  return isForeign(value) ? 'foreign' : null;
}

/** A message that is shown inside of another one has a ts and a text too (docs.slack.dev, secondary attachments). */
const attachmentKeys = ['fallback', 'from_url', 'author_id', 'author_name'];

const contentKeys = ['text', 'blocks', 'attachments', 'files', 'file', 'subtype'];

/** References to messages, as events and lists of replies have them, hold neither a content nor an author beside the type. */
function isMessage(value: JsonObject): boolean {
  const { type = null, ts } = value;
  if (type !== null && type !== 'message') return false;
  const holdsContent = contentKeys.some((key) => value[key] !== undefined);
  if (type === 'message') return holdsContent || (ts !== undefined && ['user', 'bot_id'].some((key) => key in value));
  return canonicalTs(ts) !== null && holdsContent && !attachmentKeys.some((key) => key in value);
}

/**
 * Not an event that tells of a message (`message_changed` holds it inside), and not what a search found, which has neither its
 * thread nor its reactions (docs.slack.dev/reference/methods/search.messages).
 */
function isWholeMessage(value: JsonObject): boolean {
  const { message, previous_message: previous, permalink, channel } = value;
  const isEvent = [message, previous].some((inner) => typeof inner === 'object' && inner !== null);
  return !isEvent && !(typeof permalink === 'string' && typeof channel === 'object' && channel !== null);
}

/** Something written, who wrote it, and when: whatever program calls it what. */
function isForeign(value: JsonObject): boolean {
  const isText = (key: string) => typeof value[key] === 'string' && value[key] !== '';
  if (!['text', 'message', 'content', 'body', 'msg'].some(isText)) return false;
  const entries = Object.entries(value);
  const hasAuthor = entries.some(([key, told]) => /user|author|sender|from|nick/i.test(key) && Boolean(told));
  return hasAuthor && entries.some(([key, told]) => /time|date|_at$|^ts$|created/i.test(key) && isMoment(told));
}

function isMoment(value: JsonValue): boolean {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && number > 1e9) return true;
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value);
}

/** An object that stands for a conversation may hold its messages. */
function holdsMessages(value: JsonObject): boolean {
  return Object.values(value).some((held) => {
    const first = Array.isArray(held) ? held[0] : undefined;
    return isObject(first) && isMessage(first);
  });
}

/**
 * A root and the whole replies that some programs put into it (`slackdump_thread_replies`): a list of messages that name it as
 * their thread. Slack's own `replies` holds references only.
 */
export function withoutReplies(value: JsonObject): { root: JsonObject; replies: JsonObject[] } {
  let root = value;
  const replies: JsonObject[] = [];
  for (const [key, held] of Object.entries(value)) {
    if (!isListOfReplies(held, value)) continue;
    replies.push(...held.filter(isObject));
    const { [key]: _, ...rest } = root;
    root = rest;
  }
  return { root, replies };
}

function isListOfReplies(value: JsonValue, root: JsonObject): value is JsonValue[] {
  if (!Array.isArray(value)) return false;
  const [first] = value;
  if (!isObject(first) || first['thread_ts'] === undefined || !isMessage(first)) return false;
  const [reply, message] = [asMessage(first), asMessage(root)];
  return typeof reply !== 'string' && typeof message !== 'string' && reply['thread_ts'] === message.ts;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
