/** What Slack ever showed: every version of every message, and what became of it. The judge of what may be stored. */
import type { JsonObject, JsonValue } from '../../src/model.ts';
import type { Channel } from '../stand-in/channel.ts';
import type { StoredMessage } from '../stand-in/message-store.ts';
import { cleaned } from '../support/world-rows.ts';

/**
 * `shown`: Slack serves it. `tombstone`: deleted, and its replies are served. `deleted`: gone, and a reader can know.
 * `expired`: gone by retention (its tombstone may be there) or hidden by the plan, which is no deletion. `unknowable`: deleted, but what would prove
 * it is gone as well, so that nobody can tell it from expired.
 */
export type Fate = 'shown' | 'tombstone' | 'deleted' | 'expired' | 'unknowable';

export interface Version {
  /** What this message says and shows, without what Slack adds to it because of other messages; as text to compare. */
  whole: string;
  /** The same without reactions: what its author wrote. */
  content: string;
  isTombstone: boolean;
}

interface Biography {
  body: string | number;
  versions: Version[];
  rootTs: string | undefined;
}

export class Ledger {
  readonly #channels = new Map<Channel, Map<string, Biography>>();
  readonly #byId = new Map<string, Channel>();

  /** To be called after every change in a channel: a version that was not observed never was. */
  observe(channel: Channel): void {
    this.#byId.set(channel.id, channel);
    const known = this.#channels.get(channel) ?? new Map<string, Biography>();
    this.#channels.set(channel, known);
    for (const message of channel.store.all) {
      const biography = known.get(message.ts);
      if (biography === undefined) {
        const rootTs = message.thread?.root.ts;
        known.set(message.ts, { body: message.body, versions: [versionOf(channel, message)], rootTs });
      } else if (biography.body !== message.body) {
        biography.body = message.body;
        biography.versions.push(versionOf(channel, message));
      }
    }
  }

  get channels(): Channel[] {
    return [...this.#channels.keys()];
  }

  /** All ids the channel ever had. */
  idsOf(channel: Channel): string[] {
    return [...this.#byId].filter(([, other]) => other === channel).map(([id]) => id);
  }

  /** By any id the channel ever had. */
  channelOf(id: string): Channel | undefined {
    return this.#byId.get(id);
  }

  /** Oldest first; none when there never was such a message. */
  versions(channel: Channel, ts: string): readonly Version[] {
    return this.#channels.get(channel)?.get(ts)?.versions ?? [];
  }

  fate(channel: Channel, ts: string): Fate {
    const { visibleFrom, store } = channel;
    const stored = store.find(ts);
    const rootTs = stored?.thread?.root.ts ?? this.#channels.get(channel)?.get(ts)?.rootTs ?? ts;
    if (store.expired.has(ts)) return 'expired';
    const isVisible = stored !== undefined && isReachable(stored, visibleFrom);
    if (isVisible && !stored.isTombstone) return 'shown';
    if (stored !== undefined && !stored.isTombstone) return 'expired';
    // What is gone may have expired, unless something older is still there that would have expired before it. Other
    // organisations have policies of their own, and then it depends on the page.
    const isOwn = this.#teamOf(channel, ts) === channel.workspace.id;
    const oldest = store.timeline.find(
      (message) => message.ts >= visibleFrom && isProof(message, channel.workspace.id),
    );
    if (!isOwn || oldest === undefined || oldest.ts >= rootTs) return 'unknowable';
    return isVisible ? 'tombstone' : 'deleted';
  }

  #teamOf(channel: Channel, ts: string): string {
    const [first] = this.versions(channel, ts);
    const { team }: { team?: string } = JSON.parse(first?.content ?? '{}');
    return team ?? channel.workspace.id;
  }
}

/** A message that retention would have taken, of the workspace's own. */
function isProof({ body, isTombstone, isBroadcast }: StoredMessage, teamId: string): boolean {
  const { team, subtype }: { team?: string; subtype?: string } = JSON.parse(String(body));
  return !isTombstone && (team ?? teamId) === teamId && (subtype === undefined || isBroadcast);
}

/** Whether Slack serves a message: neither expired nor hidden, and with replies also their root. */
function isReachable({ ts, thread, isBroadcast }: StoredMessage, visibleFrom: string): boolean {
  if (ts < visibleFrom) return false;
  return isBroadcast || thread === undefined || thread.root.ts >= visibleFrom;
}

function versionOf(channel: Channel, message: StoredMessage): Version {
  const shown = cleaned(JSON.parse(channel.store.render(message, true)) as JsonObject) as JsonObject;
  return { ...essenceOf(shown), isTombstone: message.isTombstone };
}

/** What Slack adds to a message because of others: to a root its counters, to a broadcast a copy of its root. */
const ofOthers = new Set([
  'root',
  'thread_ts',
  'reply_count',
  'reply_users',
  'reply_users_count',
  'latest_reply',
  'is_locked',
  'subscribed',
]);

/** A message as served or as stored in `raw`, reduced to what is its own. */
export function essenceOf(message: JsonObject): Pick<Version, 'whole' | 'content'> {
  const own = Object.fromEntries(Object.entries(message).filter(([key]) => !ofOthers.has(key)));
  const { reactions: _, ...written } = own;
  return { whole: canonical(own), content: canonical(written) };
}

/** JSON with the keys in order: jsonb keeps none. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join()}}`;
}
