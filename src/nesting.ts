/** How deeply an object of Slack's may be nested, from the API and from an export alike. */
import type { JsonValue } from './model.ts';

/**
 * SQLite's JSON functions go no deeper than 1000 levels, Postgres some thousands; Slack's messages have a dozen. `JSON.parse`
 * takes any depth, and whoever walks through such a value afterwards (`JSON.stringify` too) runs out of stack.
 */
const deepestNesting = 500;

/** Whether the value is nested more deeply than can be kept. Looks no deeper itself, so it takes a value of any depth. */
export function isNestedTooDeeply(value: JsonValue | undefined, levels = deepestNesting): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((element) => isNestedTooDeeply(element, levels - 1));
  for (const key in value) {
    if (isNestedTooDeeply(value[key], levels - 1)) return true;
  }
  return false;
}
