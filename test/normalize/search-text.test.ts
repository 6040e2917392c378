import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { searchTextOf } from '../../src/normalize/search-text.ts';

const richText = (...texts: string[]): JsonObject => ({
  type: 'rich_text',
  elements: texts.map((text) => ({ type: 'rich_text_section', elements: [{ type: 'text', text }] })),
});

describe('searchTextOf', () => {
  test.each<[string, JsonObject, string | null]>([
    ['text alone, with its entities decoded once', { text: 'a &lt;b&gt; &amp;amp; c' }, 'a <b> &amp; c'],
    ['nothing', {}, null],
    ['empty text without anything else', { text: '' }, null],
    ['rich text once: text holds it already', { text: 'hello', blocks: [richText('hello')] }, 'hello'],
    ['rich text, when text is empty', { text: '', blocks: [richText('one', 'two')] }, 'one\ntwo'],
    [
      'mentions, links and emoji of rich text',
      {
        blocks: [
          {
            type: 'rich_text',
            elements: [
              {
                type: 'rich_text_section',
                elements: [
                  { type: 'user', user_id: 'U1' },
                  { type: 'text', text: ' see ' },
                  { type: 'link', url: 'https://example.com' },
                  { type: 'emoji', name: 'tada' },
                ],
              },
            ],
          },
        ],
      },
      '<@U1> see https://example.com:tada:',
    ],
    [
      'lists within rich text',
      {
        blocks: [
          {
            type: 'rich_text',
            elements: [{ type: 'rich_text_list', elements: richText('first', 'second')['elements'] ?? null }],
          },
        ],
      },
      'first\nsecond',
    ],
    [
      'sections, fields, headers and context blocks',
      {
        text: 'Deploy',
        blocks: [
          { type: 'header', text: { type: 'plain_text', text: 'Deploy' } },
          {
            type: 'section',
            text: { type: 'mrkdwn', text: '*done*' },
            fields: [{ type: 'mrkdwn', text: 'branch main' }],
          },
          {
            type: 'context',
            elements: [
              { type: 'mrkdwn', text: 'by ann' },
              { type: 'image', image_url: 'x' },
            ],
          },
          { type: 'image', title: { type: 'plain_text', text: 'a chart' }, alt_text: 'errors per hour' },
          { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'Roll back' } }] },
        ],
      },
      'Deploy\n*done*\nbranch main\nby ann\na chart\nerrors per hour\nRoll back',
    ],
    [
      'attachments, their fields, and the fallback only where there is nothing else',
      {
        text: 'build',
        attachments: [
          {
            fallback: 'never shown',
            title: 'Build 17',
            text: 'failed',
            fields: [{ title: 'Stage', value: 'test' }],
            footer: 'ci',
          },
          { fallback: 'in plain words' },
        ],
      },
      'build\nBuild 17\nfailed\nStage\ntest\nci\nin plain words',
    ],
    [
      'an unfurled message',
      { text: 'look', attachments: [{ message_blocks: [{ message: { blocks: [richText('quoted')] } }] }] },
      'look\nquoted',
    ],
    [
      'names and titles of files',
      { text: '', files: [{ id: 'F1', name: 'plan.pdf', title: 'The plan' }] },
      'The plan\nplan.pdf',
    ],
    ['the one file of a message before 2018', { text: 'up', file: { id: 'F1', title: 'Notes' } }, 'up\nNotes'],
  ])('holds %s', (_, message, expected) => {
    expect(searchTextOf(message)).toBe(expected);
  });

  test('survives every field having a wrong type', () => {
    const wrong = [null, 0, true, 'text', [], [null, 1, 'x', []], {}];
    for (const value of wrong) {
      for (const key of ['text', 'blocks', 'attachments', 'files', 'file'])
        expect(() => searchTextOf({ [key]: value })).not.toThrow();
      expect(() =>
        searchTextOf({
          blocks: [
            { type: 'rich_text', elements: value },
            { type: value, text: value, fields: value },
          ],
        }),
      ).not.toThrow();
      expect(() =>
        searchTextOf({ attachments: [{ text: value, fields: value, blocks: value, message_blocks: value }] }),
      ).not.toThrow();
    }
  });
});
