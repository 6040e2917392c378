/** What a digest says in words, the same in every format. Plain text: whoever renders it escapes it. */
import type {
  ChannelActivity,
  Digest,
  DigestWindow,
  EventItem,
  EventSource,
  ExplainedCandidate,
  ExplainedEvent,
  LateItem,
  LateNews,
  ThreadItem,
} from '../digest/digest.ts';
import type { Category, Environment, Status } from '../digest/events/event.ts';
import { channelLabel as labelOf } from '../labels.ts';
import type { ChannelKind } from '../model.ts';
import { countOf, formatCount } from './counts.ts';
import { eventTimeText, momentText, windowText } from './dates.ts';
import { oneLine } from './plain-text.ts';

export const titles = {
  events: 'What happened',
  upcoming: 'Coming up',
  announced: 'Announced for later',
  activity: 'Activity',
  threads: 'Liveliest threads',
  questions: 'Waiting for an answer',
  newcomers: 'New here',
  late: 'News of older messages',
  notes: 'Notes',
  explainedEvents: 'Why these events',
  explainedCandidates: 'How messages scored',
} as const;

/** The sections of events, in the order in which people want them. */
export const eventSections = ['events', 'upcoming', 'announced'] as const;

export const categoryEmoji: Readonly<Record<Category, string>> = {
  product: '🚀',
  risk: '⚠️',
  process: '⚙️',
  marketing: '📢',
  org: '👥',
  unknown: '❓',
};

/** A status is told where the section and the title do not tell it by themselves. */
const statusWords: Readonly<Record<Status, string | null>> = {
  planned: null,
  confirmed: 'confirmed',
  started: 'started',
  completed: 'completed',
  postponed: 'postponed',
  canceled: 'canceled',
  rolled_back: 'rolled back',
  updated: null,
};

const environmentWords: Readonly<Record<Environment, string | null>> = {
  prod: 'production',
  staging: 'staging',
  dev: 'development',
  multi: 'several environments',
  unknown: null,
};

/** When, where and how an event is, as far as its title does not tell: `Fri 27 Nov 14:00`, `completed`, `production`. */
export function eventFacts(event: EventItem, window: DigestWindow): string[] {
  const status = statusWords[event.status];
  return [
    eventTimeText(event, window),
    status !== null && event.title.toLowerCase().includes(status) ? null : status,
    environmentWords[event.environment],
  ].filter((fact) => fact !== null);
}

/** Said of the events that matter most only: said of all, it would be noise. */
export function importanceOf({ importance_label: label }: EventItem): string | null {
  return label === 'critical' || label === 'high' ? `${label} importance` : null;
}

/** `#general`; direct messages, and channels of which only the id is known, as they are. */
export function channelLabel(channel: { channel_id: string; channel: string; kind?: ChannelKind }): string {
  return labelOf(channel.channel, channel.channel_id, channel.kind);
}

export function activityLabel({ channel_id, name, kind }: ChannelActivity): string {
  return channelLabel({ channel_id, channel: name, kind });
}

/** The channels of an event's messages, each once, with the first message of each. */
export function sourcesByChannel(sources: readonly EventSource[]): EventSource[] {
  const seen = new Set<string>();
  return sources.filter(({ channel_id }) => !seen.has(channel_id) && seen.add(channel_id));
}

