/** What people did in the window, against the stretch before it. */
import type { CountedMessage } from '../../db/repositories/activity.ts';
import type { Store } from '../../db/repositories/index.ts';
import type { IsoTime } from '../../model.ts';
import type { Activity, ChannelActivity, DigestWindow } from '../digest.ts';
import { followedChannels } from '../followed.ts';
import { questionKey } from '../item-keys.ts';
import type { Directory } from '../people.ts';
import { noCounts, type Tallied, tally } from './counts.ts';
import { lateNews } from './late-news.ts';
import { newChannels, newMembers } from './newcomers.ts';
import { unansweredQuestions } from './questions.ts';
import { topThreads } from './threads.ts';

export interface ActivityOptions {
  window: DigestWindow;
  /** When late news became known. */
  known: { from: IsoTime; to: IsoTime };
  directory: Directory;
  isSelected: (channelId: string) => boolean;
  /** The channel that everybody is in; null where it is not among those selected. */
  generalChannel: string | null;
  /** So many threads, questions and late changes. */
  top: number;
  /** So many messages from before the window became known too late for its digest. */
  lateMessages: number;
  /** What was told in the same place before, which is no news. */
  posted: ReadonlySet<string>;
  /** Others will read it: what people took back stays with those who keep the copy. */
  isPublic: boolean;
}

export async function buildActivity(store: Store, teamId: string, options: ActivityOptions): Promise<Activity> {
  const { window, known, directory, isSelected, generalChannel, top, isPublic, lateMessages, posted } = options;
  // A digest is no news, or a silent workspace would be told of the last one for ever.
  const posts = await store.digests.listPosts(teamId, window.before.from);
  const selected = (messages: CountedMessage[]) =>
    messages.filter(({ channel_id, ts }) => isSelected(channel_id) && !posts.has(`${channel_id} ${ts}`));
  const messages = selected(await store.activity.listCounted(teamId, window.from, window.to));
  const earlier = selected(await store.activity.listCounted(teamId, window.before.from, window.before.to));
  const isBot = (userId: string) => directory.isBot(userId);
  const now = tally(messages, isBot);
  const before = tally(earlier, isBot);
  const threads = await topThreads(store, teamId, messages, directory, top, posted);
  const shownThreads = new Set(threads.map(({ channel_id, ts }) => `${channel_id} ${ts}`));
  const isNews = await followedChannels(store, teamId);
  const asked = await unansweredQuestions(store, teamId, window, messages, isSelected, directory);
  return {
    now: now.all,
    before: before.all,
    channels: channelsOf(now, before, directory),
    threads,
    questions: asked.filter((question) => !posted.has(questionKey(question))).slice(0, top),
    new_channels: await newChannels(store, teamId, window, isSelected, directory),
    new_members: await newMembers(store, teamId, window, messages, generalChannel, isNews, directory),
    late: await lateNews(store, teamId, window, isSelected, directory, {
      known,
      top,
      shownThreads,
      isPublic,
      messages: lateMessages,
      posted,
      isNews,
    }),
  };
}

/** Channels in which something was said in either stretch, the busiest first. */
function channelsOf(now: Tallied, before: Tallied, directory: Directory): ChannelActivity[] {
  const ids = new Set([...now.byChannel.keys(), ...before.byChannel.keys()]);
  const channels = [...ids].map((channel_id) => ({
    channel_id,
    name: directory.label(channel_id),
    kind: directory.kind(channel_id),
    now: now.byChannel.get(channel_id) ?? noCounts,
    before: before.byChannel.get(channel_id) ?? noCounts,
  }));
  return channels.sort(
    (a, b) => b.now.messages - a.now.messages || b.before.messages - a.before.messages || (a.name < b.name ? -1 : 1),
  );
}
