/**
 * The elements of a JSON list, one by one, so that a broken one costs itself and not the rest, and a list of any length
 * takes the memory of one element.
 */
import { isUtf8 } from 'node:buffer';
import { parseExactly, stringEnd } from '../exact-json.ts';
import type { JsonValue } from '../model.ts';
import { deepestNesting, tooDeep } from '../odd-element.ts';
import type { FoundRecord } from './records.ts';

/** One element, or why it is none. Positions count from 0. */
export type Element = ReadElement | { position: number; reason: string };

export interface ReadElement {
  position: number;
  value: JsonValue;
  /** What it is, and what stands around it, when it was found inside of something else than a list. */
  found?: FoundRecord;
}

/** What there is to say about the list as a whole; null when it is what it should be. */
export interface ListEnd {
  problem: string | null;
}

/** The largest element that is taken: Slack's messages have a few kilobytes, and Postgres takes 255 MB of JSON. */
const longestElement = 16 << 20;

/** Text of a file as it may come out of people's hands. `problem`: characters that could not be read were replaced. */
export function decodeText(bytes: Buffer): { text: string; problem: string | null } {
  const encoding = encodingOf(bytes);
  if (encoding !== 'utf-8') return { text: decodeAs(encoding, bytes), problem: null };
  if (isUtf8(bytes)) return { text: withoutMark(bytes.toString('utf8')), problem: null };
  const lenient = withoutMark(bytes.toString('utf8'));
  // No valid sequence of UTF-8 at all: it was written in the code page of Windows or of ISO 8859-1, which that includes.
  if (!/[\u0080-\ufffc\ufffe\uffff]/.test(lenient)) return { text: decodeAs('windows-1252', bytes), problem: null };
  return { text: lenient, problem: replacedBytes };
}

function decodeAs(encoding: string, bytes: Buffer): string {
  return withoutMark(new TextDecoder(encoding).decode(bytes));
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** The elements of a list that is in memory. Almost every file takes the first return. */
export function parseList(text: string): { elements: Element[]; end: ListEnd } {
  try {
    const value: JsonValue = parseJson(text);
    if (Array.isArray(value)) {
      return { elements: value.map((element, position) => ({ position, value: element })), end: { problem: null } };
    }
    return { elements: [], end: { problem: notAList(value) } };
  } catch {
    const splitter = new ListSplitter();
    const elements = [...splitter.push(text), ...splitter.finish()];
    return { elements, end: splitter.end };
  }
}

/** The elements of a list that comes in pieces. `end` is to be looked at when there are no more. */
export async function* parseChunks(chunks: AsyncIterable<Buffer>, end: ListEnd): AsyncIterable<Element[]> {
  const splitter = new ListSplitter();
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let isDamaged = false;
  for await (const chunk of chunks) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    const text = decoder.decode(chunk, { stream: true });
    // The sign itself may stand in the file; then its bytes do.
    isDamaged ||= text.includes('\ufffd') && !chunk.includes('\ufffd');
    yield* portionsOf(splitter.push(text));
    if (splitter.isHopeless) break;
  }
  yield* portionsOf([...splitter.push(decoder?.decode() ?? ''), ...splitter.finish()]);
  end.problem = splitter.end.problem ?? (isDamaged ? replacedBytes : null);
}

/** Texts up to this length are parsed in one go; a day file of Slack's has a megabyte at most. */
const wholeTextLength = 1 << 20;
const sliceLength = 1 << 18;

/** Whether a text is so long that what is made of it, which takes far more room, is made in portions. */
export function isLong(text: string): boolean {
  return text.length > wholeTextLength;
}

/** A long text in pieces. */
export function* slicesOf(text: string): Iterable<string> {
  for (let from = 0; from < text.length; from += sliceLength) yield text.slice(from, from + sliceLength);
}

