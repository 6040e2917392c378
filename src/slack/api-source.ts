/** One workspace of Slack behind one token: the `SlackApi` of model.ts over the Web API. */
import { setMaxListeners } from 'node:events';
import { UsageError } from '../errors.ts';
import type { HttpsProxy } from '../http/proxy.ts';
import type {
  HistoryRequest,
  Identity,
  JsonObject,
  LastCheck,
  ListedKind,
  MessagePage,
  ObjectPage,
  OutgoingMessage,
  PaceState,
  PostedMessage,
  RepliesRequest,
  SlackApi,
  Ts,
} from '../model.ts';
import type { Emit } from '../sync/events.ts';
import type { Pace } from './allowance.ts';
import type { CallArguments } from './answer.ts';
import { checkApiUrl, checkPace } from './api-url.ts';
import { Caller, type RequestBudget } from './caller.ts';
import { openClient } from './client.ts';
import { listPages } from './listing.ts';
import type { MethodName, Permission } from './methods.ts';
import { pageLimits, pageSize, restrictedPage } from './methods.ts';
import { longestRestMs, Pacer } from './pacer.ts';
import { PageLimits } from './page-limit.ts';
import type { ListPage, Reading } from './payloads.ts';
import {
  readAuthTest,
  readChannel,
  readChannelPage,
  readMessagePage,
  readNothing,
  readOpened,
  readPosted,
  readUser,
  readUsergroups,
  readUserPage,
} from './payloads.ts';
import { RestrictionWatch } from './restricted.ts';
import { retryPolicy } from './retry.ts';
import { SlackTime } from './slack-time.ts';
import type { Sleep } from './waiting.ts';
import { sleep } from './waiting.ts';

const publicApiUrl = 'https://slack.com/api/';
const defaultTimeoutMs = 30_000;

/** `conversations.list` knows the kinds by other names, and lists only public channels unless told. */
const typeOfKind = {
  public: 'public_channel',
  private: 'private_channel',
  im: 'im',
  mpim: 'mpim',
} as const satisfies Record<ListedKind, string>;

export interface SlackApiOptions {
  token: string;
  /** Default: Slack's own. https, or http on loopback. */
  apiUrl?: string;
  /** The way to an API outside of this machine. Default: straight. */
  proxy?: HttpsProxy | null;
  /** The workspace meant, when the token belongs to a whole organisation. */
  teamId?: string;
  /** 1 keeps Slack's published rates. More than 1 (compressed time) and `off` only for an API on loopback. */
  pace: Pace;
  /** Whether `join` may be called. Default: no. */
  allowJoin?: boolean;
  /** Whether anything may be posted. Default: no. */
  allowPost?: boolean;
  /** What `paceSnapshot` gave at the end of the last run with this workspace. */
  paceStates?: readonly PaceState[];
  emit: Emit;
  /** Stops everything at once, the call under way included. */
  signal: AbortSignal;
  /** Epoch milliseconds by this machine's clock. */
  now?: () => number;
  sleep?: Sleep;
  /** [0, 1) */
  random?: () => number;
  /** Milliseconds for one HTTP call. Default: 30 s. */
  timeoutMs?: number;
  /** When it is used up, `BudgetEndedError` is thrown; perhaps others draw on it too. */
  budget?: RequestBudget;
  /** Epoch milliseconds after which no call starts; a wait that would end later is not begun. */
  deadline?: number;
  /** A rest of a method that would keep the run waiting for longer ends it with `BudgetEndedError`. Default: an hour. Milliseconds. */
  patienceMs?: number;
  /** Given what must outlive the process as soon as Slack limits a method, so that a killed run does not forget it. */
  onPaceChange?: (states: PaceState[]) => void | Promise<void>;
}

/** A `SlackApi` and what it has to tell about its work. */
export interface SlackApiHandle extends SlackApi {
  paceSnapshot(): PaceState[];
  /** Takes over what the last run with this workspace knew, for methods not called yet. */
  inheritPace(states: readonly PaceState[]): void;
  /** HTTP calls sent so far, by method, retries included. */
  readonly requests: Readonly<Record<string, number>>;
  /** How often Slack answered "slow down". */
  readonly rateLimited: number;
  /** By how many milliseconds this machine's clock is ahead of Slack's; negative when behind, 0 when right or unknown. */
  readonly clockAheadMs: number;
}

/**
 * Opens one workspace; calls nothing yet. Throws `UsageError` for an address, a pace or a token that must not be used.
 * All methods then throw `SlackError`, `BudgetEndedError` or the signal's reason.
 */
