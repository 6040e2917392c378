/** Which of Slack's objects cannot be taken, whatever they say; the same from the API and from an export. */
import type { JsonValue } from './model.ts';

/**
 * SQLite's JSON functions go no deeper than 1000 levels, Postgres some thousands; Slack's messages have a dozen. `JSON.parse`
 * takes any depth, and whoever walks through such a value afterwards (`JSON.stringify` too) runs out of stack.
 */
export const deepestNesting = 500;

/** Slack's have some hundreds. Each takes a hundred bytes of memory, several times on the way. */
const mostValues = 250_000;

export const tooDeep = 'is nested too deeply';

/** Why the object cannot be taken, as the end of a sentence; null when it can. Takes an object of any depth. */
export function whyOdd(value: JsonValue): string | null {
  const left = { values: mostValues };
  if (isNestedBeyond(value, deepestNesting, left)) return tooDeep;
  return left.values < 0 ? `holds more than ${mostValues} values` : null;
}

function isNestedBeyond(value: JsonValue | undefined, levels: number, left: { values: number }): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    left.values -= value.length;
    return value.some((element) => isNestedBeyond(element, levels - 1, left));
  }
  for (const key in value) {
    left.values -= 1;
    if (isNestedBeyond(value[key], levels - 1, left)) return true;
  }
  return false;
}
