/**
 * What a walk through the pages of one window has proved so far.
 *
 * Slack pages from the oldest side when only `oldest` is given and from the newest side when `latest` is
 * (slack docs do not say so; measured). Neither is assumed here. Pages of one walk follow each other without a gap, so
 * what lies between the smallest and the largest ts seen is complete; only when a second page shows the direction
 * does the side where the walk began count as complete up to the window's bound.
 */
import type { Ts } from '../model.ts';
import { tsToMicros } from '../ts.ts';
import type { Interval, Window } from './interval.ts';

export interface WalkedPage {
  messages: readonly { ts: Ts }[];
  /** No page follows. */
  isLast: boolean;
  /** Slack hides older messages (plan limit). */
  isLimited: boolean;
}

/** Where a page showed that nothing else is there. */
export interface Shown {
  /** Ranges that hold exactly the page's messages, with an older message of the channel beside them. */
  ranges: Interval[];
  /** The old end of a finished window: empty, with nothing older beside it. */
  oldEnd: Interval | null;
}

export class PageWalk {
  readonly #window: Window;
  #seen: Interval | null = null;
  /** What `shown` told of so far. */
  #told: Interval | null = null;
  #direction: 'unknown' | 'forward' | 'backward' = 'unknown';
  #isLimited = false;
  #isStartShown = false;
  #isFinished = false;

  constructor(window: Window) {
    this.#window = window;
  }

  /** Takes the next page; returns whether it got any further than the pages before it. */
  add(page: WalkedPage): boolean {
    this.#isLimited ||= page.isLimited;
    this.#isFinished ||= page.isLast;
    const range = rangeOf(page.messages);
    if (range === null) return false;
    const before = this.#seen;
    this.#extend(range);
    return before === null || range.from < before.from || range.to > before.to;
  }

  /**
   * What the page just added shows to be all there is, each range told once. Other than completeness this reaches to the
   * end of time when an open window is finished: what was there before the walk and is not shown is gone.
   */
  takeShown(): Shown {
    const oldEnd = this.#isFinished ? this.#oldEnd() : null;
    if (this.#seen === null) return { ranges: [], oldEnd };
    const known = { from: this.#seen.from, to: this.#shownTo(this.#seen) };
    const ranges =
      this.#told === null
        ? [known]
        : [
            { from: known.from, to: this.#told.from - 1 },
            { from: this.#told.to + 1, to: known.to },
          ].filter(({ from, to }) => from <= to);
    this.#told = known;
    return { ranges, oldEnd };
  }

  #shownTo(seen: Interval): number {
    const { latest } = this.#window;
    const reachesEnd = this.#isFinished || (this.#direction === 'backward' && latest !== null);
    return reachesEnd ? this.#end() : seen.to;
  }

  #oldEnd(): Interval | null {
    const from = this.#window.oldest + 1;
    const to = this.#seen === null ? this.#end() : this.#seen.from - 1;
    return from <= to ? { from, to } : null;
  }

  #end(): number {
    const { latest, endsNow } = this.#window;
    return latest === null || endsNow ? Number.MAX_SAFE_INTEGER : latest - 1;
  }

  /** Slack says that the plan hides older messages, and none older than the window was shown. */
  get hidesStart(): boolean {
    return this.#isLimited && !this.#isStartShown;
  }

  /** The old end of a finished window, when nothing seen so far tells whether the plan hides something there. */
  get unprovenStart(): Interval | null {
    return this.#isFinished && this.hidesStart ? this.#oldEnd() : null;
  }

  /** Takes notice that Slack shows an older message than the window: nothing in it is hidden. Returns what is complete. */
  confirmStart(): Interval | null {
    this.#isStartShown = true;
    return this.complete;
  }

  /**
   * What is left of the window when the walk must begin anew, none when it is finished. After a single page the direction
   * is unknown, so both sides of it are left.
   */
  get rest(): Window[] {
    if (this.#isFinished) return [];
    const { oldest } = this.#window;
    const seen = this.#seen;
    if (seen === null) return [this.#window];
    const after = { ...this.#window, oldest: seen.to };
    const before = { oldest, latest: seen.from };
    if (this.#direction === 'forward') return [after];
    return this.#direction === 'backward' ? [before] : [after, before];
  }

  #extend(range: Interval): void {
    if (this.#seen === null) {
      this.#seen = range;
      return;
    }
    if (range.from > this.#seen.to) this.#direction = 'forward';
    else if (range.to < this.#seen.from) this.#direction = 'backward';
    this.#seen = { from: Math.min(range.from, this.#seen.from), to: Math.max(range.to, this.#seen.to) };
  }

  /** What is complete so far; null when nothing is known yet. */
  get complete(): Interval | null {
    const { oldest } = this.#window;
    const latest = this.#window.endsNow ? null : this.#window.latest;
    const seen = this.#seen;
    if (seen === null) {
      if (!this.#isFinished || this.hidesStart) return null;
      // Nothing is there. Up to "now" no clock of ours can tell where now is, so only the start is vouched for.
      return { from: oldest + 1, to: latest === null ? oldest + 1 : latest - 1 };
    }
    const reachesStart = (this.#isFinished || this.#direction === 'forward') && !this.hidesStart;
    const reachesEnd = latest !== null && (this.#isFinished || this.#direction === 'backward');
    return {
      from: reachesStart ? oldest + 1 : seen.from,
      to: reachesEnd ? latest - 1 : seen.to,
    };
  }
}

function rangeOf(messages: readonly { ts: Ts }[]): Interval | null {
  let range: Interval | null = null;
  for (const { ts } of messages) {
    const at = tsToMicros(ts);
    range = range === null ? { from: at, to: at } : { from: Math.min(range.from, at), to: Math.max(range.to, at) };
  }
  return range;
}
