import type { JsonObject } from '../../src/model.ts';

/**
 * The messages of one conversation, sorted by ts, so that a page costs a binary search and a slice.
 *
 * At rest a message is JSON text, not an object: a million objects would not fit the default heap. Benchmarks go
 * further and store a number, from which `recipe` makes the text when the message is served.
 */
export interface StoredMessage {
  readonly ts: string;
  body: string | number;
  /** `user`, or `bot_id` where there is none: what `reply_users` lists. */
  author: string;
  /** The thread it is the root of or a reply in. */
  thread: Thread | undefined;
  isBroadcast: boolean;
  isTombstone: boolean;
}

export interface Thread {
  readonly root: StoredMessage;
  readonly replies: StoredMessage[];
  /** The root's counters as JSON text; undefined after a change. */
  counters: string | undefined;
}

/** Makes the JSON text of a message whose body is a number, without the root's counters. */
export type Recipe = (message: StoredMessage) => string;

export class MessageStore {
  /** What conversations.history walks: top-level messages and broadcasts. */
  readonly timeline: StoredMessage[] = [];
  /** Everything, plain replies included. */
  readonly all: StoredMessage[] = [];
  /** What retention took, tombstones of roots whose replies live among it. */
  readonly expired = new Set<string>();
  /** So many reactors are named, however many there are; `count` always tells. Undefined: all of them. */
  reactorsShown: number | undefined;
  readonly #recipe: Recipe | undefined;

  constructor(recipe?: Recipe) {
    this.#recipe = recipe;
  }

  find(ts: string): StoredMessage | undefined {
    const candidate = this.all[firstAtOrAfter(this.all, ts)];
    return candidate?.ts === ts ? candidate : undefined;
  }

  get(ts: string): StoredMessage {
    const message = this.find(ts);
    if (message === undefined) throw new Error(`There is no message ${ts} in this channel.`);
    return message;
  }

  add(ts: string, body: JsonObject | number, author: string): StoredMessage {
    const message = this.#store(ts, body, author);
    insert(this.timeline, message);
    return message;
  }

  addReply(rootTs: string, ts: string, body: JsonObject | number, author: string, isBroadcast = false): StoredMessage {
    const root = this.get(rootTs);
    if (root.thread !== undefined && root.thread.root !== root) throw new Error(`${rootTs} is itself a reply.`);
    if (ts <= rootTs) throw new Error(`The reply ${ts} is not later than its root ${rootTs}.`);
    const message = this.#store(ts, body, author);
    root.thread ??= { root, replies: [], counters: undefined };
    message.thread = root.thread;
    message.isBroadcast = isBroadcast;
    insert(root.thread.replies, message);
    root.thread.counters = undefined;
    if (isBroadcast) insert(this.timeline, message);
    return message;
  }

