/**
 * Small exports made up from a seed, and several of one workspace, taken one after the other while people go on talking: what
 * every order of importing them must make the same rows of.
 */
import { Random } from '../stand-in/random.ts';
import { chatter, engineering, fill, office, type Subject } from '../stand-in/sample-talk.ts';
import {
  type ExportChannel,
  type ExportFile,
  type ExportSpec,
  type ExportUser,
  makeExport,
  type Reply,
  type Said,
} from './make-export.ts';

export interface RandomExportOptions {
  /** Default T0EXPORT. */
  team?: string;
  /** A channel has messages and stands in no list, as after it was deleted. Default false. */
  unlisted?: boolean;
  /** Some exports are of a range of dates only, and some have no users.json. Default true. */
  incomplete?: boolean;
}

export function randomExport(seed: number, options: RandomExportOptions = {}): ExportFile[] {
  return successiveExports(seed, 1, { incomplete: false, ...options })[0] ?? [];
}

/**
 * Exports of one workspace, oldest first. Each holds a message that is newer than everything in the ones before. Between them
 * messages are edited, deleted or answered, reactions come and go, profiles and names change, a channel is renamed.
 */
export function successiveExports(seed: number, count = 4, options: RandomExportOptions = {}): ExportFile[][] {
  const workspace = new LivingWorkspace(new Random(seed), options);
  return Array.from({ length: count }, (_, index) => {
    workspace.live(index === 0 ? 45 : 12);
    return makeExport(workspace.export(index));
  });
}

/** Evenings in Los Angeles before the clocks change and before a year ends: most midnights are crossed soon. */
const beginnings = [1_678_590_000, 1_699_160_400, 1_704_085_200, 1_719_900_000];
const subjects: readonly Subject[] = [engineering, office, chatter];
const emoji = ['+1', 'tada', 'eyes', 'wave::skin-tone-3', 'melting_face'];

interface Conversation extends ExportChannel {
  messages: Said[];
}

class LivingWorkspace {
  readonly #random: Random;
  readonly #options: RandomExportOptions;
  #now: number;
  #users: ExportUser[];
  readonly #channels: Conversation[];
  #count = 0;

