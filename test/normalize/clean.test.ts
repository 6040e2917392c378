import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { cleanObject } from '../../src/normalize/clean.ts';
import { isCleanedAnew } from '../../src/normalize/export-token.ts';
import { cleanedEarlier, exportToken, textAboutTokens } from '../support/token-texts.ts';
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
      fc.pre(!/xox/i.test(JSON.stringify(message)) && !JSON.stringify(message).includes('\\u0000'));
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

const address = 'https://files.slack.com/files-pri/T1-F1/a.png';

test.each([
  [`${address}?t=TOKEN`, address],
  [`${address}?token=TOKEN`, address],
  [`<${address}?t=TOKEN|a.png> and more`, `<${address}|a.png> and more`],
  [`<${address}?token=TOKEN&amp;t=TOKEN|a.png>`, `<${address}|a.png>`],
  [`${address}?pub=1&t=TOKEN`, `${address}?pub=1`],
  [`${address}?pub=1&amp;token=TOKEN`, `${address}?pub=1`],
  [`${address}?pub=1&#38;token=TOKEN`, `${address}?pub=1`],
  [`(${address}?t=TOKEN), and ${address}?token=TOKEN.`, `(${address}), and ${address}.`],
  [`${address}?t=TOKEN&origin=team`, `${address}?origin=team`],
  [`${address}?token=TOKEN&t=TOKEN&origin=team&token=TOKEN`, `${address}?origin=team`],
  [`${address}?a=1&token=TOKEN&b=2`, `${address}?a=1&b=2`],
  [`${address}?a=1&amp;token=TOKEN&amp;b=2`, `${address}?a=1&amp;b=2`],
  [`${address}?token=TOKEN#page=2`, `${address}#page=2`],
  [`${address}?t=TOKEN#page=2`, `${address}#page=2`],
  [
    `https://proxy.example/?url=${encodeURIComponent(`${address}?t=TOKEN`)}`,
    `https://proxy.example/?url=${encodeURIComponent(address)}`,
  ],
  [
    `https://proxy.example/?url=${encodeURIComponent(`${address}?token=TOKEN&a=1`)}&next=2`,
    `https://proxy.example/?url=${encodeURIComponent(`${address}?a=1`)}&next=2`,
  ],
  [
    `https://proxy.example/?url=${encodeURIComponent(`${address}?a=1&token=TOKEN#x`)}`,
    `https://proxy.example/?url=${encodeURIComponent(`${address}?a=1#x`)}`,
  ],
  [
    encodeURIComponent(encodeURIComponent(`${address}?a=1&token=TOKEN&b=2`)),
    encodeURIComponent(encodeURIComponent(`${address}?a=1&b=2`)),
  ],
  [
    String.raw`{"url":"https:\/\/files.slack.com\/a.png?token=TOKEN","a":1}`,
    String.raw`{"url":"https:\/\/files.slack.com\/a.png","a":1}`,
  ],
  [
    String.raw`https://files.slack.com/a.png?a=1\u0026token=TOKEN\u0026b=2`,
    String.raw`https://files.slack.com/a.png?a=1\u0026b=2`,
  ],
])('the parameter with the token of an export is no part of %s', (given, expected) => {
  for (const token of [exportToken, exportToken.toUpperCase(), exportToken.replaceAll('-', '%2D'), 'xoxe-1234-abc']) {
    const url = given.replaceAll('TOKEN', token);
    const clean = cleanObject<JsonObject>({ files: [{ url_private: url }], text: `text ${url}` });
    expect(clean.value).toEqual({ files: [{ url_private: expected }], text: `text ${expected}` });
    expect(clean.isSanitized).toBe(false);
  }
});

