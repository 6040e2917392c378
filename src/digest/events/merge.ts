/** Which events are one, and what becomes of them. Pure: the same events in any order give the same plan. */
import type { EventRow, EventSourceRow } from '../../db/schema.ts';
import type { IsoTime, Ts } from '../../model.ts';
import { compareTs, parseTs } from '../../ts.ts';
import { limits } from './event.ts';
import { originOf } from './event-rows.ts';
import { clusterKey, dedupKey, primaryTime } from './keys.ts';
import { likenessTo } from './similarity.ts';
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

/**
 * By time, each event becomes part of the first one before it that is the same. An event that grew may be the same as one it
 * was not the same as before, so this is done until nothing more merges: the plan of what is left merges nothing.
 */
export function planMerges(events: readonly MergeableEvent[], settings: MergeSettings): MergePlan {
  const into = new Map<string, string>();
  let kept = events.map((event) => growing(event, statusToldAt(event), 0));
  for (let pass = 1, before = -1; kept.length !== before; pass += 1) {
    before = kept.length;
    kept = mergeOnce(kept, settings, pass, into);
  }
  const absorbed = new Map([...into].map(([id, survivor]) => [id, lastOf(into, survivor)]));
  const parts = events.flatMap((event) => {
    const merged_into = absorbed.get(event.event_id);
    return merged_into === undefined ? [] : [{ ...event, merged_into }];
  });
  return { absorbed, events: [...kept.map(({ event }) => event), ...parts] };
}

/** An event that may have absorbed others. */
interface Growing {
  event: MergeableEvent;
  /** When the message was posted by which its status is what it is. */
  statusToldAt: Ts;
  /** The pass in which it last absorbed another one; two that did not grow since they were compared are two. */
  grewIn: number;
  /** Its primary time in milliseconds. */
  time: number | null;
  title: string;
  likeness: (title: string) => number;
}

function growing(event: MergeableEvent, statusToldAt: Ts, grewIn: number): Growing {
  const title = canonicalTitle(event);
  const time = event.primary_time === null ? null : Date.parse(event.primary_time);
  return { event, statusToldAt, grewIn, time, title, likeness: likenessTo(title) };
}

function mergeOnce(
  events: readonly Growing[],
  settings: MergeSettings,
  pass: number,
  into: Map<string, string>,
): Growing[] {
  const kept: Growing[] = [];
  /** The places of kept events by what they share with others: only these need to be compared. */
  const byKey = new Map<string, Set<number>>();
  const remember = (event: MergeableEvent, place: number) => {
    for (const key of sharedKeys(event)) {
      const places = byKey.get(key);
      if (places === undefined) byKey.set(key, new Set([place]));
      else places.add(place);
    }
  };
  for (const one of [...events].sort((a, b) => byTime(a.event, b.event))) {
    let first: { place: number; survivor: Growing } | null = null;
    for (const key of sharedKeys(one.event)) {
      for (const place of byKey.get(key) ?? []) {
        const survivor = kept[place];
        if (survivor === undefined || (first !== null && place >= first.place)) continue;
        if (Math.max(survivor.grewIn, one.grewIn) < pass - 1) continue;
        if (isOne(survivor, one, settings)) first = { place, survivor };
      }
    }
    if (first === null) {
      remember(one.event, kept.push(one) - 1);
      continue;
    }
    const merged = grow(first.survivor, one, pass);
    kept[first.place] = merged;
    remember(merged.event, first.place);
    into.set(one.event.event_id, first.survivor.event.event_id);
  }
  return kept;
}

function lastOf(into: ReadonlyMap<string, string>, id: string): string {
  let last = id;
  for (let next: string | undefined = id; next !== undefined; next = into.get(last)) last = next;
  return last;
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
function isOne(one: Growing, other: Growing, settings: MergeSettings): boolean {
  if (one.time !== null && other.time !== null && Math.abs(one.time - other.time) > settings.dateWindowMs) return false;
  const a = one.event;
  const b = other.event;
  if (a.scope !== b.scope || a.source !== b.source) return false;
  if (!shares(a.anchors, b.anchors) && !shares(a.links, b.links)) return false;
  return one.likeness(other.title) >= settings.titleSimilarity && !isOfOneMessage(a, b);
}

function isOfOneMessage(a: MergeableEvent, b: MergeableEvent): boolean {
  return a.sources.some((one) => b.sources.some((other) => one.channel_id === other.channel_id && one.ts === other.ts));
}

function shares(a: readonly string[], b: readonly string[]): boolean {
  return a.some((entry) => b.includes(entry));
}

function grow(a: Growing, b: Growing, pass: number): Growing {
  const isOverruled = overrules(b.event.status, b.statusToldAt, a.statusToldAt);
  const row = mergedRow(a.event, b.event, isOverruled);
  const sources = [...a.event.sources, ...b.event.sources];
  return growing({ ...row, sources }, isOverruled ? b.statusToldAt : a.statusToldAt, pass);
}

/** Of an event whose status is that of one it absorbed long ago: no message behind it is later than this. */
function statusToldAt(event: MergeableEvent): Ts {
  const own = originOf(event);
  const ts = parseTs(own.ts);
  if (event.status === own.event.status) return ts;
  return event.sources.reduce((latest, source) => (compareTs(source.ts, latest) > 0 ? source.ts : latest), ts);
}

/** How an event can end or change; who says so later is right. */
const overruling = ['canceled', 'postponed', 'rolled_back', 'completed'];

function overrules(status: string, toldAt: Ts, former: Ts): boolean {
  return overruling.includes(status) && compareTs(toldAt, former) > 0;
}

/**
 * The first event with what the second one adds. Lists are sorted before they are cut, so that they do not depend on the
 * order of merging. Its status stays, unless a later message says that the event was called off, postponed, rolled back or
 * completed: what will not happen must not be shown as planned.
 */
export function absorb(a: EventRow, b: EventRow): EventRow {
  return mergedRow(a, b, overrules(b.status, parseTs(originOf(b).ts), parseTs(originOf(a).ts)));
}

function mergedRow(a: EventRow, b: EventRow, isOverruled: boolean): EventRow {
  // Put off: the date that counts is the new one, and not the earliest.
  const isPutOff = isOverruled && b.status === 'postponed' && b.planned_start !== null;
  const planned_start = isPutOff ? b.planned_start : earlier(a.planned_start, b.planned_start);
  const planned_end = isPutOff ? b.planned_end : earlier(a.planned_end, b.planned_end);
  const actual_start = earlier(a.actual_start, b.actual_start);
  const times = {
    planned_start,
    planned_end: unlessBefore(planned_start, planned_end),
    actual_start,
    actual_end: unlessBefore(actual_start, earlier(a.actual_end, b.actual_end)),
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

/** One message's beginning and another's end need not go together. */
function unlessBefore(start: IsoTime | null, end: IsoTime | null): IsoTime | null {
  return start !== null && end !== null && end < start ? null : end;
}

function union(a: readonly string[], b: readonly string[], most = Number.POSITIVE_INFINITY): string[] {
  const all = [...new Set([...a, ...b])].sort();
  return most < all.length ? all.slice(0, most) : all;
}
