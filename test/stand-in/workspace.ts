import { Channel, type ChannelOptions } from './channel.ts';
import { MessageStore, type Recipe } from './message-store.ts';
import type { User, UserKind, UserOptions } from './people.ts';
import { ALL_SCOPES, type TokenOptions } from './tokens.ts';
import type { World } from './world.ts';

export interface WorkspaceOptions {
  name?: string;
  domain?: string;
  /** `free`: usergroups.list answers plan_upgrade_required. The history floor is set by `hideBefore`. */
  plan?: 'free' | 'paid';
  enterpriseId?: string;
  /** Does users.list hold USLACKBOT? Default false, the harder case. */
  listsSlackbot?: boolean;
  /** More users than this and users.list without a limit answers limit_required. */
  limitRequiredAbove?: number;
}

export interface Usergroup {
  id: string;
  handle: string;
  name: string;
  users: string[];
  isDisabled: boolean;
}

const NO_FLOOR = '0000000000.000000';

export class Workspace {
  readonly world: World;
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  readonly url: string;
  readonly enterpriseId: string | undefined;
  readonly options: WorkspaceOptions;
  readonly users = new Map<string, User>();
  readonly channels = new Map<string, Channel>();
  readonly usergroups: Usergroup[] = [];
  /** Name to URL or `alias:name`. */
  readonly emoji = new Map<string, string>();
  /** The app's bot user, in every channel unless told otherwise. */
  readonly bot: User;
  /** The default token: the bot's, with every scope. */
  readonly botToken: string;
  /** Messages below it are hidden by the plan. */
  floor = NO_FLOOR;
  /** After how many days messages are taken, where a channel has no policy of its own. */
  retention: 'keep' | number = 'keep';
  plan: 'free' | 'paid';

  constructor(world: World, id: string, options: WorkspaceOptions) {
    this.world = world;
    this.id = id;
    this.options = options;
    this.domain = options.domain ?? id.toLowerCase();
    this.name = options.name ?? this.domain;
    this.url = `https://${this.domain}.slack.com/`;
    this.enterpriseId = options.enterpriseId;
    this.plan = options.plan ?? 'paid';
    const stem = id.slice(1);
    const app = { appId: `A${stem}`, botId: `B${stem}BOT` };
    this.bot = this.user('archivist', { id: `U${stem}BOT`, kind: 'bot', realName: 'Archivist', ...app });
    this.botToken = this.token({ kind: 'bot' });
  }

  user(name: string, options: UserOptions & { kind?: UserKind } = {}): User {
    const { kind = 'member', ...rest } = options;
    const user: User = {
      ...rest,
      id: rest.id ?? this.world.nextId('U'),
      kind,
      name,
      realName: rest.realName ?? name.charAt(0).toUpperCase() + name.slice(1),
      teamId: rest.teamId ?? (kind === 'external' ? 'T0ELSEWHERE' : this.id),
      updated: this.world.clock.seconds,
    };
    if (kind === 'bot') user.botId ??= this.world.nextId('B');
    this.users.set(user.id, user);
    return user;
  }

  /** Public by default. An im is named by nobody: pass the other party as its only `members`. */
  channel(name: string, options: ChannelOptions = {}, recipe?: Recipe): Channel {
    const prefix = options.kind === 'im' ? 'D' : options.kind === 'mpim' ? 'G' : 'C';
    const id = options.id ?? options.sharedWith?.id ?? this.world.nextId(prefix);
    if (this.channels.has(id)) throw new Error(`${this.id} already has a channel ${id}.`);
    const store = options.sharedWith?.store ?? new MessageStore(recipe);
    const shared = options.sharedWith === undefined ? {} : { isExternallyShared: true };
    const channel = new Channel(this, id, name, store, { ...shared, ...options });
    this.channels.set(id, channel);
    return channel;
  }

  usergroup(
    handle: string,
    users: string[],
    options: { id?: string; name?: string; isDisabled?: boolean } = {},
  ): Usergroup {
    const { id = this.world.nextId('S'), name = handle, isDisabled = false } = options;
    const group = { id, handle, name, users, isDisabled };
    this.usergroups.push(group);
    return group;
  }

  /** Makes a token and returns its value. A user token needs the `user` it acts for. */
  token(options: TokenOptions = {}): string {
    const kind = options.kind ?? 'bot';
    const user = options.user ?? (kind === 'bot' ? this.bot.id : undefined);
    if (user === undefined) throw new Error('A user token belongs to a user.');
    const value = options.value ?? `${kind === 'bot' ? 'xoxb' : 'xoxp'}-stand-in-${this.id}-${this.world.nextId('')}`;
    const scopes = [...(options.scopes ?? ALL_SCOPES)];
    const app = options.app ?? this.bot.appId ?? '';
    this.world.tokens.set(value, { value, workspace: this, kind, user, app, scopes, state: 'ok' });
    return value;
  }

  /** Members and guests, oldest first: whom a channel holds by default. */
  memberIds(): string[] {
    return [...this.users.values()]
      .filter((user) => user.kind === 'member' || user.kind === 'guest')
      .map((user) => user.id);
  }

  /** Deactivates an account; users.list goes on listing it. */
  deactivate(userId: string): void {
    const user = this.users.get(userId);
    if (user === undefined) throw new Error(`No user ${userId}.`);
    user.kind = 'deleted';
    user.updated = this.world.clock.seconds;
  }

  /** The free plan's floor: older messages stay stored but are hidden, and history says is_limited. */
  hideBefore(ts: string): void {
    this.floor = ts;
  }

  /** Retention in every channel: see `Channel.expireBefore`. */
  expireBefore(ts: string): void {
    for (const channel of this.channels.values()) channel.expireBefore(ts);
  }

  /** What Slack does once a day. */
  runRetention(): void {
    for (const channel of this.channels.values()) channel.runRetention();
  }

  /** As an admin may: the channel answers channel_not_found from now on. */
  deleteChannel(channel: Channel): void {
    this.channels.delete(channel.id);
  }

  moveChannel(channel: Channel, id: string): void {
    if (this.channels.has(id)) throw new Error(`${this.id} already has a channel ${id}.`);
    this.channels.delete(channel.id);
    this.channels.set(id, channel);
  }
}
