import { statSync } from 'node:fs';
import { startStandInProcess } from '../demo/programs.ts';
import { inTurn, median, note, print, report, runFloor, runProgram, type Sizes, sqliteDatabase } from './harness.ts';

const channels = 20;
const daysPerSize = 20;

/**
 * What a run that finds nothing new costs as the stored history grows, the traffic of the last days staying the same, and
 * how many bytes the database takes for a message. The value is compared with the smallest history's.
 */
export async function measureGrowth({ growth, runs }: Sizes): Promise<void> {
  let smallest: { seconds: number; requests: number } | null = null;
  for (const [step, messages] of growth.entries()) {
    note(`incremental run over a history of ${messages} messages`);
    await using database = sqliteDatabase();
    const days = daysPerSize * 10 ** step;
    const sizes = ['--messages', String(messages), '--channels', String(channels), '--days', String(days)];
    await using slack = await startStandInProcess(['--workspace', 'bulk', ...sizes, '--reply-share', '0.1']);
    const env = { ...slack.env, DATABASE_URL: await database.fresh() };
    const from = new Date(Date.now() - (days + 1) * 86_400_000).toISOString().slice(0, 10);
    await runProgram(['ingest', '--quiet', '--backfill-from', from], env);
    const bytes = statSync(env.DATABASE_URL.slice('sqlite:'.length)).size;

    const { floors, programs } = await inTurn(
      runs,
      () => runFloor('bare-copy', ['--reach', '7', '--no-replies'], slack.env),
      () => runProgram(['ingest', '--json', '--quiet'], env),
    );
    const outs = programs.map(({ stdout }): IdleRun => JSON.parse(stdout));
    const seconds = median(programs.map((usage) => usage.seconds));
    const requests = median(outs.map((out) => Object.values(out.requests).reduce((sum, n) => sum + n, 0)));
    smallest ??= { seconds, requests };
    const facts = { messages, days, channels, database: database.name, runs };
    const reread = median(outs.map((out) => out.messages.unchanged));
    const floorSeconds = median(floors.map((usage) => usage.seconds));
    report(
      { figure: 'growth-time', value: seconds, unit: 's', floor: smallest.seconds },
      { ...facts, bare_copy_seconds: Number(floorSeconds.toFixed(3)), messages_read_again: reread },
    );
    report({ figure: 'growth-requests', value: requests, unit: 'requests', floor: smallest.requests }, facts);
    print({ figure: 'database-size', value: Math.round(bytes / messages), unit: 'bytes per message', ...facts });
  }
}

interface IdleRun {
  requests: Record<string, number>;
  messages: { unchanged: number };
}
