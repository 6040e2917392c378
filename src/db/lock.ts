/**
 * One run at a time per workspace. Where the server knows session locks (Postgres), such a lock decides and the row
 * only tells who holds it; in SQLite the row decides, kept alive by a heartbeat and void after its expiry.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, LockedError } from '../errors.ts';
import { millisToIso } from '../ts.ts';
import type { Dialect, SessionHolder, SessionLock } from './dialects/dialect.ts';
import { prepareQuery } from './prepared-query.ts';
import type { LockRow } from './schema.ts';

/** How long a lock outlives the last heartbeat of its owner. The heartbeat (RunRecord) beats several times within it. */
const lockExpiryMs = 60_000;
/** Several heartbeats long: who has shown none by then is dead. */
const deadAfterMs = 15_000;

export interface LockHolder {
  host: string;
  pid: number;
  acquiredAt: string;
}

export interface Lock {
  /** Aborted when the lock is known to be lost; whoever holds it must stop. */
  readonly lost: AbortSignal;
  /** Throws `LockedError` when the lock is no longer ours. Inside a transaction it fences what the transaction writes. */
  assertHeld(db: Dialect['db']): Promise<void>;
  /** Pushes the expiry away. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the lock, or says who holds it. A lock whose owner is known to be dead (killed on this machine) is taken over
 * at once, any other one after its expiry. A holder whose heartbeat says nothing by our clock (long past, or in the future) is
 * watched for a while: when no heart beats, the row is void. Throws `DatabaseError` when a session of the server holds the lock
 * all the same: no waiting would end that.
 */
export async function acquireLock(
  dialect: Dialect,
  name: string,
  now: () => number,
  { signal, watchMs = deadAfterMs }: { signal?: AbortSignal; watchMs?: number } = {},
): Promise<Lock | LockHolder> {
  const first = await tryLock(dialect, name, now);
  if ('release' in first) return first;
  if (first.row !== undefined && isTimely(first.row, now())) return holderOf(first.row);
  const beat = beatOf(first.row);
  const giveUpAt = performance.now() + watchMs;
  while (performance.now() < giveUpAt) {
    await sleep(Math.min(500, watchMs), undefined, { signal }).catch(() => signal?.throwIfAborted());
    const again = await tryLock(dialect, name, now);
    if ('release' in again) return again;
    if (again.row !== undefined && beatOf(again.row) !== beat) return holderOf(again.row);
  }
  const last = await tryLock(dialect, name, now, beat);
  if ('release' in last) return last;
  if (last.row !== undefined && beatOf(last.row) !== beat) return holderOf(last.row);
  throw heldByNobody(name, last);
}

/** What is known of the one who holds the lock: its row, and its session where the server knows such. */
interface Held {
  row: LockRow | undefined;
  session?: SessionHolder;
}

/** `deadBeat` is the last heartbeat of an owner that was watched and found dead. */
async function tryLock(dialect: Dialect, name: string, now: () => number, deadBeat?: string): Promise<Lock | Held> {
  const session = await dialect.sessionLock?.(name);
  if (session !== undefined && !('release' in session)) return { row: await findRow(dialect.db, name), session };
  try {
    const isVoid = (row: LockRow) =>
      session !== undefined || Date.parse(row.expires_at) <= now() || isOwnerDead(row) || beatOf(row) === deadBeat;
    const taken = await takeRow(dialect, name, now, isVoid);
    if ('row' in taken) return taken;
    return heldLock(dialect, name, taken.owner, session, now);
  } catch (error) {
    await session?.release();
    throw error;
  }
}

async function takeRow(
  dialect: Dialect,
  name: string,
  now: () => number,
  isVoid: (row: LockRow) => boolean,
): Promise<{ row: LockRow } | { owner: string }> {
  return dialect.db.transaction().execute(async (trx) => {
    const present = await findRow(trx, name);
    if (present !== undefined && !isVoid(present)) return { row: present };
    const at = now();
    const owner = randomUUID();
    await trx.deleteFrom('locks').where('name', '=', name).execute();
    await trx
      .insertInto('locks')
      .values({
        name,
        owner,
        host: hostIdentity(),
        pid: process.pid,
        acquired_at: millisToIso(at),
        heartbeat_at: millisToIso(at),
        expires_at: millisToIso(at + lockExpiryMs),
      })
      .execute();
    return { owner };
  });
}

/** Whether the heartbeat is one that a living owner with a clock like ours may have left. */
function isTimely(row: LockRow, now: number): boolean {
  return Math.abs(Date.parse(row.heartbeat_at) - now) <= lockExpiryMs;
}

function beatOf(row: LockRow | undefined): string {
  return row === undefined ? 'none' : `${row.owner} ${row.heartbeat_at}`;
}

function heldByNobody(name: string, { row, session }: Held): DatabaseError {
  const from = session?.clientAddress === null ? '' : ` from ${session?.clientAddress}`;
  const run =
    row === undefined
      ? 'and no run has put its name to it'
      : `and its run (process ${row.pid} on ${holderOf(row).host}) has shown no sign of life since ${row.heartbeat_at}`;
  return new DatabaseError(
    `the lock ${name} is held by session ${session?.pid ?? 'unknown'} of the database (${session?.application || 'without a name'}${from}), ${run}`,
    `Where such a run still exists (stopped, or on a machine that is asleep), end it; else end the session: select pg_terminate_backend(${session?.pid ?? 'PID'}). A pooler that shares sessions leaves such locks behind.`,
  );
}

function heldLock(
  dialect: Dialect,
  name: string,
  owner: string,
  session: SessionLock | undefined,
  now: () => number,
): Lock {
  const lost = new AbortController();
  const findOwner = prepareQuery((db, lockName: string) =>
    db.selectFrom('locks').select('owner').where('name', '=', lockName),
  );
  const takenOver = () => {
    const error = new LockedError(
      'this run lost its lock: it stood still for longer than the lock lives, and another run took over',
      'Nothing is lost; the other run goes on from the last commit.',
    );
    lost.abort(error);
    return error;
  };
  session?.lost.addEventListener('abort', () =>
    lost.abort(dialect.explain(session.lost.reason) ?? session.lost.reason),
  );
  return {
    lost: lost.signal,
    async assertHeld(db) {
      lost.signal.throwIfAborted();
      // A session lock is held for as long as its connection lives, and `lost` tells when that ends.
      if (session !== undefined) return;
      const [row] = await findOwner(db, name);
      if (row?.owner !== owner) throw takenOver();
    },
    async renew() {
      const at = now();
      const { numUpdatedRows } = await dialect.db
        .updateTable('locks')
        .set({ heartbeat_at: millisToIso(at), expires_at: millisToIso(at + lockExpiryMs) })
        .where('name', '=', name)
        .where('owner', '=', owner)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) takenOver();
    },
    async release() {
      try {
        await dialect.db.deleteFrom('locks').where('name', '=', name).where('owner', '=', owner).execute();
      } finally {
        await session?.release();
      }
    },
  };
}

