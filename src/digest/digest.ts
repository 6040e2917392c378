/**
 * A digest, ready to be written in any form. All text in it is plain: mentions have become names, entities are decoded,
 * nothing is escaped; who renders it escapes for its medium. Times are UTC; `window.zone` tells how people read them.
 */
import type { ChannelKind, IsoTime, Ts } from '../model.ts';
import type { Action, Category, Environment, Severity, Status, TimeSource } from './events/event.ts';

export interface Digest {
  workspace: { team_id: string; name: string; url: string | null };
  window: DigestWindow;
  generated_at: IsoTime;
  activity: Activity;
  /** What happened in the window, by time. */
  events: EventItem[];
  /** What is planned to begin soon after it, by time. */
  upcoming: EventItem[];
  /** What the window's messages announce for a time after that, by time. */
  announced: EventItem[];
  /** What the reader should know of how it came about: a budget that was spent, channels left out. Sentences. */
  notes: string[];
  /** Why each candidate and event was chosen or not; null unless asked for. */
  explanation: Explanation | null;
}

/** From `from` up to, not including, `to`; `before` is the stretch of the same length that ends at `from`. */
export interface DigestWindow {
  from: IsoTime;
  to: IsoTime;
  before: { from: IsoTime; to: IsoTime };
  /** IANA name. */
  zone: string;
  /** How far the section of coming events reaches; null when there is none. */
  upcoming_to: IsoTime | null;
}

export interface Counts {
  messages: number;
  /** Who wrote, bots not among them. */
  people: number;
  /** Threads in which somebody replied. */
  threads: number;
}

export interface Activity {
  now: Counts;
  before: Counts;
  /** Busiest first. */
  channels: ChannelActivity[];
  /** Threads with replies in the window, the liveliest first. */
  threads: ThreadItem[];
  /** Asked in the window, not answered up to its end. */
  questions: QuestionItem[];
  new_channels: {
    channel_id: string;
    name: string | null;
    created_at: IsoTime;
    creator: string | null;
    purpose: string | null;
    link: string | null;
  }[];
  new_members: { user_id: string; name: string; joined_at: IsoTime }[];
  late: LateNews;
}

export interface ChannelActivity {
  channel_id: string;
  /** Without `#`; of a direct message the names of those in it. */
  name: string;
  kind: ChannelKind;
  now: Counts;
  before: Counts;
}

/** One message that is shown. */
export interface MessageItem {
  channel_id: string;
  channel: string;
  kind: ChannelKind;
  ts: Ts;
  posted_at: IsoTime;
  author: string;
  /** The first words, on one line; empty for a message that was deleted. */
  text: string;
  permalink: string | null;
}

export interface ThreadItem extends MessageItem {
  /** Replies in the window, and all there are. */
  replies: number;
  replies_in_all: number;
  people: number;
  reactions: number;
  latest_reply: Ts;
}

export interface QuestionItem extends MessageItem {
  reactions: number;
}

/** What became known in the window of messages that are older than it. The lists are cut; the counts are not. */
export interface LateNews {
  /** Messages that became known after the digest of their time was posted. */
  messages: number;
  replies: number;
  edits: number;
  deletions: number;
  items: LateItem[];
}

export interface LateItem extends MessageItem {
  what: 'replies' | 'edit' | 'deletion';
  /** How many replies; 1 otherwise. */
  count: number;
  /** Of the latest reply or of the edit; of a deletion the message's own. */
  changed_ts: string;
  /** Of an edit: what it said before; null also where others read the digest. */
  before: string | null;
}

export interface EventItem {
  event_id: string;
  title: string;
  action: Action;
  category: Category;
  status: Status;
  severity: Severity | null;
  environment: Environment;
  summary: string;
  why_it_matters: string | null;
  /** When it happens or happened. */
  start: IsoTime | null;
  end: IsoTime | null;
  /** Only its days are known, as its author's calendar has them; `end` is where the last one ends. */
  days_only: boolean;
  time_source: TimeSource;
  time_confidence: number;
  confidence: number;
  /** Stored, and as it counts at the end of the window; 0 to 100. */
  importance: number;
  current_importance: number;
  importance_label: 'critical' | 'high' | 'medium' | 'low';
  links: string[];
  anchors: string[];
  /** Every message behind it, the first first. */
  sources: EventSource[];
}

export interface EventSource {
  channel_id: string;
  channel: string;
  ts: Ts;
  permalink: string | null;
}

export interface Explanation {
  candidates: ExplainedCandidate[];
  events: ExplainedEvent[];
}

export interface ExplainedCandidate {
  channel: string;
  ts: Ts;
  text: string;
  permalink: string | null;
  score: number;
  status: string;
  reason: string | null;
  /** What the score is made of, one entry per part. */
  explanations: string[];
}

export interface ExplainedEvent {
  event_id: string;
  title: string;
  /** Whether it is in the digest. */
  chosen: boolean;
  reason: string;
  confidence: number;
  importance: number;
  state: string;
}
