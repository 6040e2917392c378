/**
 * The names of the column types in each database: the only difference between the two schemas.
 * A migration asks for a meaning (`time`, `json`) and never for a database.
 */
export interface ColumnTypes {
  text: string;
  /** Slack object: jsonb, or JSON text. */
  json: string;
  /** A moment in UTC: timestamptz, or ISO-8601 text of 24 characters. */
  time: string;
  /** true/false: boolean, or 0/1. */
  flag: string;
  integer: string;
  /** Whole numbers beyond 32 bits (file sizes). */
  bigint: string;
  /** Numbers with fractions: scores, money. */
  real: string;
  /** What follows the closing parenthesis of `create table`. */
  tableOptions: string;
}

export const columnTypes = {
  postgres: {
    text: 'text',
    json: 'jsonb',
    time: 'timestamptz',
    flag: 'boolean',
    integer: 'integer',
    bigint: 'bigint',
    real: 'double precision',
    tableOptions: '',
  },
  sqlite: {
    text: 'text',
    json: 'text',
    time: 'text',
    flag: 'integer',
    integer: 'integer',
    bigint: 'integer',
    real: 'real',
    // STRICT makes SQLite refuse a value of the wrong type instead of storing it (sqlite.org/stricttables.html).
    tableOptions: ' strict',
  },
} satisfies Record<string, ColumnTypes>;

/**
 * One step of the schema. `statements` must be a pure function of the column types: its text is what is run,
 * what `migrate --dry-run` prints and what is hashed, so that an edited migration is noticed.
 * A released migration is never edited or renumbered; a mistake is mended by the next one.
 */
export interface Migration {
  /** `NNNN_words`, ascending without holes. */
  name: string;
  statements(types: ColumnTypes): string[];
}
