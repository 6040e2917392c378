/** Rules from the config file that keep messages out of the database, counted per rule. */
import type { JsonObject, JsonValue } from '../model.ts';

export interface DiscardRule {
  /** Dotted path into Slack's message: `subtype`, `bot_profile.name`. */
  field: string;
  test: DiscardTest;
  /** How the rule is called in counts: its note, or what it says. */
  label: string;
}

export type DiscardTest =
  | { op: 'eq'; value: JsonValue }
  | { op: 'in'; values: readonly JsonValue[] }
  | { op: 'exists' | 'not_exists' }
  | { op: 'regex'; pattern: RegExp }
  | { op: 'starts_with'; prefix: string };

/** The first rule that matches; null when the message stays. */
export function matchingRule(rules: readonly DiscardRule[], message: JsonObject): DiscardRule | null {
  return rules.find((rule) => matches(rule.test, valueAt(message, rule.field))) ?? null;
}

function valueAt(message: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = message;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = value[key];
  }
  return value;
}

function matches(test: DiscardTest, value: JsonValue | undefined): boolean {
  switch (test.op) {
    case 'exists':
      return value !== undefined && value !== null;
    case 'not_exists':
      return value === undefined || value === null;
    case 'eq':
      return value === test.value;
    case 'in':
      return value !== undefined && test.values.includes(value);
    case 'regex':
      return typeof value === 'string' && test.pattern.test(value);
    case 'starts_with':
      return typeof value === 'string' && value.startsWith(test.prefix);
  }
}
