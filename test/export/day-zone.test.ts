import { describe, expect, it } from 'vitest';
import { boundsOfDay, DayZoneEvidence } from '../../src/export/day-zone.ts';

const iso = (micros: number) => new Date(Math.floor(micros / 1000)).toISOString();
const micros = (text: string) => Date.parse(text) * 1000;

describe('a day of an export', () => {
  it.each([
    ['2016-01-15', '2016-01-15T08:00:00.000Z', '2016-01-16T07:59:59.999Z'],
    ['2016-07-15', '2016-07-15T07:00:00.000Z', '2016-07-16T06:59:59.999Z'],
    // Clocks go forward: 23 hours. And back: 25.
    ['2024-03-10', '2024-03-10T08:00:00.000Z', '2024-03-11T06:59:59.999Z'],
    ['2024-11-03', '2024-11-03T07:00:00.000Z', '2024-11-04T07:59:59.999Z'],
  ])('%s begins and ends at midnight in Los Angeles', (date, from, to) => {
    const bounds = boundsOfDay(date, 'America/Los_Angeles');
    expect([iso(bounds?.from ?? 0), iso(bounds?.to ?? 0)]).toEqual([from, to]);
  });

  it('is none when no calendar has it', () => {
    for (const date of ['2015-02-30', '2016-13-01', '0000-00-00'])
      expect(boundsOfDay(date, 'America/Los_Angeles')).toBeNull();
  });

  it('is cut as most of its files say: one message out of place proves nothing', () => {
    const evidence = new DayZoneEvidence();
    for (let day = 10; day < 20; day += 1) {
      evidence.add(`2024-03-${day}`, micros(`2024-03-${day}T09:00:00Z`), micros(`2024-03-${day + 1}T05:00:00Z`));
    }
    evidence.add('2024-03-20', micros('2023-01-01T00:00:00Z'), micros('2024-03-20T20:00:00Z'));
    expect(evidence.zone).toBe('America/Los_Angeles');
  });

  it('may be cut at midnight UTC, and in a way that nobody knows', () => {
    const utc = new DayZoneEvidence();
    const unknown = new DayZoneEvidence();
    for (let day = 10; day < 20; day += 1) {
      utc.add(`2024-03-${day}`, micros(`2024-03-${day}T00:30:00Z`), micros(`2024-03-${day}T23:30:00Z`));
      unknown.add(`2024-03-${day}`, micros(`2024-03-${day - 1}T12:00:00Z`), micros(`2024-03-${day}T12:00:00Z`));
    }
    expect([utc.zone, unknown.zone]).toEqual(['UTC', null]);
  });
});
