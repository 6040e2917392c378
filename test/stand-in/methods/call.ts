import type { ListedKind } from '../../../src/model.ts';
import type { Channel } from '../channel.ts';
import type { Cursors } from '../cursors.ts';
import { Refusal } from '../refusal.ts';
import type { Token } from '../tokens.ts';
import type { Workspace } from '../workspace.ts';

export type Params = Readonly<Record<string, string>>;

/** What a page would hold were it not thinned out. */
export interface FullPage {
  method: string;
  channel: string | undefined;
  /** How many pages of this listing came before. */
  depth: number;
  limit: number;
}

export interface Settings {
  cursors: Cursors;
  /** How many rows a page may hold, 0 to `limit`. */
  thin: (page: FullPage) => number;
  /** history and replies serve 15 objects at most (docs.slack.dev, rate-limits). */
  isRestricted: boolean;
  /** Do pages of replies after the first repeat the parent? Seen both ways in the wild. */
  repeatsParent: boolean;
}

/** One authenticated call. */
export interface Call {
  readonly method: string;
  readonly params: Params;
  readonly token: Token;
  readonly workspace: Workspace;
  readonly settings: Settings;
}

export interface Method {
  /** Sent as x-accepted-oauth-scopes. */
  accepts: readonly string[];
  /** The body as JSON text, because history splices stored text; throws a Refusal. */
  answer: (call: Call) => string;
}

const SCOPE_PREFIX: Record<ListedKind, string> = { public: 'channels', private: 'groups', im: 'im', mpim: 'mpim' };
const KINDS = Object.keys(SCOPE_PREFIX) as ListedKind[];

export function scopeFor(kind: ListedKind, right: 'read' | 'history'): string {
  return `${SCOPE_PREFIX[kind]}:${right}`;
}

export function scopesFor(right: 'read' | 'history'): string[] {
  return KINDS.map((kind) => scopeFor(kind, right));
}

/** Refuses unless the token has every scope. */
export function demandScopes(call: Call, needed: readonly string[]): void {
  const missing = needed.filter((scope) => !call.token.scopes.includes(scope));
  if (missing.length > 0) refuseScopes(call, missing);
}

export function demandAnyScope(call: Call, accepted: readonly string[]): void {
  if (!accepted.some((scope) => call.token.scopes.includes(scope))) refuseScopes(call, accepted);
}

function refuseScopes(call: Call, needed: readonly string[]): never {
  throw new Refusal('missing_scope', { needed: needed.join(','), provided: call.token.scopes.join(',') });
}

export function demand(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined || value === '') {
    throw new Refusal('invalid_arguments', {
      response_metadata: { messages: [`[ERROR] missing required field: ${name}`] },
    });
  }
  return value;
}

export function flag(call: Call, name: string): boolean {
  const value = call.params[name];
  return value === 'true' || value === '1';
}

/**
 * The channel the call names. A private conversation the token is not in is answered as if it did not exist
 * (docs.slack.dev, conversations.info).
 */
export function demandChannel(call: Call, right: 'read' | 'history'): Channel {
  demandAnyScope(call, scopesFor(right));
  const channel = call.workspace.channels.get(demand(call, 'channel'));
  if (channel === undefined || !isVisible(call, channel)) throw new Refusal('channel_not_found');
  demandScopes(call, [scopeFor(channel.kind, right)]);
  return channel;
}

export function isVisible(call: Call, channel: Channel): boolean {
  return channel.kind === 'public' || isMember(call, channel);
}

export function isMember(call: Call, channel: Channel): boolean {
  return channel.members.has(call.token.user);
}

/** Invalid and excessive limits are "magically adjusted" (docs.slack.dev, pagination). */
export function pageSize(call: Call, depth: number, usual: number, most: number): number {
  const asked = Number(call.params.limit ?? usual);
  const limit = Number.isFinite(asked) && asked >= 1 ? Math.min(Math.floor(asked), most) : usual;
  const thinned = call.settings.thin({ method: call.method, channel: call.params.channel, depth, limit });
  return Math.max(0, Math.min(limit, Math.floor(thinned)));
}

export function listingName(call: Call, subject = ''): string {
  return `${call.workspace.id} ${call.method} ${subject}`;
}

export interface ListPage<Row> {
  rows: Row[];
  nextCursor: string;
}

/**
 * A page of a list that goes by id. `keep` is applied AFTER the page is cut, so a page may be short, or empty, with
 * more to come (docs.slack.dev, pagination).
 */
export function listPage<Row>(
  call: Call,
  list: readonly Row[],
  shape: {
    id: (row: Row) => string;
    kind: string;
    usual: number;
    most: number;
    keep?: (row: Row) => boolean;
    subject?: string;
  },
): ListPage<Row> {
  const { id, keep = () => true } = shape;
  const listing = listingName(call, shape.subject);
  const from = call.settings.cursors.open(listing, call.params.cursor);
  const sorted = list
    .filter((row) => from === undefined || id(row) >= from.at)
    .sort((a, b) => (id(a) < id(b) ? -1 : 1));
  const size = pageSize(call, from?.depth ?? 0, shape.usual, shape.most);
  const next = sorted[size];
  return {
    rows: sorted.slice(0, size).filter(keep),
    nextCursor: next === undefined ? '' : call.settings.cursors.mint(listing, shape.kind, id(next), from),
  };
}
