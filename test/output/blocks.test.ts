import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, renderBlocks, renderBlocksJson } from '../../src/output/blocks.ts';
import { escapeMrkdwn, mrkdwnLink } from '../../src/output/mrkdwn-text.ts';
import { anyDigest, nastyText } from './random-digest.ts';
import { emptyDigest, event, late, question, sampleDigest, source, thread } from './sample-digest.ts';

function textsOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) =>
    block.type === 'divider'
      ? []
      : block.type === 'context'
        ? block.elements.map(({ text }) => text)
        : [block.text.text],
  );
}

function manyEvents(count: number) {
  return Array.from({ length: count }, (_, index) =>
    event({ event_id: `e${index}`, title: `Deploy: service ${index}`, summary: 'Done.' }),
  );
}

describe('the messages', () => {
  it('hold an event as its title, linked, what it is about, and where else it was told', () => {
    const [message] = renderBlocks(
      emptyDigest({
        events: [
          event({
            sources: [
              source(),
              source({ channel: 'payments', channel_id: 'C0PAY' }),
              source({ channel: 'payments', channel_id: 'C0PAY' }),
            ],
          }),
        ],
      }),
    );
    expect(message).toEqual({
      text: 'Event Digest 23.11.2026 · 1 event',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'Events 23.11.2026', emoji: true } },
        { type: 'divider' },
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: [
              '🚀 *<https://acme.slack.com/archives/C0RELEASES/p1795338725123450|Deploy: Checkout 4.2 — completed (PAY-311)>*',
              'Checkout 4.2 is live for all customers.',
              'Sun 22 Nov 10:12 · production · #releases · <https://acme.slack.com/archives/C0PAY/p1795338725123450|#payments> · 1 more message',
            ].join('\n'),
            verbatim: true,
          },
        },
        { type: 'divider' },
        {
          type: 'context',
          elements: [
            { type: 'mrkdwn', text: 'Total events: *1*', verbatim: true },
            { type: 'mrkdwn', text: 'Sun 22 Nov 2026 08:00 – Mon 23 Nov 08:00 (Europe/Amsterdam)', verbatim: true },
          ],
        },
      ],
      itemKeys: ['6f0c1c3e-0000-4000-8000-000000000001'],
    });
  });

  it('split 120 events into 50, 50 and 24 blocks, with the header only in the first', () => {
    const messages = renderBlocks(emptyDigest({ events: manyEvents(120) }));
    expect(messages.map(({ blocks }) => blocks.length)).toEqual([50, 50, 24]);
    expect(messages.map(({ blocks }) => blocks.filter(({ type }) => type === 'header').length)).toEqual([1, 0, 0]);
    expect(messages.map(({ text }) => text)).toEqual([
      'Event Digest 23.11.2026 · 120 events',
      'Event Digest 23.11.2026 (2 of 3)',
      'Event Digest 23.11.2026 (3 of 3)',
    ]);
    expect(messages.map(({ itemKeys }) => itemKeys.length)).toEqual([48, 50, 22]);
  });

  it('split earlier when the texts are long', () => {
    const events = manyEvents(40).map((each) => ({
      ...each,
      summary: 'x'.repeat(320),
      why_it_matters: 'y'.repeat(160),
    }));
    expect(renderBlocks(emptyDigest({ events })).length).toBeGreaterThan(1);
  });

  it('say which items they tell', () => {
    const { activity } = emptyDigest();
    const digest = emptyDigest({
      events: [event({ event_id: 'a' })],
      upcoming: [event({ event_id: 'b' })],
      announced: [event({ event_id: 'c' })],
      activity: {
        ...activity,
        threads: [thread({ channel_id: 'C1' })],
        questions: [question({ channel_id: 'C2' })],
        late: { messages: 0, replies: 3, edits: 0, deletions: 0, items: [late({ channel_id: 'C3' })] },
      },
    });
    expect(renderBlocks(digest).flatMap(({ itemKeys }) => itemKeys)).toEqual([
      'a',
      'upcoming:b',
      'announced:c',
      'question:C2:1795356240.000000',
      'thread:C1:1795356240.000000:1795352645.000100',
      'late:replies:C3:1795356240.000000:1795352645.000100',
    ]);
  });

  it('mark how sure an event is when asked to', () => {
    const events = [0.8, 0.6, 0.59].map((confidence) => event({ confidence, title: 'x', sources: [] }));
    const [message] = renderBlocks(emptyDigest({ events }), { showsConfidence: true });
    expect(textsOf(message?.blocks ?? []).map((text) => text.split('\n')[0])).toEqual(
      expect.arrayContaining(['🚀 *x* ✅', '🚀 *x* ⚠️', '🚀 *x* ❓']),
    );
  });

  it('say that nothing happened', () => {
    const [message] = renderBlocks(emptyDigest());
    expect(textsOf(message?.blocks ?? [])).toContain('All quiet: nothing new in this time.');
    expect(message?.itemKeys).toEqual([]);
  });

  it('are one JSON document for all workspaces', () => {
    const messages = JSON.parse(renderBlocksJson([sampleDigest(), emptyDigest()]));
    expect(messages.map((message: object) => Object.keys(message))).toEqual([
      ['team_id', 'text', 'blocks'],
      ['team_id', 'text', 'blocks'],
    ]);
  });
});

