/** Which of the stored events a digest tells, in which section, and why not the others. */
import type { EventRow, EventSourceRow } from '../db/schema.ts';
import type { IsoTime } from '../model.ts';
import { dayBeginningAt, startOf } from '../time-zone.ts';
import { compareTs, millisToIso, parseTs, tsToIso } from '../ts.ts';
import type { DigestWindow, EventItem, ExplainedEvent } from './digest.ts';
import type { Category } from './events/event.ts';
import { originOf } from './events/event-rows.ts';
import { currentImportance, importanceLabel } from './events/importance.ts';
import { titleOf } from './events/title.ts';
import { announcedKey, eventKey, upcomingKey } from './item-keys.ts';
import type { Directory } from './people.ts';
import { entriesOf, isRepeat, nameOf, wholeItem } from './told-again.ts';

export interface EventChoice {
  window: DigestWindow;
  isSelected: (channelId: string) => boolean;
  /** Empty for all. */
  categories: readonly Category[];
  minConfidence: number;
  minImportance: number;
  /** In each section. */
  maxEvents: number;
  categoryPriorities: Readonly<Record<Category, number>>;
  /** Messages from before the window that became known since the last digest, as `channel_id ts`. */
  late: ReadonlySet<string>;
  /** What was posted to the same place before. */
  posted: ReadonlySet<string>;
  /** How far apart two times of one event may lie. */
  sameWithinMs: number;
}

export interface Selection {
  events: EventItem[];
  upcoming: EventItem[];
  announced: EventItem[];
  explained: ExplainedEvent[];
}

type Section = 'events' | 'upcoming' | 'announced';

const keyIn = { events: eventKey, upcoming: upcomingKey, announced: announcedKey } as const;

interface Considered {
  row: EventRow;
  item: EventItem;
  section: Section;
}

/** `sources` are those of all `rows`, which may hold absorbed and rejected ones. */
export function selectEvents(
  rows: readonly EventRow[],
  sources: readonly EventSourceRow[],
  choice: EventChoice,
  directory: Directory,
): Selection {
  const sourcesOf = new Map<string, EventSourceRow[]>();
  for (const source of sources) {
    const known = sourcesOf.get(source.event_id);
    if (known === undefined) sourcesOf.set(source.event_id, [source]);
    else known.push(source);
  }
  const explained: ExplainedEvent[] = [];
  const explain = (row: EventRow, chosen: boolean, reason: string) =>
    explained.push({
      event_id: row.event_id,
      title: titleOf(row),
      chosen,
      reason,
      confidence: row.confidence,
      importance: row.importance,
      state: row.state,
    });

  const overruled = overruledOf(rows, sourcesOf);
  const considered: Considered[] = [];
  for (const row of rows) {
    const own = sourcesOf.get(row.event_id) ?? [];
    const item = itemOf(row, own, choice, directory);
    const section = sectionOf(row, own, choice.window, choice.late);
    const against =
      section === null
        ? 'neither in the window nor coming up'
        : (overruled.get(row.event_id) ?? reasonAgainst(row, item, own, choice, directory));
    if (section === null || against !== null) explain(row, false, against ?? '');
    else considered.push({ row, item, section });
  }
  const entries: Considered[] = [];
  for (const entry of entriesOf(considered, choice.sameWithinMs)) {
    const { told, earlier } = entry;
    for (const { row } of earlier) explain(row, false, `told again later, see the event ${told.row.event_id}`);
    const wasPosted = [told, ...earlier.filter((each) => isRepeat(each, told))].some(({ row, section }) =>
      choice.posted.has(keyIn[section](row.event_id)),
    );
    if (wasPosted) explain(told.row, false, 'posted before');
    else entries.push({ ...told, item: wholeItem(entry) });
  }
  const chosen: Record<Section, EventItem[]> = { events: [], upcoming: [], announced: [] };
  for (const section of ['events', 'upcoming', 'announced'] as const) {
    const ranked = entries.filter((each) => each.section === section).sort((a, b) => byRank(a.item, b.item, choice));
    for (const [place, { row, item }] of ranked.entries()) {
      if (place < choice.maxEvents) {
        chosen[section].push(item);
        explain(row, true, `number ${place + 1} of ${ranked.length} by importance in "${section}"`);
      } else explain(row, false, `number ${place + 1} by importance; only ${choice.maxEvents} are shown`);
    }
    chosen[section].sort(byTime);
  }
  return { ...chosen, explained };
}

/**
 * Plans that a later message called off or put off, by their names alone: why each of them is told no more. Two events stay two,
 * because the same name may be another thing; but nobody wants to read of both.
 */
function overruledOf(
  rows: readonly EventRow[],
  sourcesOf: ReadonlyMap<string, readonly EventSourceRow[]>,
): Map<string, string> {
  const lastTold = ({ event_id }: EventRow) =>
    (sourcesOf.get(event_id) ?? []).reduce((last, { ts }) => (ts > last ? ts : last), '');
  const isLive = ({ state, merged_into }: EventRow) => state !== 'rejected' && merged_into === null;
  const isPlan = ({ status }: EventRow) => status === 'planned' || status === 'confirmed' || status === 'postponed';
  const putAway = rows.filter((row) => isLive(row) && (row.status === 'canceled' || row.status === 'postponed'));
  const overruled = new Map<string, string>();
  for (const plan of rows.filter((row) => isLive(row) && isPlan(row))) {
    const by = putAway.find(
      (other) =>
        other.event_id !== plan.event_id &&
        nameOf(other) === nameOf(plan) &&
        lastTold(other) > lastTold(plan) &&
        (other.status === 'canceled'
          ? other.planned_start === null || other.planned_start === plan.planned_start
          : other.planned_start !== plan.planned_start),
    );
    if (by !== undefined) overruled.set(plan.event_id, `${by.status} later, see the event ${by.event_id}`);
  }
  return overruled;
}

