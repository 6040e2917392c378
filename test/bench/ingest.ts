import { startStandInProcess } from '../demo/programs.ts';
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
  type Usage,
} from './harness.ts';

/** Everything lies within the 30 days that a first run reaches back. */
export function bulk(messages: number, channels: number): string[] {
  const sizes = ['--messages', String(messages), '--channels', String(channels)];
  return ['--workspace', 'bulk', ...sizes, '--reply-share', '0.3', '--days', '20'];
}

/** The first run over 50 channels with 30% replies, Slack's limits off: time and memory. */
export async function measureIngest(sizes: Sizes): Promise<void> {
  await using sqlite = sqliteDatabase();
  await measureOn(sqlite, sizes);
  await using postgres = await postgresDatabase();
  if (postgres !== undefined) await measureOn(postgres, sizes);
}

async function measureOn(database: BenchDatabase, { messages, runs }: Sizes): Promise<void> {
  note(`ingest of ${messages} messages into ${database.name}`);
  await using slack = await startStandInProcess(bulk(messages, 50));
  const { floors, programs } = await inTurn(
    runs,
    async () => runFloor('bare-copy', ['--reach', '30', '--database', await database.fresh()], slack.env),
    async () => runProgram(['ingest', '--json', '--quiet'], { ...slack.env, DATABASE_URL: await database.fresh() }),
  );
  const floorRun: { requests: number } = JSON.parse(floors[0]?.stdout ?? '{}');
  const run: { requests: Record<string, number>; messages: { inserted: number } } = JSON.parse(
    programs[0]?.stdout ?? '{}',
  );
  const facts = {
    database: database.name,
    server: database.note,
    messages: run.messages.inserted,
    requests: Object.values(run.requests).reduce((sum, n) => sum + n, 0),
    floor_requests: floorRun.requests,
    runs,
  };
  const medianOf = (usages: readonly Usage[], pick: 'seconds' | 'cpuSeconds' | 'peakMb'): number =>
    median(usages.map((usage) => usage[pick]));
  const both = (pick: 'seconds' | 'cpuSeconds' | 'peakMb'): { value: number; floor: number } => ({
    value: medianOf(programs, pick),
    floor: medianOf(floors, pick),
  });
  report({ figure: 'ingest-time', unit: 's', ...both('seconds'), aim: 3 }, facts);
  report({ figure: 'ingest-cpu', unit: 's', ...both('cpuSeconds') }, facts);
  report({ figure: 'ingest-memory', unit: 'MB', ...both('peakMb') }, facts);
}
