import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetDay, isScarce, lacking, leastScore, mostTokens } from '../../../src/digest/llm/budget.ts';
import { costOf, nanosOf, priceOf, usdOf } from '../../../src/digest/llm/prices.ts';
import { UsageError } from '../../../src/errors.ts';

describe('prices', () => {
  it('are known for some models, and the configured ones win', () => {
    expect(priceOf('gpt-4o-mini', {})).toEqual({ input: 0.15, output: 0.6 });
    expect(priceOf('gpt-4o-mini', { 'gpt-4o-mini': { input: 1, output: 2 } })).toEqual({ input: 1, output: 2 });
    expect(priceOf('local', { local: { input: 0, output: 0 } })).toEqual({ input: 0, output: 0 });
  });

  it.each(['llama-3', 'constructor', '__proto__', 'gpt-4o-2024-05-13'])('of %s are asked for', (model) => {
    expect(() => priceOf(model, {})).toThrow(UsageError);
  });

  it('make exact amounts', () => {
    expect(costOf({ input: 1234, output: 321 }, { input: 0.05, output: 0.4 })).toBe(190_100);
    expect(costOf({ input: 3, output: 0 }, { input: 0.07, output: 0 })).toBe(210);
    expect(costOf({ input: 1, output: 0 }, { input: 0.0375, output: 0 })).toBe(38);
    expect(costOf({ input: 1_000_000, output: 1_000_000 }, { input: 2.5, output: 10 })).toBe(12.5e9);
  });

  it('add up as stored, however many there are and in any order', () => {
    const tokens = fc.record({ input: fc.nat(200_000), output: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 3000 }), (calls) => {
        const nanos = calls.map((call) => costOf(call, { input: 0.15, output: 0.6 }));
        const stored = nanos.map(usdOf);
        const sum = nanos.reduce((a, b) => a + b, 0);
        expect(nanosOf(stored.reduce((a, b) => a + b, 0))).toBe(sum);
        expect(nanosOf(stored.toReversed().reduce((a, b) => a + b, 0))).toBe(sum);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a budget', () => {
  const price = { input: 1, output: 1 };

  it('is for a UTC day', () => {
    expect(budgetDay(Date.parse('2026-11-20T23:59:59.999Z'))).toEqual({
      from: '2026-11-20T00:00:00.000Z',
      to: '2026-11-21T00:00:00.000Z',
    });
  });

  it('covers a call that takes exactly what is left, and none beyond', () => {
    const budget = { usd: 1, tokens: null };
    expect(lacking(budget, { usd: 0.9, tokens: 0 }, { input: 60_000, output: 40_000 }, price)).toBeNull();
    expect(lacking(budget, { usd: 0.9, tokens: 0 }, { input: 60_000, output: 40_001 }, price)).toBe('usd');
  });

  it('may be of tokens', () => {
    const budget = { usd: 1, tokens: 1000 };
    expect(lacking(budget, { usd: 0, tokens: 800 }, { input: 100, output: 100 }, price)).toBeNull();
    expect(lacking(budget, { usd: 0, tokens: 800 }, { input: 100, output: 101 }, price)).toBe('tokens');
  });

  it('of nothing covers what costs nothing', () => {
    expect(
      lacking({ usd: 0, tokens: null }, { usd: 0, tokens: 0 }, { input: 9, output: 9 }, { input: 0, output: 0 }),
    ).toBeNull();
    expect(lacking({ usd: 0, tokens: null }, { usd: 0, tokens: 0 }, { input: 9, output: 9 }, price)).toBe('usd');
  });

  it('is scarce when less than a fifth of it is left', () => {
    expect(isScarce({ usd: 10, tokens: null }, { usd: 8, tokens: 0 })).toBe(false);
    expect(isScarce({ usd: 10, tokens: null }, { usd: 8.01, tokens: 0 })).toBe(true);
    expect(isScarce({ usd: 10, tokens: 100 }, { usd: 0, tokens: 80 })).toBe(false);
    expect(isScarce({ usd: 10, tokens: 100 }, { usd: 0, tokens: 81 })).toBe(true);
  });

  it('that is scarce is for the best tenth, where there are ten or more', () => {
    const scores = Array.from({ length: 20 }, (_, n) => n + 1);
    expect(leastScore(scores)).toBe(18);
    expect(leastScore(scores.slice(0, 10))).toBe(9);
    expect(leastScore(scores.slice(0, 9))).toBeNull();
  });
});

it('counts no fewer tokens than a text has bytes', () => {
  expect(mostTokens('abc', 'é😀')).toBe(9);
});
