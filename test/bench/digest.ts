import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBigExport } from '../exports/big-export.ts';
import {
  type BenchDatabase,
  inTurn,
  median,
  note,
  postgresDatabase,
  report,
  runFloor,
  runProgram,
  type Sizes,
  sqliteDatabase,
} from './harness.ts';

/** Whatever is stored besides. */
const aimSeconds = 1;

/** One day out of all that is stored: its first digest, which reads the messages, and its second; and both out of ten times as much. */
export async function measureDigest(sizes: Sizes): Promise<void> {
  const [small, large] = sizes.imports;
  for (const open of [sqliteDatabase, postgresDatabase]) {
    await using database = await open();
    if (database === undefined) continue;
    for (const messages of [small, large]) await measureOn(database, messages, sizes);
  }
}

async function measureOn(database: BenchDatabase, messages: number, { runs, threads }: Sizes): Promise<void> {
  const path = join(tmpdir(), `slackingest-bench-${process.pid}.zip`);
  note(`digest of one day out of ${messages} messages in ${database.name}`);
  const url = await database.fresh();
  try {
    // As many on each day however many there are in all.
    writeBigExport(path, { messages, threads, days: Math.max(30, Math.round(messages / perDay)) });
    await runProgram(['import', path, '--workspace', 'T0BENCH', '--json', '--quiet'], { DATABASE_URL: url });
  } finally {
    rmSync(path, { force: true });
  }
  let n = 0;
  const nextDay = () => {
    n += 1;
    return new Date(lastDay - 2 * n * 86_400_000).toISOString().slice(0, 10);
  };
  const digest = (date: string) => runProgram(['digest', '--date', date, '--json', '--quiet'], { DATABASE_URL: url });
  const floor = (date: string) => runFloor('bare-day', ['--database', url, '--date', date], {});
  let date = '';
  const first = await inTurn(
    runs,
    () => {
      date = nextDay();
      return floor(date);
    },
    () => digest(date),
  );
  const second = await inTurn(
    runs,
    () => floor(date),
    () => digest(date),
  );
  const ofDay: { messages: number } = JSON.parse(first.floors[0]?.stdout ?? '{"messages":0}');
  const facts = {
    database: database.name,
    server: database.note,
    messages,
    of_the_day: ofDay.messages,
    runs,
    aim_seconds: aimSeconds,
  };
  for (const [figure, { floors, programs }] of [
    ['digest-day', first],
    ['digest-day-again', second],
  ] as const) {
    const seconds = (usages: typeof floors) => median(usages.map((usage) => usage.seconds));
    report({ figure, value: seconds(programs), unit: 's', floor: seconds(floors) }, facts);
  }
}

const perDay = 1000;
/** Of the export. */
const lastDay = Date.parse('2024-06-28');
