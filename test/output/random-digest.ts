/** Digests full of what outsiders can write, to see that no format is broken by it. */
import * as fc from 'fast-check';
import type { Digest } from '../../src/digest/digest.ts';
import { actions, categories, environments, severities, statuses } from '../../src/digest/events/event.ts';
import type { IsoTime } from '../../src/model.ts';
import { millisToIso, millisToTs } from '../../src/ts.ts';
import { counts, emptyDigest, event, late, message, question, source, thread } from './sample-digest.ts';

/** Pieces that mean something to Slack, to HTML, to Markdown, to a terminal, or to whoever cuts texts. */
const nastyPieces = [
  '<!channel>',
  '<!here|here>',
  '<!everyone>',
  '<!subteam^S1|@team>',
  '<@U0123|ada>',
  '@channel',
  '@here',
  '@everyone',
  '@octocat',
  'a@b.example',
  '&lt;!channel&gt;',
  '</p></li><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '<!--',
  '</style>',
  '```',
  '`code`',
  '*bold*',
  '**',
  '_it_ snake_case',
  '~~gone~~',
  '> quoted',
  '# heading',
  '- item',
  '1. item',
  '| a | b |',
  '|---|---|',
  '[x](javascript:alert(1))',
  '![x](https://evil.example/x.png)',
  '$x$',
  '#12',
  '---',
  '===',
  '\\',
  '&amp;',
  'https://example.com/a|b>c?d=1&e=<2>',
  'https://user:hunter2@example.com/',
  'www.example.com',
  'javascript:alert(1)',
  `xoxb-${'1234567890-abcdefghij'}`,
  '\u001b[31mred\u001b[0m',
  '\u001b]8;;https://evil.example\u0007here\u001b]8;;\u0007',
  '\r\n\n',
  '\u2028',
  '\u202e',
  '\ud83d',
  '\udc69 x',
  '👩‍👩‍👧‍👦',
  '🏳️‍🌈',
  '日本語のとても長い文章です',
  'ข้อความภาษาไทย',
  'שלום עולם',
  'W'.repeat(400),
  '界'.repeat(200),
  '🚀'.repeat(200),
  '&'.repeat(300),
];

export const nastyText = fc
  .array(fc.oneof(fc.constantFrom(...nastyPieces), fc.string({ unit: 'binary', maxLength: 8 }), fc.constant(' ')), {
    maxLength: 6,
  })
  .map((pieces) => pieces.join(''));

const address = fc.option(
  fc.oneof(
    fc.constant('https://acme.slack.com/archives/C1/p1700000001123450?thread_ts=1700000000.000100&cid=C1'),
    fc.constantFrom(...nastyPieces).map((piece) => `https://acme.slack.com/${piece}`),
    nastyText,
    fc.constant(`https://acme.slack.com/?${'&a'.repeat(480)}`),
  ),
  { nil: null },
);

const moment: fc.Arbitrary<IsoTime> = fc
  .integer({ min: 1_795_000_000, max: 1_797_000_000 })
  .map((s) => millisToIso(s * 1000));
const ts = fc.integer({ min: 1_700_000_000, max: 1_795_000_000 }).map((s) => millisToTs(s * 1000));
const count = fc.constantFrom(0, 1, 2, 999, 1_234_567);
const channel_id = fc.constantFrom('C0A', 'D0B', 'G0C');
const kind = fc.constantFrom('public' as const, 'private' as const, 'im' as const, 'mpim' as const);

const anySource = fc.record({ channel_id, channel: nastyText, ts, permalink: address }).map(source);

