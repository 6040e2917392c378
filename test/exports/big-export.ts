/**
 * A large export for benchmarks, written as it is made up: a day of one channel is all that is in memory. Channels differ in
 * size as they do in a company, and years of days give as many files as such exports have.
 *
 *   node build/test/exports/big-export.js --messages 100000 --threads 0.08 --out big.zip
 */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../stand-in/random.ts';
import {
  dayOf,
  type ExportChannel,
  type ExportKind,
  type ExportUser,
  folderOf,
  makeExport,
  type Reply,
  renderAlone,
  renderReply,
  type Said,
  slackJson,
} from './make-export.ts';
import { ZipWriter } from './zip-writer.ts';

export interface BigExportOptions {
  messages: number;
  /** The part of the messages outside of threads on which a thread begins; it has 1 to 6 replies. Default 0.08. */
  threads?: number;
  /** Default 100. */
  channels?: number;
  /** Default 500. */
  users?: number;
  /** Default 1825, five years. */
  days?: number;
  seed?: number;
}

export interface BigExport {
  messages: number;
  dayFiles: number;
}

const team = 'T0BENCH';
const zone = 'America/Los_Angeles';
/** 2024-06-30, the last day. */
const end = 1_719_705_600;
const daySeconds = 86_400;
/** Fewer than so many messages a day do not happen in a channel that is used at all: it is silent on other days. */
const messagesPerDay = 25;
const repliesAtMost = 6;

/** Writes the export to `out`: a zip if it ends with `.zip`, else a folder. The same options give the same bytes. */
export function writeBigExport(out: string, options: BigExportOptions): BigExport {
  const { users: people = 500, channels: count = 100, seed = 1 } = options;
  using sink = out.endsWith('.zip') ? zipSink(out) : folderSink(out);
  const users = Array.from({ length: people }, (_, index) => user(index));
  const channels = Array.from({ length: count }, (_, index) => channel(index, count, users));
  const spec = { team, users, channels };
  const lists = makeExport(spec);
  for (const { path, content } of lists) if (path !== 'users.json') sink.add(path, String(content));
  const written: BigExport = { messages: 0, dayFiles: 0 };
  for (const [index, messages] of shares(options.messages, count).entries()) {
    const into = channels[index];
    if (into === undefined) continue;
    const random = new Random(seed * 1009 + index);
    for (const day of daysOf(conversation({ ...options, messages }, users, random))) {
      const rendered = day.messages.map(({ said, root }) =>
        root === undefined ? renderAlone(said, spec) : renderReply(said, root, spec),
      );
      sink.add(`${folderOf(into)}/${day.date}.json`, slackJson(rendered));
      written.messages += rendered.length;
      written.dayFiles += 1;
    }
  }
  for (const { path, content } of lists) if (path === 'users.json') sink.add(path, String(content));
  return written;
}

interface Sink extends Disposable {
  add(path: string, content: string): void;
}

function zipSink(path: string): Sink {
  const zip = new ZipWriter(path, { level: 3 });
  return {
    add: (name, content) => zip.add({ name, content }),
    [Symbol.dispose]: () => zip.close(),
  };
}

function folderSink(folder: string): Sink {
  const made = new Set<string>();
  return {
    add(path, content) {
      const parent = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
      if (!made.has(parent)) mkdirSync(join(folder, parent), { recursive: true });
      made.add(parent);
      writeFileSync(join(folder, path), content);
    },
    [Symbol.dispose]: () => undefined,
  };
}

function user(index: number): ExportUser {
  const id = `U0${String(index).padStart(7, '0')}`;
  return {
    id,
    name: `person.${index}`,
    realName: `Person ${index}`,
    isBot: index % 25 === 24,
    isDeleted: index % 10 === 9,
  };
}

/** Of a hundred channels 70 are public, 12 private, 12 conversations of two and 6 of several people. */
function channel(index: number, count: number, users: readonly ExportUser[]): ExportChannel {
  const part = index / count;
  const kind: ExportKind = part < 0.7 ? 'public' : part < 0.82 ? 'private' : part < 0.94 ? 'dm' : 'mpim';
  const number = String(index).padStart(7, '0');
  const size = kind === 'dm' ? 2 : kind === 'mpim' ? 4 : 40;
  const members = Array.from({ length: size }, (_, n) => users[(index * 7 + n) % users.length]?.id ?? 'U0');
  const id = `${kind === 'dm' ? 'D' : kind === 'public' ? 'C' : 'G'}0${number}`;
  const name = kind === 'mpim' ? `mpdm-${index}--b--c--d-1` : `bulk-${index}`;
  return { id, name, kind, members, isArchived: index % 9 === 8 };
}

/** The first channels are the busiest, in the proportions of Zipf's law, flattened at its head. */
function shares(messages: number, channels: number): number[] {
  const weights = Array.from({ length: channels }, (_, rank) => 1 / (rank + 5));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = weights.map((weight) => Math.floor((messages * weight) / total));
  const rest = messages - counts.reduce((sum, n) => sum + n, 0);
  return counts.map((n, index) => n + (index < rest ? 1 : 0));
}

/** A message, or a reply whose root was said before. */
type Spoken = { said: Said; root?: never } | { said: Reply; root: Said };

