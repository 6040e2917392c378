/** Lists of words, written as short patterns and looked for as whole words. */

/**
 * Letters of all the scripts the lists are written in. Unicode's own classes of letters and digits are exact and make each
 * list take five times as long to compile, which is most of the time a short run spends in here.
 */
const letter = '\\w\\u00c0-\\u024f\\u0370-\\u1fff\\u3040-\\u9fff\\uac00-\\ud7af';

/** Japanese and Chinese put no spaces between words. */
const spaceless = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** Stems of words, looked for without regard to case. */
export class Words {
  readonly stems: readonly string[];
  readonly #first: Literals;
  /** Made when it is needed: most lists are not, on most days. */
  #pattern: RegExp | undefined;

  constructor(stems: readonly string[]) {
    this.stems = stems;
    this.#first = new Literals(stems);
  }

  isIn(text: string): boolean {
    const low = lowered(text);
    return this.#first.mayBeIn(low) && low.search(this.#whole()) !== -1;
  }

  /** Where they stand, in order. */
  placesIn(text: string): { index: number; length: number }[] {
    const low = lowered(text);
    if (!this.#first.mayBeIn(low)) return [];
    return Array.from(low.matchAll(this.#whole()), ({ 0: { length }, index }) => ({ index, length }));
  }

  #whole(): RegExp {
    this.#pattern ??= wholeWords(this.stems);
    return this.#pattern;
  }
}

function wholeWords(stems: readonly string[]): RegExp {
  const spaced = stems
    .filter((stem) => !spaceless.test(stem))
    .map(firstLetterFirst)
    .join('|');
  const others = stems.filter((stem) => spaceless.test(stem));
  return new RegExp([`(?<![${letter}-])(?:${spaced})(?![${letter}])`, ...others].join('|'), 'gu');
}

/** Looking back at every place of a text takes long: it is left to those where the rest of the stem stands. */
function firstLetterFirst(stem: string): string {
  if (!stem.startsWith('(?<')) return stem;
  const back = stem.slice(0, closing(stem) + 1);
  const rest = stem.slice(back.length);
  return `(?=${rest})${back}${rest}`;
}

/** Where the bracket closes that a pattern begins with. */
function closing(pattern: string): number {
  let depth = 0;
  let isClass = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern[at];
    if (letter === '\\') at += 1;
    else if (letter === '[') isClass = true;
    else if (letter === ']') isClass = false;
    else if (letter === '(' && !isClass) depth += 1;
    else if (letter === ')' && !isClass && --depth === 0) return at;
  }
  throw new Error(`${pattern} does not close what it opens`);
}

export function words(...stems: string[]): Words {
  return new Words(stems);
}

/** As long as the text, so that places stay: of all letters only this one grows. A pattern that folds case is far slower. */
export function lowered(text: string): string {
  // Many lists are looked for in one text after the other.
  if (text !== last.text) last = { text, low: text.replaceAll('İ', 'i').toLowerCase() };
  return last.low;
}

let last = { text: '', low: '' };

/** Letters that stand in every text in which one of some stems does: found many times faster than the stems themselves. */
export class Literals {
  readonly #stems: readonly string[];
  /** Null when there are no such letters. */
  #pattern: RegExp | null | undefined;

  constructor(stems: readonly string[]) {
    this.#stems = stems;
  }

  /** Of a text in lower case. */
  mayBeIn(text: string): boolean {
    if (this.#pattern === undefined) this.#pattern = anyOf(this.#stems.map((stem) => new StemReader(stem).literals()));
    return this.#pattern?.test(text) ?? true;
  }
}

function anyOf(literals: readonly (readonly string[] | null)[]): RegExp | null {
  if (literals.includes(null)) return null;
  const all = new Set(literals.flatMap((each) => each ?? []));
  return new RegExp([...all].sort().map(escaped).join('|'));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** Fewer letters stand in almost every text. */
const leastLetters = 2;

/** Reads as much of the language of patterns as the stems are written in. */
class StemReader {
  readonly #stem: string;
  #at = 0;

  constructor(stem: string) {
    this.#stem = stem;
  }

  /** Of which at least one stands in every match; null when there are none. */
  literals(): string[] | null {
    let all: string[] | null = [];
    for (;;) {
      const best: string[] | null = this.#alternative();
      all = all === null || best === null ? null : [...all, ...best];
      if (this.#stem[this.#at] !== '|') return all;
      this.#at += 1;
    }
  }

  #alternative(): string[] | null {
    let best: string[] | null = null;
    let run = '';
    const keep = (candidate: string[] | null) => {
      if (candidate !== null && lengthOf(candidate) >= leastLetters && lengthOf(candidate) > lengthOf(best))
        best = candidate;
      run = '';
    };
    for (;;) {
      const next = this.#stem[this.#at];
      if (next === undefined || next === '|' || next === ')') break;
      if (next === '(') {
        keep([run]);
        const isLook = /^\(\?<?[=!]/.test(this.#stem.slice(this.#at));
        this.#at += this.#stem[this.#at + 1] === '?' ? (isLook ? (this.#stem[this.#at + 2] === '<' ? 4 : 3) : 3) : 1;
        const inner = this.literals();
        this.#at += 1;
        if (!this.#isOptional() && !isLook) keep(inner);
        continue;
      }
      const isLetter = this.#one();
      const isOptional = this.#isOptional();
      if (isLetter && !isOptional) run += next;
      else keep([run]);
    }
    keep([run]);
    return best;
  }

  /** Goes past a letter, a class or an escape; whether it was a letter that stands for itself. */
  #one(): boolean {
    const [whole = ''] = /^(?:\\p\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|.)/su.exec(this.#stem.slice(this.#at)) ?? [];
    this.#at += whole.length;
    return whole.length === 1 && !/[.^$]/.test(whole);
  }

  /** Goes past a quantifier. */
  #isOptional(): boolean {
    const [whole = ''] = /^(?:[?*+]|\{\d+(?:,\d*)?\})\??/.exec(this.#stem.slice(this.#at)) ?? [];
    this.#at += whole.length;
    return /^(?:[?*]|\{0)/.test(whole);
  }
}

function lengthOf(literals: readonly string[] | null): number {
  return literals === null || literals.length === 0 ? 0 : Math.min(...literals.map(({ length }) => length));
}
