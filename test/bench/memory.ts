import { startStandInProcess } from '../demo/programs.ts';
import { note, report, runProgram, type Sizes, sqliteDatabase } from './harness.ts';
import { bulk } from './ingest.ts';

/** Ten times the messages must not need more memory: pages are stored as they come. */
export async function measureMemory({ memory: [small, large] }: Sizes): Promise<void> {
  await using database = sqliteDatabase();
  const peakOf = async (messages: number): Promise<number> => {
    note(`peak memory with ${messages} messages`);
    await using slack = await startStandInProcess(bulk(messages, 50));
    const env = { ...slack.env, DATABASE_URL: await database.fresh() };
    return (await runProgram(['ingest', '--quiet'], env)).peakMb;
  };
  const floor = await peakOf(small);
  const value = await peakOf(large);
  report(
    { figure: 'memory-10x', value, unit: 'MB', floor, aim: 1.3 },
    { database: database.name, messages: large, floor_messages: small },
  );
}
