import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addInterval, holesAfter, type Interval, type Window } from '../../src/sync/interval.ts';
import { PageWalk } from '../../src/sync/page-walk.ts';
import { microsToTs } from '../../src/ts.ts';

/** A moment late enough that all ts have their full length; the numbers below are microseconds after it. */
const base = 1_700_000_000_000_000;
const range = 60;

interface Listing {
  window: Window;
  /** What the channel holds, ascending; within the window and outside of it. */
  all: number[];
  /** Below it Slack shows nothing. */
  floor: number;
  /** Messages of each page in turn; the last one is used for the rest. */
  sizes: number[];
  direction: 'forward' | 'backward';
}

const listing = fc
  .record({
    oldest: fc.integer({ min: 0, max: range }),
    length: fc.integer({ min: 1, max: range }),
    isOpen: fc.boolean(),
    all: fc.uniqueArray(fc.integer({ min: 1, max: 2 * range }), { maxLength: 30 }),
    floor: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * range }) },
    ),
    sizes: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 }),
    direction: fc.constantFrom('forward' as const, 'backward' as const),
  })
  .map(
    ({ oldest, length, isOpen, all, ...rest }): Listing => ({
      ...rest,
      // A window without `latest` ends where Slack ends, now: nothing lies behind it.
      window: { oldest: base + oldest, latest: isOpen ? null : base + oldest + length + 1 },
      all: all.map((micros) => base + micros).sort((a, b) => a - b),
      floor: base + rest.floor,
    }),
  );

function isIn({ oldest, latest }: Window, at: number): boolean {
  return at > oldest && (latest === null || at < latest);
}

/** The pages Slack would serve, newest message first within each. Empty pages occur; the last may be one. */
function pagesOf({ window, all, floor, sizes, direction }: Listing): number[][] {
  const visible = all.filter((at) => at >= floor && isIn(window, at));
  if (direction === 'backward') visible.reverse();
  const pages: number[][] = [];
  let done = 0;
  for (let page = 0; page === 0 || done < visible.length; page += 1) {
    // After the sizes given, pages that get on.
    const size = sizes[page] ?? Math.max(1, sizes.at(-1) ?? 1);
    pages.push(visible.slice(done, done + size).sort((a, b) => b - a));
    done += size;
  }
  return pages;
}

function walkedPages(from: Listing) {
  const isLimited = from.all.some((at) => at < from.floor);
  return pagesOf(from).map((page, n, { length }) => ({
    page,
    walked: { messages: page.map((at) => ({ ts: microsToTs(at) })), isLast: n === length - 1, isLimited },
  }));
}

describe('a walk', () => {
  test('never vouches for a ts it has not read, wherever it is killed, and never for more than its window', () => {
    fc.assert(
      fc.property(listing, (from) => {
        const walk = new PageWalk(from.window);
        const read = new Set<number>();
        for (const { page, walked } of walkedPages(from)) {
          for (const at of page) read.add(at);
          walk.add(walked);
          const { complete } = walk;
          if (complete === null) continue;
          const unread = from.all.filter((at) => at >= complete.from && at <= complete.to && !read.has(at));
          expect(unread).toEqual([]);
          expect(complete.from).toBeLessThanOrEqual(complete.to);
          expect(complete.from).toBeGreaterThan(from.window.oldest);
          if (from.window.latest !== null) expect(complete.to).toBeLessThan(from.window.latest);
        }
      }),
      {
        numRuns: 2000,
        // All there is lies at the start of an open window, and the plan hides it.
        examples: [
          [
            {
              window: { oldest: base, latest: null },
              all: [base + 1],
              floor: base + 2,
              sizes: [1],
              direction: 'forward',
            },
          ],
        ],
      },
    );
  });

  test('vouches for the whole window once it is finished, unless Slack hides part of it', () => {
    fc.assert(
      fc.property(listing, (from) => {
        const whole = { ...from, floor: 0 };
        const walk = new PageWalk(whole.window);
        const results = walkedPages(whole).map(({ walked }) => {
          walk.add(walked);
          return walk.complete;
        });
        const last = results.at(-1);
        const { oldest, latest } = whole.window;
        const newest = whole.all.filter((at) => isIn(whole.window, at)).at(-1);
        expect(last).toEqual({ from: oldest + 1, to: latest === null ? (newest ?? oldest + 1) : latest - 1 });
        expect(walk.rest).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('that begins anew with what is left reads everything, however often it is broken off', () => {
    fc.assert(
      fc.property(listing, fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 6 }), (from, breaks) => {
        const whole = { ...from, floor: 0 };
        const read = new Set<number>();
        let covered: Interval[] = [];
        const allowed = [...breaks];

        function readWindow(window: Window): void {
          const left = [window];
          for (let next = left.shift(); next !== undefined; next = left.shift()) {
            const walk = new PageWalk(next);
            const pages = walkedPages({ ...whole, window: next }).slice(0, allowed.shift() ?? Infinity);
            for (const { page, walked } of pages) {
              for (const at of page) read.add(at);
              walk.add(walked);
              const { complete } = walk;
              if (complete !== null) covered = addInterval(covered, complete);
            }
            left.unshift(...walk.rest);
          }
        }

        readWindow(whole.window);
        expect(holesAfter(whole.window.oldest + 1, covered)).toEqual([]);
        expect([...read].sort()).toEqual(whole.all.filter((at) => isIn(whole.window, at)));
      }),
      { numRuns: 500 },
    );
  });
});
