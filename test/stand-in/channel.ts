import type { JsonObject, JsonValue, ListedKind } from '../../src/model.ts';
import { authorOf, firstAtOrAfter, type MessageStore, type StoredMessage } from './message-store.ts';
import { richText, stableUuid } from './rich-text.ts';
import type { Workspace } from './workspace.ts';

export interface ChannelOptions {
  id?: string;
  kind?: ListedKind;
  /** Is the workspace's default bot in it? Default true. */
  isMember?: boolean;
  /** User ids; default: every member the workspace has at this moment. */
  members?: string[];
  isArchived?: boolean;
  topic?: string;
  purpose?: string;
  creator?: string;
  /** Epoch seconds. */
  created?: number;
  previousNames?: string[];
  isExternallyShared?: boolean;
  /** The same conversation as seen by another workspace (Slack Connect): same id unless given, same messages. */
  sharedWith?: Channel;
  /** Merged over the whole conversation object. */
  raw?: JsonObject;
}

/** Fields of a message as Slack spells them; `ts` defaults to the clock's next. `undefined` takes a default away. */
export interface MessageFields {
  ts?: string;
  user?: string | undefined;
  text?: string;
  [field: string]: JsonValue | undefined;
}

/** One conversation. Every method may be called while a run is reading it. */
export class Channel {
  readonly workspace: Workspace;
  readonly store: MessageStore;
  readonly members = new Set<string>();
  readonly created: number;
  id: string;
  kind: ListedKind;
  name: string;
  isArchived: boolean;
  topic: string;
  purpose: string;
  creator: string;
  previousNames: string[];
  isExternallyShared: boolean;
  raw: JsonObject;
  /** Epoch MILLIseconds, unlike `created`. Settings only: a new message does not move it. */
  updated: number;
  /** After how many days messages are taken: as the workspace says, or by a policy of this conversation's own. */
  retention: 'inherit' | 'keep' | number = 'inherit';

  constructor(workspace: Workspace, id: string, name: string, store: MessageStore, options: ChannelOptions) {
    this.workspace = workspace;
    this.id = id;
    this.name = name;
    this.store = store;
    this.kind = options.kind ?? 'public';
    this.created = options.created ?? workspace.world.clock.seconds - 86_400;
    this.updated = this.created * 1000 + 302;
    this.isArchived = options.isArchived ?? false;
    this.topic = options.topic ?? '';
    this.purpose = options.purpose ?? '';
    this.previousNames = options.previousNames ?? [];
    this.isExternallyShared = options.isExternallyShared ?? false;
    this.raw = options.raw ?? {};
    for (const member of options.members ?? workspace.memberIds()) this.members.add(member);
    if (options.isMember ?? true) this.members.add(workspace.bot.id);
    this.creator = options.creator ?? [...this.members][0] ?? workspace.bot.id;
  }

  get isPrivate(): boolean {
    return this.kind !== 'public';
  }

  /** Nothing below this ts is shown: hidden by the plan. */
  get visibleFrom(): string {
    return this.workspace.floor;
  }

  /** Whether the plan hides messages that retention has left. */
  get isLimited(): boolean {
    return firstAtOrAfter(this.store.timeline, this.workspace.floor) > 0;
  }

