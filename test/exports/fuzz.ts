/**
 * `npm run fuzz`: imports damaged exports. One line for each mutant that ends otherwise than it may, a summary in the end;
 * exit code 1 when there was one. A mutant that hangs ends the process.
 *
 *   npm run -s fuzz -- --mutants 2000 --seed 7
 *   npm run -s fuzz -- --seed 7 --only 1234
 */
import { parseArgs } from 'node:util';
import { main } from '../../src/cli/main.ts';
import { ImportFuzzer, type MutantResult } from './fuzz-import.ts';

const { values } = parseArgs({
  options: {
    mutants: { type: 'string', default: '2000' },
    /** Without it another one each time, from the clock. */
    seed: { type: 'string' },
    /** Only this mutant, with all that the program said. */
    only: { type: 'string' },
  },
});

const seed = values.seed === undefined ? Math.floor(Date.now() / 1000) : Number(values.seed);
using fuzzer = new ImportFuzzer(seed, main);
if (values.only === undefined) await playMany(Number(values.mutants));
else show(await fuzzer.play(Number(values.only)));

async function playMany(mutants: number): Promise<void> {
  const began = performance.now();
  const codes: Record<string, number> = {};
  const failed: number[] = [];
  let slowest: MutantResult | undefined;
  for (let index = 0; index < mutants; index += 1) {
    const result = await fuzzer.play(index);
    codes[result.code] = (codes[result.code] ?? 0) + 1;
    if (slowest === undefined || result.ms > slowest.ms) slowest = result;
    if (result.complaints.length === 0) continue;
    failed.push(index);
    const { complaints, description, form } = result;
    print({ index, complaints, description, form, again: `npm run -s fuzz -- --seed ${seed} --only ${index}` });
  }
  const seconds = (performance.now() - began) / 1000;
  print({
    seed,
    mutants,
    codes,
    failed,
    per_second: Number((mutants / seconds).toFixed(1)),
    slowest: slowest && { index: slowest.index, ms: Math.round(slowest.ms), description: slowest.description },
  });
  process.exitCode = failed.length > 0 ? 1 : 0;
}

function show({ stdout, stderr, ...result }: MutantResult): void {
  print(result);
  process.stdout.write(`${stderr}${stdout}`);
  process.exitCode = result.complaints.length > 0 ? 1 : 0;
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
