/** Damaged exports. FUZZ_SEED chooses others; `npm run fuzz` plays thousands. */
import { expect, it } from 'vitest';
import { ImportFuzzer } from '../exports/fuzz-import.ts';

/** As it is built: a file that claims to be large is read in a thread, which cannot be started from the sources. */
const { main } = await import(new URL('../../dist/main.js', import.meta.url).href);

const seed = Number(process.env['FUZZ_SEED'] ?? 1);

it(`150 damaged exports (seed ${seed}) are imported as far as they can be, or refused by name`, async () => {
  using fuzzer = new ImportFuzzer(seed, main);
  const failed: object[] = [];
  const codes = new Set<number>();
  for (let index = 0; index < 150; index += 1) {
    const { stdout: _, stderr: __, ms: ___, ...result } = await fuzzer.play(index);
    codes.add(result.code);
    if (result.complaints.length > 0)
      failed.push({ ...result, again: `npm run fuzz -- --seed ${seed} --only ${index}` });
  }
  expect(failed).toEqual([]);
  expect([...codes].sort()).toEqual([0, 2, 3]);
});
