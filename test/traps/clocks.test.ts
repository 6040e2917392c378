/** The program's own clock may be wrong. Slack's ts are right, and what a wrong clock left must not hide anything. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const hook = fileURLToPath(new URL('../support/shift-clock.mjs', import.meta.url));
const day = 86_400_000;

/** The environment of a run whose clock is ahead by so many days. */
function ahead(days: number): Record<string, string> {
  return { NODE_OPTIONS: `--import ${hook}`, SHIFT_CLOCK_MS: String(days * day) };
}

eachDatabase((create) => {
  it('reads what a first run under a clock far ahead passed by', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const question = general.post({ ts: lab.world.clock.daysAgo(3), text: 'three days old' });
    general.reply(question, { text: 'an answer' });
    general.post({ text: 'new' });
    const wrong = await lab.run(['ingest'], { env: ahead(400) });
    expect(wrong.code).toBe(0);
    expect(wrong.out.messages.inserted).toBe(0);
    const [run] = await lab.database.rows('runs');
    expect(Date.parse(String(run?.['started_at'])) - Date.now()).toBeGreaterThan(300 * day);

    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
    general.post({ text: 'newer' });
    expect((await lab.ingest()).out.messages.inserted).toBe(1);
    await expectWorld(lab.database, [general]);
  });

  it('reads a thread that failed under a clock ahead as soon as the clock is right', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const root = general.post({ text: 'a question' });
    for (const text of ['one', 'two', 'three']) general.reply(root, { text });
    const method = 'conversations.replies';
    lab.slack.faults.add({ kind: 'error', method, times: Infinity, error: 'some_new_error' });
    const wrong = await lab.run(['ingest'], { env: ahead(2) });
    expect(wrong.code).toBe(3);
    const [thread] = await lab.database.rows('threads');
    expect(thread).toMatchObject({ is_pending: true, last_error: expect.stringContaining('some_new_error') });
    expect(Date.parse(String(thread?.['last_checked_at']))).toBeGreaterThan(Date.now());

    lab.slack.faults.clear();
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
  });
});