/** Exactly `messages` messages in the order of their ts. Replies that are due wait until the talk has reached them. */
function* conversation(
  options: BigExportOptions & { messages: number },
  users: readonly ExportUser[],
  random: Random,
): Iterable<Spoken> {
  const { messages, threads = 0.08, days = 1825 } = options;
  const perRoot = 1 + (threads * (1 + repliesAtMost)) / 2;
  const activeDays = Math.max(1, Math.min(Math.floor(days * 0.7), Math.ceil(messages / messagesPerDay)));
  const perDay = messages / perRoot / activeDays;
  const due: (Spoken & { at: number })[] = [];
  let left = messages;
  let at = 0;
  for (let day = 0; left > 0; day = Math.min(day + 1, activeDays - 1)) {
    const begins = end - (days - Math.floor((day / activeDays) * days)) * daySeconds + 6 * 3600;
    const today = Math.max(1, Math.round(perDay * (0.5 + random.next())));
    const step = (14 * 3600) / today;
    for (let n = 0; n < today && left > 0; n += 1) {
      at = Math.max(at + 0.001, begins + step * (n + random.next()));
      while (due[0] !== undefined && due[0].at < at) yield* due.splice(0, 1);
      const said = makeUp(at, users, random);
      left -= 1;
      const replies = left > 0 && random.chance(threads) ? 1 + random.below(Math.min(repliesAtMost, left)) : 0;
      left -= replies;
      const root = replies === 0 ? said : { ...said, replies: answers(at, replies, users, random) };
      yield { said: root };
      for (const reply of root.replies ?? []) insert(due, { said: reply, root, at: Number(reply.ts) });
    }
  }
  yield* due;
}

/** Most answers come within the hour, some after days. */
function answers(after: number, count: number, users: readonly ExportUser[], random: Random): Reply[] {
  const replies: Reply[] = [];
  let at = after;
  for (let n = 0; n < count; n += 1) {
    at += 1 + random.next() * (random.chance(0.15) ? 2 * daySeconds : 1800);
    const said = speak(at, users, random);
    replies.push(random.chance(0.04) ? { ...said, isBroadcast: true } : said);
  }
  return replies;
}

function insert(due: (Spoken & { at: number })[], spoken: Spoken & { at: number }): void {
  const index = due.findIndex(({ at }) => at > spoken.at);
  due.splice(index < 0 ? due.length : index, 0, spoken);
}

function* daysOf(conversation: Iterable<Spoken>): Iterable<{ date: string; messages: Spoken[] }> {
  let date = '';
  let messages: Spoken[] = [];
  for (const spoken of conversation) {
    const day = dayOf(spoken.said.ts, zone);
    if (day !== date && messages.length > 0) {
      yield { date, messages };
      messages = [];
    }
    date = day;
    messages.push(spoken);
  }
  if (messages.length > 0) yield { date, messages };
}

const sentences = [
  'The nightly export finished without a single retry.',
  'Can someone look at the flaky checkout test before lunch?',
  'I moved the meeting to Thursday because half of us are travelling.',
  'Numbers for the quarter are in the shared folder now: <https://files.example/q3|quarter>.',
  'We should drop the old endpoint once the last client has moved.',
  'Kunde fragt wieder nach der Rechnung in zwei Teilen, größer als zuvor.',
  'The new index cut that query from nine seconds to forty milliseconds &amp; fits in memory.',
  'Please review the rollout plan, it is short this time :rocket:',
  'Support saw three reports of the same login loop this morning.',
  'I left my notes in the document, comments are welcome.',
  'デプロイは完了しました。',
  'The vendor confirmed the fix ships with their next release.',
];
const reactionNames = ['+1', 'tada', 'eyes', 'thumbsup::skin-tone-3', 'white_check_mark'];

function makeUp(at: number, users: readonly ExportUser[], random: Random): Said {
  if (random.chance(0.1)) return { ts: at.toFixed(6), bot: `B0${random.below(9)}REPORT`, text: words(random) };
  if (random.chance(0.02)) {
    const { id } = random.pick(users);
    return { ts: at.toFixed(6), user: id, subtype: 'channel_join', text: `<@${id}> has joined the channel` };
  }
  return speak(at, users, random);
}

function speak(at: number, users: readonly ExportUser[], random: Random): Reply {
  const ts = at.toFixed(6);
  const mention = random.chance(0.15) ? `<@${random.pick(users).id}> ` : '';
  return {
    ts,
    user: random.pick(users).id,
    text: mention + words(random),
    ...(random.chance(0.12) ? { reactions: reactions(users, random) } : {}),
    ...(random.chance(0.04) ? { files: [`F0${ts.slice(2, 10)}${random.below(9)}`] } : {}),
    ...(random.chance(0.04) ? { edited: `${Math.floor(at) + 60}.000000` } : {}),
  };
}

function words(random: Random): string {
  return Array.from({ length: 1 + random.below(4) }, () => random.pick(sentences)).join(' ');
}

function reactions(users: readonly ExportUser[], random: Random): Record<string, string[]> {
  const names = reactionNames.filter(() => random.chance(0.3));
  const from = random.below(users.length);
  return Object.fromEntries(
    (names.length === 0 ? ['+1'] : names).map((name) => [
      name,
      users.slice(from, from + 1 + random.below(4)).map(({ id }) => id),
    ]),
  );
}

function isProgram(): boolean {
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isProgram()) {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '100000' },
      threads: { type: 'string', default: '0.08' },
      channels: { type: 'string', default: '100' },
      users: { type: 'string', default: '500' },
      days: { type: 'string', default: '1825' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  });
  if (values.out === undefined) throw new Error('--out says where: a name that ends with .zip, or a folder.');
  const written = writeBigExport(values.out, {
    messages: Number(values.messages),
    threads: Number(values.threads),
    channels: Number(values.channels),
    users: Number(values.users),
    days: Number(values.days),
    seed: Number(values.seed),
  });
  process.stdout.write(`${JSON.stringify(written)}\n`);
}