export function openSlackApi(options: SlackApiOptions): SlackApiHandle {
  const apiUrl = checkApiUrl(options.apiUrl ?? publicApiUrl);
  checkPace(options.pace, apiUrl);
  checkToken(options.token);
  const { emit, signal } = options;
  // Everyone who waits listens to it; Node 20 takes more than ten listeners for a leak and says so on stderr.
  setMaxListeners(0, signal);
  const time = new SlackTime(options.now ?? Date.now);
  // Pauses and deadlines are lengths of time: a clock that is set while the run works must not change them.
  const now = options.now ?? steadyFrom(Date.now());
  const wait = options.sleep ?? sleep;
  const pacer = new Pacer({
    pace: options.pace,
    now,
    sleep: wait,
    states: options.paceStates ?? [],
    onWait: (method, reason, ms) => emit({ type: 'waiting', method, reason, ms }),
  });
  const storePace = async (): Promise<void> => options.onPaceChange?.(pacer.snapshot());
  const watch = new RestrictionWatch(pacer, emit, storePace);
  const caller = new Caller({
    send: openClient({
      token: options.token,
      apiUrl,
      proxy: options.proxy ?? null,
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      signal,
      onDate: (header) => time.note(header),
    }),
    pacer,
    policy: retryPolicy(options.pace),
    permissions: permissionsOf(options),
    emit,
    signal,
    now,
    sleep: wait,
    random: options.random ?? Math.random,
    budget: options.budget,
    deadline: options.deadline,
    patienceMs: Math.min(options.patienceMs ?? longestRestMs, longestRestMs),
    onRateLimit: async (method, restMs) => {
      await watch.sawRateLimit(method, restMs);
      await storePace();
    },
    onServerRest: storePace,
  });
  const hasBotToken = /^(?:xoxe\.)?xoxb-/.test(options.token);
  return new ApiSource(caller, pacer, watch, { teamId: options.teamId, hasBotToken, time });
}

/** A clock that shows `start` now and that nobody sets. */
function steadyFrom(start: number): () => number {
  const since = performance.now();
  return () => Math.round(start + performance.now() - since);
}

class ApiSource implements SlackApiHandle {
  readonly #caller: Caller;
  readonly #pacer: Pacer;
  readonly #watch: RestrictionWatch;
  readonly #pageLimits = new PageLimits();
  /** Required by listings with an organisation's token, ignored with a workspace's. */
  #teamId: string | undefined;
  readonly #hasBotToken: boolean;
  readonly #time: SlackTime;

  constructor(
    caller: Caller,
    pacer: Pacer,
    watch: RestrictionWatch,
    known: { teamId: string | undefined; hasBotToken: boolean; time: SlackTime },
  ) {
    this.#caller = caller;
    this.#pacer = pacer;
    this.#watch = watch;
    this.#teamId = known.teamId;
    this.#hasBotToken = known.hasBotToken;
    this.#time = known.time;
  }

  get requests(): Readonly<Record<string, number>> {
    return this.#caller.requests;
  }

  get rateLimited(): number {
    return this.#caller.rateLimited;
  }

  get clockAheadMs(): number {
    return this.#time.aheadMs;
  }

  now(): number {
    return this.#time.now();
  }

  toldTime(): number | null {
    return this.#time.told();
  }

  get requestsLeft(): number | null {
    return this.#caller.requestsLeft;
  }

  paceSnapshot(): PaceState[] {
    return this.#pacer.snapshot();
  }

  inheritPace(states: readonly PaceState[]): void {
    this.#pacer.inherit(states);
  }

