import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExtractedEvent } from '../../../src/digest/events/event.ts';
import { type AnswerContext, parseAnswer, readAnswer } from '../../../src/digest/llm/answer.ts';
import { momentOfAnswer } from '../../../src/digest/llm/answer-time.ts';
import { event } from '../../stand-in-llm/answers.ts';

const context: AnswerContext = {
  text: 'Wallet v2.3.0 goes live, see the notes (WAL-77) or status.acme.example',
  links: ['https://acme.example/notes?id=1', 'http://old.example/a'],
  anchors: ['WAL-77'],
  zone: 'Europe/Amsterdam',
};

function read(answer: unknown): ExtractedEvent[] | null {
  const parsed = parseAnswer(typeof answer === 'string' ? answer : JSON.stringify(answer));
  return parsed === null ? null : (readAnswer(parsed, context)?.events ?? null);
}

/** The only event of an answer with one, in which some fields are different. */
function readOne(changes: Record<string, unknown>): ExtractedEvent {
  const [only] = read({ is_event: true, events: [event(changes)] }) ?? [];
  if (only === undefined) throw new Error('the answer holds no event');
  return only;
}

describe('the form of an answer', () => {
  const one = JSON.stringify({ is_event: true, events: [event()] });

  it.each([
    ['plain', one],
    ['in a code fence', `\`\`\`json\n${one}\n\`\`\``],
    ['between words', `Here you are: ${one} Anything else?`],
    ['as a mere list', JSON.stringify([event()])],
    ['without is_event', JSON.stringify({ events: [event()] })],
  ])('may be JSON %s', (_, content) => {
    expect(read(content)).toHaveLength(1);
  });

  it.each(['', 'no', '{', '[1', 'null', '7', '{"answer":1}', '{"events":{}}', `${'['.repeat(200_000)}`])(
    'is none of ours: %.20s',
    (content) => {
      expect(read(content)).toBeNull();
    },
  );

  it('survives an answer that is nested without end', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(read(`{"events":[{"summary":${deep}},${JSON.stringify(event())}]}`)).toHaveLength(2);
  });

  it('says that there is no event in two ways', () => {
    expect(read({ is_event: false, events: [] })).toEqual([]);
    expect(read({ is_event: false })).toEqual([]);
    expect(read({ is_event: false, events: [event()] })).toEqual([]);
  });

  it('does not lose events to a bad one among them', () => {
    const parsed = parseAnswer(JSON.stringify({ events: [event(), 'no', null, 7, [], { action: 1 }, event()] }));
    const reading = readAnswer(parsed ?? {}, context);
    expect(reading?.events.map(({ summary }) => summary)).toEqual([
      'Payments were deployed.',
      '',
      'Payments were deployed.',
    ]);
    expect(reading?.unreadable).toBe(4);
  });

  it('tells when there was more', () => {
    const overflow = (note: unknown) =>
      readAnswer(parseAnswer(JSON.stringify({ events: [], overflow_note: note })) ?? {}, context)?.hasOverflow;
    expect(overflow('two more')).toBe(true);
    expect(overflow(null)).toBe(false);
    expect(overflow('null')).toBe(false);
  });

  it('is the same after it was stored', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.jsonValue(), fc.record({ summary: fc.string({ unit: 'binary' }) }))),
        (events) => {
          const parsed = parseAnswer(JSON.stringify({ is_event: true, events })) ?? {};
          const stored = JSON.parse(JSON.stringify(parsed));
          expect(JSON.stringify(stored)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
          expect(parseAnswer(JSON.stringify(stored))).toEqual(parsed);
          expect(readAnswer(stored, context)).toEqual(readAnswer(parsed, context));
        },
      ),
    );
  });
});

