import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anchorsOf } from '../../../src/digest/text/anchors.ts';
import { normalizeUrl } from '../../../src/digest/text/links.ts';
import { messageText } from '../../../src/digest/text/message-text.ts';
import type { JsonObject } from '../../../src/model.ts';
import { richText } from '../../stand-in/rich-text.ts';

const names = {
  user: (id: string) => ({ U1: 'Ada', U2: 'Bram' })[id] ?? null,
  channel: (id: string) => ({ C1: 'rel' })[id] ?? null,
  usergroup: () => null,
};
const textOf = (raw: JsonObject) => messageText(raw, names);
const plainOf = (text: string) => textOf({ text }).plain;

describe('the text of a message', () => {
  it('is normalized for matching: no code, no addresses, no people, lower case, one line', () => {
    const text = 'Deploy `x` now ```code``` <@U1> to <#C1|rel> https://a.b/c  OK';
    expect(textOf({ text }).norm).toBe('deploy now to rel ok');
  });

  it('stays as people wrote it for reading: names, labels, signs', () => {
    expect(plainOf('Hi <@U1>, see <https://e.com/a|PR 12> &amp; <#C1> &lt;b&gt;')).toBe(
      'Hi @Ada, see PR 12 & #rel <b>',
    );
    expect(plainOf('<@U9> and <@U9|zoe> and <!subteam^S1|@ops> and <!date^1392734382^{date}|Feb 18>')).toBe(
      '@somebody and @zoe and @ops and Feb 18',
    );
    expect(plainOf('<mailto:a@b.c|a@b.c> <tel:+31>')).toBe('a@b.c +31');
    expect(plainOf('a\n\n\n\nb ')).toBe('a\n\nb');
  });

  it('is the same whether it stands in text, in blocks or in both', () => {
    const written = [
      'The <https://e.com/a?b=1&amp;c=2|plan> for <@U1> in <#C1> is <!here> :tada: &lt;3',
      'Two lines\nof text',
    ];
    for (const text of written) {
      const blocks = richText(text, 'seed');
      const both = textOf({ text, blocks });
      expect(textOf({ text: '', blocks })).toEqual(both);
      expect(both.links).toEqual(textOf({ text }).links);
      expect(both.plain).toBe(plainOf(text));
      expect(both.norm).toBe(textOf({ text }).norm);
      expect(both.mentions).toBe(textOf({ text }).mentions);
    }
  });

  it('reads app posts whose text is empty: attachments, sections, fields, files', () => {
    const raw = {
      text: '',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'Build 7 & up' } },
        { type: 'section', text: { type: 'mrkdwn', text: 'It *failed* on <https://ci.example/7|main>' } },
        { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'Retry' } }] },
      ],
      attachments: [
        {
          fallback: 'not this',
          title: 'INC-7',
          title_link: 'https://e.com/INC-7',
          text: 'Database is slow',
          fields: [{ title: 'Severity', value: 'sev2' }],
        },
        { fallback: 'only this' },
      ],
      files: [{ title: 'Minutes' }],
    };
    const { plain, links, anchors, hasFiles } = textOf(raw);
    expect(plain.split('\n')).toEqual([
      'Build 7 & up',
      'It *failed* on main',
      'INC-7',
      'Database is slow',
      'Severity: sev2',
      'only this',
      'Minutes',
    ]);
    expect(links).toEqual(['https://ci.example/7', 'https://e.com/INC-7']);
    expect(anchors).toEqual(['INC-7']);
    expect(hasFiles).toBe(true);
  });

  it('puts each block on lines of its own', () => {
    const header = { type: 'header', text: { type: 'plain_text', text: 'Build 7' } };
    const section = { type: 'section', text: { type: 'mrkdwn', text: 'see log' } };
    const [rich = null] = [richText('all green', 's')].flat();
    expect(textOf({ text: '', blocks: [header, rich, section] }).plain).toBe('Build 7\nall green\nsee log');
    expect(textOf({ text: '', blocks: [rich, header] }).norm).toBe('all green build 7');
  });

  it('keeps the empty lines and the lists of people', () => {
    const section = (text: string) => ({ type: 'rich_text_section', elements: [{ type: 'text', text }] });
    const list = { type: 'rich_text_list', style: 'bullet', elements: [section('one'), section('two')] };
    const blocks = [{ type: 'rich_text', elements: [section('Plan\n\nof today:\n'), list, section('end')] }];
    expect(textOf({ text: '', blocks }).plain).toBe('Plan\n\nof today:\none\ntwo\nend');
  });

  it('reads a table row by row', () => {
    const cell = (text: string) => ({ type: 'raw_text', text });
    const [rich = null] = [richText('on <https://e.com/7|Friday>', 's')].flat();
    const rows = [
      [cell('Service'), cell('When')],
      [cell('shop'), rich],
    ];
    const { plain, links } = textOf({ text: '', blocks: [{ type: 'table', rows }] });
    expect(plain).toBe('Service | When\nshop | on Friday');
    expect(links).toEqual(['https://e.com/7']);
  });

  it('tells a date that has no text of its own', () => {
    const date = { type: 'date', timestamp: 1_700_000_000, format: '{date}' };
    const blocks = [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [date] }] }];
    expect(textOf({ text: '', blocks }).plain).toBe('2023-11-14 22:13 UTC');
  });

  describe('says nothing twice', () => {
    const said = 'Deploy of <https://e.com/7|shop> is done <!here>';
    const read = 'Deploy of shop is done @here';

    it('of a message to which a link leads, because it is read where it stands', () => {
      const link = 'https://a.slack.com/archives/C1/p1700000000000000';
      const quoted = { message: { blocks: richText(said, 's') } };
      const attachments = [
        { is_msg_unfurl: true, from_url: link, text: said, fallback: `Ada: ${said}`, message_blocks: [quoted] },
      ];
      expect(textOf({ text: '', attachments }).plain).toBe('');
    });

    it('of what the preview of a link shows, which somebody else has said at another time', () => {
      const link = 'https://news.example/launch';
      const attachments = [{ from_url: link, title: 'Launch on Friday', text: said }];
      expect(textOf({ text: `See <${link}>`, attachments }).plain).toBe(`See ${link}`);
    });

    it('of an attachment with blocks and text', () => {
      const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: said } }];
      expect(textOf({ text: '', attachments: [{ text: said, fallback: said, blocks }] }).plain).toBe(read);
    });

    it('of an attachment that repeats the message, or another attachment', () => {
      const both = textOf({ text: said, attachments: [{ text: said }, { title: 'More' }, { title: 'More' }] });
      expect(both).toMatchObject({ plain: `${read}\nMore`, mentions: 1, links: ['https://e.com/7'] });
    });
  });

  it('counts calls to everybody, in any form', () => {
    expect(textOf({ text: '<!channel> <!here|here> <!everyone> @here @channel hi@here.com' }).mentions).toBe(5);
    expect(textOf({ text: 'code: `@channel` and @channels' }).mentions).toBe(0);
  });

  it('can be made of anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.json(), (text, json) => {
        const raw = { text, blocks: JSON.parse(json), attachments: JSON.parse(json) };
        expect(typeof textOf(raw).plain).toBe('string');
      }),
      { numRuns: 300 },
    );
  });

  it('takes no longer for text made to slow it down', () => {
    for (const text of [
      '<'.repeat(40_000),
      '`'.repeat(40_000),
      '<@'.repeat(20_000),
      '@here'.repeat(8000),
      'http://'.repeat(6000),
      `http://${','.repeat(40_000)}x`,
      `<http://a.b${'/'.repeat(40_000)}x>`,
      `x${' '.repeat(40_000)}x\n`,
      `${'a'.repeat(40_000)}/zoom.us/`,
      `${'gitlab'.repeat(6000)}/-/`,
      'gitlab/'.repeat(6000),
      '/wiki/'.repeat(6000),
      `notion.so/${'a0'.repeat(20_000)}!`,
    ]) {
      const began = performance.now();
      textOf({ text });
      expect(performance.now() - began, text.slice(0, 20)).toBeLessThan(400);
    }
  });
});

