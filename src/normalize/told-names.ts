/**
 * What messages tell of people's names: that of their author beside them (`user_profile`), and those of people whom they
 * mention (`<@U…|name>`). Where an export has no list of people, nothing else names anybody.
 */
import { isId, isName } from '../ids.ts';
import type { JsonObject, Ts } from '../model.ts';
import { compareTs } from '../ts.ts';
import { cleanText } from './clean.ts';
import { nonEmptyText, objectOf } from './json-access.ts';

/** What is told of one person: by the newest message with their profile, and by the newest that mentions them by name. */
export interface ToldName {
  user_id: string;
  profile_ts: Ts | null;
  name: string | null;
  real_name: string | null;
  display_name: string | null;
  label_ts: Ts | null;
  label: string | null;
}

/** Gathers what messages tell, in any order. */
export class ToldNames {
  readonly #byUser = new Map<string, ToldName>();

  /** Of a message as Slack has it. */
  add(message: JsonObject & { ts: Ts }): void {
    const { ts, user, text, user_profile: profile } = message;
    if (profile !== undefined && isPerson(user)) {
      const names = objectOf(profile) ?? {};
      if (!this.#isToldAgain(user, ts, names)) this.put(profileOf(user, ts, names));
    }
    if (typeof text !== 'string' || !text.includes('|')) return;
    for (const [, id = '', label = ''] of text.matchAll(/<@([UW][A-Z0-9]{2,})\|@?([^<>|\n]+)>/g)) {
      if (isPerson(id)) this.put({ ...nobody(id), label_ts: ts, label: nameOf(decode(label)) });
    }
  }

  /** Almost every message: its author under the same names as in the one before. Only the moment moves on. */
  #isToldAgain(userId: string, ts: Ts, { name, real_name, display_name }: JsonObject): boolean {
    const known = this.#byUser.get(userId);
    if (known === undefined || known.profile_ts === null || compareTs(ts, known.profile_ts) < 0) return false;
    const isSame =
      (name || null) === known.name &&
      (real_name || null) === known.real_name &&
      (display_name || null) === known.display_name;
    if (isSame) this.#byUser.set(userId, { ...known, profile_ts: ts });
    return isSame;
  }

  /** Keeps of two the newer in each respect. */
  put(told: ToldName): void {
    const known = this.#byUser.get(told.user_id);
    this.#byUser.set(told.user_id, known === undefined ? told : newer(known, told));
  }

  /** All that was gathered; nothing is kept of it. */
  take(): ToldName[] {
    const all = [...this.#byUser.values()];
    this.#byUser.clear();
    return all;
  }
}

/** The newer of two in each respect; of one moment always the same. */
export function newer(a: ToldName, b: ToldName): ToldName {
  const byProfile = isNewer(b.profile_ts, profileText(b), a.profile_ts, profileText(a)) ? b : a;
  const byLabel = isNewer(b.label_ts, b.label ?? '', a.label_ts, a.label ?? '') ? b : a;
  return { ...byProfile, label_ts: byLabel.label_ts, label: byLabel.label };
}

function isNewer(ts: Ts | null, text: string, otherTs: Ts | null, otherText: string): boolean {
  if (ts === null || otherTs === null) return ts !== null;
  return compareTs(ts, otherTs) > 0 || (ts === otherTs && text > otherText);
}

function profileText({ name, real_name, display_name }: ToldName): string {
  return JSON.stringify([name, real_name, display_name]);
}

function profileOf(userId: string, ts: Ts, profile: JsonObject): ToldName {
  const at = (key: string) => nameOf(nonEmptyText(profile[key]) ?? '');
  const names = { name: at('name'), real_name: at('real_name'), display_name: at('display_name') };
  const isTold = Object.values(names).some((name) => name !== null);
  return isTold ? { ...nobody(userId), profile_ts: ts, ...names } : nobody(userId);
}

function nobody(userId: string): ToldName {
  return {
    user_id: userId,
    profile_ts: null,
    name: null,
    real_name: null,
    display_name: null,
    label_ts: null,
    label: null,
  };
}

function isPerson(value: unknown): value is string {
  return isId(value) && /^[UW]/.test(value);
}

/** As everything that is stored: without what a database refuses. */
function nameOf(text: string): string | null {
  const clean = cleanText(text).trim();
  return isName(clean) ? clean : null;
}

function decode(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
