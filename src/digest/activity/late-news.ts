/** What became known of messages that are older than the window, since the last digest or in the window: no earlier one can have told it. */
import type { ChangedMessage, LateReply } from '../../db/repositories/activity.ts';
import type { Store } from '../../db/repositories/index.ts';
import type { IsoTime, Ts } from '../../model.ts';
import { compareTs, isoToTs } from '../../ts.ts';
import type { DigestWindow, LateItem, LateNews } from '../digest.ts';
import { type IsNews, isAfter } from '../followed.ts';
import { lateKey } from '../item-keys.ts';
import type { Directory } from '../people.ts';
import { findWhole } from './find-whole.ts';
import { excerpt, messageItem } from './shown-message.ts';

/** An edit is told when it becomes known, and this much later at most: other changes of the message date its row anew. */
const editKnownWithinMs = 7 * 86_400_000;

export interface LateOptions {
  /** When it became known. */
  known: { from: IsoTime; to: IsoTime };
  top: number;
  shownThreads: ReadonlySet<string>;
  isPublic: boolean;
  messages: number;
  posted: ReadonlySet<string>;
  isNews: IsNews;
}

export async function lateNews(
  store: Store,
  teamId: string,
  window: DigestWindow,
  isSelected: (channelId: string) => boolean,
  directory: Directory,
  options: LateOptions,
): Promise<LateNews> {
  const { known } = options;
  const fromTs = isoToTs(window.from);
  const replies = (await store.activity.listLateReplies(teamId, known.from, known.to)).filter(
    ({ channel_id, ts, thread_ts, followed_from_ts }) =>
      isSelected(channel_id) && thread_ts !== null && compareTs(thread_ts, fromTs) < 0 && isAfter(ts, followed_from_ts),
  );
  const changed = (await store.activity.listChanged(teamId, known, window.from)).filter(({ channel_id }) =>
    isSelected(channel_id),
  );
  const deleted = changed.filter((message) => isDeletion(message, known));
  const former = await formerTexts(store, teamId, changed);
  const edited = changed.filter((message) => isEdit(message, former, window, options.isNews));

  const found: Found[] = [
    ...threadsOf(replies)
      .filter(({ channel_id, ts }) => !options.shownThreads.has(`${channel_id} ${ts}`))
      .map((thread) => ({ ...thread, what: 'replies' as const, before: null })),
    ...edited.map(({ channel_id, ts, edited_ts }) => ({
      channel_id,
      ts,
      changed_ts: edited_ts ?? ts,
      what: 'edit' as const,
      count: 1,
      before: options.isPublic ? null : (former.get(`${channel_id} ${ts}`)?.text ?? null),
    })),
    ...deleted.map(({ channel_id, ts }) => ({
      channel_id,
      ts,
      changed_ts: ts,
      what: 'deletion' as const,
      count: 1,
      before: null,
    })),
  ];
  const items = found
    .filter((item) => !options.posted.has(lateKey(item)))
    .sort((a, b) => b.count - a.count || (a.changed_ts < b.changed_ts ? 1 : -1))
    .slice(0, options.top);
  return {
    messages: options.messages,
    replies: replies.length,
    edits: edited.length,
    deletions: deleted.length,
    items: await shown(store, teamId, items, directory),
  };
}

interface Found {
  channel_id: string;
  ts: Ts;
  changed_ts: string;
  what: LateItem['what'];
  count: number;
  before: string | null;
}

type FormerTexts = ReadonlyMap<string, { text: string | null; edited_ts: string | null }>;

async function formerTexts(store: Store, teamId: string, changed: readonly ChangedMessage[]): Promise<FormerTexts> {
  const byChannel = new Map<string, Ts[]>();
  for (const { channel_id, ts, edited_ts } of changed) {
    if (edited_ts === null) continue;
    byChannel.set(channel_id, [...(byChannel.get(channel_id) ?? []), ts]);
  }
  const found = new Map<string, { text: string | null; edited_ts: string | null }>();
  for (const [channelId, ts] of byChannel) {
    for (const [of, former] of await store.activity.findFormerTexts(teamId, channelId, ts)) {
      found.set(`${channelId} ${of}`, former);
    }
  }
  return found;
}

/**
 * Slack showed the message, and then no more. What only an export told of may have been gone as long as the export is old, and
 * what was a tombstone when it was first seen was gone before.
 */
function isDeletion(
  { deleted_at, first_seen_at, source }: ChangedMessage,
  known: { from: IsoTime; to: IsoTime },
): boolean {
  if (deleted_at === null || deleted_at === first_seen_at || source === 'import') return false;
  return deleted_at >= known.from && deleted_at < known.to;
}

/** The present text is of an edit that we saw happen, and not of one that an earlier digest could have told. */
function isEdit(
  { channel_id, ts, edited_ts, deleted_at }: ChangedMessage,
  former: FormerTexts,
  window: DigestWindow,
  isNews: IsNews,
): boolean {
  const before = former.get(`${channel_id} ${ts}`);
  if (edited_ts === null || deleted_at !== null || before === undefined || before.edited_ts === edited_ts) return false;
  return isNews(channel_id, edited_ts) && Number(edited_ts) * 1000 >= Date.parse(window.from) - editKnownWithinMs;
}

type LateThread = Pick<Found, 'channel_id' | 'ts' | 'changed_ts' | 'count'>;

function threadsOf(replies: readonly LateReply[]): LateThread[] {
  const threads = new Map<string, LateThread>();
  for (const { channel_id, ts, thread_ts } of replies) {
    if (thread_ts === null) continue;
    const key = `${channel_id} ${thread_ts}`;
    const known = threads.get(key);
    if (known === undefined) threads.set(key, { channel_id, ts: thread_ts, changed_ts: ts, count: 1 });
    else {
      known.count += 1;
      if (ts > known.changed_ts) known.changed_ts = ts;
    }
  }
  return [...threads.values()];
}

async function shown(store: Store, teamId: string, found: readonly Found[], directory: Directory): Promise<LateItem[]> {
  const messages = await findWhole(store, teamId, found);
  return found.flatMap(({ channel_id, ts, what, count, changed_ts, before }): LateItem[] => {
    const message = messages.get(`${channel_id} ${ts}`);
    if (message === undefined) return [];
    const item = messageItem(message, directory);
    // Whoever took a message back does not want to read it in the digest.
    const text = what === 'deletion' ? '' : item.text;
    return [{ ...item, text, what, count, changed_ts, before: before === null ? null : excerpt(before) }];
  });
}
