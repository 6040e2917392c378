/** Shows what a run stored, by queries that anybody could type. */
import Database from 'better-sqlite3';
import { type Cell, formatTable } from './table.ts';

interface Output {
  heading: (text: string) => void;
  print: (text: string) => void;
}

const tables = ['channels', 'users', 'messages', 'threads', 'reactions', 'files', 'coverage', 'runs'] as const;

/** Users of other workspaces may be unknown, and some messages have no user at all. */
const author = `coalesce(nullif(u.real_name, ''), u.name, m.user_id, m.bot_id)`;
const withUser = 'left join users u on u.team_id = m.team_id and u.user_id = m.user_id';
/** Apps say everything in blocks and leave the text empty. */
const words = `coalesce(nullif(m.text, ''), m.search_text)`;

const busiestChannels = `
  select '#' || c.name, count(*), sum(m.is_reply), count(distinct m.user_id), substr(max(m.posted_at), 1, 10)
    from messages m join channels c on c.team_id = m.team_id and c.channel_id = m.channel_id
   where m.deleted_at is null and c.kind in ('public', 'private')
   group by c.channel_id, c.name order by count(*) desc limit 6`;

const longestThread = `
  select substr(m.posted_at, 1, 10) || ' ' || substr(m.posted_at, 12, 5), ${author}, ${words}
    from messages m ${withUser}
    join (select team_id, channel_id, thread_ts from messages where is_reply and deleted_at is null
           group by team_id, channel_id, thread_ts order by count(*) desc, thread_ts desc limit 1) t
      on t.team_id = m.team_id and t.channel_id = m.channel_id and t.thread_ts = m.thread_ts
   where m.deleted_at is null order by m.ts limit 12`;

const latestMessages = `
  select substr(m.posted_at, 1, 10) || ' ' || substr(m.posted_at, 12, 5), '#' || c.name, ${author}, ${words}
    from messages m ${withUser}
    join channels c on c.team_id = m.team_id and c.channel_id = m.channel_id
   where m.deleted_at is null and c.kind = 'public' order by m.ts desc limit 6`;

export const queriesToTry = [
  {
    question: 'Who reacted most, and with what?',
    sql: `select u.real_name, r.name, count(*) as times
  from reactions r join users u on u.team_id = r.team_id and u.user_id = r.user_id
 group by u.real_name, r.name order by times desc limit 5`,
  },
  {
    question: 'Everything that mentions an invoice, in the text, in blocks or in file names',
    sql: `select posted_at, text from messages where search_text like '%invoice%' order by ts desc limit 10`,
  },
  {
    question: 'Which ranges of each channel are known to be complete?',
    sql: `select c.name, v.from_ts, v.to_ts, v.audited_at
  from coverage v join channels c on c.team_id = v.team_id and c.channel_id = v.channel_id order by c.name`,
  },
] as const;

/** Opens the file read-only. */
export async function printStored(file: string, { heading, print }: Output): Promise<void> {
  const db = new Database(file, { readonly: true });
  try {
    const names = new Map(
      (db.prepare(`select user_id, coalesce(real_name, name, user_id) from users`).raw().all() as string[][]).map(
        ([id = '', name = '']) => [id, name],
      ),
    );
    const rowsOf = (query: string): Cell[][] =>
      (db.prepare(query).raw().all() as Cell[][]).map((row) =>
        row.map((cell) => (typeof cell === 'string' ? withNames(cell, names) : cell)),
      );

    heading('What is stored: rows per table');
    print(
      formatTable(
        ['table', 'rows'],
        tables.map((table) => [table, Number(db.prepare(`select count(*) from ${table}`).pluck().get())]),
      ),
    );
    heading('The busiest channels');
    print(formatTable(['channel', 'messages', 'replies', 'people', 'latest'], rowsOf(busiestChannels)));
    heading('The longest thread');
    print(formatTable(['time (UTC)', 'who', 'text'], rowsOf(longestThread)));
    heading('The latest messages');
    print(formatTable(['time (UTC)', 'channel', 'who', 'text'], rowsOf(latestMessages)));
  } finally {
    db.close();
  }
}

/** Slack writes mentions as ids and escapes three characters (docs.slack.dev/messaging/formatting-message-text). */
function withNames(text: string, names: ReadonlyMap<string, string>): string {
  return text
    .replaceAll(/<@([UW]\w+)(?:\|[^>]*)?>/g, (_, id: string) => `@${names.get(id) ?? id}`)
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
