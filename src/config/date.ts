import { UsageError } from '../errors.ts';

const dateForms =
  'Write YYYY-MM-DD (midnight UTC) or a full ISO 8601 time with its offset, such as 2025-01-15T08:30:00Z.';

const pattern = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * Epoch milliseconds of a date that a person wrote: `YYYY-MM-DD` (midnight UTC) or full ISO 8601 with an offset.
 * `name` is the flag it was given as; with `notAfter` (epoch milliseconds, usually now) later dates are refused.
 * @throws UsageError for another form, a day that no calendar has, a time before 1970 or after `notAfter`
 */
export function parseDate(text: string, name: string, options: { notAfter?: number } = {}): number {
  const refuse = (reason: string): UsageError => new UsageError(`${name}: "${text}" ${reason}`, dateForms);
  const match = pattern.exec(text.trim());
  if (match === null) throw refuse('is not a date');
  const field = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(field) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zone = match[8];
  if (match[4] !== undefined && zone === undefined) throw refuse('has a time but no offset from UTC');

  // Date.UTC turns the 30th of February into the 2nd of March: compare what comes back.
  const local = new Date(
    Date.UTC(year, month - 1, day, hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))),
  );
  const wanted = [year, month - 1, day, hour, minute, second];
  const actual = [
    local.getUTCFullYear(),
    local.getUTCMonth(),
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
  ];
  if (wanted.some((value, index) => value !== actual[index])) throw refuse('does not exist in the calendar');

  const offset = offsetMs(zone);
  if (offset === undefined) throw refuse('has an impossible offset from UTC');
  const ms = local.getTime() - offset;
  if (ms < 0) throw refuse('is before 1970');
  if (options.notAfter !== undefined && ms > options.notAfter)
    throw refuse('is in the future by the clock of this machine');
  return ms;
}

const dayMs = 24 * 3600 * 1000;

/** The end of a range that a person wrote: a day belongs to the range to its last millisecond. Throws as `parseDate`. */
export function parseLastMoment(text: string, name: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text.trim());
  return parseDate(text, name) + (isDay ? dayMs - 1 : 0);
}

function offsetMs(zone: string | undefined): number | undefined {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
