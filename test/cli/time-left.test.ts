import { expect, it } from 'vitest';
import { tellTimeLeft } from '../../src/cli/time-left.ts';
import { openStore } from '../../src/db/repositories/index.ts';
import { offlineSlack } from '../../src/slack/offline.ts';
import { syncContext } from '../../src/sync/context.ts';
import type { RunEvent } from '../../src/sync/events.ts';
import { newReadProgress } from '../../src/sync/read-channels.ts';
import { createSqlite } from '../support/databases.ts';

const identity = {
  teamId: 'T1',
  teamName: 'Acme',
  url: '',
  enterpriseId: null,
  userId: null,
  isBot: true,
  scopes: null,
};

it('is told every few seconds while threads wait, from what waits and the pace, and never after the end', async () => {
  await using database = await createSqlite();
  const store = openStore(await database.openMigrated());
  const told: RunEvent[] = [];
  let now = 1_700_000_000_000;
  const sync = syncContext({
    store,
    teamId: 'T1',
    slack: offlineSlack(async () => identity),
    emit: (event) => told.push(event),
    signal: new AbortController().signal,
    stop: () => undefined,
    now: () => now,
    discardRules: [],
    retention: 'unknown',
    knownUsers: new Set(),
  });
  const progress = newReadProgress();
  progress.channels.total = 8;
  sync.threads = { unshown: 0, found: 306, read: 0 };
  const stop = tellTimeLeft(sync, progress, () => ({ pace: 1, states: [], now }));
  const page = async () => {
    sync.emit({ type: 'progress', messages: 1, threads: sync.threads });
    await new Promise(setImmediate);
  };
  const times = () => told.flatMap((event) => (event.type === 'time_left' ? [Math.round(event.ms / 1000)] : []));

  await page();
  expect(times()).toEqual([]);
  now += 3_000;
  await page();
  await page();
  // 50 a minute.
  expect(times()).toEqual([367]);
  now += 3_000;
  sync.threads.read = 300;
  await page();
  expect(times()).toEqual([367, 2]);
  await stop();
  now += 3_000;
  await page();
  expect(times()).toHaveLength(2);
});
