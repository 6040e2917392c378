/**
 * Puts together the events that are one, in one transaction. Each time from what the messages say: so it does not matter in
 * which order they were read, and a second pass changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Store } from '../../db/repositories/index.ts';
import type { EventRow, EventSourceRow } from '../../db/schema.ts';
import type { IsoTime } from '../../model.ts';
import { type EventSettings, ownRow } from './event-rows.ts';
import { type MergeSettings, planMerges } from './merge.ts';
import { groupBy, ownSource, replaceWith, settle } from './settle-keys.ts';

/**
 * Looks at the live events that were found since a moment. One that has absorbed an event found earlier than that stays as
 * it is and may absorb more.
 */
export async function mergeEvents(
  store: Store,
  teamId: string,
  since: IsoTime,
  settings: MergeSettings & { events: EventSettings },
): Promise<void> {
  await store.transaction(async (tx) => {
    const live = await tx.events.listLive(teamId, since);
    if (live.length === 0) return;
    const ids = live.map(({ event_id }) => event_id);
    const absorbed = await tx.events.listAbsorbed(ids);
    const stored = groupBy(await tx.events.listSources(ids), ({ event_id }) => event_id);
    const fixed = new Set(
      absorbed.filter(({ extracted_at }) => extracted_at < since).map(({ merged_into }) => merged_into),
    );
    const isFixed = ({ event_id, merged_into }: EventRow) => fixed.has(merged_into ?? event_id);
    const free = [...live, ...absorbed].filter((row) => !isFixed(row));
    const own = free.map((row) => ownRow(row, settings.events));
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
    const settled = await settle(tx, teamId, [...planned, ...passedOn], behind);
    const before = [...live, ...absorbed, ...settled.joined];
    if (!isSame(before, settled.rows)) await replaceWith(tx, settled);
  });
}

/** Postgres gives the keys of objects back in another order. */
function isSame(before: readonly EventRow[], after: readonly EventRow[]): boolean {
  const known = new Map(before.map((row) => [row.event_id, row]));
  return (
    known.size === after.length &&
    after.every((row) => isDeepStrictEqual(withoutOrigin(known.get(row.event_id)), withoutOrigin(row)))
  );
}

/** Where an event came from never changes by merging. */
function withoutOrigin(row: EventRow | undefined): Omit<EventRow, 'origin'> | undefined {
  if (row === undefined) return undefined;
  const { origin: _, ...rest } = row;
  return rest;
}
