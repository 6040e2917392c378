import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { cellsIn, wrap } from '../../src/output/cells.ts';
import { nastyText } from './random-digest.ts';

it('breaks lines between words, by cells and not by characters', () => {
  expect(wrap('the quick brown fox', 10)).toEqual(['the quick', 'brown fox']);
  expect(wrap('日本語 日本語', 8)).toEqual(['日本語', '日本語']);
});

it('breaks words that fit no line, so that text without spaces fills its lines', () => {
  expect(wrap('あいうえおかきくけこ', 8)).toEqual(['あいうえ', 'おかきく', 'けこ']);
});

it('leaves an address whole, on a line of its own', () => {
  expect(wrap('see https://example.com/a/long/path now', 12)).toEqual([
    'see',
    'https://example.com/a/long/path',
    'now',
  ]);
});

it('loses no character and makes no line too wide', () => {
  fc.assert(
    fc.property(nastyText, fc.integer({ min: 2, max: 120 }), (text, cells) => {
      const lines = wrap(text, cells);
      expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      for (const line of lines) if (!/^https?:/i.test(line)) expect(cellsIn(line)).toBeLessThanOrEqual(cells);
    }),
  );
});
