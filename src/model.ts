/**
 * The words every layer shares. Imports nothing, so any layer may import it.
 */

/** Slack's message id within one conversation: text, byte for byte as Slack sent it ("1700000001.123450"). */
export type Ts = string & { readonly __brand: 'Ts' };

/** A moment as `Date.prototype.toISOString()` writes it: 24 characters, UTC, milliseconds. */
export type IsoTime = string & { readonly __brand: 'IsoTime' };

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

/** The kinds of conversations that Slack has. */
export type ListedKind = 'public' | 'private' | 'im' | 'mpim';

/** `unknown` where nothing settles it: treated as private everywhere. So ask what a conversation is, never what it is not. */
export type ChannelKind = ListedKind | 'unknown';

/** Who the token is, from `auth.test`. */
export interface Identity {
  teamId: string;
  teamName: string;
  /** Workspace address with a trailing slash, e.g. `https://acme.slack.com/`; the base of every permalink. Empty when Slack did not say. */
  url: string;
  enterpriseId: string | null;
  userId: string | null;
  /** A bot sees the channels it is a member of; a user sees all public ones besides. */
  isBot: boolean;
  /** The token's scopes from the `x-oauth-scopes` header; null when Slack did not say. */
  scopes: readonly string[] | null;
}

/**
 * An element of an answer that cannot be taken (null, no id, nested without end): its place in the page, from 0, and why. It must
 * be reported, never dropped in silence.
 */
export interface Malformed {
  /** Null where nobody knows it any more. */
  position: number | null;
  /** Continues "Element 3 of the page ". */
  reason: string;
}

/** One page of channels, users or user groups: each item is an object with an id. */
export interface ObjectPage {
  items: JsonObject[];
  malformed: Malformed[];
}

/** One page of `conversations.history` or `conversations.replies`. Nothing is promised about the order of messages or of pages. */
export interface MessagePage {
  /** Each element is an object with a well-formed `ts`. */
  messages: (JsonObject & { ts: Ts })[];
  malformed: (Malformed & {
    /** What tells which message it is and of which thread: its fields without what they hold in turn. Null where it has no ts. */
    outline: (JsonObject & { ts: Ts }) | null;
  })[];
  hasMore: boolean;
  /** Slack's page token; absent on the last page. Never stored. */
  nextCursor: string | undefined;
  /** Slack hides older messages because of the plan's history limit. */
  isLimited: boolean;
  /** Asked for with a smaller limit than usual, because Slack failed at that. */
  isReduced?: boolean;
}

/** Bounds are exclusive, as Slack's are. */
export interface HistoryRequest {
  channel: string;
  oldest?: Ts;
  latest?: Ts;
  cursor?: string;
  /** At most so many messages; as many as Slack allows when absent. */
  limit?: number;
}

export interface RepliesRequest {
  channel: string;
  /** The thread's root. */
  ts: Ts;
  oldest?: Ts;
  cursor?: string;
}

/**
 * Slack's Web API as the sync layer sees it: one workspace, one token, paced, retried and checked.
 * Every method throws `SlackError` (see errors.ts) when Slack refuses or keeps failing, and the signal's
 * reason when the run is being stopped. Methods never start a call after the signal fired.
 */
export interface SlackApi {
  /** Slack's time in epoch milliseconds; this machine's until Slack has answered. */
  now(): number;
  /** Slack's own word on what time it is; null as long as Slack has not said. */
  toldTime(): number | null;
  identify(): Promise<Identity>;
  /** Yields pages of raw conversation objects until the listing is complete. Empty pages are possible. */
  channels(kinds: readonly ListedKind[]): AsyncIterable<ObjectPage>;
  history(request: HistoryRequest): Promise<MessagePage>;
  /** The root comes first on the first page (and perhaps on later ones), then replies, oldest first. */
  replies(request: RepliesRequest): Promise<MessagePage>;
  /** How many objects one page may hold under the limits now in force: fewer while Slack restricts the app. */
  pageSize(method: 'conversations.history' | 'conversations.replies'): number;
  /** Calls that the run's budget of requests has left; null without such a budget. */
  readonly requestsLeft: number | null;
  users(): AsyncIterable<ObjectPage>;
  user(userId: string): Promise<JsonObject>;
  /** One conversation, listed or not. */
  channel(channelId: string): Promise<JsonObject>;
  usergroups(): Promise<ObjectPage>;
  /** Joins a public channel. Throws unless the client was opened with `allowJoin`. */
  join(channel: string): Promise<void>;

  /**
   * Posts a message, once: a call whose answer is lost is not repeated, and the error's `isDoubtful` tells that it may have
   * been posted all the same. Waiting for the pace or after "slow down" can take minutes, so `claim` is run right before each
   * request, and what it returns at the very last moment before the request goes out: what they throw is thrown on, and the
   * message is not sent.
   * This and what follows throws unless the client was opened with `allowPost`.
   */
  post(message: OutgoingMessage, claim: () => Promise<LastCheck>): Promise<PostedMessage>;
  /** Replaces a message of the app's own. */
  update(message: OutgoingMessage & { ts: Ts }): Promise<PostedMessage>;
  /** Deletes a message of the app's own. */
  remove(channel: string, ts: Ts): Promise<void>;
  /** The id of the direct conversation with a person. */
  openDirect(userId: string): Promise<string>;
}

/** Throws when a request must not go out any more. */
export type LastCheck = () => void;

/** A message to be posted: blocks as Block Kit has them, and a text for where they are not shown. */
export interface OutgoingMessage {
  channel: string;
  text: string;
  blocks: readonly JsonObject[];
  /** Stays with the message, for apps only (docs.slack.dev/messaging/message-metadata). */
  metadata: { event_type: string; event_payload: JsonObject };
}

/** Where a message stands; of a person as the target it is the direct conversation. */
export interface PostedMessage {
  channel: string;
  ts: Ts;
}

/** What the pacer knows of one method in one workspace; kept in the database between runs. Times in epoch milliseconds. */
export interface PaceState {
  method: string;
  /** No call before this moment (from `Retry-After`); 0 when there is none. */
  notBefore: number;
  /** Moments of the calls of the last minute, ascending. */
  recentCalls: number[];
  /** Slack answered as for apps limited to 15 objects a minute. */
  isRestricted: boolean;
}

/** JSON already serialised: stored as it is, so that a large object is serialised once. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