describe('fields', () => {
  it('that are known stay as they are', () => {
    expect(readOne({})).toEqual({ ...event(), actual_start: '2026-11-20T10:00:00.000Z' });
  });

  it('that are unknown or absent say as little as they can', () => {
    const [empty] = read({ events: [{}] }) ?? [];
    expect(empty).toEqual({
      action: 'Other',
      object_name_raw: '',
      qualifiers: [],
      stroke: null,
      anchor: null,
      category: 'unknown',
      status: 'updated',
      change_type: 'other',
      environment: 'unknown',
      severity: null,
      planned_start: null,
      planned_end: null,
      actual_start: null,
      actual_end: null,
      time_source: 'ts_fallback',
      time_confidence: 0.5,
      summary: '',
      why_it_matters: null,
      links: [],
      anchors: [],
      impact_area: [],
      impact_type: [],
      confidence: 0.5,
    });
    expect(readOne({ action: 'Dance', category: 7, status: {}, severity: 'huge' })).toMatchObject({
      action: 'Other',
      category: 'unknown',
      status: 'updated',
      severity: 'unknown',
    });
  });

  it.each([
    [{ action: 'a/b test' }, { action: 'A/B Test' }],
    [{ action: 'LAUNCH' }, { action: 'Launch' }],
    [{ status: 'cancelled' }, { status: 'canceled' }],
    [{ status: 'Rolled back' }, { status: 'rolled_back' }],
    [{ environment: 'Production' }, { environment: 'prod' }],
    [{ severity: 'SEV-1' }, { severity: 'sev1' }],
    [{ severity: 'P2' }, { severity: 'sev2' }],
    [{ severity: 'none' }, { severity: null }],
    [{ confidence: '0.8' }, { confidence: 0.8 }],
    [{ confidence: '80%' }, { confidence: 0.8 }],
    [{ confidence: 80 }, { confidence: 0.8 }],
    [{ confidence: -1 }, { confidence: 0 }],
    [{ confidence: 'high' }, { confidence: 0.5 }],
    [{ stroke: 'null' }, { stroke: null }],
    [{ qualifiers: 'EU' }, { qualifiers: ['EU'] }],
    [{ qualifiers: ['EU', 'EU', 2, null, 'x', 'y'] }, { qualifiers: ['EU', '2'] }],
    [{ object_name_raw: 42 }, { object_name_raw: '42' }],
    [
      { actual_start: 'yesterday', time_source: 'explicit' },
      { actual_start: null, time_source: 'ts_fallback' },
    ],
    [{ time_source: 'guess' }, { time_source: 'relative' }],
  ])('are read as they were meant: %o', (changes, meant) => {
    expect(readOne(changes)).toMatchObject(meant);
  });

  it('are cut to their lengths, characters whole', () => {
    const long = readOne({
      summary: '😀'.repeat(400),
      why_it_matters: 'y'.repeat(500),
      impact_area: ['a', 'b', 'c', 'd'],
    });
    expect(long.summary.length).toBeLessThanOrEqual(320);
    expect(long.summary).toMatch(/^(😀)+…$/u);
    expect(long.why_it_matters).toBe(`${'y'.repeat(159)}…`);
    expect(long.impact_area).toEqual(['a', 'b', 'c']);
  });
});

describe('times', () => {
  it.each([
    ['2026-03-03T14:00:00+01:00', '2026-03-03T13:00:00.000Z'],
    ['2026-03-03T14:00:00Z', '2026-03-03T14:00:00.000Z'],
    ['2026-03-03T14:00:00.123456-0500', '2026-03-03T19:00:00.000Z'],
    ['2026-03-03T14:00', '2026-03-03T13:00:00.000Z'],
    ['2026-07-03 14:00', '2026-07-03T12:00:00.000Z'],
    ['2026-07-03 14:00 UTC', '2026-07-03T14:00:00.000Z'],
    ['2026-03-03', '2026-03-02T23:00:00.000Z'],
    ['2026-03-03T24:00', '2026-03-03T23:00:00.000Z'],
    ['2026-02-30', null],
    ['2026-13-01', null],
    ['2026-03-03T25:00', null],
    ['03.03.2026', null],
    ['tomorrow', null],
    ['', null],
    ['0001-01-01', null],
    ['9999-12-31T23:59:59-12:00', null],
  ])('%s is %s', (text, moment) => {
    expect(momentOfAnswer(text, 'Europe/Amsterdam')).toBe(moment);
  });

  it('that are only days are days, and end with the last one', () => {
    expect(readOne({ actual_start: null, planned_start: '2026-03-28', planned_end: '2026-03-29' })).toMatchObject({
      days_only: true,
      planned_start: '2026-03-27T23:00:00.000Z',
      planned_end: '2026-03-29T22:00:00.000Z',
    });
    expect(readOne({ actual_start: null, planned_start: '2026-03-28T00:00' })).not.toHaveProperty('days_only');
  });

  it('are moments or nothing, whatever is written', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?$/)),
        fc.constantFrom('UTC', 'Europe/Amsterdam', 'Pacific/Apia'),
        (text, zone) => {
          const moment = momentOfAnswer(text, zone);
          if (moment !== null) expect(new Date(moment).toISOString()).toBe(moment);
        },
      ),
    );
  });
});

