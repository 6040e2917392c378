import { expect, it } from 'vitest';
import { DayFile } from '../../src/export/layout.ts';
import { inStretches } from '../../src/import/order-of-work.ts';

function dayFile(folder: string, date: string, size: number): DayFile {
  return new DayFile(
    { prefix: '', folder, date },
    { path: '', size, offset: 0, compressedSize: 0, method: 0, crc32: 0 },
  );
}

it('stores old days before new ones, and of days that fit together channel by channel', () => {
  const mb = 1 << 20;
  const days = ['a', 'b'].flatMap((folder) =>
    ['2020-01-01', '2020-01-02', '2021-01-01'].map((date) => dayFile(folder, date, 20 * mb)),
  );
  expect(inStretches(days).map(({ path }) => path)).toEqual([
    'a/2020-01-01.json',
    'a/2020-01-02.json',
    'b/2020-01-01.json',
    'b/2020-01-02.json',
    'a/2021-01-01.json',
    'b/2021-01-01.json',
  ]);
});

it('orders more small files than a call takes arguments', () => {
  const days = Array.from({ length: 300_000 }, (_, i) => dayFile(`c${i % 300}`, `day ${Math.floor(i / 300)}`, 10));
  const ordered = inStretches(days);
  expect(ordered).toHaveLength(days.length);
  expect(new Set(ordered).size).toBe(days.length);
});
