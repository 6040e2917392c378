/** Everything that can happen in a workspace, and how often. */
import type { Channel } from '../stand-in/channel.ts';
import type { StoredMessage } from '../stand-in/message-store.ts';
import type { Life } from './life.ts';

interface Change {
  weight: number;
  /** Makes the change and says what it was; undefined when it was not possible. */
  make(life: Life): string | undefined;
}

export const changes: readonly Change[] = [
  { weight: 18, make: post },
  { weight: 2, make: postLate },
  { weight: 12, make: (life) => reply(life, recentRoot) },
  { weight: 8, make: (life) => reply(life, anyRoot) },
  { weight: 5, make: (life) => reply(life, loneRoot) },
  { weight: 3, make: (life) => reply(life, anyRoot, { broadcast: true }) },
  { weight: 12, make: edit },
  { weight: 4, make: unfurl },
  { weight: 8, make: react },
  { weight: 5, make: unreact },
  { weight: 5, make: (life) => remove(life, 'message', (message) => message.thread === undefined) },
  { weight: 3, make: (life) => remove(life, 'root', (message) => message.thread?.root === message) },
  { weight: 8, make: (life) => remove(life, 'reply', isReply) },
  // Threads whose root is gone come to their end as well.
  {
    weight: 4,
    make: (life) => remove(life, 'orphan', (message) => isReply(message) && message.thread?.root.isTombstone),
  },
  { weight: 1, make: rename },
  { weight: 1, make: setTopic },
  { weight: 1, make: archive },
  { weight: 1, make: unarchive },
  { weight: 0.3, make: makePrivate },
  { weight: 0.7, make: convert },
  { weight: 0.7, make: openNew },
  { weight: 1, make: removeApp },
  { weight: 1.5, make: inviteApp },
  { weight: 0.15, make: loseChannel },
  { weight: 0.4, make: expire },
  { weight: 0.3, make: hide },
];

function post(life: Life): string | undefined {
  const channel = openChannel(life);
  if (channel === undefined) return undefined;
  const file = life.random.chance(0.1) ? { files: [fileOf(life)] } : {};
  const ts = channel.post({ user: life.random.pick(life.people), text: life.words(), ...file });
  return told(channel, ts, 'posted');
}

/** The order of ts is not the order in which messages become visible. */
function postLate(life: Life): string | undefined {
  const channel = openChannel(life);
  if (channel === undefined) return undefined;
  const ts = life.world.clock.daysAgo(life.random.next() / 300);
  if (ts < channel.visibleFrom) return undefined;
  channel.post({ ts, user: life.random.pick(life.people), text: life.words() });
  return told(channel, ts, 'posted, and visible only now');
}

function fileOf(life: Life) {
  const id = life.world.nextId('F');
  return {
    id,
    name: `${id}.pdf`,
    title: id,
    mimetype: 'application/pdf',
    size: 1,
    mode: 'hosted',
    created: 1_700_000_000,
  };
}

type PickRoot = (life: Life, channel: Channel) => StoredMessage | undefined;

function reply(life: Life, pickRoot: PickRoot, options: { broadcast?: boolean } = {}): string | undefined {
  const channel = openChannel(life);
  const root = channel === undefined ? undefined : pickRoot(life, channel);
  if (channel === undefined || root === undefined) return undefined;
  const ts = channel.reply(root.ts, { user: life.random.pick(life.people), text: life.words() }, options);
  return told(channel, ts, `${options.broadcast === true ? 'broadcast' : 'replied'} to ${root.ts}`);
}

function roots(life: Life, channel: Channel): StoredMessage[] {
  return channel.store.timeline.filter((message) => {
    const fate = life.ledger.fate(channel, message.ts);
    if (message.isBroadcast || (fate !== 'shown' && fate !== 'tombstone')) return false;
    return message.isTombstone || !hasSubtype(message);
  });
}

function anyRoot(life: Life, channel: Channel): StoredMessage | undefined {
  return pickFrom(life, roots(life, channel));
}

function recentRoot(life: Life, channel: Channel): StoredMessage | undefined {
  return pickFrom(life, roots(life, channel).slice(-6));
}

function loneRoot(life: Life, channel: Channel): StoredMessage | undefined {
  return pickFrom(
    life,
    roots(life, channel).filter(({ thread }) => thread === undefined),
  );
}

