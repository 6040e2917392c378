/** Reading Slack's objects, whose fields may be absent, null or of a wrong type in any message. */
import type { JsonObject, JsonValue } from '../model.ts';

export function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** Like `textOf`, with an empty string counted as absent. */
export function nonEmptyText(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function objectOf(value: JsonValue | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

/** The objects of a list; everything else in it is passed over, and no list is an empty one. */
export function objectsOf(value: JsonValue | undefined): JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter((element): element is JsonObject => objectOf(element) !== null);
}

/** A whole number that a database integer holds (32 bits unless `max` says otherwise); numbers written as text count too. */
export function integerOf(value: JsonValue | undefined, max = 2_147_483_647): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && Math.abs(number) <= max ? number : null;
}

/** How many there are, as Slack says; null for what is no count: a fraction, less than none, more than a database holds. */
export function countIn(value: JsonValue | undefined): number | null {
  const number = integerOf(value);
  return number !== null && number >= 0 ? number : null;
}
