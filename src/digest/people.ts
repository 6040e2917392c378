/** What people and channels are called. */
import type { NamedUser } from '../db/repositories/activity.ts';
import type { ChannelKind, JsonObject, Ts } from '../model.ts';
import { nonEmptyText, objectOf } from '../normalize/json-access.ts';
import { hiddenChannel } from './text/mrkdwn.ts';

/** A channel as far as a digest tells of it. */
export interface Channel {
  channel_id: string;
  name: string | null;
  kind: ChannelKind;
  raw: JsonObject;
}

/** The names of one workspace's users and channels, and the addresses of its messages. */
export class Directory {
  /** `https://acme.slack.com/`; null when it is not known. */
  readonly url: string | null;
  readonly #users: ReadonlyMap<string, NamedUser>;
  readonly #channels: ReadonlyMap<string, Channel>;

  constructor(url: string | null, users: readonly NamedUser[], channels: readonly Channel[]) {
    this.url = url === null || url === '' ? null : url.endsWith('/') ? url : `${url}/`;
    this.#users = new Map(users.map((user) => [user.user_id, user]));
    this.#channels = new Map(channels.map((channel) => [channel.channel_id, channel]));
  }

  /** How Slack shows them: the display name, else the real one, else the account's; null for somebody unknown. */
  user(id: string): string | null {
    const user = this.#users.get(id);
    return user?.display_name || user?.real_name || user?.name || null;
  }

  /** Ids of those who go by this name: that of the account, or the one they are shown by. */
  usersCalled(name: string): string[] {
    const wanted = name.trim().toLowerCase();
    return [...this.#users.values()]
      .filter((user) => [user.name, user.display_name].some((called) => called?.toLowerCase() === wanted))
      .map(({ user_id }) => user_id);
  }

  /** The IANA name of the zone in which they live; null when nobody said. */
  zone(userId: string | null): string | null {
    return userId === null ? null : (this.#users.get(userId)?.tz ?? null);
  }

  isBot(userId: string): boolean {
    return this.#users.get(userId)?.is_bot === true;
  }

  /** What a mention of a channel says, without `#`: of one that not everybody sees, not its name. */
  channel(id: string): string | null {
    return this.kind(id) === 'public' ? this.channelName(id) : hiddenChannel;
  }

  /** The name of a channel, without `#`; null for one that has none or is not known. */
  channelName(id: string): string | null {
    return this.#channels.get(id)?.name ?? null;
  }

  usergroup(_id: string): string | null {
    return null;
  }

  kind(id: string): ChannelKind {
    return this.#channels.get(id)?.kind ?? 'unknown';
  }

  /** What a reader calls it: a channel's name, or who talks in a direct message. */
  label(id: string): string {
    const channel = this.#channels.get(id);
    if (channel === undefined) return id;
    if (channel.kind === 'im') {
      const other = nonEmptyText(channel.raw['user']);
      return other === null ? id : (this.user(other) ?? other);
    }
    if (channel.kind === 'mpim' && channel.name !== null) {
      // Slack names group messages "mpdm-ada--bram--chiara-1".
      const members = /^mpdm-(.+)-\d+$/.exec(channel.name)?.[1];
      return members === undefined ? channel.name : members.split('--').join(', ');
    }
    return channel.name ?? id;
  }

  /** Who wrote a message: a person, or the name under which an app posted it. */
  author(message: { user_id: string | null; bot_id: string | null; raw?: JsonObject }): string {
    const posted = nonEmptyText(message.raw?.['username']);
    const app = nonEmptyText(objectOf(message.raw?.['bot_profile'])?.['name']);
    const person = message.user_id === null ? null : this.user(message.user_id);
    return (
      posted ?? (message.bot_id === null ? person : (app ?? person)) ?? message.user_id ?? message.bot_id ?? 'unknown'
    );
  }

  /** The address of a message, as chat.getPermalink would give it; null where the workspace's is not known. */
  permalink(channelId: string, ts: Ts, threadTs: Ts | null = null): string | null {
    if (this.url === null) return null;
    const link = `${this.url}archives/${channelId}/p${ts.replace('.', '')}`;
    return threadTs === null || threadTs === ts ? link : `${link}?thread_ts=${threadTs}&cid=${channelId}`;
  }

  /** Where the channel itself is shown. */
  channelLink(channelId: string): string | null {
    return this.url === null ? null : `${this.url}archives/${channelId}`;
  }

  /** Events of different scopes are never merged: all public channels are one, every other conversation is its own. */
  scope(channelId: string): string {
    return this.kind(channelId) === 'public' ? 'public' : channelId;
  }
}
