/**
 * How many objects to ask for in a page. Large pages are the cheapest, but where messages hold much, Slack may fail at a page
 * of 999 that it serves in parts (reported for channels with large blocks): every retry of the same size would fail too.
 */
import { restrictedPage } from './methods.ts';

/** One failure may be anything; the second one of the same page may be its size. */
const failuresToShrink = 2;
/** Slack serves pages of this size to the most restricted apps. */
const smallest = restrictedPage;
/** So many small pages that came at once, before a larger one is tried again. */
const pagesToGrow = 4;

/** A page of half the size may still be too large, and only few tries are left: from then on it shrinks faster. */
const firstShare = 2;
const furtherShare = 4;

/** The limit of one listing's pages: it shrinks while Slack fails at them, and doubles again when it does not. */
export class PageLimit {
  readonly #full: number;
  #limit: number;
  #failures = 0;
  #served = 0;
  /** What the page that came at last was asked for with. */
  lastServed: number | null = null;

  constructor(full: number) {
    this.#full = full;
    this.#limit = full;
  }

  get current(): number {
    return this.#limit;
  }

  get isFull(): boolean {
    return this.#limit === this.#full;
  }

  /** Slack failed at a page: the next try may ask for a smaller one. */
  failed(): void {
    this.#failures += 1;
    this.#served = 0;
    if (this.isFull && this.#failures < failuresToShrink) return;
    const share = this.isFull ? firstShare : furtherShare;
    this.#limit = Math.min(this.#limit, Math.max(smallest, Math.floor(this.#limit / share)));
  }

  served(): void {
    this.lastServed = this.#limit;
    this.#failures = 0;
    this.#served += 1;
    if (this.isFull || this.#served < pagesToGrow) return;
    this.#limit = Math.min(this.#full, this.#limit * 2);
    this.#served = 0;
  }
}

/** The limits of all listings of a run, by what is listed. */
export class PageLimits {
  readonly #limits = new Map<string, PageLimit>();

  /** `full` is asked for while Slack serves it; questions for one message are none of the listing's pages. */
  of(listing: string, full: number): PageLimit {
    const key = `${listing} ${full}`;
    const known = this.#limits.get(key) ?? new PageLimit(full);
    this.#limits.set(key, known);
    return known;
  }
}
