import type { Channel } from './channel.ts';
import { tsFromMicros } from './clock.ts';
import type { StoredMessage } from './message-store.ts';
import { Random } from './random.ts';
import type { Workspace } from './workspace.ts';
import { World } from './world.ts';

export interface BulkOptions {
  /** Default 10. */
  channels?: number;
  /** Over all channels, replies included. Default 100,000. */
  messages?: number;
  /** The part of the messages that are replies. Default 0.3. */
  replyShare?: number;
  /** Default 200. */
  users?: number;
  seed?: number;
  /** The messages spread evenly over this many days before `now`. Default 365. */
  days?: number;
  now?: Date | number;
}

export interface Bulk {
  world: World;
  workspace: Workspace;
  token: string;
}

const MICROS_A_DAY = 86_400 * 1_000_000;
/** A reply goes to one of this many latest roots, so that some threads run for a while. */
const OPEN_THREADS = 20;

/**
 * A large workspace for benchmarks. Messages are stored as numbers and written out as they are served, about 800 bytes
 * each, so a million of them cost some 150 MB.
 */
export function bulkWorkspace(options: BulkOptions = {}): Bulk {
  const { channels = 10, messages = 100_000, users = 200, days = 365, seed = 1 } = options;
  const now = Number(options.now ?? Date.now());
  const world = new World({ start: now });
  const workspace = world.workspace('T0BULK', { name: 'Bulk', domain: 'bulk' });
  const people = Array.from({ length: users }, (_, index) => workspace.user(`person.${index}`).id);
  const created = Math.floor(now / 1000) - days * 86_400 - 3600;
  const random = new Random(seed);
  for (let index = 0; index < channels; index += 1) {
    const share = Math.floor(messages / channels) + (index < messages % channels ? 1 : 0);
    const channel = workspace.channel(
      `bulk-${index}`,
      { members: people.slice(0, 20), created },
      writer(workspace.id, seed),
    );
    fill(channel, people, share, { random, replyShare: options.replyShare ?? 0.3, nowMicros: now * 1000, days });
  }
  return { world, workspace, token: workspace.botToken };
}

function fill(
  channel: Channel,
  people: readonly string[],
  count: number,
  options: { random: Random; replyShare: number; nowMicros: number; days: number },
): void {
  const { random, replyShare } = options;
  const step = (options.days * MICROS_A_DAY) / (count + 1);
  const first = options.nowMicros - options.days * MICROS_A_DAY;
  const open: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const ts = tsFromMicros(Math.floor(first + step * (index + random.next() * 0.9)));
    const author = random.pick(people);
    const body = random.below(2 ** 30);
    if (open.length > 0 && random.chance(replyShare)) {
      channel.store.addReply(random.pick(open), ts, body, author);
      continue;
    }
    channel.store.add(ts, body, author);
    if (open.push(ts) > OPEN_THREADS) open.shift();
  }
}

const SENTENCES = [
  'The nightly export finished without a single retry.',
  'Can someone look at the flaky checkout test before lunch?',
  'I moved the meeting to Thursday because half of us are travelling.',
  'Numbers for the quarter are in the shared folder now.',
  'We should drop the old endpoint once the last client has moved.',
  'Customer asked for the invoice in two parts again.',
  'The new index cut that query from nine seconds to forty milliseconds.',
  'Please review the rollout plan, it is short this time.',
  'Support saw three reports of the same login loop this morning.',
  'I left my notes in the document, comments are welcome.',
  'Deploy is green, watching the error rate for the next hour.',
  'The vendor confirmed the fix ships with their next release.',
];

/** Writes the JSON text itself: building an object for each of a million messages would be what a benchmark measures. */
function writer(teamId: string, seed: number): (message: StoredMessage) => string {
  return (message) => {
    const index = Number(message.body);
    const random = new Random(index ^ seed);
    const text = Array.from({ length: 2 + random.below(4) }, () => random.pick(SENTENCES)).join(' ');
    const id = index.toString(16).padStart(8, '0');
    const root = message.thread?.root;
    const thread =
      root === undefined || root === message ? '' : `,"thread_ts":"${root.ts}","parent_user_id":"${root.author}"`;
    const reactions = random.chance(0.1) ? `,"reactions":[{"name":"+1","users":["${message.author}"],"count":1}]` : '';
    const edited = random.chance(0.05)
      ? `,"edited":{"user":"${message.author}","ts":"${message.ts.slice(0, 10)}.000000"}`
      : '';
    return (
      `{"user":"${message.author}","type":"message","ts":"${message.ts}",` +
      `"client_msg_id":"${id}-9f3c-4b1d-a2e7-${id}5d10","text":"${text}","team":"${teamId}"${thread},` +
      `"blocks":[{"type":"rich_text","block_id":"${id.slice(3)}","elements":[{"type":"rich_text_section",` +
      `"elements":[{"type":"text","text":"${text}"}]}]}]${reactions}${edited}}`
    );
  };
}
