/** Which events are one, and what becomes of them. Pure: the same events in any order give the same plan. */
import type { EventRow, EventSourceRow } from '../../db/schema.ts';
import type { IsoTime } from '../../model.ts';
import { compareTs, parseTs } from '../../ts.ts';
import { limits } from './event.ts';
import { originOf } from './event-rows.ts';
import { clusterKey, dedupKey, primaryTime } from './keys.ts';
import { similarity } from './similarity.ts';
import { canonicalTitle } from './title.ts';

export interface MergeSettings {
  /** Events further apart are two. */
  dateWindowMs: number;
  /** Titles less alike are of two events; 0 to 1. */
  titleSimilarity: number;
}

/** A live event with the messages behind it. */
export type MergeableEvent = EventRow & { sources: readonly Pick<EventSourceRow, 'channel_id' | 'ts'>[] };

export interface MergePlan {
  /** By the id of an absorbed event: which one it is part of now. */
  absorbed: Map<string, string>;
  /** Every event as it is then, absorbed ones as they were, with `merged_into`. */
  events: MergeableEvent[];
}

/** By time, each event becomes part of the first one before it that is the same. */
export function planMerges(events: readonly MergeableEvent[], settings: MergeSettings): MergePlan {
  const kept: MergeableEvent[] = [];
  /** Kept events by what they share with others, ascending by place: only these need to be compared. */
  const byKey = new Map<string, number[]>();
  const absorbed = new Map<string, string>();
  const parts: MergeableEvent[] = [];
  const remember = (event: MergeableEvent, place: number) => {
    for (const key of sharedKeys(event)) {
      const places = byKey.get(key);
      if (places === undefined) byKey.set(key, [place]);
      else if (!places.includes(place)) places.push(place);
    }
  };
  for (const event of [...events].sort(byTime)) {
    const places = new Set(sharedKeys(event).flatMap((key) => byKey.get(key) ?? []));
    const place = [...places].sort((a, b) => a - b).find((at) => isOne(kept[at], event, settings));
    const survivor = place === undefined ? undefined : kept[place];
    if (place === undefined || survivor === undefined) {
      kept.push(event);
      remember(event, kept.length - 1);
      continue;
    }
    const merged = { ...absorb(survivor, event), sources: [...survivor.sources, ...event.sources] };
    kept[place] = merged;
    remember(merged, place);
    absorbed.set(event.event_id, survivor.event_id);
    parts.push({ ...event, merged_into: survivor.event_id });
  }
  return { absorbed, events: [...kept, ...parts] };
}

function byTime(a: EventRow, b: EventRow): number {
  const one = `${a.primary_time ?? ''} ${a.event_id}`;
  const other = `${b.primary_time ?? ''} ${b.event_id}`;
  return one < other ? -1 : 1;
}

function sharedKeys({ scope, source, anchors, links }: EventRow): string[] {
  return [...anchors, ...links].map((key) => `${scope} ${source} ${key}`);
}

/** Events of one message are several on purpose; what only some may read is never mixed with what all may. */
function isOne(a: MergeableEvent | undefined, b: MergeableEvent, settings: MergeSettings): boolean {
  if (a === undefined || a.scope !== b.scope || a.source !== b.source || isOfOneMessage(a, b)) return false;
  if (!shares(a.anchors, b.anchors) && !shares(a.links, b.links)) return false;
  if (a.primary_time !== null && b.primary_time !== null) {
    const apart = Math.abs(Date.parse(a.primary_time) - Date.parse(b.primary_time));
    if (apart > settings.dateWindowMs) return false;
  }
  return similarity(canonicalTitle(a), canonicalTitle(b)) >= settings.titleSimilarity;
}

function isOfOneMessage(a: MergeableEvent, b: MergeableEvent): boolean {
  return a.sources.some((one) => b.sources.some((other) => one.channel_id === other.channel_id && one.ts === other.ts));
}

function shares(a: readonly string[], b: readonly string[]): boolean {
  return a.some((entry) => b.includes(entry));
}

/** How an event can end or change; who says so later is right. */
const overruling = ['canceled', 'postponed', 'rolled_back', 'completed'];

/**
 * The first event with what the second one adds. Lists are sorted before they are cut, so that they do not depend on the
 * order of merging. Its status stays, unless a later message says that the event was called off, postponed, rolled back or
 * completed: what will not happen must not be shown as planned.
 */
export function absorb(a: EventRow, b: EventRow): EventRow {
  const isOverruled = overruling.includes(b.status) && compareTs(parseTs(originOf(b).ts), parseTs(originOf(a).ts)) > 0;
  const times = {
    planned_start: earlier(a.planned_start, b.planned_start),
    planned_end: earlier(a.planned_end, b.planned_end),
    actual_start: earlier(a.actual_start, b.actual_start),
    actual_end: earlier(a.actual_end, b.actual_end),
  };
  const merged: EventRow = {
    ...a,
    ...times,
    status: isOverruled ? b.status : a.status,
    stroke: a.stroke ?? b.stroke,
    anchor: a.anchor ?? b.anchor,
    severity: a.severity ?? b.severity,
    why_it_matters: a.why_it_matters ?? b.why_it_matters,
    links: union(a.links, b.links, limits.links),
    anchors: union(a.anchors, b.anchors),
    impact_area: union(a.impact_area, b.impact_area, limits.impactAreas),
    impact_type: union(a.impact_type, b.impact_type),
    qualifiers: [...new Set([...a.qualifiers, ...b.qualifiers])].slice(0, limits.qualifiers),
    confidence: Math.max(a.confidence, b.confidence),
    importance: Math.max(a.importance, b.importance),
    time_confidence: Math.max(a.time_confidence, b.time_confidence),
    primary_time: primaryTime(times),
  };
  const cluster_key = clusterKey(merged);
  return { ...merged, cluster_key, dedup_key: dedupKey({ ...merged, cluster_key }) };
}

function earlier(a: IsoTime | null, b: IsoTime | null): IsoTime | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function union(a: readonly string[], b: readonly string[], most = Number.POSITIVE_INFINITY): string[] {
  const all = [...new Set([...a, ...b])].sort();
  return most < all.length ? all.slice(0, most) : all;
}
