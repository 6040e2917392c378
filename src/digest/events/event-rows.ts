/** What is stored of an event, made of what its own message says. */
import { createHash } from 'node:crypto';
import type { EventRow } from '../../db/schema.ts';
import type { IsoTime, JsonObject, Ts } from '../../model.ts';
import type { EventOrigin, ExtractedEvent } from './event.ts';
import { type ImportanceWeights, importanceOf } from './importance.ts';
import { clusterKey, dedupKey, primaryTime } from './keys.ts';
import type { ObjectRegistry } from './object-registry.ts';
import { validateEvent } from './validate.ts';

/** Where an event was found, and by whom. */
export interface Finding {
  team_id: string;
  channel_id: string;
  ts: Ts;
  posted_at: IsoTime;
  permalink: string | null;
  scope: string;
  signals: EventOrigin['signals'];
  extractor: string;
  prompt_version: string | null;
  model: string | null;
}

export interface EventSettings {
  registry: ObjectRegistry;
  importance: ImportanceWeights;
}

/** A message holds at most so many events. */
const eventsPerMessage = 5;

/** The `n`th event of a message has the same id whenever and by whomever it is found: a text in the form of a UUID (RFC 9562, version 8). */
export function eventId(message: { team_id: string; channel_id: string; ts: Ts }, n: number): string {
  const text = `${message.team_id}|${message.channel_id}|${message.ts}|${n}`;
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** All ids that the events of a message can have. */
export function eventIds(message: { team_id: string; channel_id: string; ts: Ts }): string[] {
  return Array.from({ length: eventsPerMessage }, (_, n) => eventId(message, n));
}

/** The rows of a message's events, each checked once and for all. */
export function rowsOf(
  finding: Finding,
  extracted: readonly ExtractedEvent[],
  settings: EventSettings,
  at: IsoTime,
): EventRow[] {
  return extracted.slice(0, eventsPerMessage).map((found, n) => {
    const { event, state, reasons } = validateEvent(found, finding);
    const { channel_id, ts, permalink, signals } = finding;
    const origin = { channel_id, ts, permalink, signals, event: { ...event } };
    return ownRow(
      {
        event_id: eventId(finding, n),
        team_id: finding.team_id,
        source: 'slack',
        scope: finding.scope,
        extracted_at: at,
        extractor: finding.extractor,
        prompt_version: finding.prompt_version,
        model: finding.model,
        state,
        reasons,
        origin: origin as unknown as JsonObject,
      },
      settings,
    );
  });
}

type Identity = Pick<
  EventRow,
  | 'event_id'
  | 'team_id'
  | 'source'
  | 'scope'
  | 'extracted_at'
  | 'extractor'
  | 'prompt_version'
  | 'model'
  | 'state'
  | 'reasons'
  | 'origin'
>;

/** The row as it is before it is merged with any other, and again when it is not any more. */
export function ownRow(identity: Identity, { registry, importance }: EventSettings): EventRow {
  const { event, signals } = originOf(identity);
  const { days_only: _, ...stored } = event;
  const object_id = registry.lookUp(event.object_name_raw);
  const named = { ...event, object_id };
  const cluster_key = clusterKey(named);
  return {
    ...identity,
    ...stored,
    object_id,
    primary_time: primaryTime(event),
    importance: importanceOf(event, signals, importance),
    cluster_key,
    dedup_key: dedupKey({ ...named, cluster_key }),
    merged_into: null,
  };
}

export function originOf({ origin }: Pick<EventRow, 'origin'>): EventOrigin {
  return origin as unknown as EventOrigin;
}