const anyEvent = fc
  .record({
    event_id: fc.uuid(),
    title: nastyText,
    summary: nastyText,
    why_it_matters: fc.option(nastyText, { nil: null }),
    action: fc.constantFrom(...actions),
    category: fc.constantFrom(...categories),
    status: fc.constantFrom(...statuses),
    severity: fc.option(fc.constantFrom(...severities), { nil: null }),
    environment: fc.constantFrom(...environments),
    start: fc.option(moment, { nil: null }),
    end: fc.option(moment, { nil: null }),
    days_only: fc.boolean(),
    time_confidence: fc.constantFrom(0.5, 1),
    confidence: fc.constantFrom(0.5, 0.7, 0.9),
    importance_label: fc.constantFrom('critical' as const, 'high' as const, 'medium' as const, 'low' as const),
    sources: fc.array(anySource, { maxLength: 4 }),
  })
  .map(event);

const messageValues = {
  channel_id,
  channel: nastyText,
  kind,
  ts,
  posted_at: moment,
  author: nastyText,
  text: nastyText,
  permalink: address,
};
const anyThread = fc
  .record({
    ...messageValues,
    replies: count,
    replies_in_all: count,
    people: count,
    reactions: count,
    latest_reply: ts,
  })
  .map(thread);
const anyQuestion = fc.record({ ...messageValues, reactions: count }).map(question);
const anyLate = fc
  .record({
    ...messageValues,
    what: fc.constantFrom('replies' as const, 'edit' as const, 'deletion' as const),
    count,
    before: fc.option(nastyText, { nil: null }),
  })
  .map((values) => late({ ...message(values), ...values }));
const anyCounts = fc.tuple(count, count, count).map(([messages, people, threads]) => counts(messages, people, threads));
const anyChannel = fc.record({ channel_id, name: nastyText, kind, now: anyCounts, before: anyCounts });

const explanation = fc.record({
  events: fc.array(
    fc.record({
      event_id: fc.uuid(),
      title: nastyText,
      chosen: fc.boolean(),
      reason: nastyText,
      confidence: fc.constant(0.5),
      importance: fc.constant(12.345),
      state: fc.constant('valid'),
    }),
    { maxLength: 3 },
  ),
  candidates: fc.array(
    fc.record({
      channel: nastyText,
      ts,
      text: nastyText,
      permalink: address,
      score: fc.constantFrom(-15, 0, 12.5),
      status: fc.constant('skipped'),
      reason: fc.option(nastyText, { nil: null }),
      explanations: fc.array(nastyText, { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
});

export const anyDigest: fc.Arbitrary<Digest> = fc
  .record({
    name: nastyText,
    events: fc.array(anyEvent, { maxLength: 80, size: 'max' }),
    upcoming: fc.array(anyEvent, { maxLength: 20 }),
    announced: fc.array(anyEvent, { maxLength: 20 }),
    threads: fc.array(anyThread, { maxLength: 10 }),
    questions: fc.array(anyQuestion, { maxLength: 10 }),
    channels: fc.array(anyChannel, { maxLength: 15 }),
    lateItems: fc.array(anyLate, { maxLength: 10 }),
    now: anyCounts,
    before: anyCounts,
    new_channels: fc.array(
      fc.record({
        channel_id,
        name: fc.option(nastyText, { nil: null }),
        created_at: moment,
        creator: fc.option(nastyText, { nil: null }),
        purpose: fc.option(nastyText, { nil: null }),
        link: address,
      }),
      { maxLength: 4 },
    ),
    new_members: fc.array(fc.record({ user_id: fc.constant('U1'), name: nastyText, joined_at: moment }), {
      maxLength: 30,
    }),
    late: fc.record({ messages: count, replies: count, edits: count, deletions: count }),
    notes: fc.array(nastyText, { maxLength: 3 }),
    explanation: fc.option(explanation, { nil: null }),
  })
  .map(
    ({ name, events, upcoming, announced, lateItems, notes, explanation: explained, late: lateCounts, ...activity }) =>
      emptyDigest({
        workspace: { team_id: 'T0ACME', name, url: null },
        events,
        upcoming,
        announced,
        notes,
        explanation: explained,
        activity: { ...activity, late: { ...lateCounts, items: lateItems } },
      }),
  );
