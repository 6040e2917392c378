import { describe, expect, it } from 'vitest';
import { eventTimeText, lastDayOf, windowText } from '../../src/output/dates.ts';
import { iso } from './sample-digest.ts';

const window = { to: iso('2026-11-23T07:00:00Z'), zone: 'Europe/Amsterdam' };

function when(start: string | null, end: string | null = null, time_confidence = 1): string | null {
  return eventTimeText(
    {
      start: start === null ? null : iso(start),
      end: end === null ? null : iso(end),
      days_only: false,
      time_confidence,
    },
    window,
  );
}

describe('the time of an event', () => {
  it('is told in the zone of the reader', () => {
    expect(when('2026-11-27T13:00:00Z')).toBe('Fri 27 Nov 14:00');
  });

  it('names the day of a range once when it is one day', () => {
    expect(when('2026-11-27T13:00:00Z', '2026-11-27T15:30:00Z')).toBe('Fri 27 Nov 14:00–16:30');
    expect(when('2026-11-27T21:00:00Z', '2026-11-28T01:00:00Z')).toBe('Fri 27 Nov 22:00 – Sat 28 Nov 02:00');
  });

  it('has the year where it is another one', () => {
    expect(when('2027-01-15T09:00:00Z')).toBe('Fri 15 Jan 2027 10:00');
  });

  it('is only a day where midnight was no more than a guess', () => {
    expect(when('2026-11-26T23:00:00Z', null, 0.7)).toBe('Fri 27 Nov');
    expect(when('2026-11-26T23:00:00Z', null, 1)).toBe('Fri 27 Nov 00:00');
    expect(when('2026-11-26T13:00:00Z', null, 0.7)).toBe('Thu 26 Nov 14:00');
  });

  it('ends with the last whole day, whether that is given by its end or as a moment within', () => {
    expect(when('2026-11-26T23:00:00Z', '2026-11-28T23:00:00Z', 0.7)).toBe('Fri 27 Nov – Sat 28 Nov');
    expect(when('2026-11-26T23:00:00Z', '2026-11-28T22:59:00Z', 0.7)).toBe('Fri 27 Nov – Sat 28 Nov');
    expect(when('2026-11-26T23:00:00Z', '2026-11-27T23:00:00Z', 0.7)).toBe('Fri 27 Nov');
  });

  it('is the end where no beginning is known, and an end before the beginning counts for nothing', () => {
    expect(when(null, '2026-11-27T13:00:00Z')).toBe('Fri 27 Nov 14:00');
    expect(when('2026-11-27T13:00:00Z', '2026-11-27T12:00:00Z')).toBe('Fri 27 Nov 14:00');
    expect(when(null)).toBeNull();
  });
});

describe('the days of an event', () => {
  const days = (start: string, end: string | null = null) =>
    eventTimeText(
      { start: iso(start), end: end === null ? null : iso(end), days_only: true, time_confidence: 1 },
      window,
    );

  it.each([
    ['Auckland', '2026-11-26T11:00:00Z', '2026-11-28T11:00:00Z'],
    ['Kolkata', '2026-11-26T18:30:00Z', '2026-11-28T18:30:00Z'],
    ['Amsterdam', '2026-11-26T23:00:00Z', '2026-11-28T23:00:00Z'],
    ['London', '2026-11-27T00:00:00Z', '2026-11-29T00:00:00Z'],
    ['Los Angeles', '2026-11-27T08:00:00Z', '2026-11-29T08:00:00Z'],
  ])('are those that its author in %s wrote', (_, start, end) => {
    expect(days(start)).toBe('Fri 27 Nov');
    expect(days(start, end)).toBe('Fri 27 Nov – Sat 28 Nov');
  });

  it('stay so when the clocks change in between', () => {
    expect(days('2026-10-22T22:00:00Z', '2026-10-25T23:00:00Z')).toBe('Fri 23 Oct – Sun 25 Oct');
    expect(days('2026-03-06T08:00:00Z', '2026-03-09T07:00:00Z')).toBe('Fri 6 Mar – Sun 8 Mar');
  });
});

describe('the window', () => {
  const text = (from: string, to: string, zone = 'Europe/Amsterdam') =>
    windowText({ from: iso(from), to: iso(to), zone });

  it('is a day when it is one, also the one on which the clocks are put back', () => {
    expect(text('2026-11-21T23:00:00Z', '2026-11-22T23:00:00Z')).toBe('Sun 22 Nov 2026');
    expect(text('2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z')).toBe('Sun 25 Oct 2026');
  });

  it('is from day to day when it is several whole ones', () => {
    expect(text('2026-12-27T23:00:00Z', '2027-01-03T23:00:00Z')).toBe('Mon 28 Dec 2026 – Sun 3 Jan 2027');
  });

  it('is from moment to moment otherwise, an empty one included', () => {
    expect(text('2026-11-22T07:00:00Z', '2026-11-23T07:00:00Z')).toBe('Sun 22 Nov 2026 08:00 – Mon 23 Nov 08:00');
    expect(text('2026-11-22T23:00:00Z', '2026-11-22T23:00:00Z')).toBe('Mon 23 Nov 2026 00:00 – Mon 23 Nov 00:00');
  });

  it('is known by the last day it touches', () => {
    const day = (from: string, to: string) => lastDayOf({ from: iso(from), to: iso(to), zone: 'Europe/Amsterdam' });
    expect(day('2026-11-21T23:00:00Z', '2026-11-22T23:00:00Z')).toBe('22.11.2026');
    expect(day('2026-11-22T07:00:00Z', '2026-11-23T07:00:00Z')).toBe('23.11.2026');
  });
});