/** The elements of a list that is in memory as text, in portions that fit there too. */
export function* parsePortions(text: string, end: ListEnd): Iterable<Element[]> {
  if (!isLong(text)) {
    const list = parseList(text);
    end.problem = list.end.problem;
    yield list.elements;
    return;
  }
  const splitter = new ListSplitter();
  for (const slice of slicesOf(text)) {
    yield* portionsOf(splitter.push(slice));
    if (splitter.isHopeless) break;
  }
  yield* portionsOf(splitter.finish());
  end.problem = splitter.end.problem;
}

/** What follows is made of so many elements at once. */
const portionElements = 2000;

export function* portionsOf<Item>(elements: Item[]): Iterable<Item[]> {
  for (let from = 0; from < elements.length; from += portionElements) {
    yield elements.length <= portionElements ? elements : elements.slice(from, from + portionElements);
  }
}

export function encodingOf(start: Buffer): string {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  return start[0] === 0xfe && start[1] === 0xff ? 'utf-16be' : 'utf-8';
}

const replacedBytes = 'holds bytes that are no UTF-8; they were replaced by U+FFFD';

/** JSON as Slack's: parsed text, every number exact. Throws `SyntaxError`. */
function parseJson(text: string): JsonValue {
  // JSON.parse makes nothing else.
  return parseExactly(text) as JsonValue;
}

function notAList(value: JsonValue): string {
  const kind = value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  return `holds ${kind} where a list belongs`;
}

/** In a file as Slack writes it, indented by four spaces, this and nothing else begins an element. */
const elementStart = '\n    {';

/**
 * Cuts a list into its elements by brackets and quotes. Where that leads nowhere, because a quote or a bracket is broken,
 * it goes on at the next line that begins an element in Slack's own indentation.
 */
class ListSplitter {
  readonly end: ListEnd = { problem: null };
  /** Nothing of what follows can be read. */
  isHopeless = false;
  #rest = '';
  #position = 0;
  #state: 'before' | 'inside' | 'after' = 'before';
  /** How far the element at the beginning of `#rest` was looked at, and where in its brackets that is. */
  #scan = newScan();

  push(text: string): Element[] {
    if (this.isHopeless) return [];
    this.#rest += text;
    const elements: Element[] = [];
    while (this.#step(elements)) {
      // Each step takes something away from the rest.
    }
    return elements;
  }

