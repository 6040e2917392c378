/**
 * Where a day of an export begins and ends. Slack cuts days at midnight in Los Angeles, whatever the workspace (counted over
 * 158,038 messages of ten workspaces); exports that other programs made may be cut at midnight UTC.
 */

export type DayZone = 'America/Los_Angeles' | 'UTC';

/** Microseconds, both included. */
export interface DayBounds {
  from: number;
  to: number;
}

const dayMs = 24 * 3600 * 1000;
const hourMs = 3600 * 1000;

const known = new Map<string, DayBounds | null>();

/** The bounds of a day in the form YYYY-MM-DD; null for a date that no calendar has. Days of 23 and 25 hours included. */
export function boundsOfDay(date: string, zone: DayZone): DayBounds | null {
  const key = `${zone} ${date}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const start = Date.parse(`${date}T00:00:00Z`);
  const isDate = Number.isFinite(start) && start > 0 && new Date(start).toISOString().startsWith(date);
  const bounds = isDate ? { from: midnight(start, zone) * 1000, to: midnight(start + dayMs, zone) * 1000 - 1 } : null;
  known.set(key, bounds);
  return bounds;
}

let clock: Intl.DateTimeFormat | undefined;

/** The midnight with which that day begins, given it in UTC. Los Angeles is eight hours behind, or seven in summer. */
function midnight(utc: number, zone: DayZone): number {
  if (zone === 'UTC') return utc;
  clock ??= new Intl.DateTimeFormat('en-US', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' });
  const inSummer = utc + 7 * hourMs;
  return clock.format(inSummer) === '00' ? inSummer : utc + 8 * hourMs;
}

/** Of the files that were looked at so many may not fit: a message with an odd ts is no reason to doubt all the others. */
const misfitShare = 0.2;

/** What the messages of some day files say about how days are cut. */
export class DayZoneEvidence {
  #files = 0;
  #notLosAngeles = 0;
  #notUtc = 0;

  /** `first` and `last`: of the messages in a day file, in microseconds. */
  add(date: string, first: number, last: number): void {
    this.#files += 1;
    if (!isWithinDay(date, 'America/Los_Angeles', first, last)) this.#notLosAngeles += 1;
    if (!isWithinDay(date, 'UTC', first, last)) this.#notUtc += 1;
  }

  /** Null when neither fits, so that nobody can tell what a missing day means. */
  get zone(): DayZone | null {
    if (Math.min(this.#notLosAngeles, this.#notUtc) > this.#files * misfitShare) return null;
    return this.#notLosAngeles <= this.#notUtc ? 'America/Los_Angeles' : 'UTC';
  }
}

/** Whether all messages of a day file belong to the day of its name. A file without a date says nothing. */
export function isWithinDay(date: string, zone: DayZone, first: number, last: number): boolean {
  const bounds = boundsOfDay(date, zone);
  return bounds === null || (first >= bounds.from && last <= bounds.to);
}
