/**
 * Tells whether an object changed: a hash over its JSON with keys in order, because Slack's key order and jsonb's are
 * not ours to rely on.
 */
import { hash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../model.ts';

/** Hash of the object, leaving out the keys of `except` at its top level. 128 bits as 32 hex digits. */
export function hashObject(value: JsonObject, except?: ReadonlySet<string>): string {
  return hashText(canonicalObject(value, except));
}

/**
 * Hash of those keys of `only` that the object has; '' when it has none. Their lists count as sets: reactors and people in
 * a thread come in another order from every method.
 */
export function hashKeys(value: JsonObject, only: readonly string[]): string {
  const present = only.filter((key) => value[key] !== undefined && value[key] !== null);
  const [key] = present;
  if (key === undefined) return '';
  if (present.length > 1) return hashText(present.map((each) => canonicalMember(each, value[each] ?? null)).join(''));
  return hashAlone(key, value[key] ?? null);
}

function hashText(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}

/** Of most messages nothing but the profile of their author is hashed, the same one again and again. */
const knownProfiles = new Map<string, string>();
const knownProfilesLimit = 1000;

function hashAlone(key: string, value: JsonValue): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return hashText(canonicalMember(key, value));
  const json = key + JSON.stringify(value);
  const known = knownProfiles.get(json);
  if (known !== undefined) return known;
  const digest = hashText(canonicalMember(key, value));
  if (knownProfiles.size >= knownProfilesLimit) knownProfiles.clear();
  knownProfiles.set(json, digest);
  return digest;
}

function canonicalMember(key: string, value: JsonValue): string {
  return `${key}:${canonicalSet(value)},`;
}

function canonicalObject(value: JsonObject, except?: ReadonlySet<string>): string {
  let text = '{';
  for (const key of Object.keys(value).sort()) {
    const inner = value[key];
    if (inner === undefined || except?.has(key)) continue;
    text += `${quotedKey(key)}:${canonical(inner)},`;
  }
  return `${text}}`;
}

/** The same few keys stand in every message; what others there are is no reason to keep them for ever. */
const quotedKeys = new Map<string, string>();
const quotedKeysLimit = 2000;

function quotedKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const quoted = JSON.stringify(key);
  if (quotedKeys.size < quotedKeysLimit) quotedKeys.set(key, quoted);
  return quoted;
}

function canonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (!Array.isArray(value)) return canonicalObject(value);
  let text = '[';
  for (const element of value) text += `${canonical(element)},`;
  return `${text}]`;
}

function canonicalSet(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalSet).sort().join()}]`;
  const members = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${canonicalSet(inner)}`);
  return `{${members.sort().join()}}`;
}