  /** Throws `UsageError` when the token belongs to an organisation and no workspace was named. */
  async identify(): Promise<Identity> {
    const { identity, isOrganisation } = await this.#caller.call('auth.test', {}, readAuthTest);
    if (isOrganisation && this.#teamId === undefined) {
      throw new UsageError(
        `The token belongs to the organisation ${identity.teamName}, not to one workspace.`,
        'Name the workspace by its team id (T...) in the config file, or use a token installed in that workspace.',
      );
    }
    this.#teamId ??= identity.teamId;
    // The prefix tells too, where the answer lacks bot_id.
    const isBot = identity.isBot || this.#hasBotToken;
    return { ...identity, isBot, teamId: isOrganisation ? this.#teamId : identity.teamId };
  }

  async *channels(kinds: readonly ListedKind[]): AsyncIterable<ObjectPage> {
    if (kinds.length === 0) return;
    const types = kinds.map((kind) => typeOfKind[kind]).join(',');
    yield* this.#list('conversations.list', { types, exclude_archived: false }, readChannelPage);
  }

  async *users(): AsyncIterable<ObjectPage> {
    yield* this.#list('users.list', {}, readUserPage);
  }

  history({ channel, oldest, latest, cursor, limit }: HistoryRequest): Promise<MessagePage> {
    return this.#messages('conversations.history', { channel, oldest, latest, cursor }, limit);
  }

  pageSize(method: 'conversations.history' | 'conversations.replies'): number {
    return pageSize(method, this.#pacer.isRestricted(method));
  }

  replies({ channel, ts, oldest, cursor }: RepliesRequest): Promise<MessagePage> {
    return this.#messages('conversations.replies', { channel, ts, oldest, cursor });
  }

  user(userId: string): Promise<JsonObject> {
    return this.#caller.call('users.info', { user: userId }, readUser);
  }

  channel(channelId: string): Promise<JsonObject> {
    return this.#caller.call('conversations.info', { channel: channelId }, readChannel);
  }

  usergroups(): Promise<ObjectPage> {
    const args = { include_users: true, include_disabled: true, team_id: this.#teamId };
    return this.#caller.call('usergroups.list', args, readUsergroups);
  }

  async join(channel: string): Promise<void> {
    await this.#caller.call('conversations.join', { channel }, readNothing);
  }

  post(message: OutgoingMessage, claim: () => Promise<LastCheck>): Promise<PostedMessage> {
    // Previews of what is linked would bury the digest, and are edits of the message besides.
    const args = { ...sendable(message), unfurl_links: false, unfurl_media: false };
    return this.#caller.call('chat.postMessage', args, readPosted, { beforeEach: claim });
  }

  update({ ts, ...message }: OutgoingMessage & { ts: Ts }): Promise<PostedMessage> {
    return this.#caller.call('chat.update', { ...sendable(message), ts }, readPosted);
  }

  async remove(channel: string, ts: Ts): Promise<void> {
    await this.#caller.call('chat.delete', { channel, ts }, readNothing);
  }

  openDirect(userId: string): Promise<string> {
    return this.#caller.call('conversations.open', { users: userId }, readOpened);
  }

  #list(
    method: 'conversations.list' | 'users.list',
    args: CallArguments,
    read: (body: unknown) => Reading<ListPage>,
  ): AsyncGenerator<ObjectPage> {
    const fetchPage = async (cursor: string | undefined): Promise<ListPage> => {
      const listing = { ...args, team_id: this.#teamId, cursor };
      return (await this.#page(method, method, listing, pageLimits[method], read)).value;
    };
    return listPages(method, fetchPage);
  }

  /** The full limit is asked for even of a restricted app: Slack cuts it down, and thus the end of a restriction shows. */
  async #messages(
    method: 'conversations.history' | 'conversations.replies',
    args: CallArguments,
    limit: number = pageLimits[method],
  ): Promise<MessagePage> {
    // Without include_all_metadata Slack leaves out what apps attach to messages (docs.slack.dev/messaging/message-metadata).
    const full = { ...args, include_all_metadata: true };
    const listing = `${method} ${args['channel']}`;
    const { value: page, askedFor } = await this.#page(method, listing, full, limit, readMessagePage);
    if (askedFor > restrictedPage) await this.#watch.sawPage(method, page);
    return askedFor < limit ? { ...page, isReduced: true } : page;
  }

  /** One page of a listing, a smaller one where Slack failed at larger ones of `listing` before. */
  async #page<T>(
    method: MethodName,
    listing: string,
    args: CallArguments,
    full: number,
    read: (body: unknown) => Reading<T>,
  ): Promise<{ value: T; askedFor: number }> {
    const page = this.#pageLimits.of(listing, full);
    const value = await this.#caller.call(method, args, read, { page });
    return { value, askedFor: page.lastServed ?? full };
  }
}

function permissionsOf({ allowJoin, allowPost }: SlackApiOptions): Set<Permission> {
  const permissions = new Set<Permission>();
  if (allowJoin === true) permissions.add('join');
  if (allowPost === true) permissions.add('post');
  return permissions;
}

/** Forms hold text only: what has parts travels as JSON (docs.slack.dev/apis/web-api). */
function sendable({ channel, text, blocks, metadata }: OutgoingMessage): CallArguments {
  return { channel, text, blocks: JSON.stringify(blocks), metadata: JSON.stringify(metadata) };
}

/** fetch quotes a header it cannot send in its error, so a token with a line break in it would be shown there. */
function checkToken(token: string): void {
  if (/^[\x21-\x7e]+$/.test(token)) return;
  throw new UsageError(
    'The Slack token is empty or holds a space, a line break or another character that no token has.',
    "Copy it anew from the app's page (OAuth & Permissions); it begins with xoxb- or xoxp-.",
  );
}
