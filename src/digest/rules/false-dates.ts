/** What a reader of dates takes for one and people do not; and what it does not read as people write it. */
import type { Language } from './language.ts';

/** Read by ourselves. */
export const weekdayOfMonth =
  /\b(first|second|third|fourth|last) (mon|tues|wednes|thurs|fri|satur|sun)day (?:of|in) ((?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|(?:the|this|next) month)\b/gi;

/** Look like dates and are none; they are covered up before chrono reads. */
const covered: readonly RegExp[] = [
  weekdayOfMonth,
  /https?:\/\/\S+/g,
  // Titles: "PSD3 in 40 minutes".
  /"[^"\n]{3,60}"/g,
  // Numbers of houses: "to Main Street 10 on 1 April".
  /(?<=\p{L}{3,}(?:stra(?:ße|sse)|str\.|weg|platz|allee|street|road|avenue) )\d{1,3}\b/giu,
  // By how much it moves: "an hour later".
  /\b(?:an?|one|two|three|half an|\d+) (?:hours?|hrs?|mins?|minutes?|days?|weeks?) (?:later|earlier)\b/gi,
  // How long it took: "in 3m 12s".
  /\bin \d+\s?m(?:in)? \d+\s?s(?:ec)?\b|\bin \d+(?:\.\d+)?\s?s(?:ec)?\b/gi,
  // Prices: "£160/night".
  /\/\s?(?:night|day|week|month|year|hour|hr|h|d|wk|mo)\b/gi,
  // "The week before", but not "the day after tomorrow".
  /\bthe (?:day|week|month|night|evening|morning) (?:before|after)\b(?! tomorrow)/gi,
  // Lengths of time, and numbers of what is no time.
  /(?<!\b(?:in|within|next|past|last|every|after|another|an?)\s+(?:about |approx\.? |~ ?)?)\b\d+\s?(?:mins?|minutes?|hrs?|hours?|days?|weeks?|months?)\b(?!\s*(?:ago|from now|later|before|after|earlier|out|away|warning))/gi,
  /\b\d{1,3}\s+(?:jours|Tage|días|dias|people|personnes|personas|pessoas|seats|places|Plätze)\b/gi,
  // "The March phishing attack".
  /\bthe (?:jan|febr)uary|\bthe (?:march|april|may|june|july|august|september|october|november|december)(?=\s+\p{Ll})/giu,
  // Keys of tickets, numbers of pull requests.
  /\b[A-Z]{2,10}-\d+\b|#\d+/g,
  /[$€£¥]\s?\d[\d,.]*[kKmM]?|\b\d[\d,.]*\s?(?:%|percent|usd|eur|ms|mb|gb|tb|kb|k\b|x\b|rps|qps)/gi,
  /\bat the end of the day(?=,)/gi,
  /\b(?:an?|\d+|two|three|some)?\s?(?:few|couple(?: of)?)?\s?(?:minutes?|hours?|days?|weeks?|months?|years?) (?:back|now)\b/gi,
  // A greeting.
  /^\s*(?:good )?(?:morning|afternoon|evening)\b(?=\s*(?:all|everyone|everybody|team|folks|guys|y'all|[,!:.]))/gi,
  /\bguten (?:morgen|abend)\b/gi,
  // Votes.
  /(?<!\S)[+-]1s?\b/g,
  /\b24\s?\/\s?7\b|(?<!\/)\b\d+\s?\/\s?\d{3,}\b/g,
  // Verbs and names that are months or days in short: "may", "march", "sun", "sat" in lower case.
  /(?<![\p{L}\p{N}_])(?:may|march|mar|sun|sat|second|seconds|dec)(?![\p{L}\p{N}_]|\s+\d)/gu,
  // What it was before.
  /\((?:was|previously|originally|instead of|before|vorher|statt)\b[^)]*\)/gi,
  // Days that are names of something else.
  /\b(?:black|good|casual|super|fat) (?:friday|tuesday)\b|\bcyber monday\b/gi,
  /\b(?:under|over|at least|at most|up to|less than|more than|(?:older|newer|longer|shorter) than) \d+ (?:minutes?|hours?|days?|weeks?|months?|years?)\b/gi,
  // By how much something is put off.
  /\bby (?:an?|one|two|three|four|\d+|a few|a couple of) (?:minutes?|hours?|days?|weeks?|months?)\b/gi,
  /\b(?:last|past|previous|next|coming)\s+(?:few|couple|\d+)\s+\w+/gi,
  /\b(?:takes?|took|lasts?|lasted|for|within|after)\s+(?:about\s+|up to\s+|~\s?)?(?:\d+(?:\s?-\s?\d+)?|an?|one|two|three|four|five|six|(?:a )?few|several|a couple of)\s*(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|weeks?|months?|years?)\b/gi,
];

/** Versions and addresses of machines. */
const versions = /\bv\d+(?:\.\d+)*\b|\b(?!\d{1,2}\.\d{1,2}\.\d{4}\b)\d+\.\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?\b/gi;
const plainVersions = /\bv\d+(?:\.\d+)*\b/gi;

/** With as many characters as before, so that places stay. */
export function withoutFalseDates(text: string, language: Language): string {
  // chrono reads "from 9 to 11", and "between 9 and 11" not.
  const spans = text.replace(
    /\bbetween(\s+[\w:.]+(?:\s?[ap]m)?\s+)and(?=\s+\d)/gi,
    (_, first: string) => `from   ${first}to `,
  );
  // It takes "end of day Friday" for today, and "week of March 23" for a day of this week.
  const ends = spans
    .replace(endOfDay, (words) => ' '.repeat(words.length))
    .replace(weekOf, (words) => ' '.repeat(words.length));
  // It takes "the night of 21 March" for that of today, and knows no long dash between days.
  const nights = ends.replace(nightOf, (words) => ' '.repeat(words.length)).replace(/(?<=\d)[–—](?=\d)/g, '-');
  // It takes the "20" of "from 20 Dec" for an hour.
  const days = nights.replace(fromDay, '    ');
  const timed = days
    .replace(untilMidnight, (_, before: string, uhr: string) => `um ${before} Uhr${' '.repeat(uhr.length - 3)}`)
    .replace(dayThenTime, (_, month: string) => `${month},`);
  const weeks = timed
    // "@ 1700", "18:30h".
    .replace(/@\s?([01]\d|2[0-3])([0-5]\d)\b/g, (words, hour: string, minute: string) =>
      `${hour}:${minute}`.padStart(words.length),
    )
    .replace(/(?<=\b\d{1,2}:\d\d)h\b/g, ' ')
    // "Am 20.03. um 10 Uhr": chrono wants a year behind points.
    .replace(dayAndMonth, '$1/$2 ')
    // "De 2:00 a 4:00", "das 2h às 5h", "van 9 tot 11 uur", "今晚22点".
    .replace(romanceHours, (words, first: string, last: string) => `${first} - ${last}`.padStart(words.length))
    .replace(portugueseHours, (words, first: string, last: string) => `às ${first}-${last}`.padStart(words.length))
    .replace(dutchHours, (words, first: string, last: string) => `${first}:00-${last}:00`.padStart(words.length))
    .replace(/今晚(?=\d)/g, '今天')
    // "Del 16 al 18 de marzo".
    .replace(spanishSpan, (words, first: string, last: string) => `${first}-${last}`.padStart(words.length))
    .replace(noYear, '$1;')
    .replace(nextWeekDay, '     next$1')
    .replace(dayThenNumber, (words, number: string) =>
      words
        .slice(0, -number.length - 2)
        .replace(/the\s+$/i, '')
        .padEnd(words.length),
    )
    .replace(everyWeekday, '$1 ')
    .replace(daysAfterMonth, (words, month: string, first: string, last: string) =>
      `${month} ${first}-${last}`.padEnd(words.length),
    )
    .replace(severalDays, (words, first: string, last: string) => `${first}-${last}`.padStart(words.length));
  // "12.10.2026" is a date wherever points are written in dates.
  const patterns = [language === 'en' ? versions : plainVersions, ...covered];
  return patterns.reduce((sum, pattern) => sum.replace(pattern, (match) => '_'.repeat(match.length)), weeks);
}

const weekday = '(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?';
const endOfDay = new RegExp(
  `\\b(?:eod|cob|end of (?:the )?(?:day|business))(?=,?\\s+(?:on\\s+)?(?:this\\s+|next\\s+)?${weekday}\\b)|(?<=\\b${weekday},?\\s+)(?:eod|cob|end of (?:day|business))\\b`,
  'gi',
);
const weekOf =
  /\bweek (?:of|beginning|starting)(?=\s+(?:the\s+)?(?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon))/gi;

const nightOf =
  /\b(?:the )?(?:night|evening|morning|afternoon) of(?= (?:the )?(?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun))/gi;

/** Nor does it know 24 o'clock. */
const untilMidnight = /\bvon (\d{1,2}(?::\d\d)?)( bis 24(?::00)? Uhr)\b/g;

/** It takes the "9" of "15 April 9am" for a year. */
const dayThenTime =
  /(\d(?:st|nd|rd|th)? (?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*) (?=\d{1,2}(?::\d\d|\s?[ap]m|h))/gi;

const fromDay =
  /\bfrom(?=\s+\d{1,2}(?:st|nd|rd|th)?(?:\s*(?:-|–|to|until)\s*\d{1,2}(?:st|nd|rd|th)?)?\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))/gi;

/** Nor is the "63" of "31 Oct, 63 people" a year. */
const noYear = /\b((?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*),(?=\s+\d{1,2}(?!\d|st|nd|rd|th))/gi;

/** chrono takes "next week Monday" for two dates. */
const nextWeekDay = /\bnext week(\s+(?:on\s+)?(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?)/gi;

/** Nor does it know "Tuesday the 6th" and "Tue 6th". */
export const dayThenNumber = new RegExp(
  `${weekday},?\\s+(?:the\\s+)?(\\d{1,2})(?:st|nd|rd|th)\\b(?!,?\\s+(?:of|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))`,
  'gi',
);

/** Of "on Mondays", the next one. */
const everyWeekday = /\b((?:mon|tues|wednes|thurs|fri|satur|sun)day)s\b(?!')/gi;

const dayAndMonth = /(?<![\d.])(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.(?!\d)/g;
const romanceHours = /\b(?:de|desde|das?) (?:las )?(\d{1,2}:\d\d) (?:a|às|as|até|hasta) (?:las )?(\d{1,2}:\d\d)/giu;
const portugueseHours = /\bd[ae]s? (\d{1,2}h(?:\d\d)?) (?:a|às|as|até) (\d{1,2}h(?:\d\d)?)/giu;
const dutchHours = /\bvan (\d{1,2}) tot (\d{1,2}) uur/gi;

const spanishSpan = /\b(?:del?|do|dia) (\d{1,2}) (?:al?|ao) (\d{1,2})(?= de \p{L})/giu;

/** Nor "18, 19 and 20 March". */
const severalDays =
  /\b(\d{1,2})(?:st|nd|rd|th)?(?:,\s*\d{1,2}(?:st|nd|rd|th)?)*(?:,|,?\s+and|\s*&|,?\s+und|\s+et|\s+y)\s+(\d{1,2})(?=(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*)/gi;

/** Nor "Dec 24th and 25th". */
const daysAfterMonth =
  /\b((?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*) (\d{1,2})(?:st|nd|rd|th)?(?:,| and| &) (\d{1,2})(?:st|nd|rd|th)\b/gi;
