/** Lists of JSON as disks and people leave them: what can be read of them, and where the rest stood. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactly } from '../../src/exact-json.ts';
import { type Element, type ListEnd, parseChunks, parseList } from '../../src/export/json-elements.ts';
import type { JsonValue } from '../../src/model.ts';

const elements: fc.Arbitrary<JsonValue[]> = fc.array(
  fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>),
  { maxLength: 8 },
);

/** As Slack writes lists: indented by four spaces. */
function written(values: readonly JsonValue[]): string {
  return JSON.stringify(values, null, 4);
}

function valuesOf(found: readonly Element[]): JsonValue[] {
  return found.flatMap((element) => ('value' in element ? [element.value] : []));
}

async function inPieces(text: string, sizes: readonly number[]): Promise<{ found: Element[]; end: ListEnd }> {
  const bytes = Buffer.from(text);
  const end: ListEnd = { problem: null };
  const found: Element[] = [];
  async function* pieces() {
    for (let at = 0, n = 0; at < bytes.length; n += 1) {
      const size = sizes[n % sizes.length] ?? 1;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }
  for await (const portion of parseChunks(pieces(), end)) found.push(...portion);
  return { found, end };
}

describe('the elements of a list', () => {
  it('are the same whether the list is in memory or comes in pieces', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(elements, sizes, fc.boolean(), async (values, cuts, isIndented) => {
        const text = isIndented ? written(values) : JSON.stringify(values);
        const wellFormed = text.toWellFormed();
        const { found, end } = await inPieces(wellFormed, cuts);
        expect([valuesOf(found), end.problem]).toEqual([parseExactly(wellFormed), null]);
      }),
    );
  });

  it('that stand before a cut are all found, wherever it is', () => {
    fc.assert(
      fc.property(elements, fc.nat(), (made, at) => {
        const text = written(made);
        // Whole numbers beyond 2^53 are kept as text.
        const values = parseExactly(text) as JsonValue[];
        const cut = text.slice(0, at % text.length);
        const { elements: found, end } = parseList(cut);
        expect(values.slice(0, valuesOf(found).length)).toEqual(valuesOf(found));
        expect(end.problem).not.toBeNull();
        const whole = made.filter((_, n) => written(made.slice(0, n + 1)).length - 2 <= cut.length);
        expect(valuesOf(found).length).toBeGreaterThanOrEqual(whole.length);
      }),
    );
  });

  it('cost only themselves when a quote or a bracket in one of them is broken', () => {
    const values = [{ ts: '1' }, { ts: '2' }, { ts: '3' }];
    for (const [good, bad] of [
      ['"2"', '"2'],
      ['"2"', '["2"'],
      ['"2"', 'tru'],
      ['"ts": "2"', '"ts" "2"'],
    ] as const) {
      const { elements: found } = parseList(written(values).replace(good, bad));
      expect(valuesOf(found)).toEqual([{ ts: '1' }, { ts: '3' }]);
      expect(found.filter((element) => 'reason' in element)).toMatchObject([{ position: 1 }]);
    }
  });

  it.each([
    ['an open text and a million blanks', `[{"text":"${' '.repeat(1_000_000)}x`],
    ['elements with an open bracket', `[${'\n    {"x":[ }'.repeat(50_000)}`],
    ['nothing but broken elements', `[${'{a},'.repeat(100_000)}]`],
    ['nothing but commas', `[${','.repeat(1_000_000)}`],
    ['nothing but brackets', '['.repeat(1_000_000)],
  ])('are looked for once, not once for each that is broken: %s', (_, text) => {
    // A way that grows with the square of the length takes minutes here.
    expect(valuesOf(parseList(text).elements)).toEqual([]);
  });

  it('of something that is no list are none, and it is said what it is', () => {
    const problems = ['', '  ', 'null', '{}', '"text"', '12', 'no JSON'].map((text) => parseList(text).end.problem);
    expect(problems).toEqual([
      'is empty',
      'is empty',
      'holds null where a list belongs',
      'holds an object where a list belongs',
      'holds a string where a list belongs',
      'holds a number where a list belongs',
      'does not begin as a list does',
    ]);
  });

  it('are told to hold replaced bytes, also where the file comes in pieces', async () => {
    const end: ListEnd = { problem: null };
    async function* pieces() {
      yield Buffer.concat([Buffer.from('[{"text":"caf'), Buffer.from([0xe9]), Buffer.from('"}]')]);
    }
    for await (const _ of parseChunks(pieces(), end));
    expect(end.problem).toContain('no UTF-8');
    const genuine = await inPieces('[{"text":"\ufffd"}]', [100]);
    expect(genuine.end.problem).toBeNull();
  });
});
