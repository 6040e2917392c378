/** Whose workspace an export is of where several companies speak in it: said, or asked. */
import { expect, it } from 'vitest';
import type { ExportFile } from '../exports/make-export.ts';
import { slackJson } from '../exports/make-export.ts';
import { createSqlite } from '../support/databases.ts';
import { openExportLab } from '../support/export-lab.ts';
import { runCli } from '../support/run-cli.ts';

const at = (n: number) => `${Date.parse('2024-01-10T20:00:00Z') / 1000 + n}.000100`;

/** Without users.json: messages only, by folder and workspace of their authors. */
function exportOf(folders: Record<string, readonly string[]>): ExportFile[] {
  let n = 0;
  const channels = Object.keys(folders).map((name) => ({ id: `C0${name.toUpperCase()}`, name, created: 1 }));
  const days = Object.entries(folders).map(([name, teams]) => {
    const messages = teams.map((team) => {
      n += 1;
      return { type: 'message', user: `U0${team}`, text: 'hello', ts: at(n), team, user_team: team, source_team: team };
    });
    return { path: `${name}/2024-01-10.json`, content: slackJson(messages) };
  });
  return [{ path: 'channels.json', content: slackJson(channels) }, ...days];
}

const partners = Array.from({ length: 30 }, () => 'T0PARTNER');
const teamsIn = async (lab: Awaited<ReturnType<typeof openExportLab>>) => [
  ...new Set((await lab.database.rows('messages')).map(({ team_id }) => team_id)),
];

it('of the one that wrote everywhere, though a partner wrote most, and the run says so', async () => {
  await using lab = await openExportLab(createSqlite);
  const run = await lab.import(exportOf({ general: ['T0HOME000'], shared: ['T0HOME000', ...partners] }));
  expect({ code: run.code, teams: await teamsIn(lab) }).toEqual({ code: 0, teams: ['T0HOME000'] });
  expect(run.stderr).toContain('taken for one of workspace T0HOME000; some of it points to T0PARTNER');
});

it('of nobody where that is in doubt: 2, with the candidates and the flag, and nothing is made', async () => {
  await using lab = await openExportLab(createSqlite);
  const path = lab.zip(exportOf({ shared: ['T0HOME000', ...partners] }));
  const refused = await runCli(['import', path], { env: lab.env });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('T0PARTNER (30 messages in 1 folder), T0HOME000 (1 message in 1 folder)');
  expect(refused.stderr).toContain('--workspace T0PARTNER or --workspace T0HOME000');
  const told = await lab.import(path, '--workspace', 'T0HOME000');
  expect({ code: told.code, teams: await teamsIn(lab) }).toEqual({ code: 0, teams: ['T0HOME000'] });
  // Its channels tell from now on.
  const again = await lab.import(path);
  expect({ code: again.code, teams: await teamsIn(lab) }).toEqual({ code: 0, teams: ['T0HOME000'] });
});
