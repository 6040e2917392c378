/** Spans that tell day and time of both ends: "14.03.2026 22:00 - 15.03.2026 02:00", which chrono reads as times of one day. */
import { type Reading, readerFor } from './date-readers.ts';

const day = '(\\d{4}-\\d\\d-\\d\\d|\\d{1,2}\\.\\d{1,2}\\.\\d{4})';
const time = '(\\d{1,2}:\\d\\d)';
const between = "\\s*(?:-|–|—|to|until|till|bis|au|jusqu'à|hasta|al?|até|tot|до)\\s*";
const at = '(?:,|\\s+um|\\s+at|\\s+à|\\s+a las|\\s+às|\\s+om|\\s+в)?[ T]\\s*';
const span = new RegExp(`${day}${at}${time}(?:\\s?Uhr)?${between}${day}${at}${time}`, 'giu');

/** Each with its place in the text. */
export function wholeSpans(text: string, reference: { instant: Date; timezone: number }): Reading[] {
  return Array.from(text.matchAll(span)).flatMap(
    ({ 0: written, 1: first = '', 2: from, 3: last = '', 4: to, index }) => {
      const [reading] = readerFor('en').parse(`${iso(first)} ${from} - ${iso(last)} ${to}`, reference, {
        forwardDate: false,
      });
      return reading === undefined ? [] : [{ ...reading, index, text: written }];
    },
  );
}

/** Where points are written, the day comes first. */
function iso(date: string): string {
  const [day = '', month = '', year] = date.split('.');
  return year === undefined ? date : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}
