/**
 * What neither database can keep, or nobody should: U+0000 (Postgres refuses it in text and jsonb), lone surrogates
 * (refused in jsonb, broken UTF-8 in SQLite), and the token that Slack puts on every file URL of an export.
 */
import { type JsonObject, JsonText, type JsonValue } from '../model.ts';

export interface CleanObject<T extends JsonObject> {
  value: T;
  json: JsonText;
  /** A character was replaced. */
  isSanitized: boolean;
}

// JSON.stringify writes a lone surrogate as an escape and a pair as itself (well-formed JSON.stringify, ES2019).
const unstorableEscape = /\\u0000|\\ud[89a-f]/;
const fileToken = /([?&](?:amp;)?)t=xox[a-z]-[\w.%-]*(&(?:amp;)?)?/g;
/** Wherever else the token of an export may stand: encoded inside another URL, or by itself. */
const exportToken = /xoxe(?:[.-]|%2d)[\w.%-]*/gi;
const anyToken = /t=xox|xoxe/i;

/** The object ready to be stored, and its JSON. Almost every message takes the first return. */
export function cleanObject<T extends JsonObject>(received: T): CleanObject<T> {
  const json = JSON.stringify(received);
  const hasToken = anyToken.test(json);
  if (!hasToken && !unstorableEscape.test(json))
    return { value: received, json: new JsonText(json), isSanitized: false };

  const value = cleanValue(received, hasToken);
  const cleanJson = JSON.stringify(value);
  // A message that spells out "\\u0000" looks like a hit and is none.
  const isSanitized = unstorableEscape.test(json) && JSON.stringify(cleanValue(received, false)) !== json;
  return { value, json: new JsonText(cleanJson), isSanitized };
}

function cleanValue<T extends JsonValue>(value: T, stripTokens: boolean): T;
function cleanValue(value: JsonValue, stripTokens: boolean): JsonValue {
  if (typeof value === 'string') return cleanText(value, stripTokens);
  if (Array.isArray(value)) return value.map((element) => cleanValue(element, stripTokens));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, inner]) => [cleanText(key, stripTokens), cleanValue(inner, stripTokens)]),
  );
}

/** Text without the token of an export, for what is stored beside Slack's objects. */
export function withoutExportTokens(text: string): string {
  return cleanText(text, true);
}

function cleanText(text: string, stripTokens: boolean): string {
  const storable = text.replaceAll('\u0000', '\uFFFD').toWellFormed();
  if (!stripTokens) return storable;
  return storable
    .replace(fileToken, (_, before: string, after?: string) => (after === undefined ? '' : before))
    .replace(exportToken, 'xoxe-…');
}
