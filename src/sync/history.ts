/** Reads windows of one channel's history, page by page, each committed with what it completes. */
import { SlackError } from '../errors.ts';
import { channelLabel } from '../labels.ts';
import type { HistoryRequest, MessagePage, Ts } from '../model.ts';
import { normalizeMessage } from '../normalize/message.ts';
import { compareTs, microsToTs } from '../ts.ts';
import { findAbsent, showsOlder } from './absence.ts';
import type { ChannelPosition, Floor } from './channel-position.ts';
import { countPage, notePageSize, nowIso, type SyncContext } from './context.ts';
import type { Interval, Window } from './interval.ts';
import { outlinesOf, placesOf, reportMessages } from './malformed.ts';
import { PageWalk } from './page-walk.ts';
import { savePage } from './save-page.ts';
import type { Watch } from './write-log.ts';

export interface ReadableChannel {
  channelId: string;
  /** For people; Slack's name, or the id where there is none. */
  name: string;
}

export interface WindowResult {
  /** Elements that could not be stored; each is reported as an error. */
  malformed: number;
  /** One of them does not even tell its ts. */
  hasUnknown: boolean;
  /** Slack hides older messages because of the plan. */
  isLimited: boolean;
  pages: number;
  messages: number;
}

/** A walk may begin anew so often without having got further. */
const restartLimit = 3;

const dayMs = 24 * 3600 * 1000;

/** Short and empty pages are normal; so many in a row without a new message, each with a new cursor, lead nowhere. */
const fruitlessPageLimit = 200;

/**
 * Reads the whole window. Begins anew behind the last committed page when Slack forgets the cursor, and goes on by
 * time when Slack says there is more and gives no cursor.
 * Throws `SlackError` when the channel cannot be read to the end; what was committed stays.
 */
export async function readWindow(
  context: SyncContext,
  channel: ReadableChannel,
  position: ChannelPosition,
  window: Window,
): Promise<WindowResult> {
  const result: WindowResult = { malformed: 0, hasUnknown: false, isLimited: false, pages: 0, messages: 0 };
  const left: Window[] = [window];
  let fruitless = 0;
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const rest = await walkOnce(context, channel, position, next, result);
    const isUnchanged = rest.length === 1 && rest[0]?.oldest === next.oldest && rest[0].latest === next.latest;
    fruitless = isUnchanged ? fruitless + 1 : 0;
    if (fruitless >= restartLimit) throw noProgress(channel);
    left.unshift(...rest);
  }
  return result;
}

/** The channel stays incomplete, and that must be known. */
export function noProgress({ name, channelId }: ReadableChannel): SlackError {
  return new SlackError(
    { kind: 'cursor', method: 'conversations.history', code: 'no_progress' },
    `The history of ${channelLabel(name, channelId)} cannot be read to the end: Slack keeps saying there is more without showing it.`,
    'The next run tries again from the last committed page.',
  );
}

