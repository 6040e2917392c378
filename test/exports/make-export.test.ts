import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeBigExport } from './big-export.ts';
import { countTruth, readFolder } from './count-truth.ts';
import { type ExportFile, makeExport, slackJson, writeExportFolder, writeExportZip } from './make-export.ts';
import { mutateExport, mutateZip } from './mutate.ts';
import { randomExport, successiveExports } from './random-export.ts';
import { readZip } from './read-zip.ts';

function inTemporaryFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-test-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counted by hand. */
const small = makeExport({
  users: [{ id: 'U0ALICE', name: 'alice' }],
  channels: [
    {
      id: 'C0GENERAL',
      name: 'general',
      messages: [
        {
          // 2023-11-04 23:30 in Los Angeles, where the clocks change in the night after.
          ts: '1699165800.000100',
          user: 'U0ALICE',
          text: 'a/b é',
          replies: [
            { ts: '1699167599.999900', user: 'U0ALICE', text: 'before midnight' },
            { ts: '1699167600.000000', user: 'U0BOB', text: 'after', isBroadcast: true },
          ],
          reactions: { tada: ['U0ALICE', 'U0BOB'], eyes: ['U0BOB'] },
        },
        // 2023-11-05 23:59:59, in winter time: 25 hours after the day began.
        { ts: '1699257599.000000', user: 'U0BOB', text: 'late', edited: '1699257600.000000', files: ['F1', 'F2'] },
      ],
    },
    { id: 'G0SECRET', name: 'secret', kind: 'private', messages: [{ ts: '1699257600.000000', bot: 'B1', text: 'x' }] },
    { id: 'D0TWO', kind: 'dm', members: ['U0ALICE', 'U0BOB'], messages: [{ ts: '1699257600.000000', files: ['F1'] }] },
  ],
});

describe('a made export', () => {
  it('cuts days at midnight in Los Angeles and puts replies where they belong', () => {
    expect(small.map(({ path }) => path)).toEqual([
      'channels.json',
      'groups.json',
      'dms.json',
      'general/2023-11-04.json',
      'general/2023-11-05.json',
      'secret/2023-11-06.json',
      'D0TWO/2023-11-06.json',
      'users.json',
    ]);
    expect(tsIn(small, 'general/2023-11-04.json')).toEqual(['1699165800.000100', '1699167599.999900']);
    expect(tsIn(small, 'general/2023-11-05.json')).toEqual(['1699167600.000000', '1699257599.000000']);
  });

  it('is counted right', () => {
    expect(countTruth(small)).toMatchObject({
      dayFiles: 4,
      messages: 6,
      distinctKeys: 6,
      perFolder: { general: 4, secret: 1, D0TWO: 1 },
      threadRoots: 1,
      threads: 1,
      replies: 2,
      reactionsTotal: 3,
      reactionUserPairs: 3,
      files: 3,
      filesDistinctIds: 2,
      edited: 1,
      firstTs: '1699165800.000100',
      lastTs: '1699257600.000000',
      unreadable: [],
    });
  });

  it('is written in the JSON of Slack, which is JSON', () => {
    const value = { text: 'a/b é 🎉 \u2028', list: [], empty: {} };
    expect(slackJson(value)).toBe(
      '{\n    "text": "a\\/b \\u00e9 \\ud83c\\udf89 \\u2028",\n    "list": [],\n    "empty": {}\n}',
    );
    expect(JSON.parse(slackJson(value))).toEqual(value);
  });

  it('holds the same as a folder and as a zip, with a folder around it or without', () => {
    inTemporaryFolder((folder) => {
      writeExportFolder(join(folder, 'export'), small);
      writeExportZip(join(folder, 'plain.zip'), small);
      writeExportZip(join(folder, 'wrapped.zip'), small, { wrapper: 'My export (1)' });
      expect(countTruth(readFolder(join(folder, 'export')))).toEqual(countTruth(small));
      expect(countTruth(readZip(join(folder, 'plain.zip')))).toEqual(countTruth(small));
      expect(countTruth(readZip(join(folder, 'wrapped.zip')))).toEqual(countTruth(small));
    });
  });

  it('is never written outside of its folder', () => {
    inTemporaryFolder((folder) => {
      const files = [{ path: '../outside.json', content: '[]' }];
      expect(() => writeExportFolder(join(folder, 'export'), files)).toThrow('leads out');
    });
  });
});

