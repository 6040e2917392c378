import { startStandInProcess } from '../demo/programs.ts';
import { inTurn, median, note, report, runFloor, runProgram, type Sizes, sqliteDatabase } from './harness.ts';
import { bulk } from './ingest.ts';

/** Pages of conversations.list that hold this many channels. */
const channelsPerPage = 999;

/** A run that finds nothing new: one call per channel, and hardly any time beside the calls. */
export async function measureIncremental({ channels, runs }: Sizes): Promise<void> {
  note(`incremental run over ${channels} channels`);
  await using database = sqliteDatabase();
  await using slack = await startStandInProcess(bulk(channels * 40, channels));
  const env = { ...slack.env, DATABASE_URL: await database.fresh() };
  await runProgram(['ingest', '--quiet'], env);

  const { floors, programs } = await inTurn(
    runs,
    // The look-back of 7 days is read in every run.
    () => runFloor('bare-copy', ['--reach', '7', '--no-replies'], slack.env),
    () => runProgram(['ingest', '--json', '--quiet'], env),
  );
  const [last] = programs.slice(-1);
  const run: { requests: Record<string, number>; messages: { inserted: number; unchanged: number } } = JSON.parse(
    last?.stdout ?? '{}',
  );
  const facts = { channels, inserted: run.messages.inserted, unchanged: run.messages.unchanged };
  const least = channels + Math.ceil(channels / channelsPerPage);
  const requests = Object.values(run.requests).reduce((sum, n) => sum + n, 0);
  report(
    { figure: 'incremental-requests', value: requests, unit: 'requests', floor: least, aim: (least + 2) / least },
    { ...facts, by_method: run.requests },
  );
  const seconds = (usages: typeof floors): number => median(usages.map((usage) => usage.seconds));
  report(
    { figure: 'incremental-time', value: seconds(programs), unit: 's', floor: seconds(floors), aim: 3 },
    { ...facts, database: database.name, runs },
  );
}
