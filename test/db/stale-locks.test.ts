/** Locks that nobody alive holds: they end, or are called what they are; "another run is working" is said of none of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import { acquireLock } from '../../src/db/lock.ts';
import { DatabaseError } from '../../src/errors.ts';
import { millisToIso } from '../../src/ts.ts';
import { eachDatabase } from '../support/databases.ts';

const name = 'workspace:T1';
const yearMs = 365 * 86_400_000;
const iso = millisToIso;

/** As a run on another machine left it, whose clock went like this. */
async function leaveRow(dialect: Dialect, heartbeat: number): Promise<void> {
  await dialect.db
    .insertInto('locks')
    .values({
      name,
      owner: 'somebody',
      host: 'elsewhere/boot/pid:[1]',
      pid: 4711,
      acquired_at: iso(heartbeat),
      heartbeat_at: iso(heartbeat),
      expires_at: iso(heartbeat + 60_000),
    })
    .execute();
}

const beat = (dialect: Dialect, at: number) =>
  dialect.db
    .updateTable('locks')
    .set({ heartbeat_at: iso(at) })
    .where('name', '=', name)
    .execute();

eachDatabase((create, database) => {
  it('a run that died under a clock a year ahead does not lock everybody out for a year', async () => {
    await using own = await create();
    const dialect = await own.openMigrated();
    await leaveRow(dialect, Date.now() + yearMs);
    const lock = await acquireLock(dialect, name, Date.now, { watchMs: 50 });
    expect('release' in lock).toBe(true);
    if ('release' in lock) await lock.release();
  });

  it.runIf(database === 'sqlite')('a heart that beats by a clock a year ahead is one that lives', async () => {
    await using own = await create();
    const dialect = await own.openMigrated();
    await leaveRow(dialect, Date.now() + yearMs);
    const asked = acquireLock(dialect, name, Date.now, { watchMs: 5000 });
    await sleep(100);
    await beat(await own.open(), Date.now() + yearMs + 5000);
    expect(await asked).toMatchObject({ host: 'elsewhere', pid: 4711 });
  });

  if (database === 'postgres') {
    /** Holds the lock as a session that a pooler left behind does, in a connection of its own. */
    const occupy = async (dialect: Dialect) => {
      const session = await dialect.sessionLock?.(name);
      if (session === undefined || !('release' in session)) throw new Error('The lock is held already.');
      return session;
    };

    it('a session that holds the lock for no run at all is named, with how to end it', async () => {
      await using own = await create();
      const dialect = await own.openMigrated();
      const session = await occupy(await own.open());
      const asked = acquireLock(dialect, name, Date.now, { watchMs: 50 });
      await expect(asked).rejects.toBeInstanceOf(DatabaseError);
      await expect(asked).rejects.toMatchObject({
        exitCode: 1,
        message: expect.stringMatching(/held by session \d+ of the database \(slackingest/),
        hint: expect.stringMatching(/select pg_terminate_backend\(\d+\)/),
      });
      const [, pid] = /session (\d+)/.exec(String(await asked.catch((error: Error) => error.message))) ?? [];
      await dialect.db.executeQuery(CompiledQuery.raw(`select pg_terminate_backend(${pid})`));
      await new Promise((ended) =>
        session.lost.aborted ? ended(null) : session.lost.addEventListener('abort', ended),
      );
      const lock = await acquireLock(dialect, name, Date.now);
      expect('release' in lock).toBe(true);
      await session.release().catch(() => undefined);
      if ('release' in lock) await lock.release();
    });

    it.each([-3600_000, yearMs])(
      'so is one whose run has not shown a sign of life (%d ms from now)',
      async (distance) => {
        await using own = await create();
        const dialect = await own.openMigrated();
        await leaveRow(dialect, Date.now() + distance);
        const session = await occupy(await own.open());
        await expect(acquireLock(dialect, name, Date.now, { watchMs: 50 })).rejects.toMatchObject({
          exitCode: 1,
          message: expect.stringContaining('process 4711 on elsewhere'),
        });
        await session.release();
      },
    );

    it.each([0, -3600_000, yearMs])(
      'one whose heart beats is a run like any other (%d ms from now)',
      async (distance) => {
        await using own = await create();
        const dialect = await own.openMigrated();
        const other = await own.open();
        await leaveRow(dialect, Date.now() + distance);
        const session = await occupy(other);
        const asked = acquireLock(dialect, name, Date.now, { watchMs: 5000 });
        await sleep(100);
        await beat(other, Date.now() + distance + 5000);
        expect(await asked).toMatchObject({ host: 'elsewhere', pid: 4711 });
        await session.release();
      },
    );
  }
});
