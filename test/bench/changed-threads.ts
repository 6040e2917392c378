import { bulkWorkspace } from '../stand-in/bulk-workspace.ts';
import { Random } from '../stand-in/random.ts';
import { startStandIn } from '../stand-in/server.ts';
import { note, print, runProgram, type Sizes, sqliteDatabase } from './harness.ts';

const channels = 100;

/**
 * Requests per run after one thread in a hundred, of any age, got a reply: against the least possible, which only somebody
 * who knew the changed threads could reach, and against asking about every known thread.
 */
export async function measureChangedThreads({ messages }: Sizes): Promise<void> {
  note(`one thread in a hundred changes among ${messages} messages in ${channels} channels`);
  const { world, workspace } = bulkWorkspace({ channels, messages });
  await using slack = await startStandIn({ world });
  await using database = sqliteDatabase();
  const env = {
    SLACK_API_URL: slack.url,
    SLACK_TOKEN: workspace.botToken,
    SLACKINGEST_PACE: 'off',
    DATABASE_URL: await database.fresh(),
  };
  const from = new Date(Date.now() - 366 * 86_400_000).toISOString().slice(0, 10);
  await runProgram(['ingest', '--quiet', '--backfill-from', from], env);

  const random = new Random(7);
  const roots = [...workspace.channels.values()].flatMap((channel) =>
    channel.store.timeline.filter(({ thread }) => thread !== undefined).map(({ ts }) => ({ channel, ts })),
  );
  const changed = roots.filter(() => random.chance(0.01));
  for (const { channel, ts } of changed) channel.reply(ts, { text: 'late' });
  const least = channels + 2 + changed.length;
  const everyThread = channels + 2 + roots.length;
  let found = 0;
  let all = 0;
  for (let run = 1; found < changed.length && run <= 60; run += 1) {
    const { stdout } = await runProgram(['ingest', '--json', '--quiet'], env);
    const out: { requests: Record<string, number>; messages: { inserted: number } } = JSON.parse(stdout);
    const requests = Object.values(out.requests).reduce((sum, n) => sum + n, 0);
    found += out.messages.inserted;
    all += requests;
    print({
      figure: 'changed-threads',
      run,
      requests,
      least_possible: run === 1 ? least : channels + 2,
      asking_every_thread: everyThread,
      requests_so_far: all,
      found,
      changed: changed.length,
      threads: roots.length,
      by_method: out.requests,
    });
  }
}
