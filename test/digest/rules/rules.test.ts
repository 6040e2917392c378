import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rulesExtractor } from '../../../src/digest/rules/rules-extractor.ts';
import { messageText } from '../../../src/digest/text/message-text.ts';
import { isoToTs, millisToIso } from '../../../src/ts.ts';
import { labelled } from './labelled.ts';
import { scoreLabelled } from './score-labelled.ts';

const rules = rulesExtractor();

describe('the rules', () => {
  it('find most of what readers want to be told, and little else', () => {
    expect(labelled.length).toBeGreaterThanOrEqual(150);
    const { precision, recall, expected, reported, misses } = scoreLabelled(rules, labelled, 0.7);
    const figures = `precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)} (${expected} events, ${reported} reported)`;
    expect(precision, `${figures}\n${misses.join('\n')}`).toBeGreaterThanOrEqual(0.85);
    expect(recall, `${figures}\n${misses.join('\n')}`).toBeGreaterThanOrEqual(0.75);
    if (process.env['SLACKINGEST_TEST_FIGURES'] !== undefined)
      process.stdout.write(`${figures}\n${misses.join('\n')}\n`);
  });

  const extract = (text: string, zone = 'UTC') => {
    const posted_at = millisToIso(Date.parse('2026-03-11T09:30:00Z'));
    return rules.extract({
      team_id: 'T1',
      channel_id: 'C1',
      ts: isoToTs(posted_at),
      posted_at,
      channel_name: null,
      text: messageText({ text }, { user: () => null, channel: () => null, usergroup: () => null }),
      zone,
      isBot: false,
      isReply: false,
    }).events;
  };

  it('take no address for an event', () => {
    expect(extract('Using this for today: https://hangouts.example/call/launch-party')).toEqual([]);
    expect(extract('The call is tomorrow at 10:00: https://meet.example/call')).toMatchObject([
      { object_name_raw: 'Call', planned_start: '2026-03-12T10:00:00.000Z' },
    ]);
  });

  it('read what status pages post', () => {
    const [begun] = extract('[Statuspage] *Investigating* – Delayed push\nWe are looking into it.\nMar 11, 09:12 UTC');
    expect(begun).toMatchObject({ action: 'Incident', object_name_raw: 'Delayed push', status: 'started' });
    expect(begun?.actual_start).toBe('2026-03-11T09:12:00.000Z');
    expect(extract('[Statuspage] *Resolved* – Delayed push\nThis incident has been resolved.')).toMatchObject([
      { object_name_raw: 'Delayed push', status: 'completed' },
    ]);
  });

  it('take a day for a day, and let it end with the last one', () => {
    expect(extract('Q1 hackathon: 26-27 March', 'Europe/Berlin')).toMatchObject([
      { days_only: true, planned_start: '2026-03-25T23:00:00.000Z', planned_end: '2026-03-27T23:00:00.000Z' },
    ]);
    const [timed] = extract('All-hands on 26 March at 14:00', 'Europe/Berlin');
    expect(timed).toMatchObject({ planned_start: '2026-03-26T13:00:00.000Z', planned_end: null });
    expect(timed).not.toHaveProperty('days_only');
  });

  it('take a word for a zone only where nobody could mean the word', () => {
    const starts = (text: string) => extract(text, 'Europe/Berlin').map(({ planned_start }) => planned_start);
    expect(starts('Morgen um 10 Uhr ist Betriebsversammlung')).toEqual(['2026-03-12T09:00:00.000Z']);
    expect(starts('Mañana a las 10:00 hay mantenimiento del servidor')).toEqual(['2026-03-12T09:00:00.000Z']);
    expect(starts('All-hands tomorrow at 10:00 IST')).toEqual(['2026-03-12T04:30:00.000Z']);
    expect(starts('All-hands tomorrow at 10am est')).toEqual(['2026-03-12T15:00:00.000Z']);
  });

  it('can be given any text, and give the same twice, with times that exist', () => {
    const words = fc.constantFrom(
      'release',
      'tomorrow',
      'is down',
      'migrated',
      'on 31.02.',
      'from',
      'to',
      'at 25:61',
      'webinar',
      '2026-13-45',
      ':',
      '•',
      '\n',
      'postponed',
      '明日',
      'релиз',
    );
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.array(words, { maxLength: 30 }).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('UTC', 'Asia/Kolkata', 'Pacific/Apia'), (written, zone) => {
        const events = extract(written, zone);
        expect(extract(written, zone)).toEqual(events);
        expect(events.length).toBeLessThanOrEqual(5);
        for (const event of events) {
          for (const time of [event.planned_start, event.planned_end, event.actual_start, event.actual_end]) {
            if (time !== null) expect(new Date(time).toISOString()).toBe(time);
          }
          expect(event.object_name_raw).toMatch(/[\p{L}\p{N}]/u);
          expect(event.object_name_raw).not.toContain('\uE000');
          expect(event.confidence).toBeGreaterThanOrEqual(0);
          expect(event.confidence).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('take no longer for text made to slow them down', () => {
    const nasty = [
      'deploy ',
      'a'.repeat(50),
      '. ',
      'from to ',
      '12 ',
      'release on ',
      ': ',
      '((((',
      'the ',
      '- ',
      ':tada: ',
      'from 9 ',
      'a.b(',
      '{',
      'week of ',
      'eod friday ',
      '--',
      'When: ',
      'in the ',
      'few weeks back ',
      'is down ',
      'users are ',
      'all times ',
    ];
    for (const part of nasty) {
      const began = performance.now();
      const long = part.repeat(Math.ceil(40_000 / part.length));
      extract(`release ${long} tomorrow`);
      extract(`playtest ${long} on Monday`);
      expect(performance.now() - began, part).toBeLessThan(3000);
    }
  });
});
