/**
 * One run at a time per workspace. Where the server knows session locks (Postgres), such a lock decides and the row
 * only tells who holds it; in SQLite the row decides, kept alive by a heartbeat and void after its expiry.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { LockedError } from '../errors.ts';
import { millisToIso } from '../ts.ts';
import type { Dialect, SessionLock } from './dialects/dialect.ts';
import { prepareQuery } from './prepared-query.ts';
import type { LockRow } from './schema.ts';

/** How long a lock outlives the last heartbeat of its owner. The heartbeat (RunRecord) beats several times within it. */
const lockExpiryMs = 60_000;

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
 * at once, any other one after its expiry.
 */
export async function acquireLock(dialect: Dialect, name: string, now: () => number): Promise<Lock | LockHolder> {
  const session = await dialect.sessionLock?.(name);
  const isRowDecisive = dialect.sessionLock === undefined;
  if (!isRowDecisive && session === undefined) return holderOf(await findRow(dialect.db, name));
  try {
    const taken = await takeRow(dialect, name, now, isRowDecisive);
    if ('pid' in taken) {
      await session?.release();
      return taken;
    }
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
  isRowDecisive: boolean,
): Promise<LockHolder | { owner: string }> {
  return dialect.db.transaction().execute(async (trx) => {
    const present = await findRow(trx, name);
    const at = now();
    if (isRowDecisive && present !== undefined && Date.parse(present.expires_at) > at && !isOwnerDead(present)) {
      return holderOf(present);
    }
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

function holderOf(row: LockRow | undefined): LockHolder {
  return row === undefined
    ? { host: 'unknown', pid: 0, acquiredAt: 'unknown' }
    : { host: row.host.split('/')[0] ?? row.host, pid: row.pid, acquiredAt: row.acquired_at };
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