  constructor(random: Random, options: RandomExportOptions) {
    this.#random = random;
    this.#options = options;
    this.#now = random.pick(beginnings);
    this.#users = [
      { id: 'U0ALICE', name: 'alice', realName: 'Alice Meyer' },
      { id: 'U0BOB', name: 'bob', realName: 'Bob O’Neil' },
      { id: 'U0CHIYO', name: 'chiyo', realName: '千代' },
      { id: 'U0DAVE', name: 'dave', isDeleted: true },
      { id: 'U0GUEST', name: 'guest', team: 'T0ELSE' },
      { id: 'U0ROBOT', name: 'robot', isBot: true },
    ];
    const members = ['U0ALICE', 'U0BOB', 'U0CHIYO'];
    const listed: ExportChannel[] = [
      { id: 'C0GENERAL', name: 'general', members, raw: { is_general: true } },
      { id: 'C0WORK', name: 'work', members },
      { id: 'C0OLD', name: 'größe', members, isArchived: true },
      { id: 'G0SECRET', name: 'secret', kind: 'private', members },
      { id: 'D0ALICEBOB', kind: 'dm', members: members.slice(0, 2) },
      { id: 'G0THREE', name: 'mpdm-alice--bob--chiyo-1', kind: 'mpim', members },
    ];
    if (options.unlisted) listed.push({ id: 'C0GONE', name: 'gone', members, isUnlisted: true });
    this.#channels = listed.map((channel) => ({ ...channel, messages: [] }));
  }

  /** So many things happen; the last is a new message. */
  live(events: number): void {
    for (let n = 0; n < events; n += 1) {
      this.#pass();
      const channel = this.#random.pick(this.#channels);
      if (this.#count < 15 || this.#random.chance(0.3)) this.#say(channel);
      else this.#change(channel);
    }
    this.#pass();
    this.#say(this.#random.pick(this.#channels), true);
  }

  export(index: number): ExportSpec {
    const { team, incomplete = true } = this.#options;
    const isPart = incomplete && index > 0 && this.#random.chance(0.2);
    const since = isPart ? this.#now - this.#random.below(3 * 86_400) : 0;
    const within = ({ ts }: Said): boolean => Number(ts) >= since;
    return {
      ...(team === undefined ? {} : { team }),
      users: this.#users,
      channels: this.#channels.map((channel) => ({
        ...channel,
        // Of a thread that began before, only the later replies are there.
        messages: channel.messages.flatMap((said) =>
          within(said) ? [said] : (said.replies ?? []).filter(within).map((reply) => ({ ...reply, root: said })),
        ),
      })),
      fileToken: `xoxe-${1000 + index}-${'0123456789abcdef'.slice(index % 8)}`,
      ...(incomplete && this.#random.chance(0.1) ? { lists: { users: null } } : {}),
    };
  }

  #pass(): void {
    this.#now += 1 + this.#random.below(this.#random.chance(0.2) ? 6 * 3600 : 900);
  }

  #ts(): string {
    this.#count += 1;
    return `${this.#now}.${String(this.#random.below(10_000) * 100 + (this.#count % 100)).padStart(6, '0')}`;
  }

  #user(): string {
    return this.#random.pick(this.#users).id;
  }

  #text(): string {
    const people = this.#users.map(({ id }) => id);
    const subject = this.#random.pick(subjects);
    return fill(this.#random.pick(this.#random.chance(0.5) ? subject.openers : subject.answers), this.#random, people);
  }

  #say(channel: Conversation, isPlain = false): void {
    const said: Said = { ts: this.#ts(), user: this.#user(), text: this.#text() };
    const kind = isPlain ? 0 : this.#random.below(12);
    if (kind === 1) channel.messages.push({ ts: said.ts, bot: 'B0REPORT', text: this.#text() });
    else if (kind === 2) channel.messages.push({ ...said, user: 'U0ROBOT', bot: 'B0ROBOT' });
    else if (kind === 3) this.#join(said.ts);
    else if (kind === 4) channel.messages.push({ ...said, files: this.#files() });
    else if (kind === 5) channel.messages.push({ ...said, raw: { bot_id: null, blocks: null, attachments: null } });
    else if (kind === 6) channel.messages.push(oldFile(said));
    else if (kind === 7) channel.messages.push({ ...said, user: 'U0STRANGE' });
    else if (kind === 8) channel.messages.push({ ...said, subtype: 'me_message' });
    else if (kind === 9) channel.messages.push({ ...said, replies: [this.#reply(), this.#reply()] });
    else channel.messages.push(said);
  }

  /** Who joins is let into several channels at once: one ts in all of them. */
  #join(ts: string): void {
    const user = this.#user();
    for (const channel of this.#channels.slice(0, 2)) {
      channel.messages.push({ ts, user, subtype: 'channel_join', text: `<@${user}> has joined the channel` });
    }
  }

  #reply(): Reply {
    this.#pass();
    const reply = { ts: this.#ts(), user: this.#user(), text: this.#text() };
    return this.#random.chance(0.2) ? { ...reply, isBroadcast: true } : reply;
  }

  #files(): string[] {
    return Array.from({ length: 1 + this.#random.below(2) }, (_, n) => `F0${this.#count}X${n}`);
  }

  #change(channel: Conversation): void {
    const index = this.#random.below(channel.messages.length);
    const said = channel.messages[index];
    if (this.#random.chance(0.08)) this.#changePeople();
    else if (this.#random.chance(0.06)) this.#rename();
    else if (said !== undefined && !said.isTombstone) channel.messages.splice(index, 1, ...this.#changed(said));
  }

  /** What becomes of a message: none, when it is deleted. */
  #changed(said: Said): Said[] {
    const replies = said.replies ?? [];
    switch (this.#random.below(9)) {
      case 0:
        return [{ ...said, text: `${this.#text()} (edited)`, edited: `${this.#now}.000000` }];
      case 1:
      case 7:
      case 8:
        return [{ ...said, reactions: this.#reacted(said.reactions ?? {}) }];
      case 2:
        return [{ ...said, profile: { avatar_hash: `hash${this.#count}`, display_name: `name ${this.#count}` } }];
      case 3:
        // A deleted reply is missing, and its root counts one less.
        if (replies.length > 1) return [{ ...said, replies: replies.slice(1) }];
        return replies.length > 0 ? [{ ...said, isTombstone: true }] : [];
      case 4: {
        const [first, ...others] = replies;
        if (first === undefined) return [said];
        return [
          {
            ...said,
            replies: [{ ...first, text: `${first.text} (edited)`, edited: `${this.#now}.000000` }, ...others],
          },
        ];
      }
      default:
        return [{ ...said, replies: [...replies, this.#reply()] }];
    }
  }

  #reacted(reactions: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
    const name = this.#random.pick(emoji);
    const { [name]: users = [], ...others } = reactions;
    const user = this.#user();
    const left = users.includes(user) ? users.filter((one) => one !== user) : [...users, user];
    return left.length === 0 ? others : { ...others, [name]: left };
  }

  #changePeople(): void {
    const changed = this.#user();
    this.#users = this.#users.map((user) =>
      user.id === changed
        ? { ...user, realName: `${user.realName ?? user.name} ${this.#count}`, raw: { updated: this.#now } }
        : user,
    );
  }

  /** The folder of the next export has the new name, for old messages too. */
  #rename(): void {
    const [, channel] = this.#channels;
    if (channel === undefined) return;
    const old = channel.name ?? '';
    const name = `work-${this.#count}`;
    channel.name = name;
    channel.messages.push({
      ts: this.#ts(),
      user: 'U0ALICE',
      subtype: 'channel_name',
      text: `has renamed the channel from "${old}" to "${name}"`,
      raw: { old_name: old, name },
    });
  }
}

/** As before 2018: one file, not a list of them. */
function oldFile(said: Said): Said {
  const id = `F0OLD${said.ts.slice(-6)}`;
  const file = { id, name: 'notes.txt', title: 'notes', mimetype: 'text/plain', mode: 'hosted', size: 12 };
  return { ...said, subtype: 'file_share', raw: { file, upload: true } };
}
