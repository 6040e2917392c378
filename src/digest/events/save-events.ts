/**
 * Puts the events of messages in the place of those that were found in them before. What had been merged with one of the
 * former events is taken apart and goes back to what its own message says; the merge that follows puts together again what
 * belongs together. So the rows depend on what messages say, and not on how often or in which order they were read.
 */
import type { TransactionStore } from '../../db/repositories/index.ts';
import type { EventRow, EventSourceRow } from '../../db/schema.ts';
import { compareTs, parseTs } from '../../ts.ts';
import { type EventSettings, eventIds, originOf, ownRow } from './event-rows.ts';
import { absorb } from './merge.ts';

/** One message and all that is found in it now. */
export interface MessageEvents {
  message: { team_id: string; channel_id: string; ts: EventSourceRow['ts'] };
  rows: readonly EventRow[];
  /** False when no event of the message can be stored yet, which spares a look. */
  mayBeKnown: boolean;
}

export async function saveEvents(
  store: TransactionStore,
  teamId: string,
  messages: readonly MessageEvents[],
  settings: EventSettings,
): Promise<void> {
  const replaced = await store.events.findEvents(
    messages.flatMap(({ message, mayBeKnown }) => (mayBeKnown ? eventIds(message) : [])),
  );
  const fresh = messages.flatMap(({ rows }) => rows);
  if (replaced.length === 0 && fresh.length === 0) return;
  const freed = await takeApart(store, replaced, settings);
  const rows = [...freed, ...fresh];
  await store.events.removeEvents([...replaced, ...freed].map(({ event_id }) => event_id));
  await writeSettled(store, teamId, rows);
}

/** The events that were merged with any of these, each as its own message has it. */
async function takeApart(
  store: TransactionStore,
  replaced: readonly EventRow[],
  settings: EventSettings,
): Promise<EventRow[]> {
  const ids = new Set(replaced.map(({ event_id }) => event_id));
  const survivors = [...new Set(replaced.map(({ event_id, merged_into }) => merged_into ?? event_id))];
  const absorbed = await store.events.listAbsorbed(survivors);
  const others = await store.events.findEvents(survivors.filter((id) => !ids.has(id)));
  return [...absorbed, ...others].filter(({ event_id }) => !ids.has(event_id)).map((row) => ownRow(row, settings));
}

/**
 * Writes rows of which none is stored, with their sources. Those that are the same event as one that lives, told by their
 * keys, become part of it, or it of them: the one whose message came first stays.
 */
export async function writeSettled(
  store: TransactionStore,
  teamId: string,
  rows: readonly EventRow[],
  sourcesOf: ReadonlyMap<string, readonly EventSourceRow[]> = new Map(),
): Promise<void> {
  const live = rows.filter(isLive);
  const known = await store.events.findLiveByKeys(teamId, [...new Set(live.map(({ dedup_key }) => dedup_key))]);
  const knownIds = known.map(({ event_id }) => event_id);
  const sources = groupBy(await store.events.listSources(knownIds), ({ event_id }) => event_id);
  const groups = groupBy([...known, ...live], ({ scope, dedup_key }) => `${scope} ${dedup_key}`);

  const settled = rows.filter((row) => !isLive(row));
  const attached = settled.flatMap((row) => sourcesOf.get(row.event_id) ?? [ownSource(row)]);
  /** Which event each absorbed one is part of now. */
  const absorbed = new Map<string, string>();
  for (const group of groups.values()) {
    const [first, ...others] = group.sort(byOrigin);
    if (first === undefined) continue;
    settled.push(others.reduce(absorb, first));
    for (const row of group) {
      const own = sourcesOf.get(row.event_id) ?? sources.get(row.event_id) ?? [ownSource(row)];
      attached.push(...own.map((source) => ({ ...source, event_id: first.event_id })));
      if (row !== first) absorbed.set(row.event_id, first.event_id);
    }
    settled.push(...others.map((row) => ({ ...row, merged_into: first.event_id })));
  }
  const former = await store.events.listAbsorbed([...absorbed.keys()]);
  settled.push(
    ...former.map((row) => ({ ...row, merged_into: absorbed.get(row.merged_into ?? '') ?? row.merged_into })),
  );
  // Removed and written again: in between, two rows may have the key that only one live row can have.
  await store.events.removeEvents(knownIds);
  await store.events.writeEvents(settled);
  await store.events.replaceSources([], distinctSources(attached));
}

function isLive({ state, merged_into }: EventRow): boolean {
  return state !== 'rejected' && merged_into === null;
}

function ownSource(row: EventRow): EventSourceRow {
  const { channel_id, ts, permalink } = originOf(row);
  return { event_id: row.event_id, team_id: row.team_id, channel_id, ts: parseTs(ts), permalink };
}

function byOrigin(a: EventRow, b: EventRow): number {
  const one = originOf(a);
  const other = originOf(b);
  return compareTs(parseTs(one.ts), parseTs(other.ts)) || (a.event_id < b.event_id ? -1 : 1);
}

/** Each message once. */
export function distinctSources(sources: readonly EventSourceRow[]): EventSourceRow[] {
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
