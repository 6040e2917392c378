/** However little stands in however many elements, an import takes no more memory than the README promises. */

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { exportFolder } from '../exports/export-world.ts';
import { writeExportZip } from '../exports/make-export.ts';
import { createSqlite } from '../support/databases.ts';
import { runCli } from '../support/run-cli.ts';

const promisedMb = 250;

/** Tells on stderr how much the process ever had at once (in kilobytes, nodejs.org/api/process.html#processresourceusage). */
const tellPeak = `data:text/javascript,process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS))`;

const day = 'general/2024-01-10.json';
const people = '[{"id":"U0ANN","team_id":"T0ACME","name":"ann"}]';
const channels = '[{"id":"C0GENERAL","name":"general"}]';

function listOf(count: number, element: (n: number) => string): string {
  return `[${Array.from({ length: count }, (_, n) => element(n)).join()}]`;
}

function message(n: number): string {
  return `{"ts":"${1704916800 + Math.floor(n / 1000)}.${String(n % 1000).padStart(6, '0')}"}`;
}

it.each<[what: string, path: string, content: () => string, code: number, stored: number]>([
  ['five million empty objects', day, () => listOf(5_000_000, () => '{}'), 3, 0],
  ['very many tiny messages', day, () => listOf(200_000, message), 0, 200_000],
  ['nothing but open brackets', day, () => '['.repeat(15_000_000), 3, 0],
  [
    'a message with very many reactions',
    day,
    () => `[${message(0)},{"ts":"1704916801.000000","reactions":${listOf(600_000, () => '{"name":"x","count":1}')}}]`,
    3,
    1,
  ],
  ['a list of people that are nobody', 'org_users.json', () => listOf(2_000_000, () => '{}'), 3, 1],
])('%s in a file of less than 16 MB', async (_what, path, content, code, stored) => {
  await using database = await createSqlite();
  const zip = join(exportFolder([]), 'export.zip');
  mkdirSync(dirname(zip), { recursive: true });
  const files = { [day]: `[${message(0)}]`, 'users.json': people, 'channels.json': channels, [path]: content() };
  writeExportZip(
    zip,
    Object.entries(files).map(([name, text]) => ({ path: name, content: text })),
    { level: 1 },
  );
  const run = await runCli(['import', zip, '--json', '--log-level', 'error'], {
    env: { DATABASE_URL: database.url, SLACKINGEST_PACE: undefined },
    nodeArgs: ['--import', tellPeak],
  });
  expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code });
  const out = run.json();
  expect(out.messages.inserted).toBe(stored);
  // The first thousand are told one by one; that there are more decides about the exit code all the same.
  expect(out.errors.length).toBeLessThanOrEqual(1000);
  const peakMb = Number(/peak (\d+)/.exec(run.stderr)?.[1]) / 1024;
  expect(peakMb).toBeLessThan(promisedMb);
});
