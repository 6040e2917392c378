/** New channels and new people. */
import type { CountedMessage } from '../../db/repositories/activity.ts';
import type { Store } from '../../db/repositories/index.ts';
import type { ChannelKind, IsoTime } from '../../model.ts';
import { integerOf, nonEmptyText } from '../../normalize/json-access.ts';
import { isoToTs, millisToIso } from '../../ts.ts';
import type { Activity, DigestWindow } from '../digest.ts';
import type { IsNews } from '../followed.ts';
import type { Directory } from '../people.ts';

/** Channels that were made in the window, the oldest first; direct messages are nobody else's news. */
export async function newChannels(
  store: Store,
  teamId: string,
  { from, to }: DigestWindow,
  isSelected: (channelId: string) => boolean,
  directory: Directory,
): Promise<Activity['new_channels']> {
  // A channel's row is never older than the channel.
  const rows = await store.activity.listRecentChannels(teamId, from);
  const made = rows.flatMap((row) => {
    const created = integerOf(row.raw['created'], Number.MAX_SAFE_INTEGER);
    if (created === null || !isChannel(row) || !isSelected(row.channel_id)) return [];
    const created_at = momentOf(created);
    if (created_at === null || created_at < from || created_at >= to) return [];
    const creator = nonEmptyText(row.raw['creator']);
    return [
      {
        channel_id: row.channel_id,
        name: row.name,
        created_at,
        creator: creator === null ? null : directory.user(creator),
        purpose: row.purpose === '' ? null : row.purpose,
        link: directory.channelLink(row.channel_id),
      },
    ];
  });
  return made.sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
}

/** Not what a few people say to each other, nor what may be that. */
function isChannel({ kind }: { kind: ChannelKind }): boolean {
  return kind === 'public' || kind === 'private';
}

/** Seconds since the epoch; null where no calendar has them. */
function momentOf(seconds: number): IsoTime | null {
  return seconds > 0 && seconds < 9_000_000_000 ? millisToIso(seconds * 1000) : null;
}

const joins = new Set(['channel_join', 'group_join']);

/**
 * People of whom a join message in the window is the first sign. Where the channel that everybody is in is stored, only
 * joining that one counts: joining another is nothing new of somebody who has been there for years in silence. Where it is not,
 * a channel tells of newcomers once it was followed before the window began.
 */
export async function newMembers(
  store: Store,
  teamId: string,
  { from }: DigestWindow,
  messages: readonly CountedMessage[],
  generalChannel: string | null,
  isNews: IsNews,
  directory: Directory,
): Promise<Activity['new_members']> {
  const first = new Map<string, IsoTime>();
  for (const { subtype, user_id, posted_at, channel_id } of messages) {
    if (subtype === null || !joins.has(subtype) || user_id === null || directory.isBot(user_id)) continue;
    if (generalChannel === null ? !isNews(channel_id, isoToTs(from)) : channel_id !== generalChannel) continue;
    const known = first.get(user_id);
    if (known === undefined || posted_at < known) first.set(user_id, posted_at);
  }
  if (first.size === 0) return [];
  const known = await store.activity.findKnownAuthors(teamId, [...first.keys()], from);
  return [...first]
    .filter(([userId]) => !known.has(userId))
    .map(([user_id, joined_at]) => ({ user_id, name: directory.user(user_id) ?? user_id, joined_at }))
    .sort((a, b) => (a.joined_at < b.joined_at ? -1 : 1));
}
