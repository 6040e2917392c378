/** A made-up workspace with a past of a year or two, to which things happen, the same for the same seed and moment. */
import type { Channel, ChannelOptions } from '../stand-in/channel.ts';
import type { StoredMessage } from '../stand-in/message-store.ts';
import { Random } from '../stand-in/random.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import { World } from '../stand-in/world.ts';
import { changes } from './changes.ts';
import { Ledger } from './ledger.ts';

export interface LifeOptions {
  seed: number;
  /** Epoch milliseconds; the last change happens before it. */
  now: number;
  /** About how many changes there will be: they are spread over the last days. */
  changes: number;
  /** One channel gets so many messages more; enough for several pages. */
  crowd: number;
  /** Things that not every workspace goes through. */
  features: Features;
}

export interface Features {
  /** Deletions, and whatever makes messages vanish. */
  deletions: boolean;
  retention: boolean;
  planLimit: boolean;
  /** G ids that turn into C ids. */
  conversions: boolean;
  /** The app is removed from channels and comes back. */
  removals: boolean;
}

const day = 86_400;
const pastDays = 600;

export class Life {
  readonly world: World;
  readonly acme: Workspace;
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly features: Features;
  readonly people: string[];
  /** Channels whose bot will not be invited again. */
  readonly lost = new Set<Channel>();
  /** What happened, one line each, for whoever wants to understand a difference. */
  readonly log: string[] = [];
  /** From here on the workspace has been there: nothing is older. For --backfill-from. */
  readonly founded: string;
  readonly #stepSeconds: number;
  readonly #end: number;

  constructor({ seed, now, changes: planned, crowd, features }: LifeOptions) {
    this.random = new Random(seed);
    this.features = features;
    const lastDays = 1 + this.random.below(9);
    this.#stepSeconds = (lastDays * day) / planned;
    this.#end = now - 15 * 60_000;
    this.founded = new Date(now - (lastDays + pastDays + 20) * day * 1000).toISOString().slice(0, 10);
    this.world = new World({ start: now - lastDays * day * 1000 });
    this.acme = this.world.workspace('T0ACME', { name: 'Acme', domain: 'acme' });
    this.people = ['ada', 'bram', 'chiara', 'daniel', 'eva', 'farid', 'greta'].map((name) => this.acme.user(name).id);
    this.people.push(this.acme.user('pat', { kind: 'external' }).id);
    this.#openChannels(crowd);
    for (const channel of this.acme.channels.values()) this.ledger.observe(channel);
  }

  /** Makes one change; returns what it was. */
  change(): string {
    const { clock } = this.world;
    const step = this.random.chance(0.1) ? 8 : 1.1;
    if (clock.now < this.#end) clock.advance(Math.floor(this.random.next() * step * this.#stepSeconds));
    for (;;) {
      const what = pickWeighted(this.random, changes).make(this);
      if (what === undefined) continue;
      for (const channel of this.ledger.channels) this.ledger.observe(channel);
      for (const channel of this.acme.channels.values()) this.ledger.observe(channel);
      this.log.push(what);
      return what;
    }
  }

  /** A channel as options say, with messages of up to `days` ago. */
  open(name: string, options: ChannelOptions, { messages, days }: { messages: number; days: number }): Channel {
    const created = this.world.clock.seconds - (days + 1) * day;
    const channel = this.acme.channel(name, { created, ...options });
    if (this.random.chance(0.5)) channel.store.reactorsShown = 2 + this.random.below(2);
    const ages = Array.from({ length: messages }, () => this.random.next() * days).sort((a, b) => b - a);
    // The oldest is always there, for an absence at the very end of what is visible looks like retention.
    for (const age of [days, ...ages]) this.#postInPast(channel, age);
    return channel;
  }

  /** Messages that are shown, tombstones not among them. */
  shown(channel: Channel): StoredMessage[] {
    return channel.store.all.filter(
      (message) => !message.isTombstone && this.ledger.fate(channel, message.ts) === 'shown',
    );
  }

  /** Whether the app can read the channel now. */
  canRead(channel: Channel): boolean {
    return this.acme.channels.get(channel.id) === channel && channel.members.has(this.acme.bot.id);
  }

  #openChannels(crowd: number): void {
    const size = (): number => 5 + this.random.below(40);
    const past = { messages: 0, days: pastDays };
    const open = (name: string, options: ChannelOptions): Channel =>
      this.open(name, options, { ...past, messages: size() });
    open('general', {});
    this.open('crowd', {}, { messages: size() + crowd, days: pastDays });
    open('plans', { kind: 'private', id: this.world.nextId('G') });
    open('money', { kind: 'private' });
    open('elsewhere', { isMember: this.random.chance(0.5) });
    open('attic', { isArchived: true });
    open('mpdm-ada--bram-1', { kind: 'mpim' });
    this.open('', { kind: 'im', members: [this.people[0] ?? ''] }, { messages: size(), days: 300 });
    this.open('new', {}, { messages: 3, days: 2 });
  }

  #postInPast(channel: Channel, age: number): void {
    const { random, world } = this;
    const root = channel.post({ ts: world.clock.daysAgo(age), user: random.pick(this.people), text: this.words() });
    if (random.chance(0.1)) this.react(channel, root);
    if (!random.chance(0.2)) return;
    const replies = random.chance(0.1) ? 20 : 1 + random.below(4);
    // Most threads are over within a day, some go on for a year.
    const until = random.chance(0.8) ? Math.max(0, age - 1) : 0;
    const ages = Array.from({ length: replies }, () => until + random.next() * (age - until) * 0.99);
    for (const replyAge of ages.sort((a, b) => b - a)) {
      const ts = world.clock.daysAgo(replyAge);
      if (ts <= root) continue;
      const broadcast = random.chance(0.1);
      channel.reply(root, { ts, user: random.pick(this.people), text: this.words() }, { broadcast });
    }
  }

  react(channel: Channel, ts: string): void {
    const name = this.random.pick(['+1', 'eyes', 'tada', '+1::skin-tone-4']);
    const users = Array.from({ length: 1 + this.random.below(4) }, () => this.random.pick(this.people));
    channel.react(ts, name, [...new Set(users)]);
  }

  words(): string {
    const words = [
      'ship',
      'it',
      'tomorrow',
      'the',
      'invoice',
      'is',
      'late',
      '&lt;sigh&gt;',
      'über',
      '🚢',
      '"quoted"',
      "'s",
    ];
    return Array.from({ length: 1 + this.random.below(8) }, () => this.random.pick(words)).join(' ');
  }
}

function pickWeighted<Item extends { weight: number }>(random: Random, items: readonly Item[]): Item {
  let point = random.next() * items.reduce((sum, { weight }) => sum + weight, 0);
  for (const item of items) {
    point -= item.weight;
    if (point < 0) return item;
  }
  return random.pick(items);
}
