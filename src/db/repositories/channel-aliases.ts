/** Names and ids that channels had, and the move of all that is stored from one id of a channel to the next. */
import type { Kysely } from 'kysely';
import type { IsoTime } from '../../model.ts';
import type { WriteTarget } from '../dialects/dialect.ts';
import type { Schema } from '../schema.ts';

export const aliasTarget = {
  table: 'channel_aliases',
  columns: ['team_id', 'kind', 'alias', 'channel_id', 'updated_at'],
  key: ['team_id', 'kind', 'alias', 'channel_id'],
  onConflict: 'keep',
} as const satisfies WriteTarget<'channel_aliases'>;

/**
 * What is stored of a channel's content, and how far it was read. `run_channels` is left out: it says what a run did,
 * under the id of that day.
 */
const contentTables = [
  'messages',
  'message_revisions',
  'reactions',
  'message_files',
  'ingestion_state',
  'coverage',
  'threads',
  'stored_counts',
] as const satisfies (keyof Schema)[];

/** Whether anything at all is stored of the channel's content. */
export async function hasContent(db: Kysely<Schema>, teamId: string, channelId: string): Promise<boolean> {
  for (const table of contentTables) {
    const row = await db
      .selectFrom(table)
      .select('channel_id')
      .where('team_id', '=', teamId)
      .where('channel_id', '=', channelId)
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined) return true;
  }
  return false;
}

/** Forgets all that is stored under the id, when it is stored under another one. */
export async function dropContent(db: Kysely<Schema>, teamId: string, channelId: string): Promise<void> {
  for (const table of [...contentTables, 'channel_aliases', 'channels'] as const) {
    await db.deleteFrom(table).where('team_id', '=', teamId).where('channel_id', '=', channelId).execute();
  }
}

/** Nothing may be stored under `to` yet but its row in `channels`, which stays; the one of `from` goes. */
export async function moveContent(
  db: Kysely<Schema>,
  teamId: string,
  { from, to }: { from: string; to: string },
  now: IsoTime,
): Promise<void> {
  for (const table of contentTables) {
    await db
      .updateTable(table)
      .set({ channel_id: to })
      .where('team_id', '=', teamId)
      .where('channel_id', '=', from)
      .execute();
  }
  await db.deleteFrom('channels').where('team_id', '=', teamId).where('channel_id', '=', from).execute();
  await moveAliases(db, teamId, { from, to }, now);
}

/** An id that is in use again is no former one. */
async function moveAliases(
  db: Kysely<Schema>,
  teamId: string,
  { from, to }: { from: string; to: string },
  now: IsoTime,
): Promise<void> {
  const inherited = await db
    .deleteFrom('channel_aliases')
    .where('team_id', '=', teamId)
    .where('channel_id', '=', from)
    .returning(['kind', 'alias'])
    .execute();
  const aliases = [...inherited, { kind: 'id' as const, alias: from }].filter(
    ({ kind, alias }) => kind !== 'id' || alias !== to,
  );
  await db
    .insertInto('channel_aliases')
    .values(aliases.map((alias) => ({ team_id: teamId, ...alias, channel_id: to, updated_at: now })))
    .onConflict((conflict) => conflict.columns(['team_id', 'kind', 'alias', 'channel_id']).doNothing())
    .execute();
}
