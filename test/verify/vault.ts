/** A small workspace, ingested, with one of everything in which a defect can be planted. */
import { CompiledQuery } from 'kysely';
import type { Dialect } from '../../src/db/dialects/dialect.ts';
import type { Channel } from '../stand-in/channel.ts';
import type { TestDatabase } from '../support/databases.ts';
import { type Lab, type LabRun, openLab } from '../support/lab.ts';

export interface Vault extends AsyncDisposable {
  lab: Lab;
  channel: Channel;
  /** The ts of what is in the channel. */
  planted: Planted;
  /** Changes the database behind the program's back. */
  change(statement: string): Promise<void>;
  /** `verify` with requests enough for everything. */
  verify(...args: string[]): Promise<LabRun>;
}

export interface Planted {
  plain: string;
  root: string;
  replies: string[];
  reacted: string;
  withFile: string;
  /** Deleted in Slack, and marked so. */
  deleted: string;
  /** The newest top-level message. */
  readonly last: string;
}

export async function openVault(create: () => Promise<TestDatabase>): Promise<Vault> {
  const lab = await openLab(create, { start: Date.now() });
  const channel = lab.acme.channel('vault');
  lab.acme.channel('empty');
  const planted = fill(channel);
  const from = ['--backfill-from', new Date(Date.now() - 60 * 86_400_000).toISOString().slice(0, 10)];
  await lab.ingest(...from);
  channel.deleteMessage(planted.deleted);
  const { code, stderr } = await lab.ingest(...from, '--lookback', '60d');
  if (code !== 0) throw new Error(`The vault was not ingested: ${stderr}`);
  let dialect: Dialect | undefined;
  return {
    lab,
    channel,
    planted,
    async change(statement) {
      dialect ??= await lab.database.open();
      await dialect.db.executeQuery(CompiledQuery.raw(statement));
    },
    verify: (...args) => lab.run(['verify', ...args]),
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

function fill(channel: Channel): Planted {
  const { clock } = channel.workspace.world;
  const [ada, bram] = ['ada', 'bram'].map((name) => channel.workspace.user(name).id);
  const post = (days: number, text: string, more: object = {}) =>
    channel.post({ ts: clock.daysAgo(days), user: ada, text, ...more });
  post(50, 'The first.');
  post(49, 'The second.');
  const plain = post(45, 'A plain message.');
  const root = post(32, 'Who comes along?');
  const replies = [31, 30, 29].map((days) => channel.reply(root, { ts: clock.daysAgo(days), user: bram, text: 'Me.' }));
  const deleted = post(28, 'Never mind.');
  const reacted = post(25, 'Well done!');
  channel.react(reacted, 'tada', [ada ?? '', bram ?? '']);
  const withFile = post(20, 'The plan.', { files: [{ id: 'F0VAULT', name: 'plan.pdf', created: 1, mode: 'hosted' }] });
  post(12, 'The last.');
  return {
    ...{ plain, root, replies, deleted, reacted, withFile },
    get last() {
      return String(channel.store.timeline.at(-1)?.ts);
    },
  };
}

/** What Slack's messages became, without when we saw them. */
export async function content(database: TestDatabase): Promise<unknown> {
  const [messages, reactions, links, revisions] = await Promise.all([
    database.rows('messages', { order: 'channel_id, ts', without: ['first_seen_at', 'updated_at', 'deleted_at'] }),
    database.rows('reactions', { order: 'ts, name, user_id', without: ['first_seen_at'] }),
    database.rows('message_files', { order: 'ts' }),
    database.rows('message_revisions', { order: 'ts', without: ['seen_at'] }),
  ]);
  const deleted = await database.rows('messages', { where: 'deleted_at is not null', order: 'ts' });
  return { messages, reactions, links, revisions, deleted: deleted.map(({ ts }) => ts) };
}
