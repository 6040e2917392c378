/**
 * The floor of a digest, as a process of its own: reads the messages of one day and of the one before, parses those of the
 * day, and counts. Nothing is scored, remembered or shown.
 *
 *   node build/test/bench/bare-day.js --database sqlite:big.db --date 2024-05-15
 */
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import pg from 'pg';

const { values } = parseArgs({
  options: { database: { type: 'string', default: '' }, date: { type: 'string', default: '' } },
});
const from = Date.parse(values.date);
const bounds = [-1, 0, 1].map((days) => new Date(from + days * 86_400_000).toISOString());
const query = (at: [string, string]) =>
  `select channel_id, user_id, raw from messages where team_id = 'T0BENCH' and posted_at >= ${at[0]} and posted_at < ${at[1]}`;
const [before, day] = await read();
const people = new Set(day.map(({ user_id }) => user_id));
process.stdout.write(JSON.stringify({ messages: day.length, before: before.length, people: people.size }));

interface Row {
  user_id: string | null;
  raw: unknown;
}

async function read(): Promise<[Row[], Row[]]> {
  const [start = '', middle = '', end = ''] = bounds;
  if (values.database.startsWith('sqlite:')) {
    const db = new Database(values.database.slice('sqlite:'.length), { readonly: true });
    const select = db.prepare<[string, string], { user_id: string | null; raw: string }>(query(['?', '?']));
    const found: [Row[], Row[]] = [
      select.all(start, middle),
      select.all(middle, end).map((row) => ({ ...row, raw: JSON.parse(row.raw) })),
    ];
    db.close();
    return found;
  }
  const client = new pg.Client({ connectionString: values.database });
  await client.connect();
  const select = async (a: string, b: string) => (await client.query<Row>(query(['$1', '$2']), [a, b])).rows;
  const found: [Row[], Row[]] = [await select(start, middle), await select(middle, end)];
  await client.end();
  return found;
}
