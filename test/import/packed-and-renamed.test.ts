/** Zips and folders as other programs leave them: methods that are not unpacked, zips in zips, names in other letters. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeExport, writeExportZip } from '../exports/make-export.ts';
import { writeZip, type ZipEntry } from '../exports/zip-writer.ts';
import { createSqlite } from '../support/databases.ts';
import { type ExportLab, openExportLab } from '../support/export-lab.ts';

const at = (n: number): string => `${1_704_916_800 + n}.000100`;
const said = (...ns: number[]) => ns.map((n) => ({ ts: at(n), user: 'U0ALICE', text: `message ${n}` }));
const files = makeExport({
  users: [{ id: 'U0ALICE', name: 'alice' }],
  channels: [
    { id: 'C00GENERAL', name: 'general', messages: said(1, 2) },
    { id: 'C000GROSSE', name: 'größe', messages: said(3) },
    { id: 'C0000KYRIL', name: 'привет', messages: said(4) },
  ],
});
const entries: ZipEntry[] = files.map(({ path, content }) => ({ name: path, content }));
const all = [
  ['C00GENERAL', at(1)],
  ['C00GENERAL', at(2)],
  ['C000GROSSE', at(3)],
  ['C0000KYRIL', at(4)],
];

async function onSqlite(check: (lab: ExportLab) => Promise<void>): Promise<void> {
  await using lab = await openExportLab(createSqlite);
  await check(lab);
}

const zipOf = (lab: ExportLab, some: ZipEntry[]): string => {
  const path = join(lab.folder, 'made.zip');
  writeZip(path, some);
  return path;
};
const rows = async ({ database }: ExportLab) =>
  (await database.rows('messages', { order: 'ts' })).map((row) => [row['channel_id'], row['ts']]);

describe('a zip', () => {
  const methods = { Deflate64: 9, bzip2: 12, LZMA: 14, zstd: 93, 'method 42': 42 };
  it.each(Object.entries(methods))('whose files are packed by %s: said which, with 2, and what to do', (name, method) =>
    onSqlite(async (lab) => {
      const run = await lab.import(
        zipOf(
          lab,
          entries.map((entry) => ({ ...entry, claims: { method } })),
        ),
      );
      expect(run.code).toBe(2);
      const [error] = run.errors;
      expect(error).toMatch(/^nothing in .* can be read: \d+ files/);
      expect(error).toContain(`compressed by ${name}`);
      expect(error).toContain('unpack the zip');
    }),
  );

  it('of which some files are packed otherwise: all else is in, each path is named in one error, with 3', () =>
    onSqlite(async (lab) => {
      const more = Array.from({ length: 8 }, (_, n) => `general/2024-02-0${n + 1}.json`);
      const odd = more.map((name): ZipEntry => ({ name, content: '[]', claims: { method: 9 } }));
      const secret: ZipEntry = { name: 'general/2024-03-01.json', content: '[]', encrypted: true };
      const run = await lab.import(zipOf(lab, [...entries, ...odd, secret]));
      expect(run.code).toBe(3);
      expect(run.errors).toHaveLength(2);
      expect(run.errors[0]).toMatch(/^8 files \(.*general\/2024-02-01\.json.*\): each is compressed by Deflate64/);
      expect(run.errors[1]).toMatch(/^general\/2024-03-01\.json is encrypted/);
      const told = run.out.quarantined.map(({ path }: { path: string }) => path);
      expect(told.sort()).toEqual([...more, String(secret.name)].sort());
      expect(await rows(lab)).toEqual(all);
    }));

  it('in a zip, and a folder of zips: named, with 2; beside an export with 3', () =>
    onSqlite(async (lab) => {
      const inner = join(lab.folder, 'part-1.zip');
      writeExportZip(inner, files);
      const outer = zipOf(lab, [{ name: 'Acme export.zip', content: readFileSync(inner) }]);
      const nested = await lab.import(outer);
      expect(nested.code).toBe(2);
      expect(nested.errors[0]).toContain('Acme export.zip is a zip by itself: unpack it and import what is in it');
      const folder = join(lab.folder, 'zips');
      mkdirSync(folder);
      for (const name of ['part-1.zip', 'part-2.zip']) writeFileSync(join(folder, name), readFileSync(inner));
      const several = await lab.import(folder);
      expect(several.code).toBe(2);
      expect(several.errors[0]).toContain('2 files (part-1.zip, part-2.zip): each is a zip by itself');
      const beside = await lab.import(lab.unpacked([...files, { path: 'part-2.zip', content: readFileSync(inner) }]));
      expect({ code: beside.code, errors: beside.errors }).toEqual({
        code: 3,
        errors: ['part-2.zip is a zip by itself: unpack it and import what is in it'],
      });
      expect(await rows(lab)).toEqual(all);
    }));

  const latin1 = (name: string) => Buffer.from(name, 'latin1');
  const cyrillic = Buffer.from([0xaf, 0xe0, 0xa8, 0xa2, 0xa5, 0xe2]);
  it('whose names are in other code pages: the lists tell which', () =>
    onSqlite(async (lab) => {
      const renamed = entries.map((entry) => {
        const name = String(entry.name);
        if (name.startsWith('привет')) return { ...entry, name: Buffer.concat([cyrillic, latin1(name.slice(6))]) };
        return { ...entry, name: latin1(name) };
      });
      const run = await lab.import(zipOf(lab, renamed));
      expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
      expect(await rows(lab)).toEqual(all);
    }));
});

describe('a folder', () => {
  it('with backslashes in the names of its files, as some programs unpack zips of Windows', () =>
    onSqlite(async (lab) => {
      const folder = join(lab.folder, 'flat');
      mkdirSync(folder);
      for (const { path, content } of files)
        writeFileSync(join(folder, `Acme\\${path.replaceAll('/', '\\')}`), content);
      writeFileSync(join(folder, 'Acme\\general\\'), '');
      const run = await lab.import(folder);
      expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
      expect(await rows(lab)).toEqual(all);
    }));

  it('with backslashes that lead out of it: told of, and not followed', () =>
    onSqlite(async (lab) => {
      const folder = lab.unpacked(files);
      writeFileSync(join(folder, '..\\..\\evil.json'), '[]');
      const run = await lab.import(folder);
      expect({ code: run.code, errors: run.errors }).toEqual({
        code: 3,
        errors: ['../../evil.json has a path that leads out of the export'],
      });
    }));

  it.skipIf(process.platform === 'darwin')('whose names are no UTF-8, or were read as other letters', () =>
    onSqlite(async (lab) => {
      const folder = lab.unpacked(files.filter(({ path }) => !/^(größe|привет)/.test(path)));
      const write = (name: Buffer, day: string) => {
        const place = Buffer.concat([Buffer.from(`${folder}/`), name]);
        mkdirSync(place);
        const content = files.find(({ path }) => path.startsWith(day))?.content ?? '';
        writeFileSync(Buffer.concat([place, Buffer.from('/2024-01-10.json')]), content);
      };
      write(Buffer.from('größe', 'latin1'), 'größe');
      // UTF-8 that was read as code page 1252 and written as UTF-8 again.
      write(Buffer.from(new TextDecoder('windows-1252').decode(Buffer.from('привет'))), 'привет');
      const run = await lab.import(folder);
      expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
      expect(await rows(lab)).toEqual(all);
      expect((await lab.import(folder)).out.day_files).toMatchObject({ imported_before: 3 });
    }),
  );
});