/** Where the event belongs: it happened, it comes up soon, or it was announced for later; null when it is no news here. */
function sectionOf(
  row: EventRow,
  sources: readonly EventSourceRow[],
  { from, to, upcoming_to, zone }: DigestWindow,
  late: ReadonlySet<string>,
): Section | null {
  // Of what was written after the window, the window knows nothing.
  if (sources.every(({ ts }) => tsToIso(ts) >= to)) return null;
  const time = timeOf(row, zone);
  const isTold = sources.some(
    ({ channel_id, ts }) => isWithin(tsToIso(ts), from, to) || late.has(`${channel_id} ${ts}`),
  );
  if (time === null) return isTold ? 'events' : null;
  if (isWithin(time, from, to)) return 'events';
  // Of what happened before, nobody could be told before somebody wrote it.
  if (time < from) return isTold ? 'events' : null;
  if (upcoming_to !== null && time <= upcoming_to) return 'upcoming';
  return isTold ? 'announced' : null;
}

/** A day of its author's calendar is that day of the reader's. */
function timeOf(row: EventRow, zone: string): IsoTime | null {
  const time = row.primary_time;
  return time !== null && hasDaysOnly(row) ? millisToIso(startOf(dayBeginningAt(time), zone)) : time;
}

function isWithin(time: IsoTime, from: IsoTime, to: IsoTime): boolean {
  return time >= from && time < to;
}

function reasonAgainst(
  row: EventRow,
  item: EventItem,
  sources: readonly EventSourceRow[],
  choice: EventChoice,
  directory: Directory,
): string | null {
  if (row.merged_into !== null) return `part of the event ${row.merged_into}`;
  if (row.state === 'rejected') return `rejected: ${row.reasons.join('; ')}`;
  if (sources.every(({ channel_id }) => !choice.isSelected(channel_id)))
    return 'its channel is not selected, or not for these readers';
  // Merged when all of its channels were taken for public.
  const scopes = new Set(sources.map(({ channel_id }) => directory.scope(channel_id)));
  if (scopes.size > 1 && sources.some(({ channel_id }) => !choice.isSelected(channel_id)))
    return 'some of what it says is from a channel that is not for these readers';
  if (choice.categories.length > 0 && !choice.categories.includes(item.category))
    return `its category is ${item.category}`;
  if (row.confidence < choice.minConfidence) return `its confidence ${row.confidence} is below ${choice.minConfidence}`;
  if (item.current_importance < choice.minImportance)
    return `its importance ${Math.round(item.current_importance)} is below ${choice.minImportance}`;
  return null;
}

function byRank(a: EventItem, b: EventItem, { categoryPriorities }: EventChoice): number {
  return (
    b.current_importance - a.current_importance ||
    categoryPriorities[a.category] - categoryPriorities[b.category] ||
    byTime(a, b)
  );
}

function byTime(a: EventItem, b: EventItem): number {
  const one = `${a.start ?? ''} ${a.event_id}`;
  const other = `${b.start ?? ''} ${b.event_id}`;
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Of an event that has its times from another message, nobody knows it any more. */
function hasDaysOnly(row: EventRow): boolean {
  const { event } = originOf(row);
  return (
    event.days_only === true && event.planned_start === row.planned_start && event.actual_start === row.actual_start
  );
}

function itemOf(
  row: EventRow,
  sources: readonly EventSourceRow[],
  { window, isSelected }: EventChoice,
  directory: Directory,
): EventItem {
  const age = row.primary_time === null ? 0 : Date.parse(window.to) - Date.parse(row.primary_time);
  const current = currentImportance(row.importance, age);
  const own = originOf(row);
  const shown = sources.filter(({ channel_id }) => isSelected(channel_id));
  return {
    event_id: row.event_id,
    title: titleOf(row),
    action: own.event.action,
    category: own.event.category,
    status: row.status as EventItem['status'],
    severity: row.severity as EventItem['severity'],
    environment: row.environment as EventItem['environment'],
    summary: row.summary,
    why_it_matters: row.why_it_matters,
    start: row.actual_start ?? row.planned_start ?? row.primary_time,
    end: row.actual_start === null ? (row.planned_end ?? null) : row.actual_end,
    days_only: hasDaysOnly(row),
    time_source: row.time_source as EventItem['time_source'],
    time_confidence: row.time_confidence,
    confidence: row.confidence,
    importance: row.importance,
    current_importance: current,
    importance_label: importanceLabel(current),
    links: row.links,
    anchors: row.anchors,
    sources: shown
      .sort((a, b) => compareTs(a.ts, b.ts))
      .map(({ channel_id, ts, permalink }) => ({
        channel_id,
        channel: directory.label(channel_id),
        ts: parseTs(ts),
        permalink: permalink ?? directory.permalink(channel_id, ts),
      })),
  };
}
