import type { Channel } from '../channel.ts';
import { parseBound } from '../clock.ts';
import type { Position } from '../cursors.ts';
import { firstAfter, firstAtOrAfter, type StoredMessage, type Thread } from '../message-store.ts';
import { Refusal } from '../refusal.ts';
import {
  type Call,
  demand,
  demandChannel,
  flag,
  isMember,
  listingName,
  type Method,
  pageSize,
  scopesFor,
} from './call.ts';

const RESTRICTED_LIMIT = 15;

interface Window {
  /** Both are bounds inside the array: from `start` up to, not including, `end`. */
  start: number;
  end: number;
}

export const conversationsHistory: Method = {
  accepts: scopesFor('history'),
  answer: (call) => {
    const channel = readableChannel(call);
    const listing = listingName(call, channel.id);
    const from = call.settings.cursors.open(listing, call.params.cursor);
    const size = pageSize(call, from?.depth ?? 0, ...limits(call, 100, 999));
    const timeline = channel.store.timeline;
    const all = windowOf(call, timeline, channel.visibleFrom);
    // With `oldest` alone the first page is the one ADJACENT TO `oldest` and pages move forward; otherwise they move
    // back in time. Inside a page the newest comes first either way.
    const movesForward = bound(call, 'oldest') !== undefined && bound(call, 'latest') === undefined;
    const page = movesForward ? forward(timeline, all, size, from?.at) : backward(timeline, all, size, from?.at);
    return pageJson(call, channel, listing, {
      messages: timeline.slice(page.start, page.end).reverse(),
      next: page.next,
      from,
    });
  },
};

export const conversationsReplies: Method = {
  accepts: scopesFor('history'),
  answer: (call) => {
    const channel = readableChannel(call);
    const found = channel.store.find(demand(call, 'ts'));
    const root = found?.thread?.root ?? found;
    if (root === undefined || root.ts < channel.visibleFrom || !canThread(channel, root)) {
      throw new Refusal('thread_not_found');
    }
    const replies: Thread['replies'] = root.thread?.replies ?? [];
    const listing = listingName(call, `${channel.id}/${root.ts}`);
    const from = call.settings.cursors.open(listing, call.params.cursor);
    const depth = from?.depth ?? 0;
    const withParent = depth === 0 || call.settings.repeatsParent;
    const size = pageSize(call, depth, ...limits(call, 1000, 1000));
    // The parent counts towards the limit, but a later page always carries a reply, or it would never end.
    const room = withParent && size > 0 ? Math.max(size - 1, depth === 0 ? 0 : 1) : size;
    const page = forward(replies, windowOf(call, replies, channel.visibleFrom), room, from?.at);
    const messages = replies.slice(page.start, page.end);
    if (withParent && size > 0) messages.unshift(root);
    return pageJson(call, channel, listing, { messages, next: page.next, from });
  },
};

/** A bot reads only what it is in; a user also every public channel (docs.slack.dev, conversations.history). */
function readableChannel(call: Call): Channel {
  const channel = demandChannel(call, 'history');
  if (call.token.kind === 'bot' && !isMember(call, channel)) throw new Refusal('not_in_channel');
  return channel;
}

function limits(call: Call, usual: number, most: number): [usual: number, most: number] {
  return call.settings.isRestricted ? [RESTRICTED_LIMIT, RESTRICTED_LIMIT] : [usual, most];
}

/** `oldest` of 0 is the documented default, so it counts as not given. */
function bound(call: Call, name: 'oldest' | 'latest'): string | undefined {
  const value = call.params[name];
  if (value === undefined || value === '' || (name === 'oldest' && Number(value) === 0)) return undefined;
  const ts = parseBound(value);
  if (ts === undefined) throw new Refusal(`invalid_ts_${name}`);
  return ts;
}

/** Bounds are exclusive unless `inclusive`; what the plan hides is not there at all. */
function windowOf(call: Call, sorted: readonly StoredMessage[], visibleFrom: string): Window {
  const oldest = bound(call, 'oldest');
  const latest = bound(call, 'latest');
  const inclusive = flag(call, 'inclusive');
  const lower = oldest === undefined ? 0 : inclusive ? firstAtOrAfter(sorted, oldest) : firstAfter(sorted, oldest);
  const upper =
    latest === undefined ? sorted.length : inclusive ? firstAfter(sorted, latest) : firstAtOrAfter(sorted, latest);
  const start = Math.max(lower, firstAtOrAfter(sorted, visibleFrom));
  return { start, end: Math.max(start, upper) };
}

type Cut = Window & { next: string | undefined };

function forward(sorted: readonly StoredMessage[], all: Window, size: number, from: string | undefined): Cut {
  const start = from === undefined ? all.start : Math.max(all.start, firstAtOrAfter(sorted, from));
  const end = Math.max(start, Math.min(start + size, all.end));
  return { start, end, next: end < all.end ? sorted[end]?.ts : undefined };
}

function backward(sorted: readonly StoredMessage[], all: Window, size: number, from: string | undefined): Cut {
  const end = from === undefined ? all.end : Math.min(all.end, firstAfter(sorted, from));
  const start = Math.min(end, Math.max(end - size, all.start));
  return { start, end, next: start > all.start ? sorted[start - 1]?.ts : undefined };
}

function pageJson(
  call: Call,
  channel: Channel,
  listing: string,
  page: { messages: StoredMessage[]; next: string | undefined; from: Position | undefined },
): string {
  const withMetadata = flag(call, 'include_all_metadata');
  const texts = page.messages.map((message) => channel.store.render(message, withMetadata));
  const nextCursor =
    page.next === undefined ? '' : call.settings.cursors.mint(listing, 'next_ts', page.next, page.from);
  const isHistory = call.method === 'conversations.history';
  const rest = {
    has_more: page.next !== undefined,
    ...echo(call),
    ...(isHistory && channel.isLimited ? { is_limited: true } : {}),
    ...(isHistory ? { pin_count: 0, channel_actions_ts: null, channel_actions_count: 0 } : {}),
    response_metadata: { next_cursor: nextCursor },
  };
  return `{"ok":true,"messages":[${texts.join(',')}],${JSON.stringify(rest).slice(1)}`;
}

function echo(call: Call): Record<string, string> {
  const { oldest, latest } = call.params;
  return { ...(oldest ? { oldest } : {}), ...(latest ? { latest } : {}) };
}

/** Join and leave messages cannot start a thread (docs.slack.dev, conversations.replies). */
function canThread(channel: Channel, root: StoredMessage): boolean {
  if (root.thread !== undefined) return true;
  return !/"subtype":"(?:channel|group)_(?:join|leave)"/.test(channel.store.render(root));
}
