/** Each configured workspace is a team of its own: two that are one would be read by each other's rules, and another never. */
import { expect, it } from 'vitest';
import { configFile } from '../support/config-file.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';

const acme = '{ name: acme, token_env: ACME_TOKEN, retention: none }';
const lab = '{ name: lab, token_env: LAB_TOKEN }';
const globex = '{ name: globex, token_env: GLOBEX_TOKEN }';

async function openTeams(create: () => Promise<TestDatabase>) {
  const teams = await openLab(create);
  const other = teams.world.workspace('T0GLOBEX', { name: 'Globex', domain: 'globex' });
  for (const workspace of [teams.acme, other]) workspace.channel('general').post({ text: `of ${workspace.name}` });
  const tokens = {
    SLACK_TOKEN: undefined,
    ACME_TOKEN: teams.acme.botToken,
    LAB_TOKEN: teams.acme.token({ kind: 'bot' }),
    GLOBEX_TOKEN: other.botToken,
  };
  return {
    teams,
    other,
    tokens,
    run: (workspaces: readonly string[], env: Record<string, string | undefined> = {}, ...args: string[]) =>
      teams.run(
        [
          'ingest',
          '--lock-timeout',
          '10s',
          '--config',
          configFile(`workspaces: [${workspaces.join(', ')}]\n`),
          ...args,
        ],
        { env: { ...tokens, ...env } },
      ),
    [Symbol.asyncDispose]: () => teams[Symbol.asyncDispose](),
  };
}

eachDatabase((create) => {
  it.each([
    ['two tokens of one team', [acme, lab], {}],
    ['two tokens of one team beside another workspace', [globex, acme, lab], {}],
  ])('refuses %s, naming both, before anything is read or written', async (_, workspaces, env) => {
    await using lab = await openTeams(create);
    const run = await lab.run(workspaces, env);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('the workspaces "acme" and "lab" are one and the same, Acme (T0ACME)');
    expect(run.stderr).toContain('ACME_TOKEN and LAB_TOKEN');
    expect(run.count()).toBe(run.count('auth.test'));
    for (const table of ['runs', 'workspaces', 'messages']) expect(await lab.teams.database.rows(table)).toEqual([]);
  });

  it.each([
    ['one token in two variables', [acme, lab], true],
    ['one variable for two workspaces', [acme, '{ name: lab, token_env: ACME_TOKEN }'], false],
    ['one token in two variables, one of them of a workspace that is not selected', [acme, lab], true, 'acme'],
  ])('refuses %s without a single call', async (_, workspaces, isCopied, selected?: string) => {
    await using lab = await openTeams(create);
    const args = selected === undefined ? [] : ['--workspace', selected];
    const run = await lab.run(workspaces, isCopied ? { LAB_TOKEN: lab.tokens.ACME_TOKEN } : {}, ...args);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('"acme" and "lab" have the same token');
    expect(run.count()).toBe(0);
  });

  it('refuses a workspace that is read by itself under the name of another one, whose team it is', async () => {
    await using lab_ = await openTeams(create);
    expect((await lab_.run([acme, lab], {}, '--workspace', 'acme')).code).toBe(0);
    const run = await lab_.run([acme, lab], {}, '--workspace', 'lab');
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('the workspaces "lab" and "acme" are one and the same');
    expect((await lab_.run([acme, lab], {}, '--workspace', 'acme')).code).toBe(0);
  });

  it('says that a workspace was another team in its last run, once', async () => {
    await using lab = await openTeams(create);
    expect((await lab.run([acme])).code).toBe(0);
    const exchanged = { ACME_TOKEN: lab.other.botToken };
    const dry = await lab.run([acme], exchanged, '--dry-run');
    const run = await lab.run([acme], exchanged);
    for (const { code, stderr } of [dry, run]) {
      expect(code).toBe(0);
      expect(stderr).toContain(
        'The token in ACME_TOKEN belongs to Globex (T0GLOBEX); in the last run it belonged to Acme (T0ACME).',
      );
    }
    expect((await lab.run([acme], exchanged)).stderr).not.toContain('in the last run');
  });

  it('goes on with the others when one token is not set, and ends with 3 and the name of its variable', async () => {
    await using lab = await openTeams(create);
    const run = await lab.run([acme, globex], { ACME_TOKEN: undefined });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('no Slack token for workspace "acme": ACME_TOKEN is not set');
    expect(run.out.workspaces).toMatchObject([
      { workspace: 'acme', status: 'failed', requests: {} },
      { workspace: 'T0GLOBEX', status: 'completed' },
    ]);
    expect(await lab.teams.database.rows('messages')).toMatchObject([{ team_id: 'T0GLOBEX' }]);
    expect(await lab.teams.database.rows('runs', { where: "workspace = 'acme'" })).toMatchObject([
      { status: 'failed', exit_code: 2, error: expect.stringContaining('ACME_TOKEN is not set') },
    ]);
    const config = configFile(`workspaces: [${acme}, ${globex}]`);
    const status = await runCli(['status', '--config', config], {
      env: { DATABASE_URL: lab.teams.database.url, SLACKINGEST_PACE: undefined },
    });
    expect(status.stdout).toMatch(
      /ingest {2}failed {2}acme\n +! no Slack token for workspace "acme": ACME_TOKEN is not set/,
    );
  });

  it('ends with 2 and begins nothing when no token is set', async () => {
    await using lab = await openTeams(create);
    const unset = { ACME_TOKEN: undefined, GLOBEX_TOKEN: '' };
    const run = await lab.run([acme, globex], unset);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('ACME_TOKEN is not set');
    expect(run.stderr).toContain('GLOBEX_TOKEN is set but empty');
    expect(run.count()).toBe(0);
    const one = await lab.run([acme, globex], { ACME_TOKEN: undefined }, '--workspace', 'acme');
    expect(one.code).toBe(2);
  });

  it('knows a workspace by what Slack calls it, once it was read', async () => {
    await using lab = await openTeams(create);
    expect((await lab.run([acme, globex], {}, '--workspace', 'T0GLOBEX')).code).toBe(2);
    expect((await lab.run([acme, globex])).code).toBe(0);
    for (const word of ['T0GLOBEX', 't0globex', 'Globex', 'globex']) {
      const run = await lab.run(['{ name: other, token_env: ACME_TOKEN }', globex], {}, '--workspace', word);
      expect({ word, code: run.code, team: run.out.workspace }).toEqual({ word, code: 0, team: 'T0GLOBEX' });
    }
    const renamed = await lab.run([acme, '{ name: second, token_env: GLOBEX_TOKEN }'], {}, '--workspace', 'globex');
    expect(renamed.code).toBe(2);
  });

  it('reads no other workspace than the one that --workspace names by its id', async () => {
    await using lab = await openTeams(create);
    const { env } = lab.teams;
    const args = (id: string) => ['ingest', '--workspace', id];
    expect((await lab.teams.run(args('T0ACME'), { env })).code).toBe(0);
    expect((await lab.teams.run(args('acme'), { env })).code).toBe(0);
    const wrong = await lab.teams.run(args('T0GLOBEX'), { env });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('belongs to Acme (T0ACME), not to the team T0GLOBEX');
  });
});
