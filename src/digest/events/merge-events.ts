/**
 * Puts together the events that are one. Each time from what the messages say: so it does not matter in which order they were
 * read, and a second pass changes nothing. What has changed is written in one transaction; the plan is made before it, because a
 * transaction of SQLite keeps all others from writing. No other digest of the workspace runs meanwhile (they have a lock), and
 * nothing else writes events.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Store } from '../../db/repositories/index.ts';
import type { EventRow, EventSourceRow } from '../../db/schema.ts';
import type { IsoTime } from '../../model.ts';
import { type EventSettings, originOf, ownRow } from './event-rows.ts';
import { type MergeSettings, planMerges } from './merge.ts';
import { groupBy, ownSource, replaceWith, type Settled, settle } from './settle-keys.ts';

/**
 * Looks at the live events that were found since a moment. One that has absorbed an event found earlier than that stays as
 * it is and may absorb more.
 */
export async function mergeEvents(
  store: Store,
  teamId: string,
  since: IsoTime,
  settings: MergeSettings & { events: EventSettings; scopeOf: (channelId: string) => string },
): Promise<void> {
  const live = await store.events.listLive(teamId, since);
  if (live.length === 0) return;
  const ids = live.map(({ event_id }) => event_id);
  const absorbed = await store.events.listAbsorbed(ids);
  const stored = groupBy(await store.events.listSources(ids), ({ event_id }) => event_id);
  const fixed = new Set(
    absorbed.filter(({ extracted_at }) => extracted_at < since).map(({ merged_into }) => merged_into),
  );
  const isFixed = ({ event_id, merged_into }: EventRow) => fixed.has(merged_into ?? event_id);
  const free = [...live, ...absorbed].filter((row) => !isFixed(row));
  // Who may read a channel is not what it was when its messages were read, or not what was believed then.
  const own = free.map((row) => {
    return ownRow({ ...row, scope: settings.scopeOf(originOf(row).channel_id) }, settings.events);
  });
  const whole = live.filter(isFixed);
  const sourcesOf = new Map<string, readonly EventSourceRow[]>([
    ...own.map((row) => [row.event_id, [ownSource(row)]] as const),
    ...whole.map((row) => [row.event_id, stored.get(row.event_id) ?? []] as const),
  ]);
  const plan = planMerges(
    [...own, ...whole].map((row) => ({ ...row, sources: sourcesOf.get(row.event_id) ?? [] })),
    settings,
  );
  const planned = plan.events.map(({ sources: _, ...row }) => row);
  const behind = groupBy(
    [...sourcesOf].flatMap(([id, sources]) =>
      sources.map((source) => ({ ...source, event_id: plan.absorbed.get(id) ?? id })),
    ),
    ({ event_id }) => event_id,
  );
  const passedOn = absorbed
    .filter((row) => isFixed(row))
    .map((row) => ({ ...row, merged_into: plan.absorbed.get(row.merged_into ?? '') ?? row.merged_into }));
  const settled = await settle(store, teamId, [...planned, ...passedOn], behind);
  const before = [...live, ...absorbed, ...settled.joined];
  const changed = changedPart(before, settled);
  if (changed.rows.length > 0) await store.transaction((tx) => replaceWith(tx, changed));
}

/** The rows that are not stored like that already, with those they have become part of, or were. */
function changedPart(before: readonly EventRow[], { rows, sources, joined }: Settled): Settled {
  const known = new Map(before.map((row) => [row.event_id, row]));
  const ids = new Set<string>();
  for (const row of rows) {
    const former = known.get(row.event_id);
    if (isSame(former, row)) continue;
    for (const id of [row.event_id, row.merged_into, former?.merged_into]) if (typeof id === 'string') ids.add(id);
  }
  const isOfThem = ({ event_id }: { event_id: string }) => ids.has(event_id);
  return { rows: rows.filter(isOfThem), sources: sources.filter(isOfThem), joined };
}

/** Postgres gives the keys of objects back in another order. */
function isSame(before: EventRow | undefined, after: EventRow): boolean {
  return isDeepStrictEqual(withoutOrigin(before), withoutOrigin(after));
}

/** Where an event came from never changes by merging. */
function withoutOrigin(row: EventRow | undefined): Omit<EventRow, 'origin'> | undefined {
  if (row === undefined) return undefined;
  const { origin: _, ...rest } = row;
  return rest;
}
