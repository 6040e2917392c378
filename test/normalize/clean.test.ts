import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { cleanObject } from '../../src/normalize/clean.ts';
import { cleaned } from '../support/world-rows.ts';

/** Any string of 16-bit units, lone surrogates and U+0000 among them; ordinary text most of the time. */
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.constantFrom('a', '\u0000', '\ud83d', '\ude00', '\\', 'u0000', '"', '\n', '😀'))
    .map((parts) => parts.join('')),
);
const anyObject = fc
  .dictionary(anyText, fc.jsonValue({ stringUnit: 'binary' }), { maxKeys: 5 })
  .map((object) => JSON.parse(JSON.stringify(object)) as JsonObject);
const anyMessage = fc
  .tuple(anyObject, fc.dictionary(anyText, anyText, { maxKeys: 4 }))
  .map(([a, b]): JsonObject => ({ ...a, ...b, deep: [{ ...b }] }));

test('ordinary text stays byte for byte, and the very object is given back', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })), (message) => {
      fc.pre(!JSON.stringify(message).includes('t=xox') && !JSON.stringify(message).includes('\\u0000'));
      const clean = cleanObject<JsonObject>(message);
      expect(clean.value).toBe(message);
      expect(clean.isSanitized).toBe(false);
      expect(clean.json.text).toBe(JSON.stringify(message));
    }),
  );
});

test('what cannot be stored is replaced in values and keys alike, and nothing else changes', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const clean = cleanObject(message);
      expect(clean.value).toEqual(cleaned(message));
      expect(JSON.parse(clean.json.text)).toEqual(JSON.parse(JSON.stringify(clean.value)));
      expect(clean.json.text.isWellFormed()).toBe(true);
      expect(clean.isSanitized).toBe(JSON.stringify(cleaned(message)) !== JSON.stringify(message));
      // Cleaning what is clean finds nothing.
      expect(cleanObject(clean.value)).toMatchObject({ value: clean.value, isSanitized: false });
    }),
  );
});

test.each(['\\u0000', 'see \\ud83d in the log', 'C:\\\\u0000', '"\\u0000"'])(
  '%s spelled out is text like any other',
  (text) => {
    const clean = cleanObject<JsonObject>({ text });
    expect(clean).toMatchObject({ value: { text }, isSanitized: false });
  },
);

test.each([
  ['https://files.slack.com/files-pri/T1-F1/a.png?t=xoxe-1234-abc', 'https://files.slack.com/files-pri/T1-F1/a.png'],
  ['<https://files.slack.com/a.png?t=xoxe-1234-abc|a.png> and more', '<https://files.slack.com/a.png|a.png> and more'],
  ['https://files.slack.com/a.png?pub=1&t=xoxe-1234-abc', 'https://files.slack.com/a.png?pub=1'],
  ['https://files.slack.com/a.png?pub=1&amp;t=xoxe-1234-abc', 'https://files.slack.com/a.png?pub=1'],
  ['(https://files.slack.com/a.png?t=xoxe-1234-abc)', '(https://files.slack.com/a.png)'],
  ['https://files.slack.com/a.png?t=xoxe-1234-abc&origin=team', 'https://files.slack.com/a.png?origin=team'],
])('the token of an export is no part of %s', (url, expected) => {
  const clean = cleanObject<JsonObject>({ files: [{ url_private: url }], text: `text ${url}` });
  expect(clean.value).toEqual({ files: [{ url_private: expected }], text: `text ${expected}` });
  expect(clean.isSanitized).toBe(false);
});

test.each([
  'https://proxy.example.com/?url=https%3A%2F%2Ffiles.slack.com%2Fa.png%3Ft%3Dxoxe-1234-SECRET',
  'xoxe%2D1234%2DSECRET in a log',
  'XOXE-1234-SECRET',
  'xoxe.xoxp-1-SECRET',
])('the token of an export is gone wherever it stands, in names too: %s', (text) => {
  const { value, json } = cleanObject<JsonObject>({ text, [text]: { title: [text] } });
  expect(JSON.stringify(value)).not.toContain('SECRET');
  expect(json.text).not.toContain('SECRET');
});

test('a link that only looks like one with a token stays', () => {
  const text = 'https://example.com/?t=xo&part=xoxe and https://example.com/?at=1';
  expect(cleanObject<JsonObject>({ text }).value).toEqual({ text });
});
