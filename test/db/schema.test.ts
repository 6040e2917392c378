/** The two schemas are one: read back from both databases, compared with each other and with what the code believes. */
import { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import { columnTypes } from '../../migrations/column-types.ts';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import { columnKind } from '../../src/db/schema.ts';
import { createPostgres, createSqlite, eachDatabase } from '../support/databases.ts';
import { allTables } from '../support/stored.ts';

interface Column {
  table: string;
  name: string;
  type: string;
  isNullable: boolean;
  hasDefault: boolean;
}

interface Index {
  table: string;
  name: string;
  columns: string[];
  isPartial: boolean;
}

const introspect = {
  sqlite: {
    columns: `select m.name as "table", c.name, c.type, c."notnull" = 0 as "isNullable", c.dflt_value is not null as "hasDefault"
      from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' order by m.name, c.cid`,
    keys: `select m.name as "table", c.name as "column" from sqlite_master m, pragma_table_info(m.name) c
      where m.type = 'table' and c.pk > 0 order by m.name, c.pk`,
    indexes: `select m.name as "table", i.name, i.partial as "isPartial", c.name as "column" from sqlite_master m,
      pragma_index_list(m.name) i, pragma_index_info(i.name) c
      where m.type = 'table' and i.origin = 'c' order by m.name, i.name, c.seqno`,
  },
  postgres: {
    columns: `select table_name as "table", column_name as name, data_type as type, is_nullable = 'YES' as "isNullable",
      column_default is not null as "hasDefault"
      from information_schema.columns where table_schema = current_schema() order by table_name collate "C", ordinal_position`,
    keys: `select c.relname as "table", a.attname as "column" from pg_index i join pg_class c on c.oid = i.indrelid
      join unnest(i.indkey) with ordinality k(attnum, position) on true
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
      where i.indisprimary and c.relnamespace = current_schema()::regnamespace order by c.relname collate "C", k.position`,
    indexes: `select c.relname as "table", n.relname as name, i.indpred is not null as "isPartial", a.attname as "column"
      from pg_index i join pg_class c on c.oid = i.indrelid join pg_class n on n.oid = i.indexrelid
      join unnest(i.indkey) with ordinality k(attnum, position) on true
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
      where not i.indisprimary and c.relnamespace = current_schema()::regnamespace
      order by c.relname collate "C", n.relname collate "C", k.position`,
  },
};

/** What they hold is ours, not Slack's. */
const tablesWithOwnIds = [
  'runs',
  'run_channels',
  'locks',
  'schema_migrations',
  'events',
  'event_sources',
  'llm_calls',
  'llm_cache',
  'digests',
  'digest_chunks',
  'digest_items',
];

/** What Postgres calls the types of columnTypes.postgres. */
const postgresNames: Record<string, string> = { timestamptz: 'timestamp with time zone' };

async function select<Row>(dialect: Dialect, text: string): Promise<Row[]> {
  const { rows } = await dialect.db.executeQuery<Row>(CompiledQuery.raw(text));
  return rows;
}

async function readSchema(dialect: Dialect, name: 'sqlite' | 'postgres') {
  const queries = introspect[name];
  const columns = (await select<Column>(dialect, queries.columns)).map((column) => ({
    ...column,
    isNullable: Boolean(column.isNullable),
    hasDefault: Boolean(column.hasDefault),
  }));
  const keys = await select<{ table: string; column: string }>(dialect, queries.keys);
  const indexes: Index[] = [];
  for (const row of await select<Index & { column: string }>(dialect, queries.indexes)) {
    const known = indexes.find(({ name: index }) => index === row.name);
    if (known !== undefined) known.columns.push(row.column);
    else indexes.push({ table: row.table, name: row.name, columns: [row.column], isPartial: Boolean(row.isPartial) });
  }
  return { columns, keys, indexes };
}

eachDatabase((create, name) => {
  it('has the tables the code knows, each column of the kind its name tells', async () => {
    await using database = await create();
    const { columns } = await readSchema(await database.openMigrated(), name);
    expect([...new Set(columns.map(({ table }) => table))].sort()).toEqual([...allTables, 'schema_migrations'].sort());
    const types = columnTypes[name];
    for (const column of columns) {
      const type = types[columnKind(column.name)];
      expect({ ...column, type: column.type.toLowerCase() }).toMatchObject({ type: postgresNames[type] ?? type });
    }
  });

  it('has a primary key of columns that are never null in every table', async () => {
    await using database = await create();
    const { columns, keys } = await readSchema(await database.openMigrated(), name);
    expect([...new Set(keys.map(({ table }) => table))].sort()).toEqual([...allTables, 'schema_migrations'].sort());
    for (const { table, column } of keys) {
      expect(columns.find((each) => each.table === table && each.name === column)?.isNullable).toBe(false);
    }
    const ofSlack = columns.filter(({ table }) => !tablesWithOwnIds.includes(table));
    for (const table of new Set(ofSlack.map((column) => column.table))) {
      expect(keys.find((key) => key.table === table)).toMatchObject({ column: 'team_id' });
    }
  });
});

it('is the same in both databases: columns, null, defaults, keys, indexes', async () => {
  await using sqlite = await createSqlite();
  await using postgres = await createPostgres();
  const one = await readSchema(await sqlite.openMigrated(), 'sqlite');
  const other = await readSchema(await postgres.openMigrated(), 'postgres');
  const untyped = ({ type: _, ...column }: Column) => column;
  expect(one.columns.map(untyped)).toEqual(other.columns.map(untyped));
  expect(one.keys).toEqual(other.keys);
  expect(one.indexes).toEqual(other.indexes);
  expect(one.columns.length).toBeGreaterThan(100);
});

it('lets no value of a wrong type into SQLite', async () => {
  await using database = await createSqlite();
  const dialect = await database.openMigrated();
  const tables = await select<{ name: string; strict: number }>(
    dialect,
    `select name, strict from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'`,
  );
  expect(tables.filter(({ strict }) => strict !== 1)).toEqual([]);
});