/** One walk from page to page; returns what is left of the window, something only when it had to stop early. */
async function walkOnce(
  context: SyncContext,
  channel: ReadableChannel,
  position: ChannelPosition,
  window: Window,
  result: WindowResult,
): Promise<Window[]> {
  const walk = new PageWalk(window);
  using written = context.writes.watch(channel.channelId);
  const bounds = requestBounds(channel.channelId, window);
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let fruitless = 0;
  do {
    let page: MessagePage;
    try {
      page = await context.slack.history(cursor === undefined ? bounds : { ...bounds, cursor });
    } catch (error) {
      // Without a cursor there is nothing to begin anew.
      if (error instanceof SlackError && error.kind === 'cursor' && cursor !== undefined) return walk.rest;
      throw error;
    }
    const isRepeated = page.nextCursor !== undefined && cursors.has(page.nextCursor);
    const isFurther = await savePageOf(context, channel, position, { window, walk, written }, page, result);
    if (isRepeated || (page.hasMore && page.nextCursor === undefined)) return walk.rest;
    fruitless = isFurther ? 0 : fruitless + 1;
    if (fruitless > fruitlessPageLimit) throw noProgress(channel);
    if (page.nextCursor !== undefined) cursors.add(page.nextCursor);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return [];
}

function requestBounds(channel: string, { oldest, latest }: Window): HistoryRequest {
  const bounds = { channel, oldest: microsToTs(oldest) };
  return latest === null ? bounds : { ...bounds, latest: microsToTs(latest) };
}

interface Walk {
  window: Window;
  walk: PageWalk;
  /** What was stored since it began. */
  written: Watch;
}

async function savePageOf(
  context: SyncContext,
  channel: ReadableChannel,
  position: ChannelPosition,
  { window, walk, written }: Walk,
  page: MessagePage,
  result: WindowResult,
): Promise<boolean> {
  reportMessages(context, channel, page.malformed);
  const places = placesOf(page);
  result.isLimited ||= page.isLimited;
  result.malformed += page.malformed.length;
  result.hasUnknown ||= page.malformed.some(({ outline }) => outline === null);
  result.pages += 1;
  result.messages += page.messages.length;
  notePageSize(context, page);
  const isLast = page.nextCursor === undefined && !page.hasMore;
  const isFurther = walk.add({ messages: places, isLast, isLimited: page.isLimited });
  const complete = (await confirmStart(context, channel, position, walk)) ?? walk.complete;
  const shown = walk.takeShown();
  // An element that does not say which message it is may be any.
  const certain = result.hasUnknown ? { ranges: [], oldEnd: null } : shown;
  const { absent, unproven, expiredTo, oldestProof } = await findAbsent(context, channel, certain, {
    messages: page.messages,
    places,
    written,
    expiredTo: position.expiredTo,
    visibleFrom: position.visibleFrom,
    isLimited: walk.hidesStart,
  });
  const at = nowIso(context);
  let adopt = (): void => undefined;
  const saved = await savePage(
    context,
    channel.channelId,
    { messages: page.messages.map(normalizeMessage), setApart: outlinesOf(page).map(normalizeMessage), absent },
    { source: 'api', at, unproven },
    async (store, _, changes) => {
      context.writes.note(channel.channelId, changes, written);
      const floor = isLast ? floorOf(window, walk, complete?.from ?? null) : null;
      const facts = {
        at,
        run: context.runNumber,
        newestShown: newestOf(places),
        oldestProof,
        isLive: window.latest === null || window.isLive === true,
        isLast,
        floor,
        expiredTo,
      };
      adopt = await position.cover(store, complete, facts);
    },
  );
  adopt();
  result.malformed += saved.refused.length;
  reportMessages(context, channel, saved.refused);
  countPage(context, channel.channelId, saved);
  return isFurther;
}

/**
 * Under the plan's limit an empty beginning of a window may be empty or hidden. Where that would leave a hole one more
 * call tells: what is older than a shown message is hidden, what is later is not.
 */
async function confirmStart(
  context: SyncContext,
  { channelId }: ReadableChannel,
  position: ChannelPosition,
  walk: PageWalk,
): Promise<Interval | null> {
  const start = walk.unprovenStart;
  // Below the known limit it is looked at once a day whether the plan still hides it; the empty page says that it does.
  if (start === null || start.to < position.visibleFrom || position.covers(start)) return null;
  const upTo = Math.min(start.to + 1, (context.now() + dayMs) * 1000);
  return (await showsOlder(context, channelId, microsToTs(upTo))) ? walk.confirmStart() : null;
}

/** What a whole walk tells of the plan's limit. */
function floorOf(window: Window, walk: PageWalk, visibleFrom: number | null): Floor | null {
  const probedFrom = microsToTs(window.oldest + 1);
  if (!walk.hidesStart) return { visibleFrom: null, probedFrom };
  const from = visibleFrom ?? window.latest;
  return from === null ? null : { visibleFrom: microsToTs(from), probedFrom };
}

function newestOf(places: readonly { ts: Ts }[]): Ts | null {
  return places.reduce<Ts | null>(
    (newest, { ts }) => (newest === null || compareTs(ts, newest) > 0 ? ts : newest),
    null,
  );
}