function findRow(db: Dialect['db'], name: string): Promise<LockRow | undefined> {
  return db.selectFrom('locks').selectAll().where('name', '=', name).executeTakeFirst();
}

function holderOf(row: LockRow): LockHolder {
  return { host: row.host.split('/')[0] ?? row.host, pid: row.pid, acquiredAt: row.acquired_at };
}

/** A process of this very machine (and container) that is gone. Our own pid in a lock we do not hold is an earlier life's. */
function isOwnerDead(row: LockRow): boolean {
  if (row.host !== hostIdentity()) return false;
  if (row.pid === process.pid) return true;
  try {
    process.kill(row.pid, 0);
    return false;
  } catch (error) {
    // EPERM: it lives and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

let knownIdentity: string | undefined;

/**
 * Names the space in which a pid means something: two containers may share host name and volume and yet not see each
 * other's processes, so boot and pid namespace belong to it where the system tells them (Linux).
 */
function hostIdentity(): string {
  knownIdentity ??= [hostname(), ...readIfLinux()].join('/');
  return knownIdentity;
}

function readIfLinux(): string[] {
  if (process.platform !== 'linux') return [];
  try {
    return [readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), readlinkSync('/proc/self/ns/pid')];
  } catch (error) {
    // A hardened container may hide /proc; then locks end by expiry, or as processes of this host name.
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}
