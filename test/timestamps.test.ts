import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asMessage, canonicalTs, hasOddThread } from '../src/timestamps.ts';
import { parseTs } from '../src/ts.ts';

const full = fc
  .record({ seconds: fc.integer({ min: 1_000_000_000, max: 2 ** 33 - 1 }), micros: fc.nat(999_999) })
  .map(({ seconds, micros }) => `${seconds}.${String(micros).padStart(6, '0')}`);

/** Ways in which programs write the number that a ts looks like. */
const writings: Record<string, (ts: string) => string | number> = {
  'a number': (ts) => Number(ts),
  'a number that went through JSON': (ts) => JSON.parse(JSON.stringify(Number(ts))),
  'an exponent': (ts) => JSON.parse(`${ts.slice(0, 1)}.${ts.slice(1).replace('.', '')}e9`),
  'an exponent as text': (ts) => `${ts.slice(0, 1)}.${ts.slice(1).replace('.', '')}E+09`,
  'text without its last zeros': (ts) => ts.replace(/\.?0+$/, ''),
  'text with more zeros': (ts) => `${ts}00`,
  'text between spaces': (ts) => ` ${ts}\n`,
  'a number with 17 digits': (ts) => Number(Number(ts).toPrecision(17)),
  'what it is': (ts) => ts,
};

describe('one moment has one key, written as', () => {
  for (const [name, write] of Object.entries(writings)) {
    test(name, () => {
      const property = fc.property(full, (ts) => {
        expect(canonicalTs(write(ts))).toBe(ts);
      });
      fc.assert(property, { numRuns: 2000 });
    });
  }
});

test('Slack’s own form stays byte for byte', () => {
  fc.assert(
    fc.property(full, (ts) => {
      const message = { ts, text: 'x' };
      expect(asMessage(message)).toBe(message);
    }),
  );
  const message = { ts: '1700000001.123450', thread_ts: '1700000001.123450', edited: { ts: '1700000002.000000' } };
  expect(asMessage(message)).toBe(message);
});

test.each([
  1_700_000_001_123,
  1_700_000_001_123_450,
  1700000001.1234567,
  12.5,
  0,
  -1,
  Number.NaN,
  1e30,
  '',
  '.',
  'nan',
  '1700000001.1234567',
  '17000000011.5',
  '1e400',
  '0x65534100',
  '２700000001.0',
  '2023-11-14T22:13:20Z',
  '1,700,000,001.5',
  null,
  true,
  undefined,
])('%j says no ts beyond doubt', (value) => {
  expect(canonicalTs(value)).toBeNull();
});

test('every timestamp of a message is mended, and those it lists', () => {
  expect(
    asMessage({
      ts: 1700000001.00012,
      thread_ts: 1700000001.00012,
      latest_reply: '1700000002.5',
      edited: { user: 'U1', ts: 1700000003 },
      replies: [{ user: 'U1', ts: 1700000002.5 }],
      root: { ts: '1700000001.00012', text: 'x' },
      attachments: [{ ts: 1700000001.5 }],
    }),
  ).toEqual({
    ts: '1700000001.000120',
    thread_ts: '1700000001.000120',
    latest_reply: '1700000002.500000',
    edited: { user: 'U1', ts: '1700000003.000000' },
    replies: [{ user: 'U1', ts: '1700000002.500000' }],
    root: { ts: '1700000001.000120', text: 'x' },
    attachments: [{ ts: 1700000001.5 }],
  });
});

test.each([null, '', 0, false, 1700000001, '1700000001.5'])('a thread_ts of %j is odd in nothing', (thread_ts) => {
  expect(hasOddThread({ ts: parseTs('1700000001.000100'), thread_ts })).toBe(false);
});

test.each(['nan', 7, 1700000001.1234567, [], {}, true])('a thread_ts of %j tells of no thread', (thread_ts) => {
  expect(hasOddThread({ ts: parseTs('1700000001.000100'), thread_ts })).toBe(true);
});