  /** To be called when there is no more text. */
  finish(): Element[] {
    if (this.isHopeless || this.#state === 'after') return [];
    if (this.#state === 'before') {
      this.end.problem = this.#rest.trim() === '' ? 'is empty' : 'does not begin as a list does';
      return [];
    }
    // Brackets and quotes lead nowhere from here on: only lines that begin an element tell where the next one is.
    const elements: Element[] = [];
    for (let from = 0; from < this.#rest.length; ) {
      const next = this.#rest.indexOf(elementStart, from + 1);
      const part = this.#rest.slice(from, next === -1 ? undefined : next);
      const text = withoutSeparators(part);
      if (text !== '') elements.push(this.#element(text, next === -1 ? 'is cut off' : 'is no JSON'));
      from = next === -1 ? this.#rest.length : next;
    }
    const last = elements.at(-1);
    const isClosed = last !== undefined && 'value' in last && /\]\s{0,100}$/.test(this.#rest.slice(-200));
    this.#rest = '';
    if (!isClosed) this.end.problem = 'ends before its list does';
    return elements;
  }

  /** Takes one thing from the rest; false when it needs more text. */
  #step(elements: Element[]): boolean {
    if (this.#state === 'after') return this.#checkTail();
    this.#rest = this.#scan.at === 0 ? this.#rest.trimStart() : this.#rest;
    const first = this.#rest[0];
    if (first === undefined) return false;
    if (this.#state === 'before') return this.#begin(first);
    if (this.#scan.at === 0) {
      if (first === ']' || first === ',') {
        this.#rest = this.#rest.slice(1);
        if (first === ']') this.#state = 'after';
        return true;
      }
    }
    const length = elementLength(this.#rest, this.#scan);
    if (length === null) {
      if (this.#rest.length > longestElement) this.#skipLong(elements);
      return false;
    }
    this.#take(length, elements);
    return true;
  }

  #begin(first: string): boolean {
    if (first !== '[') {
      this.isHopeless = true;
      this.end.problem = 'does not begin as a list does';
      return false;
    }
    this.#state = 'inside';
    this.#rest = this.#rest.slice(1);
    return true;
  }

  #checkTail(): boolean {
    if (this.#rest.trim() !== '') this.end.problem = 'goes on after its list ends';
    this.#rest = '';
    return false;
  }

  #take(length: number, elements: Element[]): void {
    const element = this.#element(this.#rest.slice(0, length), 'is no JSON');
    // Where quotes are broken the brackets may fit only much later.
    const next = 'reason' in element ? this.#rest.slice(0, length).indexOf(elementStart, 1) : -1;
    elements.push(element);
    this.#rest = this.#rest.slice(next === -1 ? length : next);
    this.#scan = newScan();
  }

  #skipLong(elements: Element[]): void {
    elements.push({ position: this.#position, reason: `is longer than ${longestElement >> 20} MB` });
    this.#position += 1;
    this.isHopeless = true;
    this.end.problem = `holds an element longer than ${longestElement >> 20} MB; what follows it was not read`;
  }

  #element(text: string, reason: string): Element {
    const position = this.#position;
    this.#position += 1;
    // Each level takes a hundred times its character, before the parser finds out that nothing closes them.
    if (text.length > deepestNesting && isDeeper(text, deepestNesting)) return { position, reason: tooDeep };
    try {
      return { position, value: parseJson(text) };
    } catch {
      return { position, reason };
    }
  }
}

const opening = /[[{]/g;

/** Whether more brackets are open somewhere than `levels`, strings taken for what they are. */
function isDeeper(text: string, levels: number): boolean {
  // Hardly any text has so many at all.
  let count = 0;
  opening.lastIndex = 0;
  while (count <= levels && opening.test(text)) count += 1;
  if (count <= levels) return false;
  const scan = { ...newScan(), deepest: levels };
  elementLength(text, scan);
  return scan.depth > levels;
}

/** What stands between two elements is taken off both ends; by hand, since a pattern looks at long blanks again and again. */
function withoutSeparators(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && ' \t\r\n,'.includes(text[from] ?? '')) from += 1;
  while (to > from && ' \t\r\n,]'.includes(text[to - 1] ?? '')) to -= 1;
  return text.slice(from, to);
}

export interface Scan {
  at: number;
  depth: number;
  isInString: boolean;
  /** Where nothing deeper needs to be looked at. */
  deepest: number;
}

export function newScan(): Scan {
  return { at: 0, depth: 0, isInString: false, deepest: Number.POSITIVE_INFINITY };
}

/** How long the element at the beginning of `text` is; null when it does not end here. `scan` remembers how far it looked. */
export function elementLength(text: string, scan: Scan): number | null {
  const structure = /["[\]{},]/g;
  for (;;) {
    if (scan.isInString) {
      const end = stringEnd(text, scan.at);
      if (end === null) {
        // A backslash at the very end may escape what comes next.
        scan.at = lastUnescaped(text, scan.at);
        return null;
      }
      scan.at = end;
      scan.isInString = false;
    }
    structure.lastIndex = scan.at;
    const found = structure.exec(text);
    if (found === null) {
      scan.at = Math.max(scan.at, text.length);
      return null;
    }
    const at = found.index;
    const sign = found[0];
    if (scan.depth === 0 && (sign === ',' || sign === ']' || sign === '}')) return Math.max(at, 1);
    scan.at = at + 1;
    if (sign === '"') scan.isInString = true;
    else if (sign === '[' || sign === '{') {
      scan.depth += 1;
      if (scan.depth > scan.deepest) return null;
    } else if (sign !== ',') {
      scan.depth -= 1;
      if (scan.depth === 0) return at + 1;
    }
  }
}

/** Where to look on for the end of a string that `text` does not hold: before the backslashes that it ends with. */
function lastUnescaped(text: string, from: number): number {
  let at = text.length;
  while (at > from && text[at - 1] === '\\') at -= 1;
  return at;
}
