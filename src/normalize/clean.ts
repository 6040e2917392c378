/**
 * What neither database can keep, or nobody should: U+0000 (Postgres refuses it in text and jsonb), lone surrogates
 * (refused in jsonb, broken UTF-8 in SQLite), and the token that Slack puts on every file URL of an export.
 */
import { type JsonObject, JsonText, type JsonValue } from '../model.ts';
import { mayHoldToken, withoutExportTokens } from './export-token.ts';

export interface CleanObject<T extends JsonObject> {
  value: T;
  json: JsonText;
  /** A character was replaced. */
  isSanitized: boolean;
}

// JSON.stringify writes a lone surrogate as an escape and a pair as itself (well-formed JSON.stringify, ES2019).
const unstorableEscape = /\\u0000|\\ud[89a-f]/;

/** The object ready to be stored, and its JSON. Almost every message takes the first return. */
export function cleanObject<T extends JsonObject>(received: T): CleanObject<T> {
  const json = JSON.stringify(received);
  const isDoubtful = unstorableEscape.test(json);
  if (!mayHoldToken.test(json) && !isDoubtful) return { value: received, json: new JsonText(json), isSanitized: false };

  const value = cleanValue(received, cleanText);
  // A message that spells out "\\u0000" looks like a hit and is none.
  const isSanitized = isDoubtful && JSON.stringify(cleanValue(received, storable)) !== json;
  return { value, json: new JsonText(JSON.stringify(value)), isSanitized };
}

function cleanValue<T extends JsonValue>(value: T, clean: (text: string) => string): T;
function cleanValue(value: JsonValue, clean: (text: string) => string): JsonValue {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map((element) => cleanValue(element, clean));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), cleanValue(inner, clean)]));
}

/** Text as it can and may be stored, for what stands beside Slack's objects too. */
export function cleanText(text: string): string {
  const clean = storable(text);
  return mayHoldToken.test(clean) ? withoutExportTokens(clean) : clean;
}

function storable(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed();
}
