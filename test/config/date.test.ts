import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate } from '../../src/config/date.ts';
import { UsageError } from '../../src/errors.ts';

describe('parseDate', () => {
  it.each([
    ['2025-01-15', '2025-01-15T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2025-01-15T08:30Z', '2025-01-15T08:30:00.000Z'],
    ['2025-01-15T08:30:05+02:00', '2025-01-15T06:30:05.000Z'],
    ['2025-01-15T08:30:05-0730', '2025-01-15T16:00:05.000Z'],
    ['2025-01-15T08:30:05.1234567Z', '2025-01-15T08:30:05.123Z'],
    ['2025-01-15t08:30:05z', '2025-01-15T08:30:05.000Z'],
  ])('reads %s', (text, iso) => {
    expect(new Date(parseDate(text, '--from')).toISOString()).toBe(iso);
  });

  it.each([
    ['2025-02-30', 'does not exist'],
    ['2025-13-01', 'does not exist'],
    ['2025-00-10', 'does not exist'],
    ['2025-02-29', 'does not exist'],
    ['2025-01-15T24:00Z', 'does not exist'],
    ['2025-01-15T08:60Z', 'does not exist'],
    ['2025/01/15', 'is not a date'],
    ['15.01.2025', 'is not a date'],
    ['2025-1-5', 'is not a date'],
    ['yesterday', 'is not a date'],
    ['', 'is not a date'],
    ['1736899200', 'is not a date'],
    ['2025-01-15T08:30:00', 'no offset'],
    ['2025-01-15T08:30+25:00', 'impossible offset'],
    ['1969-12-31', 'before 1970'],
    ['0050-01-01', 'does not exist'],
  ])('refuses %s: %s', (text, reason) => {
    expect(() => parseDate(text, '--from')).toThrow(UsageError);
    expect(() => parseDate(text, '--from')).toThrow(new RegExp(`^--from: .*${reason}`));
  });

  it('refuses the future only when asked to', () => {
    const now = Date.UTC(2025, 0, 15);
    expect(parseDate('2025-01-15', '--backfill-from', { notAfter: now })).toBe(now);
    expect(() => parseDate('2025-01-16', '--backfill-from', { notAfter: now })).toThrow('is in the future');
    expect(parseDate('2025-01-16', '--to')).toBeGreaterThan(now);
  });

  it('reads back every time that toISOString writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
        (date) => {
          expect(parseDate(date.toISOString(), '--from')).toBe(date.getTime());
        },
      ),
    );
  });
});