describe('text inside mrkdwn', () => {
  it('pings nobody', () => {
    expect(escapeMrkdwn('<!channel> <@U1> @here @ada', 100)).toBe(
      '&lt;!channel&gt; &lt;@\u2060U1&gt; @\u2060here @\u2060ada',
    );
  });

  it('formats nothing, and leaves names of code as they are', () => {
    expect(escapeMrkdwn('*a* _b_ ~c~ `d` snake_case_name', 100)).toBe('∗a∗ ˍbˍ ∼c∼ ˋdˋ snake_case_name');
    expect(escapeMrkdwn('> a', 100)).toBe('\u2060&gt; a');
  });

  it('is cut between characters and between entities', () => {
    expect(escapeMrkdwn('aaa&b', 7)).toBe('aaa…');
    expect(escapeMrkdwn('aaa&b', 9)).toBe('aaa&amp;b');
    expect(escapeMrkdwn('🚀🚀🚀', 5)).toBe('🚀🚀…');
  });

  it('is a link that neither its label nor its address can end', () => {
    expect(mrkdwnLink('a|b>c', 'https://example.com/?a=1&b=x|y>z', 100)).toBe(
      '<https://example.com/?a=1&amp;b=x%7Cy%3Ez|a∣b&gt;c>',
    );
    expect(mrkdwnLink('a', 'slack://open', 100)).toBe('a');
  });

  it('is never longer than asked for, whatever it is', () => {
    fc.assert(
      fc.property(nastyText, fc.integer({ min: 1, max: 300 }), (text, length) => {
        const escaped = escapeMrkdwn(text, length);
        expect(escaped.length).toBeLessThanOrEqual(length);
        expect(escaped.isWellFormed()).toBe(true);
        expect(escaped).not.toMatch(/[<>*~`]|&(?!(?:amp|lt|gt);)|@[^\s\u2060…]/);
      }),
    );
  });
});

it('keeps every limit and pings nobody, whatever people wrote', () => {
  fc.assert(
    fc.property(anyDigest, (digest) => {
      const messages = renderBlocks(digest);
      for (const { text, blocks } of messages) {
        expect(blocks.length).toBeGreaterThan(0);
        expect(blocks.length).toBeLessThanOrEqual(50);
        const texts = textsOf(blocks);
        expect(texts.join('').length).toBeLessThanOrEqual(12_000);
        for (const block of blocks) {
          if (block.type === 'header') expect(block.text.text.length).toBeLessThanOrEqual(150);
          if (block.type === 'section') expect(block.text.text.length).toBeLessThanOrEqual(3000);
          if (block.type === 'context') expect(block.elements.length).toBeLessThanOrEqual(10);
        }
        for (const each of [text, ...texts]) {
          expect(each).not.toBe('');
          expect(each.isWellFormed()).toBe(true);
          // What is left of it without our own links: nothing that Slack reads as anything but text.
          const bare = each.replace(/<https?:\/\/[^<>|\s]+\|[^<>|]*>/g, '');
          expect(bare).not.toMatch(/[<>]/);
          expect(each).not.toMatch(/@(?:channel|here|everyone|[A-Za-z])/);
        }
      }
      const { activity } = digest;
      const told = [
        digest.events,
        digest.upcoming,
        digest.announced,
        activity.threads,
        activity.questions,
        activity.late.items,
      ];
      expect(messages.flatMap(({ itemKeys }) => itemKeys)).toHaveLength(
        told.reduce((sum, { length }) => sum + length, 0),
      );
    }),
    { numRuns: 60 },
  );
});
