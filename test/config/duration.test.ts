import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/duration.ts';
import { UsageError } from '../../src/errors.ts';

describe('parseDuration', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['36h', 129_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['0', 0],
    [' 5m ', 300_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text, '--lookback')).toBe(ms);
  });

  it.each(['', '7', 'd', '-1d', '1.5h', '7 d', '1h30m', '7D', '7w', '99999999999d', '١d'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text, '--lookback')).toThrow(UsageError);
  });

  it('names the flag, the value and the accepted forms', () => {
    expect(() => parseDuration('soon', '--lookback')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/--lookback.*soon/),
        hint: expect.stringContaining('90s, 15m, 36h or 7d'),
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [350, '350 ms'],
    [42_000, '42 s'],
    [125_000, '2 min 5 s'],
    [120_000, '2 min'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [97_200_000, '1 d 3 h'],
    [59_999, '1 min'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('writes every duration with one or two units', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (ms) => {
        expect(formatDuration(ms)).toMatch(/^\d+ (ms|s|min|h|d)( \d+ (s|min|h))?$/);
      }),
    );
  });
});
