import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunkLength, chunksOf } from '../../../src/digest/llm/chunks.ts';

it('cuts at spaces and marks what goes on', () => {
  expect(chunksOf('alpha beta gamma delta epsilon zeta eta theta', 20)).toEqual([
    'alpha beta gamma …',
    'delta epsilon zeta …',
    'eta theta',
  ]);
});

it('leaves a text that fits alone, and makes nothing of nothing', () => {
  expect(chunksOf('as it is', 8)).toEqual(['as it is']);
  expect(chunksOf(' \n ', 8)).toEqual([]);
});

it('cuts words without spaces, but never a surrogate pair', () => {
  expect(chunksOf('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  expect(chunksOf('😀😀😀', 3)).toEqual(['😀', '😀', '😀']);
});

it('keeps every character but white space, in pieces of the length or less', () => {
  const words = fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.constantFrom(' ', '\n', '\t  ')));
  fc.assert(
    fc.property(words, fc.integer({ min: 2, max: 40 }), (parts, length) => {
      const text = parts.join('').toWellFormed();
      const chunks = chunksOf(text, length);
      const bare = (some: string) => some.replace(/\s|…/g, '');
      expect(bare(chunks.join(''))).toBe(bare(text));
      for (const chunk of chunks) {
        expect(chunk.length).toBeLessThanOrEqual(length);
        expect(chunk.isWellFormed()).toBe(true);
        expect(chunk.trim()).not.toBe('');
      }
    }),
  );
});

it('has a length that suits the model, unless it is configured', () => {
  const none = { tokens: null, charsPerToken: null };
  expect(chunkLength('gpt-5-nano', none)).toBe(10_500);
  expect(chunkLength('gpt-4o-mini', none)).toBe(24_000);
  expect(chunkLength('another', none)).toBe(12_000);
  expect(chunkLength('constructor', none)).toBe(12_000);
  expect(chunkLength('gpt-5-nano', { tokens: 100, charsPerToken: null })).toBe(300);
  expect(chunkLength('gpt-5-nano', { tokens: null, charsPerToken: 2.5 })).toBe(8750);
});
