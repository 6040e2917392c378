import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/output/html.ts';
import { style } from '../../src/output/html-style.ts';
import { oneLine } from '../../src/output/plain-text.ts';
import { findAll, readHtml, textOf } from './html-reader.ts';
import { anyDigest } from './random-digest.ts';
import { emptyDigest, event, explanation, question, sampleDigest, source } from './sample-digest.ts';

describe('the page', () => {
  const page = readHtml(renderHtml([sampleDigest({ explanation })]));

  it('has one main heading, and the headings below it skip no level', () => {
    const levels = ['h1', 'h2', 'h3', 'h4'].map((name) => findAll(page, name).map(textOf));
    expect(levels[0]).toEqual(['Acme Robotics']);
    expect(levels[1]).toContain('What happened');
    expect(levels[2]).toContain('Deploy: Checkout 4.2 — completed (PAY-311)');
    expect(levels[3]).toEqual([]);
  });

  it('puts the workspaces below a heading of their own when there are several', () => {
    const several = readHtml(renderHtml([sampleDigest(), emptyDigest()]));
    expect(findAll(several, 'h1').map(textOf)).toEqual(['Digest of 2 workspaces']);
    expect(findAll(several, 'h2').map(textOf)).toEqual(['Acme Robotics', 'Acme Robotics']);
    const ids = [...findAll(several, 'h2'), ...findAll(several, 'h3')].map(({ attributes }) => attributes['id']);
    const given = ids.filter((id) => id !== undefined);
    expect(new Set(given).size).toBe(given.length);
  });

  it('names each section by its heading', () => {
    const headings = findAll(page, 'h2').map(({ attributes }) => attributes['id']);
    for (const section of findAll(page, 'section')) expect(headings).toContain(section.attributes['aria-labelledby']);
  });

  it('has a table that says what its cells are', () => {
    const [table] = findAll(page, 'table');
    const headers = table === undefined ? [] : findAll(table, 'th');
    expect(headers.length).toBeGreaterThan(4);
    for (const { attributes } of headers) expect(['row', 'col']).toContain(attributes['scope']);
    expect(textOf(findAll(page, 'caption')[0] ?? page)).toContain('Sat 21 Nov 2026 08:00 – Sun 22 Nov 08:00');
  });

  it('is shown with its own style and nothing from elsewhere', () => {
    const [policy] = findAll(page, 'meta').filter(
      (meta) => meta.attributes['http-equiv'] === 'Content-Security-Policy',
    );
    const content = textOf(findAll(page, 'style')[0] ?? page);
    const hash = createHash('sha256').update(content).digest('base64');
    expect(policy?.attributes['content']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    expect(style).not.toMatch(/url\(|@import/);
  });

  it('says when, for people and for programs', () => {
    const times = findAll(page, 'time').map((time) => [time.attributes['datetime'], textOf(time)]);
    expect(times).toContainEqual(['2026-11-22T09:12:00.000Z', 'Sun 22 Nov 10:12']);
  });

  it('says that nothing happened', () => {
    expect(textOf(readHtml(renderHtml([emptyDigest()])))).toContain('All quiet: nothing new in this time.');
    expect(textOf(readHtml(renderHtml([])))).toContain('Digest of 0 workspaces');
  });
});

describe('links', () => {
  it('lead to web addresses only, and tell them nothing', () => {
    const bad = event({ title: 'bad', sources: [source({ permalink: 'javascript:alert(1)' })] });
    const links = findAll(readHtml(renderHtml([emptyDigest({ events: [bad, event()] })])), 'a');
    expect(links.map(({ attributes }) => attributes)).toEqual(
      Array.from({ length: 2 }, () => ({
        href: 'https://acme.slack.com/archives/C0RELEASES/p1795338725123450',
        rel: 'noreferrer noopener',
      })),
    );
  });

  it('are made of the addresses in a text', () => {
    const { activity } = emptyDigest();
    const questions = [question({ text: 'Is https://example.com/?a=1&b=<2> up?', permalink: null })];
    const page = readHtml(renderHtml([emptyDigest({ activity: { ...activity, questions } })]));
    expect(findAll(page, 'a').map((link) => [link.attributes['href'], textOf(link)])).toEqual([
      ['https://example.com/?a=1&b=', 'https://example.com/?a=1&b='],
    ]);
    expect(textOf(page)).toContain('Is https://example.com/?a=1&b=<2> up?');
  });
});

it('shows every text and is well formed, whatever people wrote', () => {
  fc.assert(
    fc.property(anyDigest, (digest) => {
      const page = readHtml(renderHtml([digest]));
      const text = oneLine(textOf(page));
      for (const { title, summary } of [...digest.events, ...digest.upcoming, ...digest.announced]) {
        expect(text).toContain(oneLine(title));
        expect(text).toContain(oneLine(summary));
      }
      for (const { attributes } of findAll(page, 'a')) expect(attributes['href']).toMatch(/^https?:\/\//);
    }),
    { numRuns: 40 },
  );
});
