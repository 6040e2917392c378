/**
 * Watches one database: after every run that nothing stored was lost, invented or wrongly marked, and in the end that it
 * equals the world. Each method returns what is wrong, one line for each, none when all is well.
 */
import type { JsonObject } from '../../src/model.ts';
import type { Channel } from '../stand-in/channel.ts';
import type { TestDatabase } from '../support/databases.ts';
import { columnsOf, expectedColumns } from '../support/world-rows.ts';
import { essenceOf, type Ledger } from './ledger.ts';

type Row = Record<string, unknown>;

/** What is known of a stored message since the last look. */
interface Sighting {
  /** The version it was, as an index into the ledger's; later looks never go back behind it. */
  version: number;
  isDeleted: boolean;
  /** Every text that was seen of it. */
  contents: Set<string>;
}

export class Witness {
  readonly #database: TestDatabase;
  readonly #ledger: Ledger;
  #sightings = new Map<Channel, Map<string, Sighting>>();

  constructor(database: TestDatabase, ledger: Ledger) {
    this.#database = database;
    this.#ledger = ledger;
  }

  /** Messages ever seen in the database. */
  get seen(): number {
    return [...this.#sightings.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** To be called after every run. Of the channels in `unreadable` the run could not know anything new. */
  async look(unreadable: ReadonlySet<Channel>): Promise<string[]> {
    const wrong: string[] = [];
    const found = new Map<Channel, Map<string, Sighting>>();
    for (const row of await this.#messages()) {
      const channel = this.#ledger.channelOf(String(row['channel_id']));
      const ts = String(row['ts']);
      if (channel === undefined) {
        wrong.push(`a row of an unknown channel ${row['channel_id']}`);
        continue;
      }
      const before = this.#sightings.get(channel)?.get(ts);
      const sighting = this.#judge(channel, row, before, wrong);
      if (unreadable.has(channel) && before !== undefined && sighting.isDeleted !== before.isDeleted) {
        wrong.push(`${placeOf(channel, ts)} changed its mark though the channel could not be read`);
      }
      const ofChannel = found.get(channel) ?? new Map<string, Sighting>();
      found.set(channel, ofChannel);
      ofChannel.set(ts, sighting);
    }
    for (const [channel, sightings] of this.#sightings) {
      for (const ts of sightings.keys()) {
        if (found.get(channel)?.has(ts) !== true) wrong.push(`${placeOf(channel, ts)} was stored and is no more`);
      }
    }
    this.#sightings = found;
    return wrong;
  }

  /** What holds for every row at any time. */
  #judge(channel: Channel, row: Row, before: Sighting | undefined, wrong: string[]): Sighting {
    const ts = String(row['ts']);
    const place = placeOf(channel, ts);
    const { whole, content } = essenceOf(row['raw'] as JsonObject);
    const versions = this.#ledger.versions(channel, ts);
    const from = before?.version ?? 0;
    const version = versions.findIndex((each, index) => index >= from && each.whole === whole);
    if (version === -1) {
      const wasAny = versions.some((each) => each.whole === whole);
      wrong.push(`${place} ${wasAny ? 'went back to an earlier version' : 'is as Slack never showed it'}: ${whole}`);
    }
    // What its author wrote stays when the message is deleted.
    if (before !== undefined && versions[version]?.isTombstone === true && versions[from]?.isTombstone === false) {
      wrong.push(`${place} was overwritten by its tombstone`);
    }
    const fate = this.#ledger.fate(channel, ts);
    const isDeleted = row['deleted_at'] !== null;
    if (isDeleted && (fate === 'shown' || fate === 'expired')) {
      const of = row['is_reply'] === true ? `, a reply to ${row['thread_ts']}` : '';
      wrong.push(`${place} is marked deleted and is ${fate}${of}`);
    }
    const contents = before?.contents ?? new Set<string>();
    contents.add(content);
    return { version: Math.max(version, from), isDeleted, contents };
  }

  /** Whether these channels are in the database just as Slack shows them, with all that it showed before. */
  async compare(readable: readonly Channel[]): Promise<string[]> {
    const wrong: string[] = [];
    const rows = groupBy(await this.#messages(), (row) => String(row['channel_id']));
    const reactions = groupBy(await this.#database.rows('reactions'), keyOf);
    const files = groupBy(await this.#database.rows('message_files'), keyOf);
    const revisions = groupBy(await this.#database.rows('message_revisions'), keyOf);
    for (const channel of readable) {
      const stored = new Map((rows.get(channel.id) ?? []).map((row) => [String(row['ts']), row]));
      const shown = new Map(
        channel.expectedMessages({ metadata: true }).map((message) => [String(message['ts']), message]),
      );
      for (const ts of shown.keys()) {
        if (!stored.has(ts)) wrong.push(`${placeOf(channel, ts)} is missing`);
      }
      for (const [ts, row] of stored) {
        const key = keyOf(row);
        wrong.push(
          ...this.#compareMessage(channel, row, shown.get(ts)),
          ...compareReactions(channel, shown.get(ts), row, reactions.get(key) ?? []),
          ...compareFiles(channel, shown.get(ts), row, files.get(key) ?? []),
          ...this.#compareRevisions(channel, row, revisions.get(key) ?? []),
        );
      }
      for (const ts of this.#sightings.get(channel)?.keys() ?? []) {
        if (!stored.has(ts)) wrong.push(`${placeOf(channel, ts)} was stored and is not under ${channel.id}`);
      }
    }
    return [...wrong, ...(await this.#comparePositions(readable))];
  }

  #compareMessage(channel: Channel, row: Row, shown: JsonObject | undefined): string[] {
    const ts = String(row['ts']);
    const place = placeOf(channel, ts);
    const fate = this.#ledger.fate(channel, ts);
    const wrong: string[] = [];
    if ((fate === 'deleted' || fate === 'tombstone') && row['deleted_at'] === null) {
      wrong.push(`${place} is ${fate} and not marked`);
    }
    if (shown === undefined) return wrong;
    const expected = expectedColumns(shown);
    const found = columnsOf(row);
    // A tombstone says nothing new but how its thread goes on; a kept original stays what it was.
    const isTombstone = shown['subtype'] === 'tombstone';
    const isKept = isTombstone && row['subtype'] !== 'tombstone';
    const ofThread = ['thread_ts', 'reply_count', 'latest_reply'];
    const all = Object.keys(expected).filter((name) => name !== 'raw' || !isTombstone);
    const names = isKept ? ofThread : all;
    for (const name of names) {
      const [is, should] = [inOrder(found[name]), inOrder(expected[name])];
      if (is !== should) wrong.push(`${place} ${name}: is ${is}, should be ${should}`);
    }
    return wrong;
  }

  /** Whatever was once in the row and is no more is among the revisions, and they hold nothing that Slack never showed. */
  #compareRevisions(channel: Channel, row: Row, revisions: readonly Row[]): string[] {
    const ts = String(row['ts']);
    const place = placeOf(channel, ts);
    const kept = new Set(revisions.map((revision) => essenceOf(revision['raw'] as JsonObject).content));
    const now = essenceOf(row['raw'] as JsonObject).content;
    const shown = new Set(this.#ledger.versions(channel, ts).map(({ content }) => content));
    const missing = [...(this.#sightings.get(channel)?.get(ts)?.contents ?? [])].filter(
      (content) => content !== now && !kept.has(content),
    );
    return [
      ...missing.map((content) => `${place} was, and no revision says so: ${content}`),
      ...[...kept]
        .filter((content) => !shown.has(content))
        .map((content) => `${place} has an invented revision: ${content}`),
    ];
  }

  /** Nothing is left to do, no hole in the coverage, and what is counted is there. */
  async #comparePositions(readable: readonly Channel[]): Promise<string[]> {
    const wrong: string[] = [];
    const channels = groupBy(await this.#database.rows('channels'), (row) => String(row['channel_id']));
    const coverage = groupBy(await this.#database.rows('coverage'), (row) => String(row['channel_id']));
    const threads = groupBy(await this.#database.rows('threads'), (row) => String(row['channel_id']));
    const counts = groupBy(await this.#database.rows('stored_counts'), (row) => String(row['channel_id']));
    const messages = groupBy(await this.#messages(), (row) => String(row['channel_id']));
    for (const channel of readable) {
      const { id } = channel;
      const place = `${id} #${channel.name}`;
      wrong.push(...compareChannel(channel, channels.get(id)?.[0]));
      const shown = channel.store.timeline.filter(({ ts }) => ts >= channel.visibleFrom).map(({ ts }) => ts);
      const [first, last] = [shown[0], shown.at(-1)];
      const covering = (coverage.get(id) ?? []).filter(
        ({ from_ts, to_ts }) => String(from_ts) <= (first ?? '') && String(to_ts) >= (last ?? ''),
      );
      if (first !== undefined && covering.length !== 1) {
        const intervals = (coverage.get(id) ?? []).map(({ from_ts, to_ts }) => `${from_ts}-${to_ts}`);
        wrong.push(`${place} is not covered from ${first} to ${last}: ${intervals.join(' ')}`);
      }
      for (const { thread_ts, is_pending, last_error } of threads.get(id) ?? []) {
        const root = channel.store.find(String(thread_ts));
        if (is_pending === true && root !== undefined && root.ts >= channel.visibleFrom) {
          wrong.push(`${place} has the thread ${thread_ts} still waiting: ${last_error}`);
        }
      }
      const stored = messages.get(id)?.length ?? 0;
      const counted = Number(counts.get(id)?.[0]?.['message_rows'] ?? 0);
      if (counted !== stored) wrong.push(`${place} counts ${counted} rows and has ${stored}`);
    }
    return wrong;
  }

  #messages(): Promise<Row[]> {
    return this.#database.rows('messages', { order: 'channel_id, ts' });
  }
}

function compareChannel(channel: Channel, row: Row | undefined): string[] {
  const place = `${channel.id} #${channel.name}`;
  if (row === undefined) return [`${place} has no row`];
  const should: Row = {
    kind: channel.kind,
    is_archived: channel.isArchived,
    ...(channel.kind === 'im' ? {} : { name: channel.name, is_member: true, topic: channel.topic || null }),
  };
  return Object.keys(should)
    .filter((column) => (row[column] || null) !== (should[column] || null))
    .map((column) => `${place} ${column}: is ${row[column]}, should be ${should[column]}`);
}

/** A cut list names some of those who reacted: those must be there, and all others who are there reacted once. */
function compareReactions(channel: Channel, shown: JsonObject | undefined, row: Row, stored: readonly Row[]): string[] {
  if (shown === undefined || row['deleted_at'] !== null || shown['subtype'] === 'tombstone') return [];
  const reactions = (shown['reactions'] ?? []) as unknown as { name: string; users: string[]; count: number }[];
  const place = placeOf(channel, String(row['ts']));
  const wrong: string[] = [];
  const known = new Set(reactions.map(({ name }) => name));
  for (const { name } of stored) if (!known.has(String(name))) wrong.push(`${place} has a reaction ${name} nobody has`);
  for (const { name, users, count } of reactions) {
    const ids = new Set(stored.filter((reaction) => reaction['name'] === name).map(({ user_id }) => String(user_id)));
    for (const user of users) if (!ids.has(user)) wrong.push(`${place} lacks the ${name} of ${user}`);
    const tooMany = [...ids].filter((id) => !users.includes(id));
    if (users.length === count && tooMany.length > 0)
      wrong.push(`${place} has a ${name} too many, of ${tooMany.join()}`);
  }
  return wrong;
}

function compareFiles(channel: Channel, shown: JsonObject | undefined, row: Row, stored: readonly Row[]): string[] {
  if (shown === undefined || row['deleted_at'] !== null || shown['subtype'] === 'tombstone') return [];
  const should = ((shown['files'] ?? []) as unknown as { id: string }[]).map(({ id }) => id).sort();
  const is = stored.map(({ file_id }) => String(file_id)).sort();
  if (is.join() === should.join()) return [];
  return [`${placeOf(channel, String(row['ts']))} files: is ${is.join()}, should be ${should.join()}`];
}

function placeOf(channel: Channel, ts: string): string {
  return `${channel.id} #${channel.name} ${ts}`;
}

function keyOf(row: Row): string {
  return `${row['channel_id']} ${row['ts']}`;
}

function groupBy(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group === undefined) groups.set(key(row), [row]);
    else group.push(row);
  }
  return groups;
}

/** A value as text; of objects the order of keys does not matter. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
