/** How well an extractor finds what readers would want to be told. */
import type { ExtractedEvent } from '../../../src/digest/events/event.ts';
import type { LocalExtractor } from '../../../src/digest/events/extractor.ts';
import { primaryTime } from '../../../src/digest/events/keys.ts';
import { validateEvent } from '../../../src/digest/events/validate.ts';
import { messageText } from '../../../src/digest/text/message-text.ts';
import type { IsoTime } from '../../../src/model.ts';
import { localTime } from '../../../src/time-zone.ts';
import { isoToTs, millisToIso } from '../../../src/ts.ts';
import type { Labelled } from './labelled.ts';

export interface Score {
  precision: number;
  recall: number;
  expected: number;
  reported: number;
  found: number;
  /** What was missed or invented, for people. */
  misses: string[];
}

const nobody = { user: () => null, channel: () => null, usergroup: () => null };

/** Counts events with at least this confidence that can be true; each expected one is found once at most. */
export function scoreLabelled(extractor: LocalExtractor, set: readonly Labelled[], minConfidence: number): Score {
  const score: Score = { precision: 0, recall: 0, expected: 0, reported: 0, found: 0, misses: [] };
  for (const message of set) {
    const posted_at = millisToIso(Date.parse(message.at));
    const reported = extractFrom(extractor, message, posted_at).filter(({ confidence }) => confidence >= minConfidence);
    const left = [...message.events];
    for (const event of reported) {
      const place = left.findIndex((expected) => fits(event, expected, message));
      if (place === -1)
        score.misses.push(`invented in "${message.text || JSON.stringify(message.attachments)}": ${described(event)}`);
      else left.splice(place, 1);
    }
    for (const expected of left)
      score.misses.push(`missed in "${message.text || JSON.stringify(message.attachments)}": ${expected}`);
    score.expected += message.events.length;
    score.reported += reported.length;
    score.found += message.events.length - left.length;
  }
  score.precision = score.found / Math.max(1, score.reported);
  score.recall = score.found / Math.max(1, score.expected);
  return score;
}

function extractFrom(extractor: LocalExtractor, message: Labelled, posted_at: IsoTime): ExtractedEvent[] {
  const text = messageText({ text: message.text, attachments: message.attachments ?? [] }, nobody);
  const { events } = extractor.extract({
    team_id: 'T1',
    channel_id: 'C1',
    ts: isoToTs(posted_at),
    posted_at,
    channel_name: 'general',
    text,
    zone: message.zone,
    isBot: message.attachments !== undefined,
    isReply: false,
  });
  const checked = events.map((event) => validateEvent(event, { posted_at }));
  return checked.flatMap(({ event, state }) => (state === 'rejected' ? [] : event));
}

function fits(event: ExtractedEvent, expected: string, { at, zone }: Labelled): boolean {
  const [action = '', status = '', word = '', start = ''] = expected.split('|');
  // "A/B Test" has a stroke of its own.
  const actions = action === 'A/B Test' ? [action] : action.split('/');
  const object = event.object_name_raw.toLowerCase();
  return (
    actions.includes(event.action) &&
    status.split('/').includes(event.status) &&
    word.split('/').some((part) => object.includes(part)) &&
    isAt(primaryTime(event), start, at, zone)
  );
}

const nearMs = 36 * 3_600_000;

function isAt(time: IsoTime | null, start: string, at: string, zone: string): boolean {
  if (time === null) return false;
  if (start === '') return Math.abs(Date.parse(time) - Date.parse(at)) <= nearMs;
  return start.split('/').some((one) => (one.includes('T') ? time.slice(0, 16) === one : dayOf(time, zone) === one));
}

function dayOf(time: IsoTime, zone: string): string {
  const { year, month, day } = localTime(Date.parse(time), zone);
  return [year, month, day].map((part) => String(part).padStart(2, '0')).join('-');
}

function described(event: ExtractedEvent): string {
  return [event.action, event.status, event.object_name_raw, primaryTime(event), event.confidence].join('|');
}
