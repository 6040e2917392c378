/** Whatever a message says, what is stored of it is found to be right, again and again. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exportWorld } from '../exports/export-world.ts';
import { imported, tsOn } from '../import/import-lab.ts';
import type { Channel } from '../stand-in/channel.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { cleanedEarlier, exportToken, textAboutTokens } from '../support/token-texts.ts';

const address = 'https://files.slack.com/files-pri/T0ACME-F0A/a.png';

function post(channel: Channel, texts: readonly string[]): string[] {
  return texts.map((text, n) =>
    channel.post({
      ts: tsOn(3, n % 60),
      text,
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }],
      attachments: [{ id: 1, fallback: text, from_url: `${address}?${text}` }],
    }),
  );
}

async function expectWhole(lab: Lab): Promise<void> {
  for (const args of [
    ['verify', '--offline'],
    ['verify', '--offline', '--repair'],
    ['verify', '--offline'],
    ['verify'],
  ]) {
    const { code, out } = await lab.run(args);
    expect({ args, code, gaps: out.gaps, errors: out.errors }).toEqual({ args, code: 0, gaps: [], errors: [] });
  }
}

const words = [
  'refresh tokens begin with xoxe-',
  'access tokens begin with xoxe.xoxp-1-',
  'rename xoxe-foo to bar',
  'Slack writes ?token=xoxe-… beside ?t=xoxe-…',
];

eachDatabase((create) => {
  it('finds nothing amiss in any text about tokens, whether the API or an export brought it', async () => {
    const texts = fc.sample(textAboutTokens, { numRuns: 120, seed: Date.now() });
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    post(general, [...words, ...texts]);
    expect((await lab.ingest()).code, JSON.stringify(texts)).toBe(0);
    await expectWhole(lab);
    const stored = await lab.database.rows('messages', { order: 'ts' });
    for (const text of words) expect(stored.map((row) => row['text'])).toContain(text);
    expect(JSON.stringify(stored)).not.toMatch(/xoxe-\d{10}/i);

    await using other = await create();
    const elsewhere: Lab = {
      ...lab,
      run: (args, more) => lab.run(args, { env: { ...more?.env, DATABASE_URL: other.url } }),
    };
    expect((await imported(elsewhere, exportWorld(lab.acme))).code).toBe(0);
    expect((await elsewhere.run(['verify', '--offline'])).out.gaps).toEqual([]);
    expect((await elsewhere.run(['ingest'])).code).toBe(0);
    await expectWhole(elsewhere);
    expect(await other.rows('message_revisions')).toEqual([]);
  });

  it('stores one address of a file, from the API and from an export of before and after May 2025', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const file = (url: string) => [{ id: 'F0A', name: 'a.png', mode: 'hosted', created: 1, url_private: url }];
    const ts = general.post({ ts: tsOn(3), text: 'a file', files: file(address) });
    expect((await lab.ingest()).code).toBe(0);
    const read = async () => ({
      messages: (await lab.database.rows('messages')).map(({ text, content_hash }) => ({ text, content_hash })),
      files: (await lab.database.rows('files')).map(({ url_private, content_hash }) => ({ url_private, content_hash })),
    });
    const byApi = await read();
    expect(byApi.files).toMatchObject([{ url_private: address }]);
    for (const url of [`${address}?t=${exportToken}`, `${address}?token=${exportToken}`]) {
      general.change(ts, (message) => ({ ...message, files: file(url) }));
      const run = await lab.ingest();
      expect(run.out.messages).toMatchObject({ updated: 0 });
      expect(await read()).toEqual(byApi);
    }
  });

  it('what an earlier version cleaned otherwise is right as it stands, becomes what Slack holds, and is no edit', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const texts = [...words.slice(0, 3), `<${address}?a=1&amp;token=${exportToken}|a.png>`];
    // What that version stored is what this one stores of its text.
    const posted = texts.map((text, n) => general.post({ ts: tsOn(3, n), text: cleanedEarlier(text) }));
    expect((await lab.ingest()).code).toBe(0);
    await expectWhole(lab);
    for (const [n, ts] of posted.entries()) general.change(ts, (message) => ({ ...message, text: texts[n] ?? '' }));
    expect((await lab.ingest()).code).toBe(0);
    const stored = await lab.database.rows('messages', { order: 'ts' });
    expect(stored.map(({ text }) => text)).toEqual([...words.slice(0, 3), `<${address}?a=1|a.png>`]);
    expect(await lab.database.rows('message_revisions')).toEqual([]);
    await expectWhole(lab);
    // A change of words is kept.
    general.change(posted[0] ?? '', (message) => ({ ...message, text: 'changed' }));
    expect((await lab.ingest()).code).toBe(0);
    expect(await lab.database.rows('message_revisions')).toMatchObject([{ text: words[0] }]);
  });
});
