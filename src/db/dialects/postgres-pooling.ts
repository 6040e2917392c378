/**
 * Recognises a pooler that gives every transaction another session (PgBouncer's pool_mode=transaction, the pooled addresses
 * of hosted services). There a lock belongs to nobody, and stays behind for ever.
 */
import pg from 'pg';
import { DatabaseError } from '../../errors.ts';
import type { PostgresClient } from './postgres-client.ts';

/** How often it is tried: on a busy pooler others may take the very session that would give it away. */
const tries = 3;

/**
 * Throws `DatabaseError` when sessions are shared. A pooler tells a process number of its own at the start of a connection, so
 * nothing is tried on a server that is reached directly. To be asked before anything is set: it would be set for others too.
 */
export async function assertOwnSessions(
  client: pg.ClientBase,
  openOther: () => PostgresClient,
  address: string,
): Promise<void> {
  if ((await pidOf(client)) === processNamedTo(client)) return;
  const other = openOther();
  try {
    await other.connect();
    for (let i = 0; i < tries; i += 1) if (await areShared(client, other)) throw sharedSessions(address);
  } catch (error) {
    // With statements pooled, not even a transaction may begin.
    throw error instanceof pg.DatabaseError && error.code?.startsWith('08') === true
      ? sharedSessions(address, error)
      : error;
  } finally {
    other.drop();
  }
}

/** The driver keeps what it was told, and its types leave it out. */
function processNamedTo(client: object): unknown {
  return 'processID' in client ? client.processID : undefined;
}

/** A session of one's own answers with one process every time, and never serves another client as well. */
async function areShared(one: pg.ClientBase, other: pg.ClientBase): Promise<boolean> {
  const before = await pidOf(one);
  if ((await pidOf(one)) !== before) return true;
  await other.query('begin');
  const others = await pidOf(other);
  const after = await pidOf(one);
  await other.query('commit');
  return others === before || after !== before;
}

async function pidOf(client: pg.ClientBase): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid;
}

export function sharedSessions(address: string, cause?: unknown): DatabaseError {
  return new DatabaseError(
    `Postgres at ${address} stands behind a pooler that shares sessions between clients (transaction pooling), and the lock of a run needs a session of its own`,
    'Connect to the server itself, or to a pooler in session mode (PgBouncer: pool_mode=session; Supabase: port 5432; Neon: the host without -pooler).',
    cause,
  );
}
