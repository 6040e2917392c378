/** A program that brings the database of its argument to a schema that is newer than ours, and prints what it did. */
import type { Migration } from '../../migrations/column-types.ts';
import { migrations } from '../../migrations/index.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openDatabase } from '../../src/db/open.ts';

const next: Migration = {
  name: '9001_next',
  statements: () => ['create table next_things (name text not null)'],
};

const dialect = await openDatabase(process.argv[2] ?? '');
try {
  console.log(JSON.stringify(await migrate(dialect, { now: Date.now, migrations: [...migrations, next] })));
} finally {
  await dialect.close();
}
