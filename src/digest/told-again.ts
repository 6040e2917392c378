/**
 * Events that people told of in several messages without a key that they share: one entry, as far along as the last message
 * has it. The rows stay apart, because the same name may be another thing elsewhere; here they stand in one digest.
 */
import type { EventRow } from '../db/schema.ts';
import { compareTs } from '../ts.ts';
import type { EventItem } from './digest.ts';

export interface Told {
  row: EventRow;
  item: EventItem;
}

export interface Entry<Each extends Told> {
  told: Each;
  /** What it stands for as well, from the first on. */
  earlier: Each[];
}

/** How far along an event is. */
const course: Readonly<Record<EventItem['status'], number>> = {
  planned: 0,
  postponed: 1,
  confirmed: 1,
  started: 2,
  updated: 3,
  completed: 4,
  rolled_back: 4,
  canceled: 4,
};

const dayMs = 86_400_000;
/** People who see that something is down tell of it one after the other. */
const sameIncidentMs = 2 * 3_600_000;

/** Which of them are told by a later one; `withinMs` is how far apart two times of one event may lie. */
export function entriesOf<Each extends Told>(all: readonly Each[], withinMs: number): Entry<Each>[] {
  const inTurn = [...all].sort((a, b) => compareTs(lastTold(a), lastTold(b)));
  const entries = new Map<Each, Entry<Each>>();
  for (const [place, each] of inTurn.entries()) {
    const own = entries.get(each) ?? { told: each, earlier: [] };
    const later = inTurn.slice(place + 1).find((other) => isAgain(each, other, withinMs));
    if (later === undefined) {
      entries.set(each, own);
      continue;
    }
    const known = entries.get(later) ?? { told: later, earlier: [] };
    entries.delete(each);
    entries.set(later, { told: later, earlier: [...known.earlier, ...own.earlier, each] });
  }
  return [...entries.values()];
}

/** Whether both say the same, and not that it has gone on. */
export function isRepeat({ item: a }: Told, { item: b }: Told): boolean {
  return a.status === b.status;
}

/** The later one with the messages of all, and from when on it was. */
export function wholeItem({ told: { item }, earlier }: Entry<Told>): EventItem {
  const all = [...earlier.map((each) => each.item), item];
  const sources = all.flatMap((each) => each.sources).sort((a, b) => compareTs(a.ts, b.ts));
  const begun = earlier.find(({ item: { status, start } }) => isUnderWay(status) && start !== null)?.item;
  const isOver = item.status === 'completed' && item.start !== null && begun?.start != null && begun.start < item.start;
  const span = isOver ? { start: begun.start, end: item.end ?? item.start, days_only: false } : {};
  return { ...item, ...span, sources };
}

function isAgain<Each extends Told>(a: Each, b: Each, withinMs: number): boolean {
  if (nameOf(a.row) !== nameOf(b.row) || compareTs(lastTold(a), lastTold(b)) >= 0) return false;
  const [from, to] = [course[a.item.status], course[b.item.status]];
  return to > from ? distanceOf(a, b) <= withinMs : isRepeat(a, b) && isSameTime(a, b);
}

function isSameTime(a: Told, b: Told): boolean {
  const distance = distanceOf(a, b);
  if (a.item.action === 'Incident' && a.item.status !== 'planned') return distance <= sameIncidentMs;
  return distance === 0 || ((a.item.days_only || b.item.days_only) && isWithinDay(a.item, b.item));
}

/** "On Thursday", and "on Thursday at 10". */
function isWithinDay(a: EventItem, b: EventItem): boolean {
  if (a.start === null || b.start === null) return false;
  const [day, time] = a.days_only ? [a.start, b.start] : [b.start, a.start];
  const since = Date.parse(time) - Date.parse(day);
  return since >= 0 && since < dayMs;
}

function isUnderWay(status: EventItem['status']): boolean {
  return status === 'started' || status === 'updated';
}

/** Milliseconds; what has no time is not apart. */
function distanceOf({ item: a }: Told, { item: b }: Told): number {
  return a.start === null || b.start === null ? 0 : Math.abs(Date.parse(a.start) - Date.parse(b.start));
}

function lastTold({ item: { sources } }: Told) {
  const last = sources.at(-1);
  if (last === undefined) throw new Error('an event that is told has no message');
  return last.ts;
}

/** What is private is never told together with what is public. */
export function nameOf({ scope, action, object_id, object_name_raw }: EventRow): string {
  return `${scope} ${action} ${object_id ?? object_name_raw.trim().toLowerCase()}`;
}
