/**
 * Real exports with known counts, where somebody has them: SLACK_EXPORTS names a folder with `<name>.zip` and
 * `<name>.truth.json` beside it. They belong to others, so none of them is in this repository.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeExportFolder, writeExportZip } from '../exports/make-export.ts';
import { readZip } from '../exports/read-zip.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';

const given = process.env['SLACK_EXPORTS'];
/** Absolute, because the program runs elsewhere. */
const exportsFolder = given === undefined ? '' : resolve(given);
const names = existsSync(exportsFolder)
  ? readdirSync(exportsFolder).flatMap((file) => /^(.*)\.truth\.json$/.exec(file)?.[1] ?? [])
  : [];

const folder = mkdtempSync(join(tmpdir(), 'slackingest-real-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Slack is not asked. */
const nowhere = 'http://127.0.0.1:9/';

interface Truth {
  messages: number;
  thread_roots: number;
  threads: number;
  replies: number;
  reactions_total: number;
  reaction_user_pairs: number;
  files: number;
  files_distinct_ids: number;
  edited: number;
  users_json: number | null;
  first_ts: string;
  last_ts: string;
  per_folder_messages: Record<string, number>;
  distinct_keys_sha256: string;
}

/** The same export as a folder, as its zip, and zipped again with a folder around it. */
function formsOf(name: string): Record<string, string> {
  const zip = join(exportsFolder, `${name}.zip`);
  const files = [...readZip(zip)].filter(({ path }) => !path.endsWith('/'));
  const asFolder = join(folder, name);
  const wrapped = join(folder, `${name} wrapped.zip`);
  if (!existsSync(asFolder)) {
    writeExportFolder(asFolder, files);
    writeExportZip(wrapped, files, { wrapper: `${name} export Jan 1 2020` });
  }
  return { zip, folder: asFolder, wrapped };
}

async function countsOf(database: TestDatabase, conversations: { channel_id: string; folder: string }[]) {
  const messages = await database.rows('messages', { order: 'channel_id, ts' });
  const folders = new Map(conversations.map(({ channel_id, folder: of }) => [channel_id, of]));
  const keys = messages.map(({ channel_id, ts }) => `${folders.get(String(channel_id))}\t${ts}`);
  const inThreads = messages.filter(({ thread_ts }) => thread_ts !== null);
  return {
    messages: messages.length,
    thread_roots: messages.filter(({ ts, thread_ts }) => ts === thread_ts).length,
    threads: new Set(inThreads.map(({ channel_id, thread_ts }) => `${channel_id} ${thread_ts}`)).size,
    replies: messages.filter(({ is_reply }) => is_reply).length,
    reaction_user_pairs: (await database.rows('reactions')).length,
    files_distinct_ids: (await database.rows('files')).length,
    edited: messages.filter(({ edited_ts }) => edited_ts !== null).length,
    distinct_keys_sha256: createHash('sha256').update(sortedByBytes(keys).join('\n')).digest('hex'),
  };
}

function sortedByBytes(lines: readonly string[]): string[] {
  return [...lines].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

describe.skipIf(names.length === 0)('real exports', () => {
  eachDatabase((create) => {
    for (const name of names) {
      for (const form of ['zip', 'folder', 'wrapped']) {
        it(`${name}, as ${form}: gives its truth, and nothing changes when it is imported again`, async () => {
          const truth: Truth = JSON.parse(readFileSync(join(exportsFolder, `${name}.truth.json`), 'utf8'));
          const path = formsOf(name)[form] ?? '';
          await using database = await create();
          const env = { DATABASE_URL: database.url, SLACK_API_URL: nowhere };
          const run = await runCli(['import', path, '--json', '--quiet'], { env });
          expect([run.code, run.stderr]).toEqual([0, '']);
          const out = run.json();
          expect(await countsOf(database, out.conversations)).toEqual({
            messages: truth.messages,
            thread_roots: truth.thread_roots,
            threads: truth.threads,
            replies: truth.replies,
            reaction_user_pairs: truth.reaction_user_pairs,
            files_distinct_ids: truth.files_distinct_ids,
            edited: truth.edited,
            distinct_keys_sha256: truth.distinct_keys_sha256,
          });
          expect(out.found).toMatchObject({
            messages: truth.messages,
            threads: truth.threads,
            replies: truth.replies,
            reactions: truth.reactions_total,
            files: truth.files,
            users: truth.users_json ?? 0,
            first_ts: truth.first_ts,
            last_ts: truth.last_ts,
          });
          const perFolder = out.conversations.flatMap((one: { folder: string | null; messages: number }) =>
            one.folder === null ? [] : [[one.folder, one.messages]],
          );
          expect(Object.fromEntries(perFolder)).toEqual(truth.per_folder_messages);

          const before = await database.rows('messages', { order: 'channel_id, ts' });
          const again = await runCli(['import', path, '--json', '--quiet'], { env });
          expect(again.json().messages).toMatchObject({ inserted: 0, updated: 0, unchanged: truth.messages });
          expect(await database.rows('messages', { order: 'channel_id, ts' })).toEqual(before);
          const proof = await runCli(['verify', '--offline', '--json'], { env });
          expect([proof.code, proof.json().gap_counts]).toEqual([0, {}]);
        }, 300_000);
      }
    }
  });
});