  /** Rewrites a message in place. Its ts and its thread stay. */
  change(ts: string, edit: (message: JsonObject) => JsonObject): void {
    const message = this.get(ts);
    const body = edit(parse(this.#text(message)));
    message.body = JSON.stringify(body);
    message.author = authorOf(body);
    if (message.thread !== undefined) message.thread.counters = undefined;
  }

  /**
   * A root that still has replies becomes a tombstone, which history goes on returning; anything else vanishes, and a
   * thread's counters fall back. A root whose last reply is gone keeps its thread_ts (docs.slack.dev, retrieving
   * messages); a tombstone without replies has nothing left to hold and vanishes too.
   */
  delete(ts: string): void {
    const message = this.get(ts);
    const thread = message.thread;
    if (thread?.root === message && thread.replies.length > 0) {
      message.isTombstone = true;
      this.change(ts, (before) => tombstone(ts, before));
      return;
    }
    remove(this.all, message);
    if (thread === undefined || thread.root === message) {
      remove(this.timeline, message);
      return;
    }
    if (message.isBroadcast) remove(this.timeline, message);
    remove(thread.replies, message);
    thread.counters = undefined;
    if (thread.root.isTombstone && thread.replies.length === 0) this.delete(thread.root.ts);
  }

  /** Retention takes a message; what is left of it is what is left of a deleted one. */
  expire(ts: string): void {
    this.expired.add(ts);
    this.delete(ts);
  }

  /** The message as Slack would send it, as JSON text. `metadata` is left out unless asked for. */
  render(message: StoredMessage, withMetadata = false): string {
    let text = this.#text(message);
    if (!withMetadata && text.includes('"metadata":')) {
      const { metadata: _, ...rest } = parse(text);
      text = JSON.stringify(rest);
    }
    if (this.reactorsShown !== undefined && text.includes('"reactions":')) {
      text = JSON.stringify(withFewReactors(parse(text), this.reactorsShown));
    }
    const thread = message.thread;
    if (thread === undefined) return text;
    if (thread.root === message) return splice(text, this.#counters(thread));
    if (message.isBroadcast) return splice(text, `"root":${this.render(thread.root, withMetadata)}`);
    return text;
  }

  #store(ts: string, body: JsonObject | number, author: string): StoredMessage {
    if (!/^\d{10}\.\d{6}$/.test(ts)) throw new Error(`Not a ts: ${ts}`);
    const message: StoredMessage = {
      ts,
      body: typeof body === 'number' ? body : JSON.stringify(body),
      author,
      thread: undefined,
      isBroadcast: false,
      isTombstone: false,
    };
    insert(this.all, message);
    return message;
  }

  #text(message: StoredMessage): string {
    if (typeof message.body === 'string') return message.body;
    if (this.#recipe === undefined) throw new Error('This store has no recipe.');
    return this.#recipe(message);
  }

  #counters(thread: Thread): string {
    thread.counters ??= JSON.stringify({
      thread_ts: thread.root.ts,
      ...summary(thread.replies),
      is_locked: false,
      subscribed: false,
    }).slice(1, -1);
    return thread.counters;
  }
}

/** `reply_users` names at most five; `latest_reply` is absent once every reply is gone. */
function summary(replies: readonly StoredMessage[]): JsonObject {
  const authors = [...new Set(replies.map((reply) => reply.author))];
  const latest = replies.at(-1);
  return {
    reply_count: replies.length,
    reply_users_count: authors.length,
    reply_users: authors.slice(0, 5),
    ...(latest === undefined ? {} : { latest_reply: latest.ts }),
  };
}

function tombstone(ts: string, before: JsonObject): JsonObject {
  return {
    type: 'message',
    subtype: 'tombstone',
    text: 'This message was deleted.',
    user: 'USLACKBOT',
    hidden: true,
    ts,
    ...(before.team === undefined ? {} : { team: before.team }),
  };
}

export function authorOf(body: JsonObject): string {
  const author = body.user ?? body.bot_id;
  return typeof author === 'string' ? author : '';
}

function parse(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

/** Slack cuts `users` at a length it does not state (docs.slack.dev, reactions.get). */
function withFewReactors(message: JsonObject, most: number): JsonObject {
  const reactions = (message.reactions ?? []) as { name: string; users: string[]; count: number }[];
  return {
    ...message,
    reactions: reactions.map((reaction) => ({ ...reaction, users: reaction.users.slice(0, most) })),
  };
}

function splice(object: string, members: string): string {
  return `${object.slice(0, -1)},${members}}`;
}

/** The index of the first message with a ts at or after the given one; the length when there is none. */
export function firstAtOrAfter(sorted: readonly StoredMessage[], ts: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as StoredMessage).ts < ts) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function firstAfter(sorted: readonly StoredMessage[], ts: string): number {
  const index = firstAtOrAfter(sorted, ts);
  return sorted[index]?.ts === ts ? index + 1 : index;
}

function insert(sorted: StoredMessage[], message: StoredMessage): void {
  const last = sorted.at(-1);
  if (last === undefined || last.ts < message.ts) {
    sorted.push(message);
    return;
  }
  const index = firstAtOrAfter(sorted, message.ts);
  if (sorted[index]?.ts === message.ts) throw new Error(`A ts is unique within a channel; ${message.ts} is taken.`);
  sorted.splice(index, 0, message);
}

function remove(sorted: StoredMessage[], message: StoredMessage): void {
  const index = firstAtOrAfter(sorted, message.ts);
  if (sorted[index] === message) sorted.splice(index, 1);
}