function edit(life: Life): string | undefined {
  const found = pickMessage(life, isHuman);
  if (found === undefined) return undefined;
  found.channel.edit(found.ts, { text: `${life.words()} (edited)` });
  return told(found.channel, found.ts, 'edited');
}

/** Slack looked at a link: the message changes, and nobody edited it. */
function unfurl(life: Life): string | undefined {
  const found = pickMessage(life, isHuman);
  if (found === undefined) return undefined;
  const title = life.words();
  found.channel.change(found.ts, (message) => ({ ...message, attachments: [{ id: 1, title }] }));
  return told(found.channel, found.ts, 'unfurled');
}

function react(life: Life): string | undefined {
  const found = pickMessage(life, () => true);
  if (found === undefined) return undefined;
  life.react(found.channel, found.ts);
  return told(found.channel, found.ts, 'reacted to');
}

function unreact(life: Life): string | undefined {
  const found = pickMessage(life, ({ body }) => String(body).includes('"reactions":'));
  if (found === undefined) return undefined;
  const { channel, ts } = found;
  const { reactions }: { reactions: { name: string; users: string[] }[] } = JSON.parse(String(found.message.body));
  const { name, users } = life.random.pick(reactions);
  channel.unreact(ts, name, life.random.pick(users));
  return told(channel, ts, 'took a reaction back from');
}

function remove(life: Life, what: string, fits: (message: StoredMessage) => boolean | undefined): string | undefined {
  if (!life.features.deletions) return undefined;
  const found = pickMessage(life, (message) => fits(message) === true);
  if (found === undefined) return undefined;
  const { channel, message, ts } = found;
  // Absent from the old end of what is visible means expired, not deleted: it stays, and so does what hangs on it.
  const oldest = channel.store.timeline.find((other) => other.ts >= channel.visibleFrom);
  if ((message.thread?.root ?? message) === (oldest?.thread?.root ?? oldest)) return undefined;
  const root = isReply(message) ? ` of ${message.thread?.root.ts}` : '';
  channel.deleteMessage(ts);
  return told(channel, ts, `${what}${root} deleted`);
}

function rename(life: Life): string | undefined {
  const channel = openChannel(life);
  if (channel === undefined || channel.kind === 'im' || channel.kind === 'mpim') return undefined;
  const before = channel.name;
  channel.rename(`${before.replace(/-\d+$/, '')}-${life.random.below(1000)}`);
  return told(channel, '', `renamed from ${before}`);
}

function setTopic(life: Life): string | undefined {
  const channel = openChannel(life);
  if (channel === undefined || channel.kind === 'im') return undefined;
  channel.setTopic(life.words());
  return told(channel, '', 'got a topic');
}

function archive(life: Life): string | undefined {
  const channel = pickFrom(
    life,
    living(life).filter(({ kind, isArchived }) => !isArchived && isNamed(kind)),
  );
  if (channel === undefined || life.random.chance(0.5)) return undefined;
  channel.archive();
  return told(channel, '', 'archived');
}

function unarchive(life: Life): string | undefined {
  const channel = pickFrom(
    life,
    living(life).filter(({ isArchived }) => isArchived),
  );
  if (channel === undefined) return undefined;
  channel.unarchive();
  return told(channel, '', 'unarchived');
}

function makePrivate(life: Life): string | undefined {
  const channel = pickFrom(
    life,
    living(life).filter(({ kind, isArchived }) => kind === 'public' && !isArchived),
  );
  if (channel === undefined) return undefined;
  channel.makePrivate();
  return told(channel, '', 'made private');
}

function convert(life: Life): string | undefined {
  const channel = living(life).find(({ id, kind }) => kind === 'private' && id.startsWith('G'));
  if (channel === undefined || !life.features.conversions) return undefined;
  const before = channel.id;
  channel.convertChannelId();
  return told(channel, '', `was ${before}`);
}

/** Some are there for a while before the app is invited. */
function openNew(life: Life): string | undefined {
  if (life.ledger.channels.length > 12) return undefined;
  const days = life.random.pick([0, 3, 60]);
  const kind = life.random.pick(['public', 'private'] as const);
  const id = kind === 'private' && life.random.chance(0.5) ? { id: life.world.nextId('G') } : {};
  const isMember = life.random.chance(0.6);
  const channel = life.open(
    `later-${life.ledger.channels.length}`,
    { kind, isMember, ...id },
    { messages: days / 3, days },
  );
  return told(channel, '', `opened, ${kind}`);
}

