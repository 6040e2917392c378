/** What a run did, in the words of the `--json` object. */
import type { JsonObject } from '../model.ts';

export interface MessageCounts {
  seen: number;
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
  discarded: number;
  stale: number;
}

export function noMessages(): MessageCounts {
  return { seen: 0, inserted: 0, updated: 0, unchanged: 0, deleted: 0, discarded: 0, stale: 0 };
}

export function addCounts(total: MessageCounts, more: MessageCounts): void {
  for (const key of Object.keys(more) as (keyof MessageCounts)[]) total[key] += more[key];
}

/** As a JSON column holds it: only what is not zero, so that `{}` says that nothing happened. */
export function countsToJson(counts: MessageCounts): JsonObject {
  return Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));
}

/** Whether the counts tell of a change to the database; merely reading is none. */
export function hasChanges({ inserted, updated, deleted }: MessageCounts): boolean {
  return inserted + updated + deleted > 0;
}
