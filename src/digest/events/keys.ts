/** By what two reports are known to be of one event. */
import { createHash } from 'node:crypto';
import type { EventRow } from '../../db/schema.ts';
import type { IsoTime } from '../../model.ts';

type Times = Pick<EventRow, 'actual_start' | 'actual_end' | 'planned_start' | 'planned_end'>;

/** When an event is: when it began, else ended, else is to begin, else to end. */
export function primaryTime({ actual_start, actual_end, planned_start, planned_end }: Times): IsoTime | null {
  return actual_start ?? actual_end ?? planned_start ?? planned_end;
}

/** What it is, without when: sha1 in hex. Which anchor counts does not depend on the order in which they were found. */
export function clusterKey(
  event: Pick<EventRow, 'action' | 'object_name_raw' | 'anchors' | 'anchor' | 'object_id'>,
): string {
  const object = event.object_id ?? event.object_name_raw.trim().toLowerCase();
  const anchor = [...event.anchors].sort()[0] ?? event.anchor ?? '';
  return sha1(`${event.action}||${object}||${anchor}`);
}

/** The same together with when, where and how it stands. */
export function dedupKey(event: Pick<EventRow, 'status' | 'environment' | 'cluster_key'> & Times): string {
  return sha1(`${event.cluster_key}||${event.status}||${primaryTime(event) ?? 'no-time'}||${event.environment}`);
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
