/**
 * The timestamps of a message in Slack's own form. Files that went through pandas, jq, R or a spreadsheet hold them as numbers,
 * cut short, or in exponents; one message must have one key all the same.
 */
import type { JsonObject, JsonValue, Ts } from './model.ts';
import { isTs } from './ts.ts';

export type Message = JsonObject & { ts: Ts };

/** `ssssssssss.uuuuuu` */
const fullForm = /^\d{10}\.\d{6}$/;
const decimalForm = /^(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * The ts that a value says, in Slack's form of 10 and 6 digits; null when it says none beyond doubt. What is in that form stays
 * byte for byte. Numbers are as good as text: up to 2^33 seconds two neighbouring doubles lie less than a microsecond apart,
 * so each ts has a double of its own, and `toFixed(6)` gives it back.
 */
export function canonicalTs(value: JsonValue | undefined): Ts | null {
  if (isInForm(value)) return value;
  if (typeof value === 'string') return fromDecimal(value.trim());
  if (typeof value !== 'number' || !(value >= 1e9) || value >= 2 ** 33) return null;
  const text = value.toFixed(6);
  // Digits beyond the microsecond: rounding would make up another ts.
  return Number(text) === value ? fromDecimal(text) : null;
}

/** The seconds of the last ts whose microseconds are a safe integer; see `isTs`. */
const lastSecond = '9007199254';

function isInForm(value: JsonValue | undefined): value is Ts {
  return typeof value === 'string' && fullForm.test(value) && value < lastSecond;
}

/** The same by moving the point, so that no digit passes through a float. */
function fromDecimal(text: string): Ts | null {
  const [, whole = '', fraction = '', exponent = '0'] = decimalForm.exec(text) ?? [];
  if (whole + fraction === '') return null;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const seconds = digits.slice(0, Math.max(point, 0)).padEnd(point, '0').replace(/^0+/, '');
  const micros = ('0'.repeat(Math.max(-point, 0)) + digits.slice(Math.max(point, 0))).replace(/0+$/, '');
  // Ten digits since 2001: fewer are some other number, and more are milliseconds.
  if (seconds.length !== 10 || micros.length > 6) return null;
  const ts = `${seconds}.${micros.padEnd(6, '0')}`;
  return isTs(ts) ? ts : null;
}

/** Other timestamps of a message. */
const otherKeys = ['thread_ts', 'latest_reply', 'last_read', 'event_ts'] as const;

/**
 * The message that an object is, its timestamps in Slack's form: its own, of its thread, of its edit, of the replies it lists. The
 * very same object where nothing had to be changed. Otherwise why it is none.
 */
export function asMessage(value: JsonObject): Message | string {
  if (isWellFormed(value)) return value;
  const ts = canonicalTs(value['ts']);
  if (ts === null) return value['ts'] === undefined ? 'has no ts' : 'has a ts that is none';
  const changes: JsonObject = {};
  mendInside(value, changes);
  return isUnchanged(value, ts) && Object.keys(changes).length === 0 ? value : { ...value, ...changes, ts };
}

/** Almost every message is, so this is all that is looked at. */
function isWellFormed(value: JsonObject): value is Message {
  const {
    ts,
    thread_ts: thread,
    latest_reply: latest,
    last_read: read,
    event_ts: event,
    edited,
    root,
    replies,
  } = value;
  if (!isInForm(ts) || replies !== undefined || root !== undefined) return false;
  if (edited !== undefined && !(isObject(edited) && isInForm(edited['ts']))) return false;
  return isFine(thread) && isFine(latest) && isFine(read) && isFine(event);
}

function isFine(told: JsonValue | undefined): boolean {
  return told === undefined || isInForm(told);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isUnchanged(value: JsonObject, ts: Ts): value is Message {
  return value['ts'] === ts;
}

/** Whether a message names a thread of which nobody can tell which one it is: it is stored outside of any. */
export function hasOddThread({ thread_ts: told }: Message): boolean {
  // Programs write what a column does not hold in their own ways.
  const isAbsent = told === undefined || told === null || told === '' || told === 0 || told === false;
  return !isAbsent && canonicalTs(told) === null;
}

function mendInside(value: JsonObject, changes: JsonObject): void {
  for (const key of otherKeys) {
    const told = value[key];
    const ts = told === undefined ? null : canonicalTs(told);
    if (ts !== null && ts !== told) changes[key] = ts;
  }
  for (const key of ['edited', 'root'] as const) {
    const inner = withTimestamps(value[key]);
    if (inner !== undefined) changes[key] = inner;
  }
  const { replies } = value;
  if (!Array.isArray(replies)) return;
  const mended = replies.map((reply) => withTimestamps(reply) ?? reply);
  if (mended.some((reply, i) => reply !== replies[i])) changes['replies'] = mended;
}

/** An object that belongs to a message, mended; undefined when nothing in it needs mending. */
function withTimestamps(value: JsonValue | undefined): JsonObject | undefined {
  if (value === undefined || !isObject(value)) return undefined;
  let mended: JsonObject | undefined;
  for (const key of ['ts', 'thread_ts', 'latest_reply']) {
    const told = value[key];
    const ts = told === undefined ? null : canonicalTs(told);
    if (ts === null || ts === told) continue;
    mended = { ...(mended ?? value), [key]: ts };
  }
  return mended;
}
