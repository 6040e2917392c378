import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsIn } from '../../src/output/cells.ts';
import { renderText } from '../../src/output/text.ts';
import type { Paint } from '../../src/output/text-page.ts';
import { anyDigest } from './random-digest.ts';
import { channel, counts, emptyDigest, event, explanation, sampleDigest } from './sample-digest.ts';

const screen = { columns: 80, paint: null };

/** Colours that can be told apart from text. */
const paint: Paint = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
  red: (text) => `\u001b[31m${text}\u001b[39m`,
  yellow: (text) => `\u001b[33m${text}\u001b[39m`,
  cyan: (text) => `\u001b[36m${text}\u001b[39m`,
};

describe('the text', () => {
  it('tells events with their time, what they mean and where they were told', () => {
    const [incident, deploy] = sampleDigest().events.slice(0, 2);
    expect(incident).toBeDefined();
    const text = renderText([emptyDigest({ events: [incident ?? event(), deploy ?? event()] })], screen);
    expect(text.split('\n')).toEqual([
      'Acme Robotics',
      'Sun 22 Nov 2026 08:00 – Mon 23 Nov 08:00 (Europe/Amsterdam)',
      '2 events',
      '',
      'What happened',
      '  • SEV1: incident — Payments API, card payments failing in the EU',
      '    Sun 22 Nov 09:12–09:53 · completed · production · critical importance',
      '    Card payments through the EU gateway failed for 41 minutes after a',
      '    certificate expired. 1,204 orders were retried; none were lost.',
      '    Why it matters: Refunds for duplicate charges go out today; support expects',
      '    questions.',
      '    #incidents  https://acme.slack.com/archives/C0INCIDENTS/p1795338725123450',
      '    #payments  https://acme.slack.com/archives/C0PAYMENTS/p1795338901000200',
      '    and 1 more',
      '',
      '  • Deploy: Checkout 4.2 — completed (PAY-311)',
      '    Sun 22 Nov 10:12 · production',
      '    Checkout 4.2 is live for all customers.',
      '    #releases  https://acme.slack.com/archives/C0RELEASES/p1795338725123450',
    ]);
  });

  it('has its sections in the order in which people want them, and none that is empty', () => {
    const titles = (text: string) => text.split('\n\n').map((part) => part.split('\n')[0]);
    expect(
      titles(renderText([sampleDigest({ explanation })], screen)).filter((line) => !line?.startsWith(' ')),
    ).toEqual([
      'Acme Robotics',
      'What happened',
      'Coming up',
      'Announced for later',
      'Waiting for an answer',
      'Liveliest threads',
      'Activity',
      'New here',
      'News of older messages',
      'Notes',
      'Why these events',
      'How messages scored',
    ]);
    expect(titles(renderText([emptyDigest({ notes: ['a'] })], screen))).toEqual([
      'Acme Robotics',
      'All quiet: nothing new in this time.',
      'Notes',
    ]);
  });

  it('says in one line that nothing happened', () => {
    expect(renderText([emptyDigest()], screen)).toBe(
      'Acme Robotics\nSun 22 Nov 2026 08:00 – Mon 23 Nov 08:00 (Europe/Amsterdam)\n\nAll quiet: nothing new in this time.',
    );
  });

  it('lines the numbers of the channels up, each with its change', () => {
    const { activity } = emptyDigest();
    const channels = [
      channel('backend', counts(1412, 23, 21), counts(1380, 25, 21)),
      channel('東京', counts(8, 2, 0), counts(120, 14, 11)),
    ];
    const text = renderText(
      [emptyDigest({ activity: { ...activity, channels, now: counts(1420, 24, 21), before: counts(1500, 30, 32) } })],
      screen,
    );
    expect(text.split('\n').slice(4)).toEqual([
      'Activity',
      '           messages      people     threads',
      '  #backend    1,412 +32      23 −2       21',
      '  #東京           8 −112      2 −12       0 −11',
      '  all         1,420 −80      24 −6       21 −11',
    ]);
  });

  it('sums up the channels for which there is no room', () => {
    const { activity } = emptyDigest();
    const channels = Array.from({ length: 14 }, (_, index) =>
      channel(`c${index}`, counts(100 - index, 1, 0), counts(0, 0, 0)),
    );
    const text = renderText([emptyDigest({ activity: { ...activity, channels, now: counts(1309, 1, 0) } })], screen);
    expect(text).toContain('#c9 ');
    expect(text).not.toContain('#c10');
    expect(text).toContain('and 4 more channels with 354 messages');
  });

  it('is coloured by what it is given, the most important events most', () => {
    const text = renderText([emptyDigest({ events: [event({ importance_label: 'critical', title: 'Fire' })] })], {
      ...screen,
      paint,
    });
    expect(text).toContain('\u001b[1m\u001b[31mFire\u001b[39m\u001b[22m');
  });

  it('lets no message colour it, move the cursor or show a token', () => {
    const summary = `a \u001b[2Jb \u202ec ${'xoxb-'}1234567890-abcdef`;
    const text = renderText([emptyDigest({ events: [event({ summary })] })], screen);
    expect(text).toContain('    a b c xoxb-…');
  });

  it('separates workspaces', () => {
    expect(renderText([emptyDigest(), emptyDigest()], screen).match(/^Acme Robotics$/gm)).toHaveLength(2);
  });
});

it('has no line wider than the screen, but for addresses, and no controls but its own colours', () => {
  fc.assert(
    fc.property(anyDigest, fc.integer({ min: 20, max: 220 }), fc.boolean(), (digest, columns, isColoured) => {
      const text = renderText([digest], { columns, paint: isColoured ? paint : null });
      const plain = text.replace(/\u001b\[\d+m/g, '');
      expect(plain).toMatch(/^[^\p{Cc}]*(?:\n[^\p{Cc}]*)*$/u);
      expect(plain.isWellFormed()).toBe(true);
      for (const line of plain.split('\n')) {
        if (!/^ *(?:• )?https?:/i.test(line)) expect(cellsIn(line), line).toBeLessThanOrEqual(columns);
      }
    }),
    { numRuns: 60 },
  );
});
