/**
 * `npm run bench`: how fast the program is, each figure beside its floor, which is measured in the same run on the
 * same machine. One JSON object per line on stdout; what is going on, on stderr. Judges nothing and always ends with 0.
 *
 *   npm run -s bench -- --only start-up --only incremental
 *   npm run -s bench -- --quick
 *   npm run -s bench -- --only import --export given.zip
 */
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureChangedThreads } from './changed-threads.ts';
import { measureDigest } from './digest.ts';
import { measureGrowth } from './growth.ts';
import { note, print, type Sizes } from './harness.ts';
import { measureImport } from './import.ts';
import { measureIncremental } from './incremental.ts';
import { measureIngest } from './ingest.ts';
import { measureMemory } from './memory.ts';
import { measureStartUp } from './start-up.ts';

const figures: Readonly<Record<string, (sizes: Sizes) => Promise<void>>> = {
  'start-up': measureStartUp,
  incremental: measureIncremental,
  'changed-threads': measureChangedThreads,
  growth: measureGrowth,
  ingest: measureIngest,
  memory: measureMemory,
  import: measureImport,
  digest: measureDigest,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(figures) },
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    export: { type: 'string' },
    threads: { type: 'string', default: '0.08' },
  },
});

const sizes: Sizes = {
  runs: values.quick ? 1 : Number(values.runs),
  messages: values.quick ? 10_000 : 100_000,
  channels: values.quick ? 50 : 500,
  growth: values.full ? [10_000, 100_000, 1_000_000] : values.quick ? [500, 5_000, 50_000] : [2_000, 20_000, 200_000],
  memory: values.full ? [100_000, 1_000_000] : values.quick ? [2_000, 20_000] : [10_000, 100_000],
  imports: values.full ? [100_000, 1_000_000] : values.quick ? [2_000, 20_000] : [10_000, 100_000],
  threads: Number(values.threads),
  ...(values.export === undefined ? {} : { export: resolve(values.export) }),
};

const [load = 0] = loadavg();
if (load > 1) note(`This machine is busy (load ${load.toFixed(1)}): times will be too long, ratios too noisy.`);
print({
  figure: 'machine',
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpus: cpus().length,
  cpu: cpus()[0]?.model ?? null,
  load: Number(load.toFixed(2)),
});
for (const name of values.only) {
  const measure = figures[name];
  if (measure === undefined) throw new Error(`--only is one of ${Object.keys(figures).join(', ')}, not ${name}.`);
  await measure(sizes);
}