test.each([
  `xoxe%2D1234567%2DSECRET in a log`,
  'XOXE-1234567-SECRET',
  'xoxe-1-SECRETSECRETSECRET',
  'xoxe.xoxp-1-Mi0yLTM0MTQwNDE0MDE3Ni0zNjU5SECRET',
  'https://example.com/#token=xoxe-1234567-SECRET',
  'SLACK_REFRESH="xoxe-1-My0xLTMxNzcwMjQ0MTcxMy01MTU4SECRET"',
])('the token of an export is gone wherever it stands, in names too: %s', (text) => {
  const { value, json } = cleanObject<JsonObject>({ text, [text]: { title: [text] } });
  expect(JSON.stringify(value)).not.toContain('SECRET');
  expect(json.text).not.toContain('SECRET');
});

test.each([
  'https://example.com/?t=xo&part=xoxe and https://example.com/?at=1',
  'refresh tokens begin with xoxe-',
  'refresh tokens begin with xoxe-, access tokens with xoxe.xoxp-1- or xoxe.xoxb-1-…',
  'Slack now writes ?token=xoxe-… beside ?t=xoxe-… on file addresses',
  'grep -r "?t=xoxe-" export/ || grep "[?&]token=xoxe-"',
  'rename xoxe-foo to bar, and xoxe-refresh-token-rotation too',
  'xoxe-1-refresh-token is a placeholder, xoxe-2024-rotation a branch, xoxe-2025-05-13 an export',
  'xoxe-1-…, xoxe-v2, xoxe-……, xoxe%2D and "xoxe-"',
  'https://example.com/?token=abc&t=12s#token=xoxe-',
])('a text without a token stays as it was written: %s', (text) => {
  expect(cleanObject<JsonObject>({ text }).value).toEqual({ text });
});

test('cleaning twice is cleaning once, and no token is left', () => {
  fc.assert(
    fc.property(textAboutTokens, (text) => {
      const once = cleanObject<JsonObject>({ text }).value['text'];
      expect(cleanObject<JsonObject>({ text: String(once) }).value['text']).toBe(once);
      expect(once).not.toMatch(/xoxe-\d{10}-\d{10}/i);
    }),
    { numRuns: 8_000 },
  );
});

test('a text without digits in it holds no token, and only what cannot be stored is replaced', () => {
  fc.assert(
    fc.property(textAboutTokens, (made) => {
      const text = made.replaceAll(/\d/g, '').replaceAll(/[a-z]{6}/gi, '');
      expect(cleanObject<JsonObject>({ text }).value['text']).toBe(cleaned(text));
    }),
    { numRuns: 5_000 },
  );
});

test('what earlier versions have cleaned stays as it is, and is known as no edit', () => {
  fc.assert(
    fc.property(textAboutTokens, (made) => {
      const text = made.replaceAll(/xoxb/gi, '');
      const stored = cleanedEarlier(text);
      expect(cleanObject<JsonObject>({ text: stored }).value['text']).toBe(stored);
    }),
    { numRuns: 5_000 },
  );
  for (const [text, isSame] of [
    ['refresh tokens begin with xoxe-', true],
    ['rename xoxe-foo to bar', true],
    [`<${address}?token=${exportToken}|a.png>`, true],
    [`<${address}?a=1&token=${exportToken}|a.png>`, true],
    [`${exportToken}`, true],
    ['no token', false],
  ] as const) {
    const read = String(cleanObject<JsonObject>({ text }).value['text']);
    expect([text, isCleanedAnew(cleanedEarlier(text), read)]).toEqual([text, isSame]);
    expect([text, isCleanedAnew(cleanedEarlier(text), `${read} edited`)]).toEqual([text, false]);
  }
});

test('takes time in proportion to the text', () => {
  for (const each of [
    'xoxe-',
    'xoxe-1',
    '?t=xoxe-',
    '?t=xoxe-1234567&',
    `?t=${exportToken}`,
    '%3Ft%3Dxoxe-123456',
    '-',
    'xoxe.xoxp-',
    '&t=xoxe-----',
  ]) {
    const long = each.repeat(200_000 / each.length);
    const started = performance.now();
    cleanObject<JsonObject>({ text: long });
    expect(performance.now() - started, each).toBeLessThan(500);
  }
});
