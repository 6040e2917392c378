import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { writeBigExport } from '../exports/big-export.ts';
import {
  type BenchDatabase,
  inTurn,
  median,
  note,
  postgresDatabase,
  print,
  report,
  round,
  runFloor,
  runProgram,
  type Sizes,
  sqliteDatabase,
  type Usage,
} from './harness.ts';

/** A process of Node that opened a database needs a third of this. */
const memoryLimitMb = 250;

const aims: Readonly<Record<BenchDatabase['name'], number>> = { sqlite: 2.5, postgres: 4 };

/** An export as a zip into an empty database: time and memory, and how they grow with the export. */
export async function measureImport(sizes: Sizes): Promise<void> {
  await using sqlite = sqliteDatabase();
  using exports = exportsFor(sizes);
  const path = sizes.export ?? exports.of(sizes.messages);
  await measureOn(sqlite, path, sizes);
  {
    await using postgres = await postgresDatabase();
    if (postgres !== undefined) await measureOn(postgres, path, sizes);
  }
  if (sizes.export === undefined) await measureLinearity(sqlite, exports, sizes);
}

interface MadeExports extends Disposable {
  /** The zip with so many messages, made when it is first asked for. */
  of(messages: number): string;
}

function exportsFor({ threads }: Sizes): MadeExports {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-bench-'));
  const made = new Map<number, string>();
  return {
    of(messages) {
      let path = made.get(messages);
      if (path === undefined) {
        path = join(folder, `${messages}.zip`);
        note(`making an export of ${messages} messages`);
        writeBigExport(path, { messages, threads });
        made.set(messages, path);
      }
      return path;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function measureOn(database: BenchDatabase, path: string, { runs }: Sizes): Promise<void> {
  note(`import into ${database.name}`);
  let url = '';
  const { floors, programs } = await inTurn(
    runs,
    async () => runFloor('bare-import', [path, '--database', await database.fresh()], {}),
    async () => {
      url = await database.fresh();
      return runImport(path, url);
    },
  );
  const floorRun: { messages: number; day_files: number } = JSON.parse(floors[0]?.stdout ?? '{}');
  const stored = await countMessages(url);
  if (stored !== floorRun.messages) note(`${stored} of ${floorRun.messages} messages are in ${database.name}.`);
  const facts = {
    database: database.name,
    server: database.note,
    messages: stored,
    expected_messages: floorRun.messages,
    day_files: floorRun.day_files,
    runs,
  };
  const both = (pick: 'seconds' | 'cpuSeconds' | 'peakMb'): { value: number; floor: number } => ({
    value: median(programs.map((usage) => usage[pick])),
    floor: median(floors.map((usage) => usage[pick])),
  });
  report({ figure: 'import-time', unit: 's', ...both('seconds'), aim: aims[database.name] }, facts);
  report({ figure: 'import-cpu', unit: 's', ...both('cpuSeconds') }, facts);
  report({ figure: 'import-memory', unit: 'MB', ...both('peakMb') }, facts);
  printPeak(programs, facts);
}

/** An export of so few messages takes the time that every import takes. */
const hardlyAny = 20;

/** Ten times the messages may take ten times as long, and no more memory. */
async function measureLinearity(database: BenchDatabase, exports: MadeExports, sizes: Sizes): Promise<void> {
  const usagesOf = async (messages: number): Promise<Usage[]> => {
    const path = exports.of(messages);
    const usages: Usage[] = [];
    for (let run = 1; run <= sizes.runs; run += 1) {
      note(`import of ${messages} messages, run ${run} of ${sizes.runs}`);
      usages.push(await runImport(path, await database.fresh()));
    }
    return usages;
  };
  const medianOf = (usages: readonly Usage[], pick: 'seconds' | 'peakMb'): number =>
    median(usages.map((usage) => usage[pick]));
  const [small, large] = sizes.imports;
  const start = medianOf(await usagesOf(hardlyAny), 'seconds');
  const before = await usagesOf(small);
  const after = await usagesOf(large);
  const facts = { database: database.name, messages: large, floor_messages: small, runs: sizes.runs };
  const microsEach = (usages: readonly Usage[], messages: number): number =>
    ((medianOf(usages, 'seconds') - start) / messages) * 1_000_000;
  report(
    {
      figure: 'import-linearity',
      value: microsEach(after, large),
      unit: 'µs per message',
      floor: microsEach(before, small),
      aim: 1.2,
    },
    { ...facts, start_seconds: round(start) },
  );
  const [value, floor] = [medianOf(after, 'peakMb'), medianOf(before, 'peakMb')];
  report({ figure: 'import-memory-10x', value, unit: 'MB', floor, aim: 1.3 }, facts);
  printPeak(after, facts);
}

/** The largest of all runs, against a fixed limit instead of a floor. */
function printPeak(usages: readonly Usage[], facts: Readonly<Record<string, unknown>>): void {
  const peak = Math.max(...usages.map(({ peakMb }) => peakMb));
  print({
    figure: 'import-peak',
    value: round(peak),
    unit: 'MB',
    limit: memoryLimitMb,
    ratio: round(peak / memoryLimitMb),
    aim: 1,
    ...facts,
  });
}

function runImport(path: string, url: string): Promise<Usage> {
  return runProgram(['import', path, '--workspace', 'T0BENCH', '--json', '--quiet'], { DATABASE_URL: url });
}

/** An import that leaves half out would be the fastest of all. */
async function countMessages(url: string): Promise<number> {
  const query = 'select count(*) as n from messages';
  if (url.startsWith('sqlite:')) {
    const db = new Database(url.slice('sqlite:'.length), { readonly: true });
    try {
      return Number(db.prepare<[], { n: number }>(query).get()?.n);
    } finally {
      db.close();
    }
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ n: string }>(query).finally(() => client.end());
  return Number(rows[0]?.n);
}
