import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../src/output/markdown.ts';
import { escapeMarkdown, markdownLink } from '../../src/output/markdown-text.ts';
import { anyDigest, nastyText } from './random-digest.ts';
import { channel, counts, emptyDigest, event, message, sampleDigest, source } from './sample-digest.ts';

describe('text inside Markdown', () => {
  it('keeps its signs without their meaning', () => {
    expect(escapeMarkdown('*a* _b_ `c` [d](e) <b> | x & y ~z~ $w$ \\')).toBe(
      '\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e) &lt;b&gt; \\| x &amp; y \\~z\\~ \\$w\\$ \\\\',
    );
  });

  it('begins no heading, list, quotation or table', () => {
    expect(['# a', '- a', '+ a', '12. a', '12) a', '> a', '=== a', ':-: a'].map(escapeMarkdown)).toEqual([
      '\\# a',
      '\\- a',
      '\\+ a',
      '12\\. a',
      '12\\) a',
      '&gt; a',
      '\\=== a',
      '\\:-: a',
    ]);
  });

  it('calls nobody and refers to no issue on GitHub', () => {
    expect(escapeMarkdown('@ada see #12')).toBe('@\u2060ada see #\u206012');
  });

  it('links addresses to themselves, without the punctuation of the sentence', () => {
    expect(escapeMarkdown('see https://example.com/a_b, or www.example.com')).toBe(
      'see <https://example.com/a_b>, or www\u2060.example.com',
    );
  });

  it('makes links of web addresses only, which nothing in them can end', () => {
    expect(markdownLink('a]b', 'https://example.com/x)>y|z')).toBe('[a\\]b](<https://example.com/x%29%3Ey%7Cz>)');
    expect(markdownLink('a', 'javascript:alert(1)')).toBe('a');
    expect(markdownLink('a', null)).toBe('a');
  });
});

describe('the document', () => {
  it('tells an event with its links', () => {
    const digest = emptyDigest({
      events: [event({ sources: [source(), source({ channel: 'payments', channel_id: 'C0PAY' })] })],
    });
    expect(renderMarkdown([digest])).toBe(
      [
        '# Acme Robotics',
        '',
        'Sun 22 Nov 2026 08:00 – Mon 23 Nov 08:00 (Europe/Amsterdam)  ',
        '1 event',
        '',
        '## What happened',
        '',
        '- 🚀 **[Deploy: Checkout 4.2 — completed (PAY-311)](<https://acme.slack.com/archives/C0RELEASES/p1795338725123450>)**  ',
        '  Sun 22 Nov 10:12 · production · [#releases](<https://acme.slack.com/archives/C0RELEASES/p1795338725123450>) · [#payments](<https://acme.slack.com/archives/C0PAY/p1795338725123450>)  ',
        '  Checkout 4.2 is live for all customers.',
      ].join('\n'),
    );
  });

  it('has a table of the channels that a name cannot widen', () => {
    const { activity } = emptyDigest();
    const channels = [channel('a|b', counts(3, 2, 1), counts(1, 2, 3))];
    expect(renderMarkdown([emptyDigest({ activity: { ...activity, channels, now: counts(3, 2, 1) } })])).toContain(
      '| \\#a\\|b | 3 | +2 | 2 |  | 1 | −2 |',
    );
  });

  it('says that nothing happened', () => {
    expect(renderMarkdown([emptyDigest()])).toMatch(/\n\nAll quiet: nothing new in this time\.$/);
  });

  it('has one heading of the first level for each workspace', () => {
    expect(renderMarkdown([sampleDigest(), emptyDigest()]).match(/^# .*$/gm)).toHaveLength(2);
  });
});

/** What is left of a line once our own links and escaped signs are gone: nothing in it has a meaning within a line. */
function bare(line: string): string {
  return line
    .replace(/\\[!-/:-@[-`{-~]/g, '')
    .replace(/\]\(<https?:[^<>\s|]*>\)/g, ']')
    .replace(/<https?:[^<>\s|]*>/g, '')
    .replace(/\[[^[\]]*\]/g, '');
}

it('is broken by no text', () => {
  fc.assert(
    fc.property(nastyText, (text) => {
      const escaped = escapeMarkdown(text);
      expect(escaped).not.toMatch(/[\r\n]/);
      expect(bare(escaped)).not.toMatch(/[`*_[\]~|$<>]|@\S(?<!\u2060)|:\/\//u);
      expect(escaped).not.toMatch(/^(?:[-+=:#>]|\d+[.)])/);
      expect(escaped.isWellFormed()).toBe(true);
    }),
  );
});

it('has only lines that begin as ours do, whatever people wrote', () => {
  fc.assert(
    fc.property(anyDigest, (digest) => {
      for (const line of renderMarkdown([digest]).split('\n')) {
        // Headings, items and what belongs to them, rows, and the lines of counts, which are ours.
        expect(line).toMatch(/^(?:# |## |- | {2}\S|\| |$|Sun 22 Nov|\d|no events|and \d|All quiet)/);
        expect(bare(line.replace(/^\|.*\|$/, ''))).not.toMatch(/[`<>[\]~]/);
      }
    }),
    { numRuns: 40 },
  );
});

it('shows a message as its author wrote it', () => {
  const { activity } = emptyDigest();
  const text = 'Is `main` *green*?';
  const digest = emptyDigest({ activity: { ...activity, questions: [{ ...message({ text }), reactions: 0 }] } });
  expect(renderMarkdown([digest])).toContain('**Ada Lovelace:** Is \\`main\\` \\*green\\*?');
});
