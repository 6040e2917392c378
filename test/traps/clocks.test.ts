/** The program's own clock may be wrong. Slack's ts are right, and what a wrong clock left must not hide anything. */
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { Random } from '../stand-in/random.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const hook = fileURLToPath(new URL('../support/shift-clock.mjs', import.meta.url));
const hour = 3_600_000;
const day = 24 * hour;

/** The environment of a run whose clock is ahead by so many milliseconds, and is set to `then` in the middle of it. */
function clock(ahead: number, then = ahead, looks = 40): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${hook}`,
    SHIFT_CLOCK_MS: String(ahead),
    SHIFT_CLOCK_THEN_MS: String(then),
    SHIFT_CLOCK_LOOKS: String(looks),
  };
}

async function expectNoFuture(database: TestDatabase): Promise<void> {
  const vouched = await database.rows('coverage');
  const now = Date.now() / 1000 + 60;
  expect(vouched.filter(({ to_ts }) => Number(to_ts) > now)).toEqual([]);
}

eachDatabase((create) => {
  it('goes by the time that Slack tells, and says by how much its own is off', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const question = general.post({ ts: lab.world.clock.daysAgo(3), text: 'three days old' });
    general.reply(question, { text: 'an answer' });
    general.post({ text: 'new' });
    const wrong = await lab.run(['ingest'], { env: clock(400 * day) });
    expect(wrong.code).toBe(0);
    expect(wrong.out.messages.inserted).toBe(3);
    expect(wrong.stderr).toContain("The clock of this machine is 400 d ahead of Slack's");
    expect(Math.abs(Date.parse(wrong.out.started_at) - Date.now())).toBeLessThan(hour);
    const [run] = await lab.database.rows('runs');
    expect(Math.abs(Date.parse(String(run?.['started_at'])) - Date.now())).toBeLessThan(hour);
    await expectWorld(lab.database, [general]);

    const behind = await lab.run(['ingest'], { env: clock(-20 * 365 * day) });
    expect(behind.code).toBe(0);
    expect(behind.stderr).toContain("behind Slack's");
    await expectNoFuture(lab.database);
    expect((await lab.ingest()).stderr).not.toContain('clock');
  });

  it('reads what a first run under a clock far ahead passed by, where nothing tells it the time', async () => {
    await using lab = await openLab(create, { date: () => null });
    const general = lab.acme.channel('general');
    general.post({ ts: lab.world.clock.daysAgo(3), text: 'three days old' });
    general.post({ text: 'new' });
    const wrong = await lab.run(['ingest'], { env: clock(400 * day) });
    expect(wrong.code).toBe(0);
    expect(wrong.out.messages.inserted).toBe(0);

    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
    await expectNoFuture(lab.database);
    general.post({ text: 'newer' });
    expect((await lab.ingest()).out.messages.inserted).toBe(1);
    await expectWorld(lab.database, [general]);
  });

  it('takes back what a clock that was ahead has vouched for', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const last = general.post({ text: 'the last one' });
    expect((await lab.ingest()).code).toBe(0);
    const future = `${Math.floor(Date.now() / 1000) + 30_000_000}.000000`;
    const iso = new Date(Date.now() + 300 * day).toISOString();
    const { db } = await lab.database.open();
    await sql`update coverage set to_ts = ${future}, audited_at = ${iso}`.execute(db);
    await sql`update ingestion_state set last_ts = ${future}, audited_at = ${iso}, floor_ts = ${future},
      floor_probed_ts = '0000000001.000000', floor_probed_at = ${iso}`.execute(db);
    general.post({ text: 'not seen yet' });
    expect((await lab.ingest()).out.messages.inserted).toBe(1);
    await expectWorld(lab.database, [general]);
    await expectNoFuture(lab.database);
    const [state] = await lab.database.rows('ingestion_state');
    expect(state).toMatchObject({ floor_ts: null });
    expect(String(state?.['last_ts']) > last).toBe(true);
    expect(String(state?.['audited_at']) <= new Date().toISOString()).toBe(true);
    expect((await lab.run(['verify'])).code).toBe(0);

    await sql`update messages set first_seen_at = ${iso}, updated_at = ${iso} where ts = ${last}`.execute(db);
    general.deleteMessage(last);
    const { code, out } = await lab.run(['verify', '--offline']);
    expect([code, out.future_rows]).toEqual([0, { count: 1, latest: iso }]);
    expect((await lab.ingest()).code).toBe(0);
  });

  it('reads a thread that failed under a clock ahead as soon as the clock is right', async () => {
    await using lab = await openLab(create, { date: () => null });
    const general = lab.acme.channel('general');
    const root = general.post({ text: 'a question' });
    for (const text of ['one', 'two', 'three']) general.reply(root, { text });
    const method = 'conversations.replies';
    lab.slack.faults.add({ kind: 'error', method, times: Infinity, error: 'some_new_error' });
    const wrong = await lab.run(['ingest'], { env: clock(2 * day) });
    expect(wrong.code).toBe(3);
    const [thread] = await lab.database.rows('threads');
    expect(thread).toMatchObject({ is_pending: true, last_error: expect.stringContaining('some_new_error') });
    expect(Date.parse(String(thread?.['last_checked_at']))).toBeGreaterThan(Date.now());

    lab.slack.faults.clear();
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [general]);
  });

  it.each([11, 12, 13])(
    'copies everything in the end, deletions too, whatever clock each run has: seed %d',
    async (seed) => {
      const random = new Random(seed);
      const dates: ((now: number) => string | null)[] = [
        (now) => new Date(now).toUTCString(),
        () => null,
        () => 'a proxy was here',
        () => new Date(0).toUTCString(),
      ];
      let date = dates[0];
      await using lab = await openLab(create, { date: (now) => date?.(now) ?? null });
      const general = lab.acme.channel('general');
      for (let hours = 200; hours > 0; hours -= 1)
        general.post({ ts: lab.world.clock.daysAgo(hours / 24), text: `${hours}` });
      const deleted: string[] = [];
      const shifts = [0, 2 * hour, -2 * hour, 400 * day, -400 * day, -9000 * day];
      for (let run = 0; run < 4; run += 1) {
        date = random.pick(dates);
        const env = clock(random.pick(shifts), random.pick(shifts), 5 + random.below(80));
        expect([0, 3]).toContain((await lab.run(['ingest', '--lookback', '30d'], { env })).code);
        const stored = await lab.database.rows('messages', {
          where: 'deleted_at is null and is_reply = false',
          order: 'ts',
        });
        const victim = stored.length > 20 ? String(random.pick(stored.slice(10))['ts']) : null;
        if (victim !== null) {
          general.deleteMessage(victim);
          deleted.push(victim);
        }
        const root = general.post({ text: `after run ${run}` });
        general.reply(root, { text: 'at once' });
      }
      date = dates[0];
      expect((await lab.ingest('--lookback', '30d')).code).toBe(0);
      const marked = await lab.database.rows('messages', { where: 'deleted_at is not null', order: 'ts' });
      expect(marked.map(({ ts }) => ts)).toEqual(deleted.sort());
      await expectWorld(lab.database, [general], { hidden: deleted });
      await expectNoFuture(lab.database);
    },
  );
});