describe('addresses', () => {
  it.each([
    ['https://ex.com/a/?utm_source=x&b=1#f', 'https://ex.com/a?b=1'],
    ['www.test.com/', 'https://www.test.com/'],
    ['https://ex.com/a,', 'https://ex.com/a'],
    ['https://ex.com/a|label', 'https://ex.com/a'],
    ['HTTPS://EX.com/A?utm_x=1', 'https://ex.com/A'],
    ['https://en.wikipedia.org/wiki/Slack_(software)', 'https://en.wikipedia.org/wiki/Slack_(software)'],
    ['https://en.wikipedia.org/wiki/Slack_(software)).', 'https://en.wikipedia.org/wiki/Slack_(software)'],
    ['https://us02web.zoom.us/j/123?pwd=secret&x=1', 'https://us02web.zoom.us/j/123?x=1'],
    ['https://ex.com/a?pwd=x', 'https://ex.com/a?pwd=x'],
    ['javascript:alert(1)', null],
    ['ftp://ex.com/a', null],
  ])('%s becomes %s', (written, normal) => {
    expect(normalizeUrl(written)).toBe(normal);
  });

  it('are normal once and for all', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const once = normalizeUrl(url);
        expect(once === null ? null : normalizeUrl(once)).toBe(once);
      }),
    );
  });

  it('are normal once and for all, whatever signs they hold', () => {
    const signs = fc.constantFrom('a', '(', ')', '/', '?', '&', '#', '.', ',', '=', 'utm_x', 'www.');
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 12 }), (tail) => {
        const once = normalizeUrl(`https://e.com/${tail.join('')}`);
        expect(once).not.toBeNull();
        expect(normalizeUrl(once ?? '')).toBe(once);
      }),
    );
  });

  it('are listed once each, in the order they stand', () => {
    const { links } = textOf({
      text: '<https://b.c/2> <https://b.c/1/> https://b.c/2#top <https://b.c/1?utm_campaign=a|again>',
    });
    expect(links).toEqual(['https://b.c/2', 'https://b.c/1']);
  });
});