describe('what a message made the model write', () => {
  const texts = (one: ExtractedEvent) => JSON.stringify(one);

  it.each([
    'https://evil.example/x',
    'HTTPS://EVIL.EXAMPLE',
    'www.evil.example',
    'evil.example/login',
    'evil.example',
    'ftp://evil.example',
    'mailto:a@evil.example',
    'boss@evil.example',
    'javascript:alert(evil)',
    '<https://evil.example|the notes>',
    '[the notes](https://evil.example)',
    'https://acme.example@evil.example/notes?id=1',
    'https://acme.example/notes?id=1&next=evil',
    'https://e\u200bvil.example',
    'e\u00advil.example',
    'https://xn--evil.example/evil',
    '(evil.example)',
    '.evil.example',
    'evil.example.',
    '//evil.example/a',
    'slack://evil',
    '0https://evil.example',
    'evil.example_now',
    'evil.xn--p1ai',
    'evil.भारत',
  ])('holds no address that the message does not hold: %s', (address) => {
    const sentence = `See ${address} now`;
    const one = readOne({
      summary: sentence,
      why_it_matters: sentence,
      object_name_raw: sentence,
      stroke: sentence,
      anchor: address,
      qualifiers: [sentence],
      impact_area: [sentence],
      impact_type: [sentence],
      links: [address],
      anchors: [address],
    });
    expect(texts(one)).not.toMatch(/evil[^ ]|:\/\//i);
    expect(one.links).toEqual([]);
    expect(one.anchors).toEqual([]);
    expect(one.summary).toMatch(/^See .*now$/);
  });

  it('may name the links of the message, in their own spelling', () => {
    expect(
      readOne({
        links: [
          'https://ACME.example/notes/?id=1#top',
          'https://acme.example/notes?id=1&utm_source=x',
          'http://old.example/a',
        ],
        summary: 'See https://acme.example/notes?id=1, or status.acme.example.',
      }),
    ).toMatchObject({
      links: ['https://acme.example/notes?id=1', 'http://old.example/a'],
      summary: 'See https://acme.example/notes?id=1, or status.acme.example.',
    });
  });

  it('may name what only looks like a host, without the dot', () => {
    expect(readOne({ summary: 'Node.js 22 replaces Deno.' }).summary).toBe('Node js 22 replaces Deno.');
    expect(readOne({ summary: 'e.g. at 5 p.m. in the U.S. with v2.3.0.' }).summary).toBe(
      'e.g. at 5 p.m. in the U.S. with v2.3.0.',
    );
  });

  it('does not become another link when it is cut', () => {
    const { summary } = readOne({ summary: `${'y'.repeat(300)} https://acme.example/notes?id=1` });
    expect(summary).not.toContain('https');
  });

  it('names no keys that are not in the message', () => {
    expect(readOne({ anchor: 'ABC-1', anchors: ['wal-77', 'ABC-1', 'WAL-7'] })).toMatchObject({
      anchor: null,
      anchors: ['WAL-77'],
    });
    expect(readOne({ anchor: 'v2.3.0' }).anchor).toBe('v2.3.0');
    expect(readOne({ anchor: 'wal-77' }).anchor).toBe('WAL-77');
    expect(readOne({ anchor: 'v2.3' }).anchor).toBe('v2.3');
    expect(readOne({ anchor: 'allet' }).anchor).toBeNull();
  });

  it('calls nobody, and hides nothing', () => {
    const one = readOne({ summary: '<!channel> <@U123> a\u0000b\u001b[31mc\u202Ed\u2028e\ud800', stroke: '<!here>' });
    expect(one.summary).toBe('a b [31mcd e\ufffd');
    expect(one.stroke).toBeNull();
  });

  it('never holds a link, a control or half a character that the message does not hold', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        'https://',
        'www.',
        'evil.example',
        '/',
        '@',
        '<',
        '>',
        '|',
        ' ',
        '.',
        '\u200b',
        'https://acme.example/notes?id=1',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { summary } = readOne({ summary: pieces.join('') });
        expect(summary.isWellFormed()).toBe(true);
        expect(summary).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        const links = summary.match(/https?:\/\/[^\s<>"'`|]*/giu) ?? [];
        for (const link of links) expect(link.toLowerCase()).toContain('acme.example/notes?id=1');
        expect(summary).not.toMatch(/evil\.example(?![a-z0-9])/i);
      }),
      { numRuns: 2000 },
    );
  });

  it('is read in no time, however long it is', () => {
    const begin = Date.now();
    readOne({
      summary: 'a.'.repeat(500_000),
      object_name_raw: '<'.repeat(500_000),
      links: Array(5000).fill('https://a'),
    });
    readOne({ summary: `${'a'.repeat(60)}@`.repeat(10_000), stroke: `${'-'.repeat(50_000)}.` });
    expect(Date.now() - begin).toBeLessThan(1000);
  });
});
