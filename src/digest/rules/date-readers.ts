/** The readers of dates that chrono (github.com/wanasit/chrono) has for each language. */
import * as de from 'chrono-node/de';
import * as en from 'chrono-node/en';
import * as es from 'chrono-node/es';
import * as fr from 'chrono-node/fr';
import * as ja from 'chrono-node/ja';
import * as nl from 'chrono-node/nl';
import * as pt from 'chrono-node/pt';
import * as ru from 'chrono-node/ru';
import * as zh from 'chrono-node/zh';
import type { Language } from './language.ts';

export interface Components {
  get(component: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'timezoneOffset'): number | null;
  isCertain(component: 'year' | 'month' | 'day' | 'weekday' | 'hour' | 'timezoneOffset'): boolean;
}

export interface Reading {
  index: number;
  text: string;
  start: Components;
  end?: Components | null;
  /** Where the time of day stands, when something stands between the two. */
  time?: { index: number; text: string };
}

export interface Reader {
  parse(text: string, reference: { instant: Date; timezone: number }, options: { forwardDate: boolean }): Reading[];
}

/** "22h", "14h30", "15h-16h", as French offices write in English too; but "took 5h", "2h ago" and "3h of downtime" are lengths. */
const hourBefore =
  '(?=\\d)(?<=^|(?:às|\\bas|\\blas|\\bum|\\bab|\\bgegen)\\s+|\\b(?:at|from|until|till|by|today|tomorrow|tonight|\\w+day|sept?|oct|nov|dec|jan|feb|mar|apr|may|june?|july?|aug|\\d(?:st|nd|rd|th)?|\\w+ (?:to|is))\\s+|\\d\\d?,\\s|[a-z],(?=\\d)|day,\\s|[a-z],\\s|\\()';
const hourItself = '([01]?\\d|2[0-3])h([0-5]\\d)?';
const noLength = '(?!\\w|\\s*(?:ago|later|of|long|down|window|delay|before|after|each|per|total|max|min))';
const hours: en.Parser = {
  pattern: () =>
    new RegExp(
      `${hourBefore}(?:${hourItself}(?:\\s?(?:-|–|to)\\s?${hourItself})?|(\\d{1,2})\\s?[-–]\\s?(\\d{1,2})h)${noLength}`,
      'i',
    ),
  extract: (context, { index = 0, 0: text, 1: hour, 2: minute, 3: lastHour, 4: lastMinute, 5: from, 6: to }) => {
    if (from !== undefined)
      return context.createParsingResult(index, text, { hour: Number(from) }, { hour: Number(to) });
    const start = { hour: Number(hour), minute: Number(minute ?? 0) };
    const end = lastHour === undefined ? undefined : { hour: Number(lastHour), minute: Number(lastMinute ?? 0) };
    return context.createParsingResult(index, text, start, end);
  },
};

/** "Tomorrow 10-12", "Friday 14–16", "7 Oct, 8-12"; but "Monday 12-14 Oct" are days. */
const hoursAfterDay: en.Parser = {
  pattern: () =>
    /(?=\d)(?<=\b(?:today|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day),?\s+|\d (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[,;]\s+)([7-9]|1\d|20)\s?[-–]\s?(1\d|2[0-4])(?![\d./:%-]|\s*(?:st|nd|rd|th|[ap]m|h|of|people|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\b)/i,
  extract: (context, { index = 0, 0: text, 1: first, 2: last }) =>
    Number(first) < Number(last)
      ? context.createParsingResult(index, text, { hour: Number(first), minute: 0 }, { hour: Number(last), minute: 0 })
      : null,
};

/** Of a language that has no hours of this kind. */
function withHours(reader: en.Chrono): en.Chrono {
  return new en.Chrono({ parsers: [hours, ...reader.parsers], refiners: reader.refiners });
}

const readers: Readonly<Record<Exclude<Language, 'en'>, Reader>> = {
  de: de.casual,
  fr: fr.casual,
  es: withHours(es.casual),
  pt: withHours(pt.casual),
  nl: nl.casual,
  ru: ru.casual,
  ja: ja.casual,
  zh: zh.casual,
};

/** "Two days ago", "an hour from now"; but "ten minutes after the release" counts from something else than now. */
const awayFromNow =
  /(?:s|sec|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mo|mons?|mos|months?|qtr|quarters?|y|yrs?|years?)\s{0,5}(?:ago|earlier|later|from now)(?!\w)/i;

const never = /(?!)/;

/**
 * chrono's parser of one form; those of time away from now are only asked where a text holds such: their patterns take longer
 * to compile than a day of messages to read, and are seldom needed. Of another version of chrono, which might write them
 * differently, we lose no dates, only time.
 */
function sparing(parser: en.Parser): en.Parser {
  let isOfTimeAway: boolean | undefined;
  return {
    pattern(context) {
      const pattern = parser.pattern(context);
      isOfTimeAway ??= /ago\|before\|earlier|later\|after\|from now/.test(pattern.source);
      return isOfTimeAway && !awayFromNow.test(context.text) ? never : pattern;
    },
    extract: (context, match) => parser.extract(context, match),
  };
}

const english = new en.Chrono({
  parsers: [hours, hoursAfterDay, ...en.casual.parsers.map(sparing)],
  refiners: en.casual.refiners,
});

export function readerFor(language: Language): Reader {
  return language === 'en' ? english : readers[language];
}

/** Days before months. It takes "March 20" for a year, so it is only asked for dates with strokes or points. */
export const dayFirstReader: Reader = en.GB;
