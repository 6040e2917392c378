import { createHash } from 'node:crypto';
import pg from 'pg';
import type { TestDatabase } from './databases.ts';

/** What still says that a run is on its way: rows of `locks`, and sessions of the server that hold the workspace's lock. */
export async function locksLeft(database: TestDatabase, teamId: string): Promise<unknown[]> {
  const rows: unknown[] = await database.rows('locks');
  return database.name === 'sqlite' ? rows : [...rows, ...(await sessionLocks(database.url, teamId))];
}

async function sessionLocks(url: string, teamId: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ schema: string }>('select current_schema() as schema');
    const name = `slackingest:${rows[0]?.schema}:workspace:${teamId}`;
    const key = createHash('md5').update(name).digest();
    const held = await client.query(
      `select pid from pg_locks where locktype = 'advisory' and classid = $1::bigint::oid and objid = $2::bigint::oid`,
      [key.readUInt32BE(0), key.readUInt32BE(4)],
    );
    return held.rows;
  } finally {
    await client.end();
  }
}
