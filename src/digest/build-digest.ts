/** From stored messages to a digest: score, extract, merge, choose, and what people did besides. */
import type { Store } from '../db/repositories/index.ts';
import type { IsoTime } from '../model.ts';
import { millisToIso } from '../ts.ts';
import { buildActivity } from './activity/build-activity.ts';
import { findWhole } from './activity/find-whole.ts';
import { excerpt } from './activity/shown-message.ts';
import { type ReadMessagesSettings, readMessages } from './candidates/read-messages.ts';
import type { Digest, DigestWindow, Explanation } from './digest.ts';
import type { EventSettings } from './events/event-rows.ts';
import type { MergeSettings } from './events/merge.ts';
import { mergeEvents } from './events/merge-events.ts';
import { followedChannels } from './followed.ts';
import type { Directory } from './people.ts';
import { type EventChoice, selectEvents } from './select-events.ts';
import { messageText } from './text/message-text.ts';

export interface DigestContext {
  store: Store;
  teamId: string;
  workspace: Digest['workspace'];
  directory: Directory;
  /** Epoch milliseconds. */
  now: () => number;
  signal: AbortSignal;
}

export interface BuildOptions {
  window: DigestWindow;
  /** When what is told of older messages became known; the window itself, but for a digest that goes on from the last one. */
  known: { from: IsoTime; to: IsoTime };
  choice: Omit<EventChoice, 'window' | 'isSelected' | 'late'>;
  isSelected: (channelId: string) => boolean;
  generalChannel: string | null;
  top: number;
  isPublic: boolean;
  explain: boolean;
  reading: Omit<ReadMessagesSettings, 'events'>;
  events: EventSettings;
  merging: MergeSettings & {
    /** Events found longer ago are left as they are. */
    lookBackMs: number;
  };
  /** Lets a language model read the best candidates, after the rules have; null where there is none. Its notes. */
  askModel: ((store: Store) => Promise<string[]>) | null;
}

/** Reads what is new since the last digest, then tells of the window. Throws the signal's reason when it fires. */
export async function buildDigest(context: DigestContext, options: BuildOptions): Promise<Digest> {
  const { store, teamId, directory, workspace } = context;
  const { window, isSelected } = options;
  await readMessages(context, window, isSelected, { ...options.reading, events: options.events });
  const notes = options.askModel === null ? [] : await options.askModel(store);
  const since = millisToIso(context.now() - options.merging.lookBackMs);
  await mergeEvents(store, teamId, since, {
    ...options.merging,
    events: options.events,
    scopeOf: (id) => directory.scope(id),
  });
  context.signal.throwIfAborted();
  const late = await lateMessages(context, options);
  const { events, upcoming, announced, explained } = await chosenEvents(context, options, late);
  const { generalChannel, top, isPublic } = options;
  const activity = await buildActivity(store, teamId, {
    window,
    known: options.known,
    directory,
    isSelected,
    generalChannel,
    top,
    isPublic,
    lateMessages: late.size,
    posted: options.choice.posted,
  });
  return {
    workspace,
    window,
    generated_at: millisToIso(context.now()),
    activity,
    events,
    upcoming,
    announced,
    notes,
    explanation: options.explain
      ? { events: explained, candidates: await explainCandidates(context, window, isSelected) }
      : null,
  };
}

/** What the last digest would have told of, had it been known: of a channel that failed, for one. As `channel_id ts`. */
async function lateMessages(
  { store, teamId }: DigestContext,
  { window, isSelected, reading }: BuildOptions,
): Promise<Set<string>> {
  const seenSince = reading.knownSince;
  if (seenSince === null) return new Set();
  const from = millisToIso(Math.max(0, Date.parse(window.from) - reading.lookBackMs));
  const found = await store.activity.listLateMessages(teamId, { from, to: window.from, seenSince });
  const posts = await store.digests.listPosts(teamId, from);
  const isNews = await followedChannels(store, teamId);
  const told = found.filter(({ channel_id, ts }) => isSelected(channel_id) && isNews(channel_id, ts));
  const keys = told.map((each) => `${each.channel_id} ${each.ts}`);
  return new Set(keys.filter((key) => !posts.has(key)));
}

async function chosenEvents(
  context: DigestContext,
  { window, isSelected, choice, explain, reading }: BuildOptions,
  late: ReadonlySet<string>,
) {
  const { store, teamId, directory } = context;
  // Days begin at another moment where their author lives.
  const byTime = await store.events.listByTime(teamId, millisToIso(Date.parse(window.from) - dayMs), null);
  // Those of the window's messages besides: what they tell of earlier times, and when asked why, what was not chosen.
  const since = late.size === 0 ? window.from : millisToIso(Math.max(0, Date.parse(window.from) - reading.lookBackMs));
  const byMessage = await store.events.listByMessageTime(teamId, since, window.to);
  const shown = byMessage.filter(({ state, merged_into }) => explain || (state !== 'rejected' && merged_into === null));
  const lookBack = millisToIso(Math.max(0, Date.parse(window.from) - reading.lookBackMs));
  const putAway = await store.events.listPutAway(teamId, lookBack, window.to);
  const rows = [...new Map([...byTime, ...shown, ...putAway].map((row) => [row.event_id, row])).values()];
  const sources = await store.events.listSources(rows.map(({ event_id }) => event_id));
  return selectEvents(rows, sources, { ...choice, window, isSelected, late }, directory);
}

const dayMs = 86_400_000;

/** More would be read by nobody. */
const explainedCandidates = 100;

async function explainCandidates(
  { store, teamId, directory }: DigestContext,
  window: { from: IsoTime; to: IsoTime },
  isSelected: (channelId: string) => boolean,
): Promise<Explanation['candidates']> {
  const candidates = (await store.events.listCandidates(teamId, window)).filter(({ channel_id }) =>
    isSelected(channel_id),
  );
  const best = candidates.slice(0, explainedCandidates);
  const messages = await findWhole(store, teamId, best);
  return best.map(({ channel_id, ts, score, status, reason, features }) => {
    const message = messages.get(`${channel_id} ${ts}`);
    const parts = features['explanations'];
    return {
      channel: directory.label(channel_id),
      ts,
      text: message === undefined ? '' : excerpt(messageText(message.raw, directory).plain),
      permalink: directory.permalink(channel_id, ts),
      score,
      status,
      reason,
      explanations: Array.isArray(parts) ? parts.filter((part) => typeof part === 'string') : [],
    };
  });
}
