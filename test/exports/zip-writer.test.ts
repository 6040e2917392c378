/** The zips are read by yauzl, which shares nothing with the writer, and by our own reader. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Entry, openPromise } from 'yauzl';
import { readZip, ZipReader } from './read-zip.ts';
import { writeZip, type ZipEntry, type ZipOptions } from './zip-writer.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slackingest-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function zip(entries: Iterable<ZipEntry>, options?: ZipOptions): string {
  const path = join(folder, 'test.zip');
  writeZip(path, entries, options);
  return path;
}

async function readByYauzl(path: string): Promise<{ entry: Entry; name: string; content: string | null }[]> {
  const file = await openPromise(path, { decodeStrings: false });
  const read: { entry: Entry; name: string; content: string | null }[] = [];
  for await (const entry of file.eachEntry()) {
    const isReadable = !entry.isEncrypted();
    const content = isReadable ? await buffer(await file.openReadStreamPromise(entry)) : null;
    if (content !== null) expect(crc32(content)).toBe(entry.crc32);
    read.push({ entry, name: entry.fileNameRaw.toString('utf8'), content: content?.toString() ?? null });
  }
  return read;
}

const long = 'Slack '.repeat(20_000);
const ordinary: ZipEntry[] = [
  { name: 'channels.json', content: '[]' },
  { name: 'general/' },
  { name: 'general/empty.json' },
  { name: 'general/stored.json', content: long, method: 'store' },
  { name: 'general/later.json', content: long, dataDescriptor: true },
  { name: 'general/later-64.json', content: long, dataDescriptor: true, zip64: true },
  { name: 'general/64.json', content: long, zip64: true },
  { name: 'größe/no-flag.json', content: 'größe' },
  { name: 'größe/flag.json', content: 'größe', utf8Flag: true },
  { name: 'general/pieces.json', content: [Buffer.from(long), Buffer.from('end')] },
  { name: 'general/pieces-later.json', content: [Buffer.from(long)], dataDescriptor: true },
  { name: 'general/pieces-stored.json', content: [Buffer.from(long)], method: 'store' },
];

function contentOf({ content = '' }: ZipEntry): string {
  if (typeof content === 'string') return content;
  return [...(Buffer.isBuffer(content) ? [content] : content)].join('');
}

describe('a zip written by hand', () => {
  const forms: Record<string, ZipOptions> = {
    plain: {},
    'with zip64 records': { zip64: true },
    'with a comment': { comment: 'exported for you' },
    'with bytes before it': { before: Buffer.from('#!/bin/sh\n') },
    'beyond 4 GB': { before: 5_000_000_000 },
  };
  for (const [form, options] of Object.entries(forms)) {
    it(`is read as it was written: ${form}`, async () => {
      const path = zip(ordinary, options);
      const expected = ordinary.map((entry) => ({ name: String(entry.name), content: contentOf(entry) }));
      expect((await readByYauzl(path)).map(({ name, content }) => ({ name, content }))).toEqual(expected);
      expect([...readZip(path)].map(({ path: name, content }) => ({ name, content: content.toString() }))).toEqual(
        expected.filter(({ name }) => !name.endsWith('/')),
      );
    });
  }

  it('holds more entries than a zip without zip64 can count', () => {
    const path = zip(
      (function* () {
        for (let n = 0; n < 66_000; n += 1) yield { name: `general/${n}.json` };
      })(),
    );
    const reader = new ZipReader(path);
    expect(reader.entries).toHaveLength(66_000);
    expect(reader.entries.at(-1)?.name).toBe('general/65999.json');
    reader.close();
  });

  it('names files by the bytes it was given, and says UTF-8 only when told to', async () => {
    const bytes = Buffer.from([0x67, 0x72, 0x94, 0xe1, 0x65]);
    const read = await readByYauzl(zip([{ name: bytes }, { name: 'ü' }, { name: 'ü', utf8Flag: true }]));
    expect(read.map(({ entry }) => [entry.fileNameRaw, entry.generalPurposeBitFlag & 0x800])).toEqual([
      [bytes, 0],
      [Buffer.from('ü'), 0],
      [Buffer.from('ü'), 0x800],
    ]);
  });

  it('marks what is special about an entry', async () => {
    const [link, secret, dateless, first, second] = await readByYauzl(
      zip([
        { name: 'link', content: '/etc/passwd', mode: 0o120777 },
        { name: 'secret', content: 'secret', encrypted: true },
        { name: 'dateless', date: 'none' },
        { name: 'twice', content: '1' },
        { name: 'twice', content: '2' },
      ]),
    );
    expect((link?.entry.externalFileAttributes ?? 0) >>> 16).toBe(0o120777);
    expect(secret?.entry.isEncrypted()).toBe(true);
    expect(dateless?.entry.lastModFileDate).toBe(0);
    expect([first?.content, second?.content]).toEqual(['1', '2']);
  });

  it('lies when told to, in both headers', () => {
    const path = zip([{ name: 'bomb', content: 'small', claims: { size: 5_000_000_000, crc32: 7 } }]);
    const reader = new ZipReader(path);
    const [entry] = reader.entries;
    expect(entry).toMatchObject({ size: 5_000_000_000, crc32: 7 });
    expect(entry === undefined ? '' : reader.content(entry).toString()).toBe('small');
    expect(() => [...readZip(path)]).toThrow('bomb is not what the zip says');
    reader.close();
  });
});
