/** Live events of one key are one event: the one whose message came first. The database would refuse two of them. */
import type { TransactionStore } from '../../db/repositories/index.ts';
import type { EventRow, EventSourceRow } from '../../db/schema.ts';
import { compareTs, parseTs } from '../../ts.ts';
import { originOf } from './event-rows.ts';
import { absorb } from './merge.ts';

/** The messages behind events, by event id. */
export type SourcesOf = ReadonlyMap<string, readonly EventSourceRow[]>;

export interface Settled {
  rows: EventRow[];
  sources: EventSourceRow[];
  /** Stored events, not among those given, that have become part of a group. */
  joined: EventRow[];
}

/**
 * What is to be stored of these events, together with those stored ones that have the same key. `rows` may hold absorbed ones,
 * which stay absorbed. An event without an entry in `sourcesOf` has its own message behind it.
 */
export async function settle(
  store: TransactionStore,
  teamId: string,
  rows: readonly EventRow[],
  sourcesOf: SourcesOf = new Map(),
): Promise<Settled> {
  const given = new Set(rows.map(({ event_id }) => event_id));
  const live = rows.filter(isLive);
  const found = await store.events.findLiveByKeys(teamId, [...new Set(live.map(({ dedup_key }) => dedup_key))]);
  const joined = found.filter(({ event_id }) => !given.has(event_id));
  const theirs = groupBy(
    await store.events.listSources(joined.map(({ event_id }) => event_id)),
    ({ event_id }) => event_id,
  );
  const groups = groupBy([...joined, ...live], ({ scope, dedup_key }) => `${scope} ${dedup_key}`);

  /** Which event each absorbed one is part of now. */
  const absorbed = new Map<string, string>();
  const settled: EventRow[] = [];
  const sources: EventSourceRow[] = [];
  for (const group of groups.values()) {
    const [first, ...others] = group.sort(byOrigin);
    if (first === undefined) continue;
    settled.push(others.reduce(absorb, first), ...others.map((row) => ({ ...row, merged_into: first.event_id })));
    for (const { event_id } of others) absorbed.set(event_id, first.event_id);
    for (const row of group) {
      const own = sourcesOf.get(row.event_id) ?? theirs.get(row.event_id) ?? [ownSource(row)];
      sources.push(...own.map((source) => ({ ...source, event_id: first.event_id })));
    }
  }
  const rest = rows.filter((row) => !isLive(row));
  const former = (await store.events.listAbsorbed([...absorbed.keys()])).filter(({ event_id }) => !given.has(event_id));
  for (const row of [...rest, ...former]) {
    settled.push({ ...row, merged_into: absorbed.get(row.merged_into ?? '') ?? row.merged_into });
    if (row.merged_into === null) sources.push(...(sourcesOf.get(row.event_id) ?? [ownSource(row)]));
  }
  return { rows: settled, sources: distinctSources(sources), joined };
}

/** Writes events of which none is stored. */
export async function writeSettled(store: TransactionStore, teamId: string, rows: readonly EventRow[]): Promise<void> {
  await replaceWith(store, await settle(store, teamId, rows));
}

/** Stores what was settled in the place of what is stored of the same events. */
export async function replaceWith(store: TransactionStore, { rows, sources }: Settled): Promise<void> {
  // Removed and written again: in between, two rows may have the key that only one live row can have.
  await store.events.removeEvents(rows.map(({ event_id }) => event_id));
  await store.events.writeEvents(rows);
  await store.events.replaceSources([], sources);
}

function isLive({ state, merged_into }: EventRow): boolean {
  return state !== 'rejected' && merged_into === null;
}

export function ownSource(row: EventRow): EventSourceRow {
  const { channel_id, ts, permalink } = originOf(row);
  return { event_id: row.event_id, team_id: row.team_id, channel_id, ts: parseTs(ts), permalink };
}

function byOrigin(a: EventRow, b: EventRow): number {
  const one = originOf(a);
  const other = originOf(b);
  return compareTs(parseTs(one.ts), parseTs(other.ts)) || (a.event_id < b.event_id ? -1 : 1);
}

/** Each message once. */
function distinctSources(sources: readonly EventSourceRow[]): EventSourceRow[] {
  return [...new Map(sources.map((row) => [`${row.event_id} ${row.channel_id} ${row.ts}`, row])).values()];
}

export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [item]);
    else known.push(item);
  }
  return groups;
}