/** `5 events, 3 coming up, 1 announced for later`; `no events` when there is none. */
export function eventCounts({ events, upcoming, announced }: Digest): string {
  const parts = [
    events.length === 0 ? '' : countOf(events.length, 'event'),
    upcoming.length === 0 ? '' : `${formatCount(upcoming.length)} coming up`,
    announced.length === 0 ? '' : `${formatCount(announced.length)} announced for later`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'no events' : parts.join(', ');
}

/** `340 messages by 23 people in 12 channels`; null when nobody wrote. */
export function activityCounts({ activity: { now, channels } }: Digest): string | null {
  if (now.messages === 0) return null;
  const busy = channels.filter(({ now: { messages } }) => messages > 0).length;
  const by = now.people === 0 ? '' : ` by ${countOf(now.people, 'person', 'people')}`;
  const where = busy === 0 ? '' : ` in ${countOf(busy, 'channel')}`;
  return `${countOf(now.messages, 'message')}${by}${where}`;
}

/** `24 replies by 8 people, 12 reactions`; `24 new replies of 60` where there are older ones. */
export function threadCounts({ replies, replies_in_all, people, reactions }: ThreadItem): string {
  const all =
    replies_in_all > replies
      ? `${countOf(replies, 'new reply', 'new replies')} of ${formatCount(replies_in_all)}`
      : countOf(replies, 'reply', 'replies');
  return [people === 0 ? all : `${all} by ${countOf(people, 'person', 'people')}`, ...reactionCount(reactions)].join(
    ', ',
  );
}

export function reactionCount(reactions: number): string[] {
  return reactions === 0 ? [] : [countOf(reactions, 'reaction')];
}

/** `17 replies to older threads, 3 edits, 1 deletion` */
export function lateCounts({ messages, replies, edits, deletions }: LateNews): string {
  return [
    messages === 0 ? '' : `${countOf(messages, 'message')} that the last digest could not know`,
    replies === 0 ? '' : `${countOf(replies, 'reply', 'replies')} to older threads`,
    edits === 0 ? '' : countOf(edits, 'edit'),
    deletions === 0 ? '' : countOf(deletions, 'deletion'),
  ]
    .filter((part) => part !== '')
    .join(', ');
}

export function hasLateNews({ messages, replies, edits, deletions, items }: LateNews): boolean {
  return messages + replies + edits + deletions + items.length > 0;
}

/** What became of an older message, `#general` and the day it was posted included. */
export function lateLead(item: LateItem, { zone, to }: DigestWindow): string {
  const where = `in ${channelLabel(item)}`;
  const posted = momentText(item.posted_at, zone, to);
  const author = oneLine(item.author);
  switch (item.what) {
    case 'replies':
      return `${countOf(item.count, 'new reply', 'new replies')} to ${author} ${where}, ${posted}`;
    case 'edit':
      return `${author} edited a message ${where}, ${posted}`;
    case 'deletion':
      return `A message by ${author} ${where} was deleted, ${posted}`;
  }
}

/** Whether there is nothing to tell: no event, no message, nobody new, no late news. Notes do not count. */
export function isEmpty({ events, upcoming, announced, activity }: Digest): boolean {
  const { now, threads, questions, new_channels, new_members, late } = activity;
  return (
    [events, upcoming, announced, threads, questions, new_channels, new_members].every(({ length }) => length === 0) &&
    now.messages === 0 &&
    !hasLateNews(late)
  );
}

/** What an empty digest says. */
export const quiet = 'All quiet: nothing new in this time.';

/** `Sun 22 Nov 2026 08:00 – Mon 23 Nov 08:00 (Europe/Amsterdam)` */
export function windowLabel({ window }: Digest): string {
  return `${windowText(window)} (${window.zone})`;
}

export function workspaceName({ workspace }: Digest): string {
  return oneLine(workspace.name) || workspace.team_id;
}

/** So many channels are shown; in a workspace with more the rest are only summed up. */
const shownChannels = 10;

/** The channels to show and what the others come to; channels in which nothing changed are none. */
export function busiestChannels(
  { activity: { channels } }: Digest,
  most: number = shownChannels,
): { shown: ChannelActivity[]; rest: string | null } {
  const busy = channels.filter(({ now, before }) => now.messages + now.threads + before.messages > 0);
  const others = busy.slice(most);
  const messages = others.reduce((sum, { now }) => sum + now.messages, 0);
  return {
    shown: busy.slice(0, most),
    rest:
      others.length === 0 ? null : `and ${countOf(others.length, 'more channel')} with ${countOf(messages, 'message')}`,
  };
}

/** `37 points, llm_ok (too long ago) · #general` */
export function candidateLead({ channel, score, status, reason }: ExplainedCandidate): string {
  const points = countOf(Math.round(score * 10) / 10, 'point');
  const label = channelLabel({ channel_id: '', channel });
  return `${points}, ${status}${reason === null ? '' : ` (${reason})`} · ${label}`;
}

/** `number 1 of 3 by importance · confidence 0.92 · importance 84 · valid` */
export function explainedFacts({ reason, confidence, importance, state }: ExplainedEvent): string[] {
  return [reason, `confidence ${confidence.toFixed(2)}`, `importance ${Math.round(importance)}`, state];
}
