/** Transactions: all or nothing, undone when asked for, and fenced by the lock. */
import { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import { acquireLock, type Lock } from '../../src/db/lock.ts';
import { openStore, type TransactionStore } from '../../src/db/repositories/index.ts';
import { DatabaseError, LockedError } from '../../src/errors.ts';
import { millisToIso, parseTs } from '../../src/ts.ts';
import { eachDatabase } from '../support/databases.ts';

const teamId = 'T1';
const at = millisToIso(Date.parse('2026-01-02T03:04:05.678Z'));
const ts = parseTs('1700000001.123450');

async function writeSomething(store: TransactionStore): Promise<void> {
  await store.directory.addUserPlaceholders(teamId, ['U1', 'U2'], at);
  await store.positions.writeThreads([
    {
      team_id: teamId,
      channel_id: 'C1',
      thread_ts: ts,
      claim: '1 -',
      settled_claims: null,
      is_pending: true,
      resume_ts: null,
      last_checked_at: null,
      last_error: null,
      live_replies: null,
      next_audit_run: null,
      audit_interval: null,
      followed_from_ts: null,
      shown_replies: null,
    },
  ]);
  await store.positions.saveState({
    team_id: teamId,
    channel_id: 'C1',
    wanted_from_ts: ts,
    last_ts: ts,
    oldest_ts: ts,
    floor_ts: null,
    floor_probed_ts: null,
    floor_probed_at: null,
    last_checked_at: at,
    last_error: null,
    audited_at: null,
    audited_run: null,
    audit_ts: null,
    audit_began_at: null,
    expired_to_ts: null,
    followed_from_ts: null,
    reread_ranges: null,
  });
}

eachDatabase((create, name) => {
  it('commits all of a transaction and returns its result', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated());
    const result = await store.transaction(async (tx) => {
      await writeSomething(tx);
      return 42;
    });
    expect(result).toBe(42);
    expect(await store.directory.listUserIds(teamId)).toEqual(['U1', 'U2']);
    expect(await store.positions.listStates(teamId)).toHaveLength(1);
  });

  it('takes everything back when the work fails at its end, and goes on working', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated());
    const failure = new Error('at the very end');
    const attempt = store.transaction(async (tx) => {
      await writeSomething(tx);
      throw failure;
    });
    await expect(attempt).rejects.toBe(failure);
    for (const table of ['users', 'threads', 'ingestion_state']) expect(await database.rows(table)).toEqual([]);
    await store.transaction(writeSomething);
    expect(await database.rows('users')).toHaveLength(2);
  });

  it('takes everything back when a statement fails, with an error for people', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated());
    const run = {
      run_id: 'same',
      team_id: teamId,
      workspace: 'w',
      command: 'ingest',
      trigger: 'manual',
      status: 'running',
      started_at: at,
      finished_at: null,
      heartbeat_at: at,
      exit_code: null,
      counts: {},
      error: null,
      config_hash: null,
      app_version: '0',
    } as const;
    const attempt = store.transaction(async (tx) => {
      await writeSomething(tx);
      await tx.runs.insertRun(run);
      await tx.runs.insertRun(run);
    });
    await expect(attempt).rejects.toBeInstanceOf(DatabaseError);
    for (const table of ['users', 'threads', 'runs']) expect(await database.rows(table)).toEqual([]);
  });

  it('decides everything and writes nothing when every transaction is to be undone', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated(), { rollBack: true });
    const seen = await store.transaction(async (tx) => {
      await writeSomething(tx);
      return tx.directory.listUserIds(teamId);
    });
    expect(seen).toEqual(['U1', 'U2']);
    for (const table of ['users', 'threads', 'ingestion_state']) expect(await database.rows(table)).toEqual([]);
  });

  it('queues transactions that begin at the same time', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated());
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        store.transaction((tx) => tx.directory.addUserPlaceholders(teamId, [`U${n}`, 'USHARED'], at)),
      ),
    );
    expect(await database.rows('users')).toHaveLength(21);
  });

  it('refuses to write rows outside a transaction', async () => {
    await using database = await create();
    const store = openStore(await database.openMigrated());
    await expect(writeSomething(store)).rejects.toThrow('inside a transaction only');
    expect(await database.rows('users')).toEqual([]);
  });

  // In Postgres the session decides, not the row: see the last test.
  it.runIf(name === 'sqlite')('lets nothing through once another run has taken the lock over', async () => {
    await using database = await create();
    const dialect = await database.openMigrated();
    const lock = await lockOf(dialect);
    const store = openStore(dialect, { lock });
    await store.transaction((tx) => tx.directory.addUserPlaceholders(teamId, ['U0'], at));

    const other = await database.open();
    await other.db.executeQuery(CompiledQuery.raw(`update locks set owner = 'another'`));
    await expect(store.transaction(writeSomething)).rejects.toBeInstanceOf(LockedError);
    expect(lock.lost.aborted).toBe(true);
    await expect(store.transaction(writeSomething)).rejects.toBeInstanceOf(LockedError);
    expect(await store.directory.listUserIds(teamId)).toEqual(['U0']);
    await lock.release();
    expect(await database.rows('locks')).toMatchObject([{ owner: 'another' }]);
  });

  it('notices at the next heartbeat that the lock was taken over', async () => {
    await using database = await create();
    const dialect = await database.openMigrated();
    const lock = await lockOf(dialect);
    const [before] = await database.rows('locks');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await lock.renew();
    const [after] = await database.rows('locks');
    expect(String(after?.['expires_at']) > String(before?.['expires_at'])).toBe(true);
    expect(lock.lost.aborted).toBe(false);
    await dialect.db.executeQuery(CompiledQuery.raw(`update locks set owner = 'another'`));
    await lock.renew().catch(() => undefined);
    expect(lock.lost.aborted).toBe(true);
    await lock.release();
  });

  it('keeps different workspaces apart, and gives a released lock to the next', async () => {
    await using database = await create();
    const dialect = await database.openMigrated();
    const one = await lockOf(dialect, 'workspace:T1');
    const two = await lockOf(dialect, 'workspace:T2');
    expect(await database.rows('locks', { order: 'name' })).toHaveLength(2);
    await one.release();
    await (await lockOf(await database.open(), 'workspace:T1')).release();
    await two.release();
    expect(await database.rows('locks')).toEqual([]);
  });

  if (name === 'postgres') {
    it('loses the lock together with the connection that holds it', async () => {
      await using database = await create();
      const dialect = await database.openMigrated();
      const lock = await lockOf(dialect);
      const store = openStore(dialect, { lock });
      const other = await database.open();
      expect(await acquireLock(other, 'workspace:T1', Date.now)).toMatchObject({ pid: process.pid });
      const lost = new Promise((resolve) => lock.lost.addEventListener('abort', resolve));
      await other.db.executeQuery(
        CompiledQuery.raw(`select pg_terminate_backend(pid) from pg_locks
          where locktype = 'advisory' and pid <> pg_backend_pid() and pid in (
            select pid from pg_stat_activity where query like '%pg_try_advisory_lock%' and query like '%current_schema%'
          ) and (classid::bigint << 32 | objid::bigint) = (
            select ('x' || substr(md5('slackingest:' || current_schema() || ':workspace:T1'), 1, 16))::bit(64)::bigint
          )`),
      );
      await lost;
      await expect(store.transaction(writeSomething)).rejects.toBeInstanceOf(DatabaseError);
      await lock.release().catch(() => undefined);
      const next = await lockOf(other);
      await next.release();
    });
  }
});

async function lockOf(dialect: Dialect, lockName = 'workspace:T1'): Promise<Lock> {
  const lock = await acquireLock(dialect, lockName, Date.now);
  if (!('release' in lock)) throw new Error('The lock is held already.');
  return lock;
}
