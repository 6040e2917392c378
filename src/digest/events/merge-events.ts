/** Puts together the events that are one, in one transaction. A second pass changes nothing. */
import type { Store } from '../../db/repositories/index.ts';
import type { EventSourceRow } from '../../db/schema.ts';
import type { IsoTime } from '../../model.ts';
import { type MergeSettings, planMerges } from './merge.ts';
import { distinctSources, groupBy, writeSettled } from './save-events.ts';

/** Looks at the live events that were found since a moment; returns how many became part of another one. */
export async function mergeEvents(
  store: Store,
  teamId: string,
  since: IsoTime,
  settings: MergeSettings,
): Promise<number> {
  return store.transaction(async (tx) => {
    const live = await tx.events.listLive(teamId, since);
    const sources = groupBy(
      await tx.events.listSources(live.map(({ event_id }) => event_id)),
      ({ event_id }) => event_id,
    );
    const plan = planMerges(
      live.map((row) => ({ ...row, sources: sources.get(row.event_id) ?? [] })),
      settings,
    );
    if (plan.absorbed.size === 0) return 0;
    // What was part of an absorbed event becomes part of the one that absorbed it.
    const former = (await tx.events.listAbsorbed([...plan.absorbed.keys()])).map((row) => ({
      ...row,
      merged_into: plan.absorbed.get(row.merged_into ?? '') ?? row.merged_into,
    }));
    const absorbed = live.flatMap((row) => {
      const survivor = plan.absorbed.get(row.event_id);
      return survivor === undefined ? [] : [{ ...row, merged_into: survivor }];
    });
    const moved = live.flatMap(({ event_id }) => {
      const survivor = plan.absorbed.get(event_id) ?? event_id;
      return (sources.get(event_id) ?? []).map((source): EventSourceRow => ({ ...source, event_id: survivor }));
    });
    await tx.events.writeEvents([...absorbed, ...former]);
    await tx.events.replaceSources([...plan.absorbed.keys()], []);
    // The key of an event that grew may be that of yet another one, so it is written as if it were new.
    await tx.events.removeEvents(plan.survivors.map(({ event_id }) => event_id));
    await writeSettled(
      tx,
      teamId,
      plan.survivors,
      groupBy(distinctSources(moved), ({ event_id }) => event_id),
    );
    return plan.absorbed.size;
  });
}
