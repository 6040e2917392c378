/** The lock of a run: an advisory lock, which lives and dies with the session that took it. */
import type pg from 'pg';
import type { SessionHolder, SessionLock } from './dialect.ts';
import { sharedSessions } from './postgres-pooling.ts';
import type { SilenceWatch } from './postgres-silence.ts';

/**
 * How often the session that holds the lock says something. It has nothing else to do for hours, and what stands between may cut
 * idle connections after seconds.
 */
const keepAliveMs = 2_000;

/** A session-level advisory lock needs a connection of its own: given back to the pool, it would take the lock along. */
export async function tryAdvisoryLock(
  client: pg.PoolClient,
  watch: SilenceWatch,
  name: string,
  address: string,
): Promise<SessionLock | SessionHolder> {
  const lost = new AbortController();
  const onError = (error: Error) => lost.abort(error);
  const onEnd = () => lost.abort(new Error('the connection that held the lock ended'));
  client.on('error', onError).on('end', onEnd);
  try {
    const answer = client.query<{ key: string; locked: boolean; pid: number }>(
      // The schema belongs to the name: two installations in one database must not exclude each other.
      `select k.key::text as key, pg_try_advisory_lock(k.key) as locked, pg_backend_pid() as pid
         from (select ('x' || substr(md5('slackingest:' || current_schema() || ':' || $1), 1, 16))::bit(64)::bigint as key) k`,
      [name],
    );
    const [row] = (await watch.during(answer)).rows;
    if (row?.locked === true) return heldLock(client, watch, lost, row, address);
    const holder = await watch.during(findHolder(client, row?.key ?? '0'));
    // Whoever waits for the lock asks again and again, over the same pooled connection.
    client.off('error', onError).off('end', onEnd);
    client.release();
    return holder;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

function heldLock(
  client: pg.PoolClient,
  watch: SilenceWatch,
  lost: AbortController,
  { key, pid }: { key: string; pid: number },
  address: string,
): SessionLock {
  const stopTalking = keepTalking(async () => {
    const { rows } = await watch.during(client.query<{ pid: number }>('select pg_backend_pid() as pid'));
    if (rows[0]?.pid !== pid) lost.abort(sharedSessions(address));
  }, lost);
  return {
    lost: lost.signal,
    async release() {
      await stopTalking();
      try {
        await watch.during(client.query('select pg_advisory_unlock($1::bigint)', [key]));
      } finally {
        // Destroyed, not pooled: whatever happened to the unlock, the session and its lock are gone.
        client.release(true);
      }
    },
  };
}

/** Calls `talk` again and again, never twice at once; what it throws means that the lock is lost. Returns how to end it. */
function keepTalking(talk: () => Promise<void>, lost: AbortController): () => Promise<void> {
  let underway: Promise<void> | null = null;
  const timer = setInterval(() => {
    underway ??= talk()
      .catch((error: unknown) => lost.abort(error))
      .finally(() => {
        underway = null;
      });
  }, keepAliveMs);
  return async () => {
    clearInterval(timer);
    await underway;
  };
}

/** Who holds it, as far as the server lets this user see. */
async function findHolder(client: pg.PoolClient, key: string): Promise<SessionHolder> {
  const { rows } = await client.query<SessionHolder>(
    `select pid, application_name as application, host(client_addr) as "clientAddress"
       from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and granted and objsubid = 1
        and pg_locks.database = (select oid from pg_database where datname = current_database())
        and (classid::bigint << 32 | objid::bigint) = $1::bigint`,
    [key],
  );
  return rows[0] ?? { pid: null, application: null, clientAddress: null };
}
