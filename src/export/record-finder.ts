/**
 * Finds the records of a JSON text that is no list of them: an answer of the API, a dump of a conversation, one value after the
 * other. The text comes in pieces and may be of any length: what is taken whole is one object of some megabytes.
 */
import { parseExactly } from '../exact-json.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { elementLength, newScan } from './json-elements.ts';
import { type Around, aroundIn, type FoundRecord, kindOf, nothingAround, recordsIn, under } from './records.ts';

/** Characters of an object that is taken whole; a longer one is entered. */
const longestWhole = 4 << 20;

/** What may stand between two values. Where they follow each other, some programs begin each with a record separator (RFC 7464). */
const between = /^[\s,\p{Cc}]+/u;

/** An object or a list that was entered. */
interface Opened {
  isList: boolean;
  around: Around;
  /** Of an object: what is known of it, and how long that is. */
  own: JsonObject;
  ownLength: number;
  /** Something of it was too long to be kept, and held no records. */
  isCut: boolean;
  key: string | null;
  /** Records found before it began. */
  before: number;
}

export class RecordFinder {
  /** Why nothing of what follows can be read. */
  problem: string | null = null;
  /** Channels that a long object named when its records had been found already. */
  readonly late = new Set<string>();
  #rest = '';
  #count = 0;
  #scan = newScan();
  readonly #opened: Opened[] = [];

  push(text: string): FoundRecord[] {
    const found: FoundRecord[] = [];
    if (this.problem !== null) return found;
    this.#rest += text;
    for (let before = 0; this.#step(found); before = found.length) this.#count += found.length - before;
    return found;
  }

  /** To be called when there is no more text. */
  finish(): FoundRecord[] {
    const found = this.problem === null ? this.push('\n') : [];
    if (this.problem === null && (this.#rest.trim() !== '' || this.#opened.length > 0)) this.problem = 'is cut off';
    return found;
  }

  /** Takes one thing from the rest; false when it needs more text, or when there is nothing to be read any more. */
  #step(found: FoundRecord[]): boolean {
    if (this.#scan.at === 0) this.#rest = this.#rest.replace(between, '');
    const first = this.#rest[0];
    const within = this.#opened.at(-1);
    if (first === undefined) return false;
    if (first === ']' || first === '}') return this.#close(first === ']', found);
    if (within?.isList === false && within.key === null) return this.#takeKey(within);
    if (first === '[' && within?.isList !== false) return this.#open(true);
    return this.#takeValue(first, within, found);
  }

  #takeKey(within: Opened): boolean {
    const match = /^"((?:[^"\\]|\\.)*)"\s*:/.exec(this.#rest);
    if (match === null) {
      if (this.#rest.length > longestWhole || !this.#rest.startsWith('"')) this.problem = 'is no JSON';
      return false;
    }
    within.key = String(JSON.parse(`"${match[1] ?? ''}"`));
    this.#rest = this.#rest.slice(match[0].length);
    return true;
  }

  #takeValue(first: string, within: Opened | undefined, found: FoundRecord[]): boolean {
    const isOpening = first === '{' || first === '[';
    const length = isOpening || first === '"' ? elementLength(this.#rest, this.#scan) : bareLength(this.#rest);
    if (length === null) {
      if (this.#rest.length <= longestWhole) return false;
      if (isOpening) return this.#open(first === '[');
      this.problem = `holds a text longer than ${longestWhole >> 20} MB`;
      return false;
    }
    const text = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    this.#scan = newScan();
    try {
      this.#take(parseExactly(text) as JsonValue, length, within, found);
      return true;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.problem = 'is no JSON';
      return false;
    }
  }

  #take(value: JsonValue, length: number, within: Opened | undefined, found: FoundRecord[]): void {
    if (within === undefined || within.isList) {
      for (const record of recordsIn(value, within?.around ?? nothingAround)) found.push(record);
      return;
    }
    const key = within.key ?? '';
    within.key = null;
    const records = typeof value === 'object' ? recordsIn(value, this.#aroundAt(within, key)) : [];
    if (records.length > 0 && kindOf(within.own) !== 'message') for (const record of records) found.push(record);
    else if (within.ownLength + length > longestWhole) within.isCut = true;
    else {
      within.own[key] = value;
      within.ownLength += length;
    }
  }

  #open(isList: boolean): boolean {
    const within = this.#opened.at(-1);
    const around = within === undefined ? nothingAround : this.#aroundAt(within, within.key);
    this.#opened.push({ isList, around, own: {}, ownLength: 0, isCut: false, key: null, before: this.#count });
    this.#rest = this.#rest.slice(1);
    this.#scan = newScan();
    return true;
  }

  #aroundAt(within: Opened, key: string | null): Around {
    if (within.isList) return within.around;
    return under(aroundIn(within.own, within.around), key ?? '');
  }

  #close(isList: boolean, found: FoundRecord[]): boolean {
    const closed = this.#opened.pop();
    if (closed === undefined || closed.isList !== isList) {
      this.problem = 'is no JSON';
      return false;
    }
    this.#rest = this.#rest.slice(1);
    const around = this.#opened.at(-1);
    if (around !== undefined) {
      around.isCut ||= this.#count === closed.before;
      around.key = null;
    }
    if (!isList) this.#closeObject(closed, found);
    return true;
  }

  #closeObject({ own, around, isCut, before }: Opened, found: FoundRecord[]): void {
    const records = kindOf(own) === 'message' ? recordsIn(own, around) : [];
    for (const record of records) found.push(isCut ? { ...record, kind: 'foreign' } : record);
    const { channel } = aroundIn(own, nothingAround);
    if (channel !== null && this.#count > before) this.late.add(channel);
  }
}

/** A number or a word, which ends where something else begins. */
function bareLength(text: string): number | null {
  const end = text.search(/[\s,\]}"[{:]/);
  return end === -1 ? null : Math.max(end, 1);
}