function removeApp(life: Life): string | undefined {
  if (!life.features.removals) return undefined;
  const channel = pickFrom(
    life,
    living(life).filter((each) => isNamed(each.kind) && life.canRead(each)),
  );
  if (channel === undefined) return undefined;
  channel.leave();
  return told(channel, '', 'lost the app');
}

function inviteApp(life: Life): string | undefined {
  const channel = pickFrom(
    life,
    living(life).filter((each) => !life.canRead(each)),
  );
  if (channel === undefined || life.lost.has(channel)) return undefined;
  channel.join();
  return told(channel, '', 'got the app');
}

/** The app is thrown out for ever, or the channel is deleted. */
function loseChannel(life: Life): string | undefined {
  if (!life.features.removals || life.lost.size > 1) return undefined;
  const channel = pickFrom(
    life,
    living(life).filter((each) => isNamed(each.kind) && life.canRead(each)),
  );
  if (channel === undefined) return undefined;
  life.lost.add(channel);
  if (life.random.chance(0.5)) {
    life.acme.deleteChannel(channel);
    return told(channel, '', 'deleted as a whole');
  }
  channel.leave();
  return told(channel, '', 'lost the app for ever');
}

function expire(life: Life): string | undefined {
  if (!life.features.retention) return undefined;
  const channel = pickFrom(life, living(life));
  const cut = channel === undefined ? undefined : cutOf(life, channel);
  if (channel === undefined || cut === undefined) return undefined;
  const isEverywhere = life.random.chance(0.3);
  if (isEverywhere) life.acme.expireBefore(cut);
  else channel.expireBefore(cut);
  return told(channel, cut, isEverywhere ? 'older expired everywhere' : 'older expired');
}

function hide(life: Life): string | undefined {
  if (!life.features.planLimit) return undefined;
  const channel = pickFrom(life, living(life));
  const cut = channel === undefined ? undefined : cutOf(life, channel);
  if (channel === undefined || cut === undefined || cut < life.acme.floor) return undefined;
  life.acme.hideBefore(cut);
  return told(channel, cut, 'older hidden by the plan');
}

/** Somewhere in the older half of what is shown. */
function cutOf(life: Life, channel: Channel): string | undefined {
  const shown = channel.store.timeline.filter(({ ts }) => ts >= channel.visibleFrom);
  const cut = pickFrom(life, shown.slice(0, shown.length / 2));
  // Channels that are younger than a day are left alone: the last of them would vanish too.
  const dayAgo = life.world.clock.daysAgo(1);
  return cut === undefined || cut.ts > dayAgo ? undefined : cut.ts;
}

function told(channel: Channel, ts: string, what: string): string {
  return `${channel.id} #${channel.name} ${ts} ${what}`;
}

function living(life: Life): Channel[] {
  return [...life.acme.channels.values()].filter((channel) => !life.lost.has(channel));
}

function isNamed(kind: Channel['kind']): boolean {
  return kind === 'public' || kind === 'private';
}

/** One where people can write; a few are livelier than the others. */
function openChannel(life: Life): Channel | undefined {
  const open = living(life).filter(({ isArchived }) => !isArchived);
  return pickFrom(life, life.random.chance(0.5) ? open.slice(0, 3) : open);
}

function pickMessage(
  life: Life,
  fits: (message: StoredMessage) => boolean,
): { channel: Channel; message: StoredMessage; ts: string } | undefined {
  const channel = openChannel(life);
  if (channel === undefined) return undefined;
  const candidates = life.shown(channel).filter(fits);
  const message = pickFrom(life, life.random.chance(0.5) ? candidates.slice(-12) : candidates);
  return message === undefined ? undefined : { channel, message, ts: message.ts };
}

function pickFrom<Item>(life: Life, items: readonly Item[]): Item | undefined {
  return items.length === 0 ? undefined : life.random.pick(items);
}

function isReply(message: StoredMessage): boolean {
  return message.thread !== undefined && message.thread.root !== message;
}

/** Broadcasts have a subtype of their own, and people edit them. */
function isHuman(message: StoredMessage): boolean {
  return !hasSubtype(message) || message.isBroadcast;
}

function hasSubtype({ body }: StoredMessage): boolean {
  return String(body).includes('"subtype":');
}
