import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addInterval, holesAfter, type Interval, subtractInterval } from '../../src/sync/interval.ts';

/** Small numbers, so that intervals meet, touch and overlap. */
const size = 40;
const interval = fc
  .tuple(fc.integer({ min: 0, max: size }), fc.integer({ min: 0, max: size }))
  .map(([a, b]): Interval => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const intervals = fc.array(interval, { maxLength: 8 });

function pointsOf(list: readonly Interval[]): Set<number> {
  return new Set(list.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => from + n)));
}

const joined = (list: readonly Interval[]) => list.reduce<Interval[]>(addInterval, []);

test('joined intervals hold exactly the points of all, in order, apart from each other, however they came', () => {
  fc.assert(
    fc.property(intervals, (list) => {
      const result = joined(list);
      expect(pointsOf(result)).toEqual(pointsOf(list));
      // The next one begins at least two later: touching ones are one.
      for (const [n, { from }] of result.entries()) {
        const before = result[n - 1];
        if (before !== undefined) expect(from).toBeGreaterThan(before.to + 1);
      }
      expect(joined([...list].reverse())).toEqual(result);
      for (const known of list) expect(addInterval(result, known)).toEqual(result);
    }),
  );
});

test('holes are exactly the points that are wanted and missing before the last interval, the latest first', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: size }), intervals, (from, list) => {
      const known = joined(list);
      const end = known.at(-1)?.to ?? -1;
      const points = pointsOf(known);
      const missing = Array.from({ length: size + 1 }, (_, n) => n).filter(
        (n) => n >= from && n < end && !points.has(n),
      );
      const holes = holesAfter(from, known);
      // Bounds are exclusive, as Slack's are.
      const inHoles = holes.map(({ oldest, latest }) => ({ from: oldest + 1, to: latest - 1 }));
      expect([...pointsOf(inHoles)].sort((a, b) => a - b)).toEqual(missing);
      expect(inHoles.every((hole) => hole.from <= hole.to)).toBe(true);
      expect(inHoles.map((hole) => hole.from)).toEqual(inHoles.map((hole) => hole.from).sort((a, b) => b - a));
      // Filled, nothing is left to read.
      expect(holesAfter(from, inHoles.reduce<Interval[]>(addInterval, known))).toEqual([]);
    }),
  );
});

test('taking an interval away leaves exactly the points outside it, and adding it again fills the hole', () => {
  fc.assert(
    fc.property(intervals, interval, (list, removed) => {
      const known = joined(list);
      const left = subtractInterval(known, removed);
      const gone = pointsOf([removed]);
      expect(pointsOf(left)).toEqual(new Set([...pointsOf(known)].filter((point) => !gone.has(point))));
      expect(addInterval(left, removed)).toEqual(addInterval(known, removed));
    }),
  );
});
