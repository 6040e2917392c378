import type { Kysely } from 'kysely';
import type { Dialect, WriteTarget } from '../dialects/dialect.ts';
import type { Schema, ToldNameRow, UserRow } from '../schema.ts';

/** What messages tell of people's names, and the people whom nothing else describes. */
export interface ToldNameRepository {
  find(teamId: string, userIds: readonly string[]): Promise<Map<string, ToldNameRow>>;
  /** Inserts or replaces. Wants a transaction. */
  write(rows: readonly ToldNameRow[]): Promise<void>;
  /** Whom neither a list nor Slack has described, or without any name. */
  listUndescribed(teamId: string): Promise<UserRow[]>;
}

const nameTarget = {
  table: 'told_names',
  columns: ['team_id', 'user_id', 'profile_ts', 'name', 'real_name', 'display_name', 'label_ts', 'label'],
  key: ['team_id', 'user_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'told_names'>;

/** The repository of one database, for any of its connections and transactions. */
export function toldNameRepository(dialect: Dialect): (db: Kysely<Schema>) => ToldNameRepository {
  return (db) => ({
    async find(teamId, userIds) {
      const rows = await db
        .selectFrom('told_names')
        .selectAll()
        .where('team_id', '=', teamId)
        .where(dialect.isAnyOf('user_id', userIds))
        .execute();
      return new Map(rows.map((row) => [row.user_id, row]));
    },

    write: (rows) => dialect.writeRows(db, nameTarget, rows),

    listUndescribed: (teamId) =>
      db
        .selectFrom('users')
        .selectAll()
        .where('team_id', '=', teamId)
        .where((eb) =>
          eb.or([
            eb('lookup', 'is not', null),
            eb.and([eb('name', 'is', null), eb('real_name', 'is', null), eb('display_name', 'is', null)]),
          ]),
        )
        .execute(),
  });
}
