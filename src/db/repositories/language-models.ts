import { type Kysely, Transaction } from 'kysely';
import type { IsoTime, JsonObject } from '../../model.ts';
import type { Dialect, Writable, WriteTarget } from '../dialects/dialect.ts';
import type { LlmCacheRow, LlmCallRow, Schema } from '../schema.ts';

/** What a call turned out to be. */
export type CallOutcome = Pick<
  LlmCallRow,
  'tokens_in' | 'tokens_out' | 'cost_usd' | 'latency_ms' | 'success' | 'error_code' | 'error_message'
>;

/** What language models were asked, what it cost, and what they answered. */
export interface LanguageModelRepository {
  /**
   * What calls made in `[from, to)` cost, of all workspaces of the database: one key and one budget serve them all. Calls
   * that are under way count with what they were inserted with.
   */
  sumSpent(from: IsoTime, to: IsoTime): Promise<{ usd: number; tokens: number }>;
  /**
   * Makes everybody who wants to spend wait until this transaction ends, so that nobody spends what another one has just
   * found to be left. Wants a transaction.
   */
  holdBudget(): Promise<void>;
  insertCall(row: LlmCallRow): Promise<void>;
  /** Replaces what a call was expected to be. */
  settleCall(id: string, outcome: CallOutcome): Promise<void>;

  /** The answer under a key that has not expired. */
  findAnswer(cacheKey: string, now: IsoTime): Promise<JsonObject | null>;
  /** Inserts or replaces. Wants a transaction. */
  saveAnswer(row: Writable<LlmCacheRow>): Promise<void>;
  removeExpiredAnswers(now: IsoTime): Promise<void>;
}

const cacheTarget = {
  table: 'llm_cache',
  columns: ['cache_key', 'response', 'created_at', 'expires_at'],
  key: ['cache_key'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'llm_cache'>;

/** The repository of one database, for any of its connections and transactions. */
export function languageModelRepository(dialect: Dialect): (db: Kysely<Schema>) => LanguageModelRepository {
  return (db) => ({
    async sumSpent(from, to) {
      const { usd, input, output } = await db
        .selectFrom('llm_calls')
        .select(({ fn }) => [
          fn.sum<number | null>('cost_usd').as('usd'),
          fn.sum<number | null>('tokens_in').as('input'),
          fn.sum<number | null>('tokens_out').as('output'),
        ])
        .where('created_at', '>=', from)
        .where('created_at', '<', to)
        .executeTakeFirstOrThrow();
      return { usd: usd ?? 0, tokens: (input ?? 0) + (output ?? 0) };
    },

    async holdBudget() {
      if (!(db instanceof Transaction)) throw new Error('a budget may be held inside a transaction only');
      await dialect.serialize(db, 'language model budget');
    },

    async insertCall(row) {
      await db.insertInto('llm_calls').values(row).execute();
    },

    async settleCall(id, outcome) {
      await db.updateTable('llm_calls').set(outcome).where('id', '=', id).execute();
    },

    async findAnswer(cacheKey, now) {
      const row = await db
        .selectFrom('llm_cache')
        .select('response')
        .where('cache_key', '=', cacheKey)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return row?.response ?? null;
    },

    saveAnswer: (row) => dialect.writeRows(db, cacheTarget, [row]),

    async removeExpiredAnswers(now) {
      await db.deleteFrom('llm_cache').where('expires_at', '<=', now).execute();
    },
  });
}
