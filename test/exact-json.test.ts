import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactly } from '../src/exact-json.ts';

test('reads every JSON text as JSON.parse does, as long as no number in it is rounded', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.integer({ min: 0, max: 3 }), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), withoutUnsafe, indent);
      expect(parseExactly(spaced)).toEqual(JSON.parse(spaced));
    }),
  );
});

function withoutUnsafe(_key: string, value: unknown): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? 0.5 : value;
}

test('keeps whole numbers beyond 2^53 as text, wherever they stand', () => {
  const unsafe = fc.bigInt({ min: 10n ** 16n, max: 10n ** 30n }).chain((n) => fc.constantFrom(n, -n));
  const texts = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), unsafe.map(String)), { maxLength: 5 });
  fc.assert(
    fc.property(unsafe, texts, fc.constantFrom('', ' ', '\n\t'), (n, words, space) => {
      const quoted = JSON.stringify(words);
      const text = `{"a":${space}${n},"b":[${space}${n},1],${quoted.slice(1, -1) === '' ? '' : `"c":${quoted},`}"d":1}`;
      const c = words.length === 0 ? {} : { c: words };
      expect(parseExactly(text)).toEqual({ a: String(n), b: [String(n), 1], ...c, d: 1 });
    }),
  );
});

test.each([
  '',
  '{"a":1234567890123456789',
  '{"a":01234567890123456789}',
  '[1234567890123456789 1]',
  '{"a":"1234567890123456',
])('refuses %s, which is no JSON', (text) => {
  expect(() => parseExactly(text)).toThrow(SyntaxError);
});

test('takes a text of millions of escapes beside such a number', () => {
  const text = '"\n\\'.repeat(3_000_000);
  expect(parseExactly(`{"text":${JSON.stringify(text)},"id":12345678901234567890}`)).toEqual({
    text,
    id: '12345678901234567890',
  });
});
