/**
 * Puts the events of messages in the place of those that were found in them before. What had been merged with one of the
 * former events goes back to what its own message says; merge-events.ts puts together again what belongs together.
 */
import type { TransactionStore } from '../../db/repositories/index.ts';
import type { EventRow, EventSourceRow } from '../../db/schema.ts';
import { type EventSettings, eventIds, ownRow } from './event-rows.ts';
import { writeSettled } from './settle-keys.ts';

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
  await store.events.removeEvents([...replaced, ...freed].map(({ event_id }) => event_id));
  await writeSettled(store, teamId, [...freed, ...fresh]);
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
