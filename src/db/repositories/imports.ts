import type { Kysely } from 'kysely';
import type { IsoTime } from '../../model.ts';
import type { Dialect, WriteTarget } from '../dialects/dialect.ts';
import type { ImportFileRow, Schema } from '../schema.ts';

/** The ledger of imported files. */
export interface ImportRepository {
  /**
   * Contents that were imported with nothing left over, from an export no older than `exportedAt`: their hashes, by path.
   */
  listDone(teamId: string, exportedAt: IsoTime): Promise<Map<string, string[]>>;
  /** Inserts or replaces. Wants a transaction. */
  saveFiles(rows: readonly ImportFileRow[]): Promise<void>;
}

const fileTarget = {
  table: 'import_files',
  columns: ['team_id', 'sha256', 'path', 'rows', 'status', 'error', 'exported_at', 'updated_at'],
  key: ['team_id', 'sha256', 'path'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'import_files'>;

/** The repository of one database, for any of its connections and transactions. */
export function importRepository(dialect: Dialect): (db: Kysely<Schema>) => ImportRepository {
  return (db) => ({
    async listDone(teamId, exportedAt) {
      const rows = await db
        .selectFrom('import_files')
        .select(['path', 'sha256'])
        .where('team_id', '=', teamId)
        .where('status', '=', 'done')
        .where('exported_at', '>=', exportedAt)
        .execute();
      const byPath = new Map<string, string[]>();
      for (const { path, sha256 } of rows) {
        const known = byPath.get(path);
        if (known === undefined) byPath.set(path, [sha256]);
        else known.push(sha256);
      }
      return byPath;
    },

    saveFiles: (rows) => dialect.writeRows(db, fileTarget, rows),
  });
}
