/** What an event is called. Made when it is shown, never stored. */
import type { EventRow } from '../../db/schema.ts';
import { limits } from './event.ts';

export type Titled = Pick<
  EventRow,
  'action' | 'object_name_raw' | 'qualifiers' | 'stroke' | 'anchor' | 'category' | 'severity'
>;

/**
 * `Launch: Wallet — alpha, degradation possible (ABC-1)`; of risks `SEV2: incident — Payments API, in progress`; of what has no
 * action that readers know a word for, its name alone. At most 140 characters.
 */
export function titleOf(event: Titled): string {
  return event.category === 'risk' ? severityFirst(event) : canonicalTitle(event).replace(/^Other: (?=.)/, '');
}

/** With less of it left, the object is not known again, and what qualifies it goes instead. */
const leastOfObject = 30;

/** The form by which titles are compared, whatever the category. */
export function canonicalTitle({ action, object_name_raw: object, qualifiers, stroke, anchor }: Titled): string {
  const form = (name: string, details: readonly (string | null | undefined)[], key: string | null) => {
    const told = details.filter((detail) => detail !== null && detail !== undefined && detail !== '');
    return `${action}: ${name}${told.length === 0 ? '' : ` — ${told.join(', ')}`}${key === null ? '' : ` (${key})`}`;
  };
  const [first, second] = qualifiers;
  const shorter = [
    form(object, [first, second, stroke], anchor),
    form(object, [first, second], anchor),
    form(object, [first], anchor),
    form(object, [first], null),
  ];
  const room = limits.title - form('', [first], null).length;
  return (
    shorter.find(fits) ??
    (room >= leastOfObject ? form(cut(object, room), [first], null) : cut(form(object, [], null), limits.title))
  );
}

function severityFirst({ action, object_name_raw: object, stroke, severity }: Titled): string {
  const known = severity === null || severity === 'unknown' || severity === 'info' ? null : severity;
  const head = known === null ? `INCIDENT: ${action.toLowerCase()}` : `${known.toUpperCase()}: ${action.toLowerCase()}`;
  const whole = `${head} — ${object}${stroke === null ? '' : `, ${stroke}`}`;
  if (fits(whole)) return whole;
  const short = `${head} — ${object}`;
  return fits(short) ? short : `${head} — ${cut(object, limits.title - head.length - 3)}`;
}

function fits(title: string): boolean {
  return title.length <= limits.title;
}

/** Never between the halves of a character outside the basic plane. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = text.slice(0, Math.max(0, length - 3));
  return `${end.isWellFormed() ? end : end.slice(0, -1)}...`;
}
