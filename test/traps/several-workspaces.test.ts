/** Ids of channels and people are shared between workspaces (Slack Connect); what is stored of each never mixes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type LabRun, openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';

/** Two workspaces of one config file that share a channel and a person under the same ids. */
async function twoWorkspaces(create: () => Promise<TestDatabase>) {
  const lab = await openLab(create);
  const globex = lab.world.workspace('T0GLOBEX', { name: 'Globex', domain: 'globex' });
  const person = { id: 'W0SHARED' };
  lab.acme.user('wanda', { ...person, realName: 'Wanda of Acme' });
  globex.user('wanda.ext', { ...person, realName: 'Wanda, External', kind: 'external' });
  const ours = lab.acme.channel('project', { id: 'C0SHARED' });
  const theirs = globex.channel('ext-acme-project', { sharedWith: ours });
  const own = [lab.acme.channel('acme-only'), globex.channel('globex-only')];
  const root = ours.post({ user: person.id, text: 'seen from both sides' });
  ours.reply(root, { user: person.id, text: 'a reply' });
  ours.react(root, 'wave', [person.id]);
  for (const channel of own) channel.post({ user: person.id, text: `in ${channel.name}` });

  const folder = mkdtempSync(join(tmpdir(), 'slackingest-config-'));
  const config = join(folder, 'slackingest.yaml');
  writeFileSync(
    config,
    `workspaces:
  - { name: acme, token_env: ACME_TOKEN }
  - { name: globex, token_env: GLOBEX_TOKEN }
`,
  );
  const env = { SLACK_TOKEN: undefined, ACME_TOKEN: lab.acme.botToken, GLOBEX_TOKEN: globex.botToken };
  const ingest = (...args: string[]) =>
    lab.run(['ingest', '--lock-timeout', '10s', '--config', config, ...args], { env });
  return {
    lab,
    globex,
    ours,
    theirs,
    own,
    root,
    ingest,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true });
      await lab[Symbol.asyncDispose]();
    },
  };
}

/**
 * The stand-in tells a call's workspace by its token: one workspace's calls are all made before the next one's begin, once it
 * is known whose tokens they are.
 */
function workspacesInOrder({ requests }: LabRun): (string | undefined)[] {
  return requests
    .filter(({ method }) => method !== 'auth.test')
    .map(({ workspace }) => workspace)
    .filter((id, n, all) => id !== all[n - 1]);
}

eachDatabase((create) => {
  it('keeps a shared channel and a shared person apart by workspace, each read with its own token', async () => {
    await using two = await twoWorkspaces(create);
    const { lab, ours, theirs, own } = two;
    const first = await two.ingest();
    expect(first.code).toBe(0);
    await expectWorld(lab.database, [ours, theirs, ...own]);
    expect(workspacesInOrder(first)).toEqual(['T0ACME', 'T0GLOBEX']);
    for (const { id, workspace } of own) {
      const calls = first.requests.filter(({ params }) => params['channel'] === id);
      expect(new Set(calls.map((call) => call.workspace))).toEqual(new Set([workspace.id]));
    }
    const order = { order: 'team_id' };
    expect(await lab.database.rows('channels', { ...order, where: "channel_id = 'C0SHARED'" })).toMatchObject([
      { team_id: 'T0ACME', name: 'project' },
      { team_id: 'T0GLOBEX', name: 'ext-acme-project' },
    ]);
    expect(await lab.database.rows('users', { ...order, where: "user_id = 'W0SHARED'" })).toMatchObject([
      { team_id: 'T0ACME', real_name: 'Wanda of Acme', lookup: null },
      { team_id: 'T0GLOBEX', real_name: 'Wanda, External', lookup: null },
    ]);
    for (const table of ['reactions', 'ingestion_state', 'threads']) {
      const rows = await lab.database.rows(table, { ...order, where: "channel_id = 'C0SHARED'" });
      expect(rows.map(({ team_id }) => team_id)).toEqual(['T0ACME', 'T0GLOBEX']);
    }
    const again = await two.ingest();
    expect(again.code).toBe(0);
    expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0 });
  });

  it.each([
    { what: 'its token is revoked', failing: 'T0ACME', code: 4 },
    { what: 'its channels cannot be listed', failing: 'T0ACME', code: 3, error: 'access_denied' },
    { what: 'the last one fails', failing: 'T0GLOBEX', code: 3, error: 'access_denied' },
  ])('goes on with the other workspace when $what', async ({ failing, code, error }) => {
    await using two = await twoWorkspaces(create);
    const { lab, globex, ours, theirs, own, root } = two;
    expect((await two.ingest()).code).toBe(0);
    ours.post({ text: 'new' });
    ours.edit(root, { text: 'edited' });
    const token = failing === 'T0ACME' ? lab.acme.botToken : globex.botToken;
    if (error === undefined) lab.world.revokeToken(token);
    else lab.slack.faults.add({ kind: 'error', error, method: 'conversations.list', workspace: failing });
    const run = await two.ingest();
    expect(run.code).toBe(code);
    const failed = run.out.workspaces.filter(({ status }: { status: string }) => status !== 'completed');
    expect(failed).toHaveLength(1);
    await expectWorld(lab.database, [failing === 'T0ACME' ? theirs : ours]);
    const behind = await lab.database.rows('messages', { where: `team_id = '${failing}' and ts = '${root}'` });
    expect(behind).toMatchObject([{ text: 'seen from both sides' }]);
    expect(run.stdout + run.stderr).not.toContain(token);

    lab.world.setToken(token, 'ok');
    expect((await two.ingest()).code).toBe(0);
    await expectWorld(lab.database, [ours, theirs, ...own]);
  });

  it('follows a new id, a new name and lost access in one workspace without touching the other', async () => {
    await using two = await twoWorkspaces(create);
    const { lab, globex, ours, theirs, own } = two;
    expect((await two.ingest()).code).toBe(0);
    // Disconnected: the invited side gets an id of its own, the other keeps the old one (docs.slack.dev, slack-connect).
    theirs.rename('acme-project');
    theirs.convertChannelId('C0SEVERED');
    const run = await two.ingest();
    expect(run.code).toBe(0);
    await expectWorld(lab.database, [ours, theirs, ...own]);
    // Both read the message about the new name, which tells each of them a former one.
    const aliases = { order: 'kind, alias', where: "team_id = 'T0GLOBEX'" };
    expect(await lab.database.rows('channel_aliases', aliases)).toMatchObject([
      { team_id: 'T0GLOBEX', kind: 'id', alias: 'C0SHARED', channel_id: 'C0SEVERED' },
      { team_id: 'T0GLOBEX', kind: 'name', alias: 'ext-acme-project', channel_id: 'C0SEVERED' },
    ]);
    for (const table of ['messages', 'reactions', 'ingestion_state', 'coverage', 'threads', 'channels']) {
      const teams = (id: string) => lab.database.rows(table, { where: `channel_id = '${id}'` });
      expect(new Set((await teams('C0SHARED')).map(({ team_id }) => team_id))).toEqual(new Set(['T0ACME']));
      expect(new Set((await teams('C0SEVERED')).map(({ team_id }) => team_id))).toEqual(new Set(['T0GLOBEX']));
    }

    globex.deleteChannel(theirs);
    ours.post({ text: 'alone' });
    const lost = await two.ingest();
    expect(lost.code).toBe(3);
    expect(lost.out.errors).toMatchObject([{ workspace: 'T0GLOBEX', channel_id: 'C0SEVERED' }]);
    await expectWorld(lab.database, [ours]);
    expect(lost.count(history, 'C0SHARED')).toBe(1);
  });
});
