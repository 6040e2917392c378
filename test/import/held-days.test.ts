import { describe, expect, it } from 'vitest';
import { HeldDays } from '../../src/import/cover-days.ts';

const micros = (moment: string) => Date.parse(moment) * 1000;
const day = (date: string, from: string, to: string, isWhole = true) => ({
  date,
  first: micros(`${date}T${from}Z`),
  last: micros(`${date}T${to}Z`),
  isWhole,
});

function heldDays(...days: Parameters<HeldDays['add']>[0][]) {
  const range = { since: 0, until: Number.MAX_SAFE_INTEGER };
  const held = new HeldDays({ zone: 'UTC', firstDate: '2020-01-01', range });
  for (const each of days) held.add(each);
  return held
    .covered()
    .map(({ from, to }) => [new Date(from / 1000).toISOString(), new Date(to / 1000).toISOString()].join(' '));
}

describe('the days that an import vouches for', () => {
  it('begin with the first message of the export and end with the last one of the channel', () => {
    expect(
      heldDays(
        day('2020-01-03', '08:00:00', '09:00:00'),
        day('2020-01-01', '10:00:00', '11:00:00'),
        day('2020-01-02', '10:00:00', '11:00:00'),
      ),
    ).toEqual([
      '2020-01-01T10:00:00.000Z 2020-01-01T23:59:59.999Z',
      '2020-01-02T00:00:00.000Z 2020-01-02T23:59:59.999Z',
      '2020-01-03T00:00:00.000Z 2020-01-03T09:00:00.000Z',
    ]);
  });

  it.each([false, true])(
    'end where the whole one of two files of the newest day ends (damaged one first: %s)',
    (isFirst) => {
      const copies = [day('2020-01-02', '08:00:00', '09:00:00'), day('2020-01-02', '08:00:00', '20:00:00', false)];
      if (isFirst) copies.reverse();
      expect(heldDays(...copies)).toEqual(['2020-01-02T00:00:00.000Z 2020-01-02T09:00:00.000Z']);
    },
  );

  it('end with the last message also where a file is named by a date that its messages do not have', () => {
    const misnamed = { ...day('2020-01-02', '08:00:00', '09:00:00'), date: '2820-01-02' };
    expect(heldDays(misnamed, day('2020-01-03', '08:00:00', '09:00:00'))).toEqual([
      '2020-01-03T00:00:00.000Z 2020-01-03T09:00:00.000Z',
    ]);
  });

  it('leave out a day whose newest file is damaged, and one that is cut otherwise than the others', () => {
    const tomorrow = { ...day('2020-01-02', '08:00:00', '09:00:00'), last: micros('2020-01-03T01:00:00Z') };
    expect(heldDays(tomorrow, day('2020-01-04', '08:00:00', '09:00:00', false))).toEqual([]);
  });
});
