import { spawnSync } from 'node:child_process';
import { cli } from '../demo/programs.ts';
import { median, note, report } from './harness.ts';

const runs = 15;

/** `slackingest --help` against a node that does nothing. */
export async function measureStartUp(): Promise<void> {
  note('start-up');
  const floors: number[] = [];
  const values: number[] = [];
  // The first pair fills the caches of files and is not counted.
  for (let run = 0; run <= runs; run += 1) {
    const pair = [timeOf(['-e', '0']), timeOf([cli, '--help'])] as const;
    if (run === 0) continue;
    floors.push(pair[0]);
    values.push(pair[1]);
  }
  report({ figure: 'start-up', value: median(values), unit: 'ms', floor: median(floors), aim: 2.5 }, { runs });
}

function timeOf(args: readonly string[]): number {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with code ${status}.`);
  return performance.now() - began;
}
