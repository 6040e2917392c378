/** Dates as people write them, told on Tuesday 10 March 2026 at 16:00 in Berlin. */
import { describe, expect, it } from 'vitest';
import { type FoundDate, readDates } from '../../../src/digest/rules/dates.ts';
import { languageOf } from '../../../src/digest/rules/language.ts';
import { localTime } from '../../../src/time-zone.ts';

const clock = { postedAt: Date.parse('2026-03-10T15:00:00Z'), zone: 'Europe/Berlin' };

/** `10 Mar`, `10 Mar 14:00`, `10 Mar 14:00 - 16:00`, as clocks in Berlin show it. */
function shown({ start, end, hasTime }: FoundDate): string {
  const first = localTime(Date.parse(start), clock.zone);
  const last = end === null ? null : localTime(Date.parse(end), clock.zone);
  const day = (at: typeof first) => `${at.day} ${months[at.month - 1]}`;
  const time = (at: typeof first) => `${at.hour}:${String(at.minute).padStart(2, '0')}`;
  const whole = (at: typeof first) => (hasTime ? `${day(at)} ${time(at)}` : day(at));
  if (last === null) return whole(first);
  return `${whole(first)} - ${hasTime && day(first) === day(last) ? time(last) : whole(last)}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

describe('the dates of a sentence', () => {
  it.each([
    // Days
    ['The launch is tomorrow.', '11 Mar'],
    ['The call is on Friday the 20th.', '20 Mar'],
    ['Fri 20th: go-live', '20 Mar'],
    ['The audit begins on the first Monday of April.', '6 Apr'],
    ['We close the books on the last Friday of the month.', '27 Mar'],
    ['It is due by end of March.', '31 Mar'],
    ['On the 25th we move.', '25 Mar'],
    // Days from one to another
    ['Offsite 14-16 April', '14 Apr - 16 Apr'],
    ['Offsite Apr 14–16', '14 Apr - 16 Apr'],
    ['The fair is from March 16 through March 18.', '16 Mar - 18 Mar'],
    ['The training is on 18, 19 and 20 March.', '18 Mar - 20 Mar'],
    ['Hackathon Mon-Wed', '16 Mar - 18 Mar'],
    // Times
    ['Standup moves to 9:30 tomorrow', '11 Mar 9:30'],
    ['Demo tomorrow 10-12', '11 Mar 10:00 - 12:00'],
    ['Training: Wed 7 Oct, 8-12', '7 Oct 8:00 - 12:00'],
    ['The workshop on Friday starts at 14:30 and ends at 16:00.', '13 Mar 14:30 - 16:00'],
    ['The window is between 9 and 11am on Friday.', '13 Mar 9:00 - 11:00'],
    ['The call is tomorrow, 23:00-01:00.', '11 Mar 23:00 - 12 Mar 1:00'],
    ['Wed 18 Mar @ 1700', '18 Mar 17:00'],
    ['Start: 14.03.2026 22:00 - 15.03.2026 02:00', '14 Mar 22:00 - 15 Mar 2:00'],
    // Zones and places
    ['The webinar is on Friday at 10am PT.', '13 Mar 18:00'],
    ['3pm PT / 6pm ET on Friday', '13 Mar 23:00'],
    ['Maintenance on 28 March, 06:00-10:00 UTC', '28 Mar 7:00 - 11:00'],
    ['Factory review: Tue 17 March, 9:00 Shenzhen time', '17 Mar 2:00'],
    ['The call is on Friday at 5pm London.', '13 Mar 18:00'],
    // What holds later is told by the zone of that day.
    ['Maintenance on 2 November, 10:00 CET', '2 Nov 10:00'],
    // Other languages
    ['Die Versammlung ist am 20.03. um 10:00 Uhr.', '20 Mar 10:00'],
    ['Die Schulung findet vom 16.-18. März statt.', '16 Mar - 18 Mar'],
    ['Wartung am 14.03.2026 um 22:00 Uhr bis 15.03.2026 02:00', '14 Mar 22:00 - 15 Mar 2:00'],
    ['La réunion est le 18 avril à 14h30.', '18 Apr 14:30'],
    ['Le salon a lieu du 16 au 18 mars.', '16 Mar - 18 Mar'],
    ['La feria es del 16 al 18 de marzo.', '16 Mar - 18 Mar'],
    ['El mantenimiento es el sábado de 2:00 a 4:00.', '14 Mar 2:00 - 4:00'],
    ['A reunião é em 18 de março.', '18 Mar'],
    ['A manutenção é no domingo das 2h às 5h.', '15 Mar 2:00 - 5:00'],
    ['Het onderhoud is vrijdag van 9 tot 11 uur.', '13 Mar 9:00 - 11:00'],
    ['Деплой в пятницу с 10:00 до 12:00', '13 Mar 10:00 - 12:00'],
    ['3月25日15時からウェビナーを開催します', '25 Mar 15:00'],
    ['今晚22点进行数据库维护', '10 Mar 22:00'],
  ])('are read: %s', (text, expected) => {
    expect(readDates(text, languageOf(text), clock, 'forward').map(shown)).toEqual([expected]);
  });

  it.each([
    'Support is there 24/7.',
    'We are at 3/4 of the way.',
    'It took 20 minutes instead of 45 days.',
    'Hotels are capped at £160/night.',
    'He arrived the week before.',
    'Deployed in 3m 12s.',
    'See REL-1204 and #3012.',
    'The cluster has 18 nodes on v1.30.2.',
    '"PSD3 in 40 minutes" was a good talk.',
  ])('are none: %s', (text) => {
    expect(readDates(text, 'en', clock, 'forward')).toEqual([]);
  });

  it('are those of next week where a line speaks of it', () => {
    const next = { ...clock, isNextWeek: true };
    for (const [text, expected] of [
      ['Wednesday: demo', '18 Mar'],
      ['Thu 10:00 release', '19 Mar 10:00'],
    ] as const)
      expect(readDates(text, 'en', next, 'forward').map(shown)).toEqual([expected]);
  });
});
