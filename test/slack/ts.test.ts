import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareTs,
  isoToTs,
  isTs,
  microsToTs,
  millisToIso,
  millisToTs,
  parseTs,
  parseTsArgument,
  tsToIso,
  tsToMicros,
} from '../../src/ts.ts';

const latestMicros = Number.MAX_SAFE_INTEGER;

describe('parseTs', () => {
  test.each(['1700000001.123450', '1355517523.000000', '0000000000.000001', '1.5', '1700000001.1'])(
    'keeps %s byte for byte',
    (text) => {
      expect(parseTs(text)).toBe(text);
    },
  );

  test.each(['', '1700000001', '1700000001.', '.5', '1700000001.1234567', '17000000011.000000', '-1.000000', '1e9.0'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseTs(text)).toThrow(RangeError);
    },
  );

  test.each([' 1700000001.123450', '1700000001.123450\n', '１700000001.123450', '9999999999.000000'])(
    'refuses %j',
    (text) => {
      expect(isTs(text)).toBe(false);
    },
  );

  test('refuses what is no text', () => {
    expect([1700000001.12345, null, undefined, {}].some(isTs)).toBe(false);
  });
});

describe('parseTsArgument', () => {
  test('reads the last part of a permalink', () => {
    expect(parseTsArgument('p1503435956000247')).toBe('1503435956.000247');
  });

  test('reads a plain ts', () => {
    expect(parseTsArgument('1503435956.000247')).toBe('1503435956.000247');
  });

  test.each(['1503435956000247', 'p150343595600024', 'p15034359560002470'])('refuses %s', (text) => {
    expect(() => parseTsArgument(text)).toThrow(RangeError);
  });
});

describe('conversions', () => {
  test('a short fraction means tenths, not microseconds', () => {
    expect(tsToMicros(parseTs('1700000001.5'))).toBe(1_700_000_001_500_000);
  });

  test('ts to ISO cuts to milliseconds and never rounds into the next second', () => {
    expect(tsToIso(parseTs('1699999999.999999'))).toBe('2023-11-14T22:13:19.999Z');
  });

  test('ISO and milliseconds become a full ts', () => {
    expect(isoToTs(millisToIso(1_700_000_000_123))).toBe('1700000000.123000');
    expect(millisToTs(0)).toBe('0000000000.000000');
  });

  test.each([-1, 0.5, Number.NaN, latestMicros + 1])('microsToTs refuses %d', (micros) => {
    expect(() => microsToTs(micros)).toThrow(RangeError);
  });

  test('millisToIso refuses years that do not sort as text', () => {
    expect(() => millisToIso(8_640_000_000_000_000)).toThrow(RangeError);
  });

  test('microseconds survive the way there and back', () => {
    const micros = fc.integer({ min: 0, max: latestMicros });
    fc.assert(fc.property(micros, (n) => tsToMicros(microsToTs(n)) === n));
  });
});

describe('compareTs', () => {
  test('orders like the microseconds, whatever the length of the text', () => {
    const ts = fc
      .tuple(fc.nat(2_000_000_000), fc.stringMatching(/^\d{1,6}$/))
      .map(([seconds, fraction]) => parseTs(`${seconds}.${fraction}`));
    fc.assert(
      fc.property(ts, ts, (a, b) => {
        expect(Math.sign(compareTs(a, b))).toBe(Math.sign(tsToMicros(a) - tsToMicros(b)));
      }),
    );
  });

  test('tells neighbours in the last digit apart', () => {
    expect(compareTs(parseTs('1700000001.123450'), parseTs('1700000001.123451'))).toBeLessThan(0);
  });
});