describe('anchors', () => {
  it('are tickets first, then pull requests, meetings, documents, each once', () => {
    const text = [
      'https://github.com/org/repo/pull/42 PROJ-1 and PROJ-1',
      'https://us02web.zoom.us/j/123?pwd=x',
      'https://meet.google.com/abc-defg-hij',
      `https://docs.google.com/document/d/1A${'b'.repeat(25)}C/edit`,
    ].join(' ');
    expect(anchorsOf(text)).toEqual([
      'PROJ-1',
      'org/repo#42',
      'zoom:zoom.us/j/123',
      'meet:abc-defg-hij',
      `gdoc:1A${'b'.repeat(25)}C`,
    ]);
  });

  it('are found in names with dots, in GitLab of today, in other systems', () => {
    expect(anchorsOf('https://github.com/my.org/a.b_c/issues/3 github.com/o/r#9')).toEqual(['my.org/a.b_c#3', 'o/r#9']);
    expect(anchorsOf('https://gitlab.com/group/sub/project/-/issues/10')).toEqual(['group/sub/project#10']);
    expect(anchorsOf('https://gitlab.example.com/g/p/merge_requests/7')).toEqual(['g/p#7']);
    expect(anchorsOf('https://git.example.com/g/s/p/-/merge_requests/7#note_1')).toEqual(['g/s/p#7']);
    expect(anchorsOf('https://wiki.example.com/pages/viewpage.action?spaceKey=X&pageId=123')).toEqual([
      'confluence:123',
    ]);
    expect(anchorsOf('https://acme.atlassian.net/wiki/spaces/X/pages/98765/Title')).toEqual(['confluence:98765']);
    expect(anchorsOf(`https://www.notion.so/acme/Plan-${'0af1'.repeat(8)}`)).toEqual([`notion:${'0af1'.repeat(8)}`]);
    expect(
      anchorsOf('https://teams.microsoft.com/l/meetup-join/19%3a https://teams.microsoft.com/l/meetup-join/x'),
    ).toEqual(['teams:meeting']);
  });

  it('are the tickets of branches, and of projects with a short key', () => {
    expect(anchorsOf('ABC-12-fix-login, feature/ABC-13')).toEqual(['ABC-12', 'ABC-13']);
    expect(anchorsOf('PM-120, WIN-5, ES-101')).toEqual(['PM-120', 'WIN-5', 'ES-101']);
  });

  it('are no words that only look like tickets', () => {
    const words =
      'UTF-8, SHA-256, ISO-8601, ISO-8859-1, COVID-19, RFC-822, CVE-2024-1234, GPT-4, 10 AM-5 PM, JDK-17.0.2';
    expect(anchorsOf(words)).toEqual([]);
    expect(anchorsOf('x-ABC-1, ABC-12x')).toEqual([]);
  });
});
