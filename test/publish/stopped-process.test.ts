/** A run that is stopped between claiming a message and posting it, and goes on when others have long gone past. */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openStore } from '../../src/db/repositories/index.ts';
import { finishEarlier } from '../../src/publish/publish.ts';
import { openSlackApi } from '../../src/slack/api-source.ts';
import { sleep } from '../../src/slack/waiting.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { startCli } from '../support/run-cli.ts';

const hook = fileURLToPath(new URL('../support/stop-at-claim.mjs', import.meta.url));
/** Without a pace a claim is waited for so long, and used for half of it. */
const settleMs = 2000;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(20);
}

function isStopped(pid: number | undefined): boolean {
  return / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').slice(0, 60));
}

async function openStopped(create: () => Promise<TestDatabase>) {
  const lab = await openLab(create);
  const ada = lab.acme.user('ada').id;
  const daily = lab.acme.channel('daily');
  lab.acme.channel('general').post({ user: ada, text: 'Wallet v2 is live for all customers!' });
  await lab.ingest();
  const args = ['digest', '--publish', '#daily'];
  const { process, result } = startCli(args, { env: lab.env, nodeArgs: ['--import', hook] });
  await until(() => isStopped(process.pid));
  expect(await lab.database.rows('digest_chunks')).toMatchObject([{ status: 'posting', posted_ts: null }]);
  expect(lab.slack.count('chat.postMessage')).toBe(0);
  return { lab, daily, process, result };
}

eachDatabase((create) => {
  it.runIf(process.platform === 'linux')('posts nothing that another run has posted meanwhile', async () => {
    const { lab, daily, process, result } = await openStopped(create);
    await using _ = lab;
    const dialect = await lab.database.openMigrated();
    const signal = new AbortController().signal;
    const slack = openSlackApi({
      token: lab.acme.botToken,
      apiUrl: lab.slack.url,
      pace: 'off',
      allowPost: true,
      emit: () => {},
      signal,
    });
    const context = { store: openStore(dialect), slack, teamId: lab.acme.id, userId: null, now: Date.now, signal };
    // As a run does that got the lock when it had expired.
    await finishEarlier({ ...context, sleep, settleMs }, daily.id);
    expect(daily.store.timeline).toHaveLength(1);

    process.kill('SIGCONT');
    const { code } = await result;
    expect({ code, posts: daily.store.timeline.length }).toEqual({ code: 0, posts: 1 });
    expect(lab.slack.count('chat.postMessage')).toBe(1);
  });

  it.runIf(process.platform === 'linux')('claims it anew when nobody has, and posts it once', async () => {
    const { lab, daily, process, result } = await openStopped(create);
    await using _ = lab;
    const [before] = await lab.database.rows('digest_chunks');
    await setTimeout(settleMs / 2 + 500);
    process.kill('SIGCONT');
    const { code } = await result;
    expect({ code, posts: daily.store.timeline.length }).toEqual({ code: 0, posts: 1 });
    const [after] = await lab.database.rows('digest_chunks');
    expect(String(after?.['claimed_at']) > String(before?.['claimed_at'])).toBe(true);
  });
});