describe('exports made up from a seed', () => {
  it('are the same for the same seed, and hold every kind of message over some seeds', () => {
    expect(randomExport(1)).toEqual(randomExport(1));
    const text = Array.from({ length: 12 }, (_, seed) => successiveExports(seed))
      .flat(2)
      .map(({ content }) => String(content))
      .join('');
    const kinds = ['bot_message', 'channel_join', 'channel_name', 'file_share', 'me_message', 'thread_broadcast'];
    const marks = [
      'tombstone"',
      '"edited": {',
      '"reactions": [',
      '?t=xoxe-',
      '"reply_count"',
      '"bot_id": null',
      '"file": {',
    ];
    const missing = [...kinds.map((kind) => `"subtype": "${kind}"`), ...marks].filter((mark) => !text.includes(mark));
    expect(missing).toEqual([]);
  });

  it('follow each other: each holds something newer than all before, and no message twice', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const truths = successiveExports(seed).map((files) => countTruth(files));
      const lasts = truths.map(({ lastTs }) => lastTs);
      expect([...new Set(lasts)].sort()).toEqual(lasts);
      expect(truths.map(({ messages, distinctKeys }) => messages - distinctKeys)).toEqual(truths.map(() => 0));
    }
  });
});

describe('damage', () => {
  const files = randomExport(3);

  it('is the same for the same seed and index, and done to a copy', () => {
    const before = JSON.stringify(files);
    const unchanged: string[] = [];
    for (let index = 0; index < 180; index += 1) {
      const { description, files: damaged } = mutateExport(files, 1, index);
      expect(mutateExport(files, 1, index)).toEqual({ description, files: damaged, isZipOnly: expect.any(Boolean) });
      if (isSame(damaged, files)) unchanged.push(description);
    }
    expect(JSON.stringify(files)).toBe(before);
    // Some damage is by chance none: a folder named as it was, a file swapped with itself.
    expect(unchanged.length).toBeLessThan(9);
  });

  it('that is not for zips only can be written as a folder, and all of it as a zip', () => {
    inTemporaryFolder((folder) => {
      for (let index = 0; index < 180; index += 1) {
        const mutant = mutateExport(files, 2, index);
        if (!mutant.isZipOnly) writeExportFolder(join(folder, String(index)), mutant.files);
        writeExportZip(join(folder, 'mutant.zip'), mutant.files, { level: 1 });
      }
    });
  });

  it('is done to the bytes of a zip as well', () => {
    inTemporaryFolder((folder) => {
      const path = join(folder, 'export.zip');
      writeExportZip(path, files);
      const bytes = readBytes(folder);
      const same = Array.from({ length: 200 }, (_, index) => mutateZip(bytes, 1, index)).filter((mutant) =>
        mutant.bytes.equals(bytes),
      );
      expect(same.length).toBeLessThan(12);
      expect(mutateZip(bytes, 1, 5)).toEqual(mutateZip(bytes, 1, 5));
    });
  });
});

describe('a big export', () => {
  it('has exactly as many messages as were asked for, all replies with their roots, the same in a folder and a zip', () => {
    inTemporaryFolder((folder) => {
      const options = { messages: 1234, channels: 12, threads: 0.2, days: 400 };
      expect(writeBigExport(join(folder, 'big'), options).messages).toBe(1234);
      writeBigExport(join(folder, 'big.zip'), options);
      const truth = countTruth(readFolder(join(folder, 'big')));
      expect(truth).toMatchObject({ messages: 1234, distinctKeys: 1234, unreadable: [] });
      expect(truth.threads).toBe(truth.threadRoots);
      expect(truth.replies).toBeGreaterThan(200);
      expect(countTruth(readZip(join(folder, 'big.zip')))).toEqual(truth);
    });
  });
});

function tsIn(files: readonly ExportFile[], path: string): unknown[] {
  const messages: { ts: string }[] = JSON.parse(String(files.find((file) => file.path === path)?.content));
  return messages.map(({ ts }) => ts);
}

function isSame(a: readonly ExportFile[], b: readonly ExportFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ path, content }, at) => path === b[at]?.path && Buffer.from(content).equals(Buffer.from(b[at]?.content ?? '')),
    )
  );
}

function readBytes(folder: string): Buffer {
  const [file] = readFolder(folder);
  return Buffer.from(file?.content ?? '');
}
