/** What was listed as a file of the export and is something else when it is read: named, left out, and nobody waits for it. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ArchiveReader } from '../../src/export/archive.ts';
import { listArchive, openReader } from '../../src/export/open-archive.ts';
import { exportFolder } from '../exports/export-world.ts';
import { slackJson, writeExportFolder, writeExportZip } from '../exports/make-export.ts';
import { createSqlite } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';

const hook = fileURLToPath(new URL('../support/run-at-commit.mjs', import.meta.url));

const days = [
  'general/2024-01-10.json',
  'general/2024-01-11.json',
  'general/2024-01-12.json',
  'random/2024-01-10.json',
];

/** One message a day, long enough that the export is read in a thread of its own if `size` says so. */
function files(size = 10) {
  return [
    { path: 'users.json', content: slackJson([{ id: 'U0ANN', team_id: 'T0ACME', name: 'ann' }]) },
    {
      path: 'channels.json',
      content: slackJson([
        { id: 'C0GENERAL', name: 'general' },
        { id: 'C0RANDOM', name: 'random' },
      ]),
    },
    ...days.map((path) => {
      const ts = `${Date.parse(`${path.slice(-15, -5)}T20:00:00Z`) / 1000}.000100`;
      return { path, content: slackJson([{ type: 'message', user: 'U0ANN', ts, text: 'x'.repeat(size) }]) };
    }),
  ];
}

async function whyNot(reader: ArchiveReader, file: Parameters<ArchiveReader['read']>[0]): Promise<string[]> {
  const reasons: string[] = [];
  try {
    reader.read(file);
  } catch (error) {
    reasons.push(error instanceof Error ? error.message : '');
  }
  try {
    for await (const _ of reader.chunks(file));
  } catch (error) {
    reasons.push(error instanceof Error ? error.message : '');
  }
  return reasons;
}

describe('a file of a folder', () => {
  it.each<[becomes: string, change: (path: string, elsewhere: string) => unknown, says: RegExp]>([
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), /^is a FIFO, not a file$/],
    ['a folder', (path) => mkdirSync(path), /^is a folder, not a file$/],
    ['a device', (path) => symlinkSync('/dev/zero', path), /symbolic link/],
    ['a socket', (path) => new Promise<void>((done) => createServer().listen(path, done).unref()), /^is no file$/],
    [
      'a link',
      (path, elsewhere) => symlinkSync(join(elsewhere, 'general/2024-01-11.json'), path),
      /^is a symbolic link/,
    ],
    ['nothing', () => undefined, /^is gone$/],
    ['shorter', (path) => writeFileSync(path, '[]'), /^has 2 bytes, and had \d+ when the export was listed/],
    ['longer', (path) => writeFileSync(path, ' '.repeat(5000)), /^has 5000 bytes, and had \d+/],
    [
      'one behind a link',
      (path, elsewhere) => {
        rmSync(dirname(path), { recursive: true });
        symlinkSync(join(elsewhere, 'general'), dirname(path));
      },
      /symbolic link|^has \d+ bytes/,
    ],
    [
      'one in another export',
      (path) => {
        const root = dirname(dirname(path));
        rmSync(root, { recursive: true });
        writeExportFolder(root, files());
        // In the place of the old one, and so that it is not taken for it: a new folder may get the old one's number.
        renameSync(root, `${root}-moved`);
        mkdirSync(root);
        renameSync(`${root}-moved/general`, join(root, 'general'));
        rmSync(`${root}-moved`, { recursive: true });
      },
      /^lies in a folder that was exchanged$/,
    ],
  ])('that becomes %s is refused, at once', async (_becomes, change, says) => {
    const folder = exportFolder(files());
    const archive = await listArchive(folder);
    const file = archive.files.find(({ path }) => path === days[1]);
    if (file === undefined) throw new Error('the file is not listed');
    const reader = openReader(archive);
    rmSync(join(folder, file.path));
    const elsewhere = exportFolder([{ path: 'general/2024-01-11.json', content: '"a secret of the machine"' }]);
    await change(join(folder, file.path), elsewhere);
    const reasons = await whyNot(reader, file);
    expect(reasons).toEqual([expect.stringMatching(says), expect.stringMatching(says)]);
  });

  it('that grows while it is read in pieces is refused in the end', async () => {
    const folder = exportFolder(files(1 << 20));
    const archive = await listArchive(folder);
    const file = archive.files.find(({ path }) => path === days[1]);
    if (file === undefined) throw new Error('the file is not listed');
    const read = async () => {
      for await (const _ of openReader(archive).chunks(file)) appendFileSync(join(folder, file.path), 'more');
    };
    await expect(read()).rejects.toThrow('changed while it was read');
  });
});

describe('an import', () => {
  it.each([
    ['in the same thread', 10],
    ['in a thread of its own', 1 << 20],
  ])(
    'whose files are exchanged meanwhile, read %s, leaves them out, says so, and takes the rest',
    async (_where, size) => {
      await using database = await createSqlite();
      const folder = exportFolder(files(size));
      const outside = exportFolder([
        { path: 'other.json', content: slackJson([{ ts: '1704916800.000200', text: 'not of this export' }]) },
      ]);
      const [, fifo = '', link = ''] = days.map((path) => join(folder, path));
      const run = await runCli(['import', folder, '--json'], {
        env: {
          SLACKINGEST_PACE: undefined,
          DATABASE_URL: database.url,
          RUN_AT_COMMIT: `rm ${fifo} ${link} && mkfifo ${fifo} && ln -s ${outside}/other.json ${link}`,
        },
        nodeArgs: ['--import', hook],
      });
      expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 3 });
      const messages = run.json().errors.map(({ message }: { message: string }) => message);
      expect(messages.sort()).toEqual([
        'general/2024-01-11.json is a FIFO, not a file',
        'general/2024-01-12.json is a symbolic link, or lies behind one',
      ]);
      const stored = await database.rows('messages', { order: 'channel_id, ts' });
      expect(stored.map(({ channel_id, text }) => [channel_id, text])).toEqual(
        ['C0GENERAL', 'C0RANDOM'].map((channel) => [channel, 'x'.repeat(size)]),
      );
      const again = await runCli(['import', exportFolder(files(size))], {
        env: { SLACKINGEST_PACE: undefined, DATABASE_URL: database.url },
      });
      expect(again.code).toBe(0);
      expect(await database.rows('messages')).toHaveLength(4);
    },
  );

  it.each([
    ['given another file', (zip: string) => `cp ${zip} ${zip}.new && printf x >> ${zip}.new && mv ${zip}.new ${zip}`],
    ['cut', (zip: string) => `truncate -s 1000 ${zip}`],
    ['replaced by a FIFO', (zip: string) => `rm ${zip} && mkfifo ${zip}`],
  ])('whose zip is %s meanwhile says so, without calling it a bug', async (_what, commandOf) => {
    await using database = await createSqlite();
    const zip = join(exportFolder([]), 'export.zip');
    mkdirSync(dirname(zip), { recursive: true });
    writeExportZip(zip, files());
    const run = await runCli(['import', zip], {
      env: { SLACKINGEST_PACE: undefined, DATABASE_URL: database.url, RUN_AT_COMMIT: commandOf(zip) },
      nodeArgs: ['--import', hook],
    });
    expect(run.stdout).toMatch(/since the import began to read it|cannot be read|is cut off/);
    expect(run.stdout).toContain('Import it once more');
    expect(run.stdout + run.stderr).not.toContain('bug');
    expect(run.code).toBe(1);
  });
});
