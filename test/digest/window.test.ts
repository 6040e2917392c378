import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowOf } from '../../src/digest/window.ts';
import type { IsoTime } from '../../src/model.ts';
import { isZone, localTime, momentOf, offsetMinutes, startOf, startOfDay } from '../../src/time-zone.ts';

const hour = 3_600_000;
const now = Date.parse('2026-03-11T12:00:00Z');
const settings = { now, zone: 'UTC', upcomingMs: 0 };
const iso = (text: string) => text as IsoTime;

describe('the window', () => {
  it('begins where the last posted digest ended, or as far back as a first one reaches', () => {
    const request = { kind: 'sinceLast', firstMs: 48 * hour } as const;
    expect(windowOf(request, null, settings)).toMatchObject({
      from: '2026-03-09T12:00:00.000Z',
      to: '2026-03-11T12:00:00.000Z',
      before: { from: '2026-03-07T12:00:00.000Z', to: '2026-03-09T12:00:00.000Z' },
    });
    const last = iso('2026-03-11T09:00:00.000Z');
    expect(windowOf(request, last, settings)).toMatchObject({
      from: last,
      before: { from: '2026-03-11T06:00:00.000Z' },
    });
  });

  it('up to now never tells again what was posted', () => {
    const request = { kind: 'upToNow', from: now - 24 * hour } as const;
    expect(windowOf(request, null, settings).from).toBe('2026-03-10T12:00:00.000Z');
    expect(windowOf(request, iso('2026-03-11T11:00:00.000Z'), settings).from).toBe('2026-03-11T11:00:00.000Z');
    expect(windowOf(request, iso('2026-03-01T11:00:00.000Z'), settings).from).toBe('2026-03-10T12:00:00.000Z');
    // A clock that was set back: nothing is left to tell, and no window runs backwards.
    const ahead = windowOf(request, iso('2026-03-12T00:00:00.000Z'), settings);
    expect([ahead.from, ahead.to]).toEqual(['2026-03-11T12:00:00.000Z', '2026-03-11T12:00:00.000Z']);
  });

  it('of a fixed stretch is that stretch, whatever was posted', () => {
    const request = { kind: 'fixed', from: now - 72 * hour, to: now - 48 * hour } as const;
    expect(windowOf(request, iso('2026-03-11T11:00:00.000Z'), { ...settings, upcomingMs: 24 * hour })).toMatchObject({
      from: '2026-03-08T12:00:00.000Z',
      to: '2026-03-09T12:00:00.000Z',
      upcoming_to: '2026-03-10T12:00:00.000Z',
    });
  });
});

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/Los_Angeles',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Apia',
];

describe('time zones', () => {
  it('are known by name', () => {
    expect(zones.map(isZone)).toEqual(zones.map(() => true));
    expect(isZone('Mars/Olympus')).toBe(false);
  });

  it('have days of 23, 24 and 25 hours', () => {
    const lengthOf = (year: number, month: number, day: number, zone: string) => {
      const from = startOf({ year, month, day }, zone);
      return (startOfDay(from, zone, 1) - from) / hour;
    };
    expect(lengthOf(2026, 3, 29, 'Europe/Berlin')).toBe(23);
    expect(lengthOf(2026, 10, 25, 'Europe/Berlin')).toBe(25);
    expect(lengthOf(2026, 3, 8, 'America/Los_Angeles')).toBe(23);
    expect(lengthOf(2026, 6, 1, 'Asia/Kolkata')).toBe(24);
    expect(offsetMinutes(Date.parse('2026-07-01T00:00:00Z'), 'Europe/Berlin')).toBe(120);
  });

  it('tell a moment by its local time, except of the hour that comes twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), fc.constantFrom(...zones), (seconds, zone) => {
        const moment = seconds * 1000;
        const found = momentOf(localTime(moment, zone), zone);
        expect(localTime(found, zone)).toEqual(localTime(moment, zone));
        expect(moment - found).toBeGreaterThanOrEqual(0);
        expect(moment - found).toBeLessThanOrEqual(hour);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused under a clock that stands before its time', () => {
    const settings = { now: 3_600_000, zone: 'UTC', upcomingMs: 0 };
    const window = () => windowOf({ kind: 'sinceLast', firstMs: 86_400_000 }, null, settings);
    expect(window).toThrow('the clock of this machine says 1970-01-01T01:00:00.000Z');
  });
});