  /** Posts and returns the ts. An ordinary human message gets an author, a team, a client_msg_id and blocks. */
  post(fields: MessageFields = {}): string {
    const ts = fields.ts ?? this.workspace.world.clock.nextTs();
    this.postRaw({ ...this.#defaults(fields, ts), ...asJson(fields), ts });
    return ts;
  }

  /** Replies to the thread `rootTs` (starting it if need be) and returns the reply's ts. */
  reply(rootTs: string, fields: MessageFields = {}, options: { broadcast?: boolean } = {}): string {
    const ts = fields.ts ?? this.workspace.world.clock.nextTs();
    const root = this.store.get(rootTs);
    const message: JsonObject = {
      ...(options.broadcast === true ? { subtype: 'thread_broadcast' } : {}),
      ...this.#defaults(fields, ts),
      ...asJson(fields),
      ts,
      thread_ts: rootTs,
      ...(root.author === '' ? {} : { parent_user_id: root.author }),
    };
    this.store.addReply(rootTs, ts, message, authorOf(message), options.broadcast ?? false);
    return ts;
  }

  /** Stores a top-level message exactly as given. */
  postRaw(message: JsonObject & { ts: string }): void {
    this.store.add(message.ts, message, authorOf(message));
  }

  /** A person's edit: sets `edited`. */
  edit(ts: string, fields: MessageFields, editor?: string): void {
    const at = this.workspace.world.clock.nextTs();
    this.store.change(ts, (before) => {
      const text = fields.text;
      const blocks = text !== undefined && before.blocks !== undefined ? { blocks: richText(text, ts) } : {};
      const user = editor ?? authorOf(before);
      return { ...before, ...blocks, ...asJson(fields), edited: { user, ts: `${at.slice(0, 10)}.000000` } };
    });
  }

  /** Any change that leaves no `edited`: an unfurl, a pin, a file that was removed. */
  change(ts: string, edit: (message: JsonObject) => JsonObject): void {
    this.store.change(ts, edit);
  }

  /** A root with replies becomes a tombstone; anything else vanishes. */
  deleteMessage(ts: string): void {
    this.store.delete(ts);
  }

  /** `count` above the number of users: Slack truncates `users`, `count` is authoritative. */
  react(ts: string, name: string, users: string | string[], count?: number): void {
    const added = typeof users === 'string' ? [users] : users;
    this.store.change(ts, (before) => {
      const reactions = reactionsOf(before).filter((reaction) => reaction.name !== name);
      const old = reactionsOf(before).find((reaction) => reaction.name === name);
      const all = [...new Set([...(old?.users ?? []), ...added])];
      reactions.push({ name, users: all, count: count ?? Math.max(all.length, old?.count ?? 0) });
      return { ...before, reactions: reactions as unknown as JsonValue };
    });
  }

  unreact(ts: string, name: string, user: string): void {
    this.store.change(ts, (before) => {
      const { reactions: _, ...rest } = before;
      const left = reactionsOf(before)
        .map((reaction) => (reaction.name === name ? without(reaction, user) : reaction))
        .filter((reaction) => reaction.count > 0);
      return left.length === 0 ? rest : { ...rest, reactions: left as unknown as JsonValue };
    });
  }

  rename(name: string): void {
    const before = this.name;
    this.name = name;
    this.previousNames = [before, ...this.previousNames];
    this.#touch();
    this.post({
      subtype: 'channel_name',
      user: this.creator,
      text: `has renamed the channel from "${before}" to "${name}"`,
      old_name: before,
      name,
    });
  }

  setTopic(topic: string): void {
    this.topic = topic;
    this.#touch();
    this.post({ subtype: 'channel_topic', user: this.creator, text: `set the channel topic: ${topic}`, topic });
  }

  archive(): void {
    this.post({ subtype: 'channel_archive', user: this.creator, text: 'archived the channel' });
    this.isArchived = true;
    this.#touch();
  }

  unarchive(): void {
    this.isArchived = false;
    this.#touch();
    this.post({ subtype: 'channel_unarchive', user: this.creator, text: 'un-archived the channel' });
  }

  /** A public channel turns private and keeps its id: the prefix of an id does not tell privacy. */
  makePrivate(): void {
    if (this.kind !== 'public') throw new Error(`${this.id} is not public.`);
    this.kind = 'private';
    this.#touch();
    this.post({
      subtype: 'channel_convert_to_private',
      user: this.creator,
      text: 'made this channel *private*.',
    });
  }

  /**
   * Retention takes what is older, oldest first, pinned or not, and unlike under a plan's limit nothing says so: for good, but
   * for the tombstones of roots whose replies live. In a channel shared with another organisation it takes only what one's
   * own members sent (slack.com/help, retention for specific conversations). `most`: so many messages, as when a daily run
   * is not through yet.
   */
  expireBefore(ts: string, most = Number.POSITIVE_INFINITY): void {
    const old = this.store.all.slice(0, firstAtOrAfter(this.store.all, ts));
    const own = old.filter((message) => !message.isTombstone && this.#isOwn(message));
    // A tombstone goes with its last reply.
    for (const message of own.slice(0, most))
      if (this.store.find(message.ts) === message) this.store.expire(message.ts);
  }

  /** The policy's daily run. */
  runRetention(most?: number): void {
    const days = this.retention === 'inherit' ? this.workspace.retention : this.retention;
    if (days !== 'keep') this.expireBefore(this.workspace.world.clock.daysAgo(days), most);
  }

  #isOwn({ body }: StoredMessage): boolean {
    if (!this.isExternallyShared) return true;
    const { team } = JSON.parse(String(body)) as JsonObject;
    return team === undefined || team === this.workspace.id;
  }

  /** Adds a member and posts the join message, as Slack does. Default: the workspace's bot. */
  join(userId: string = this.workspace.bot.id): void {
    if (this.members.has(userId)) return;
    this.members.add(userId);
    this.post({ subtype: 'channel_join', user: userId, text: `<@${userId}> has joined the channel` });
  }

  leave(userId: string = this.workspace.bot.id): void {
    if (!this.members.delete(userId)) return;
    this.post({ subtype: 'channel_leave', user: userId, text: `<@${userId}> has left the channel` });
  }

  /** A Connect share turns a G id into a C id at once; the old id answers channel_not_found (docs.slack.dev, slack-connect). */
  convertChannelId(id: string = this.workspace.world.nextId('C')): void {
    this.workspace.moveChannel(this, id);
    this.id = id;
    this.#touch();
  }

  /**
   * The truth: every message and reply a token that may read the channel can reach now, exactly as served, by ts.
   * Messages under the plan's floor and replies to a root under it are out of reach.
   */
  expectedMessages(options: { metadata?: boolean } = {}): JsonObject[] {
    const floor = this.visibleFrom;
    return this.store.all
      .slice(firstAtOrAfter(this.store.all, floor))
      .filter((message) => message.isBroadcast || message.thread === undefined || message.thread.root.ts >= floor)
      .map((message) => JSON.parse(this.store.render(message, options.metadata)) as JsonObject);
  }

  #touch(): void {
    this.updated = this.workspace.world.clock.now;
  }

  #defaults(fields: MessageFields, ts: string): JsonObject {
    const text = fields.text ?? '';
    if ('subtype' in fields || 'bot_id' in fields) return { type: 'message', text };
    const user = fields.user ?? this.workspace.memberIds()[0] ?? this.workspace.bot.id;
    return {
      type: 'message',
      user,
      text,
      client_msg_id: stableUuid(`${this.workspace.id}/${this.id}/${ts}`),
      team: this.workspace.users.get(user)?.teamId ?? this.workspace.id,
      blocks: richText(text, ts),
    };
  }
}

interface Reaction {
  name: string;
  users: string[];
  count: number;
}

function reactionsOf(message: JsonObject): Reaction[] {
  return (message.reactions ?? []) as unknown as Reaction[];
}

function without(reaction: Reaction, user: string): Reaction {
  if (!reaction.users.includes(user)) return reaction;
  return { ...reaction, users: reaction.users.filter((id) => id !== user), count: reaction.count - 1 };
}

/** A field set to undefined erases its default: JSON.stringify leaves it out. */
function asJson(fields: MessageFields): JsonObject {
  return fields as JsonObject;
}
