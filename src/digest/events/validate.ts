/** The one place in which an event is checked: mended where it can be, rejected with reasons where it cannot. */
import type { IsoTime } from '../../model.ts';
import { type ExtractedEvent, limits } from './event.ts';

export interface Validated {
  event: ExtractedEvent;
  state: 'valid' | 'repaired' | 'rejected';
  /** What was mended or is wrong. */
  reasons: string[];
}

/** What a time is worth that nobody told. */
const guessedConfidence = 0.3;
/** How much less a time is worth that was taken from something else. */
const repairedShare = 0.7;

/** Checks an event against the message it is from. Checking the result again changes nothing more. */
export function validateEvent(found: ExtractedEvent, message: { posted_at: IsoTime }): Validated {
  const repairs: string[] = [];
  const rejections: string[] = [];
  const texts = cleanTexts(found, repairs);
  const event = completeTimes({ ...found, ...texts, ...cutLists(found) }, message.posted_at, repairs);
  if (event.summary === '') rejections.push('it has no summary');
  if (event.object_name_raw === '') rejections.push('nobody knows what it is about');
  if ((event.status === 'planned' || event.status === 'confirmed') && event.planned_start === null) {
    rejections.push(`it is ${event.status}, and nobody knows for when`);
  }
  const state = rejections.length > 0 ? 'rejected' : repairs.length > 0 ? 'repaired' : 'valid';
  return { event, state, reasons: [...rejections, ...repairs] };
}

/** Brackets belong to an address only in pairs: those around it are the sentence's. */
const url = /(?:https?:\/\/|(?<!\w)www\.)[^\s<>()[\]]*(?:\([^\s<>()]*\)[^\s<>()[\]]*)*/gi;
/** With a year of four digits, and no part of a longer number: `23.8.12` and `10.0.19.2041` are versions, `2025-01-31-preview` is one too. */
const dates =
  /(?<![\w./])\d{4}([-/])\d{2}\1\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?(?!\w|[./-]\w)|(?<![\w./])\d{1,2}[./]\d{1,2}[./]\d{4}(?![\w/]|\.\w)/g;
/** Digits, # and * are emoji only with a keycap; © ® ™ are part of names. */
const emoji =
  /[\d#*]\uFE0F?\u20E3|(?![\d#*©®™])(?:\p{Emoji_Presentation}|\p{Extended_Pictographic})(?:\uFE0F|\u200D|\p{Emoji_Modifier}|[\u{E0020}-\u{E007F}])*/gu;
/** As Slack writes them, with skin tone: `:wave::skin-tone-3:`. `8:30:` and `std::sync::Arc` hold none. */
const emojiNames = /(?<![\w:])(?::[\p{Ll}\p{Lo}\p{N}_+'-]+:)+|(?<!:):[a-z][a-z0-9_+'-]*:(?=\s|$)/gu;

function cleanTexts(
  event: ExtractedEvent,
  repairs: string[],
): Pick<ExtractedEvent, 'object_name_raw' | 'qualifiers' | 'stroke' | 'anchor' | 'summary' | 'why_it_matters'> {
  const clean = (text: string, slot: string): string => {
    const cleaned = withoutMarks(text);
    if (cleaned !== tidy(text)) repairs.push(`an address, a date or an emoji was taken out of its ${slot}`);
    return cleaned;
  };
  const optional = (text: string | null, slot: string): string | null =>
    text === null ? null : clean(text, slot) || null;
  return {
    object_name_raw: clean(event.object_name_raw, 'object'),
    qualifiers: event.qualifiers
      .map((qualifier) => clean(qualifier, 'qualifiers'))
      .filter((qualifier) => qualifier !== '')
      .slice(0, limits.qualifiers),
    stroke: optional(event.stroke, 'stroke'),
    anchor: optional(event.anchor, 'anchor'),
    summary: cut(event.summary.trim(), limits.summary),
    why_it_matters:
      event.why_it_matters === null ? null : cut(event.why_it_matters.trim(), limits.whyItMatters) || null,
  };
}

/** Taking something out may bring together what is an address or a date then, so it is done until nothing changes. */
function withoutMarks(text: string): string {
  for (let before = text; ; ) {
    const after = tidy(before.replace(url, ' ').replace(dates, ' ').replace(emoji, ' ').replace(emojiNames, ' '));
    if (after === before) return after;
    before = after;
  }
}

/** One line, without what is left around something that was taken out. */
function tidy(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/\(\s*\)|\[\s*\]|<\s*>/g, '')
    .replace(/\s+([,.;:!?)])/g, '$1')
    .replace(/^[\s,;:–—-]+|[\s,;:–—-]+$/g, '')
    .replace(/\s+/g, ' ');
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = text.slice(0, length - 1);
  return `${(end.isWellFormed() ? end : end.slice(0, -1)).trimEnd()}…`;
}

function cutLists(event: ExtractedEvent): Pick<ExtractedEvent, 'links' | 'anchors' | 'impact_area' | 'impact_type'> {
  const distinct = (list: readonly string[]) =>
    [...new Set(list.map((entry) => entry.trim()))].filter((entry) => entry !== '');
  return {
    links: distinct(event.links)
      .filter((link) => /^https?:\/\/[^\s<>"]+$/i.test(link) && URL.canParse(link))
      .slice(0, limits.links),
    anchors: distinct(event.anchors),
    impact_area: distinct(event.impact_area).slice(0, limits.impactAreas),
    impact_type: distinct(event.impact_type),
  };
}

/** Every status has its time: what the event does not tell is taken from its other times, else from the message. */
function completeTimes(event: ExtractedEvent, postedAt: IsoTime, repairs: string[]): ExtractedEvent {
  const mended = endsAfterStarts(event, repairs);
  const at = mended.actual_start ?? mended.actual_end ?? postedAt;
  const isTold = mended.actual_start !== null || mended.actual_end !== null;
  const time = {
    time_source: isTold ? mended.time_source : ('ts_fallback' as const),
    time_confidence: isTold
      ? mended.time_confidence * repairedShare
      : Math.min(mended.time_confidence, guessedConfidence),
  };
  switch (mended.status) {
    case 'completed':
      if (mended.actual_end !== null) return mended;
      repairs.push('when it ended was taken from when it began or was told');
      return { ...mended, ...time, actual_end: at };
    case 'started':
    case 'rolled_back':
      if (mended.actual_start !== null || (mended.status === 'rolled_back' && mended.actual_end !== null))
        return mended;
      repairs.push('when it began was taken from when it was told');
      return { ...mended, ...time, actual_start: at };
    case 'updated':
    case 'postponed':
    case 'canceled':
      if (isTold || mended.planned_start !== null || mended.planned_end !== null) return mended;
      // Nobody says for when it was meant: it is news of the moment.
      repairs.push('its time was taken from when it was told');
      return { ...mended, ...time, actual_start: postedAt };
    default:
      return mended;
  }
}

function endsAfterStarts(event: ExtractedEvent, repairs: string[]): ExtractedEvent {
  const drop = (start: IsoTime | null, end: IsoTime | null) => start !== null && end !== null && end < start;
  const planned = drop(event.planned_start, event.planned_end);
  const actual = drop(event.actual_start, event.actual_end);
  if (planned || actual) repairs.push('an end before its beginning was left out');
  return {
    ...event,
    planned_end: planned ? null : event.planned_end,
    actual_end: actual ? null : event.actual_end,
  };
}
