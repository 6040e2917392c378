import { expect, it } from 'vitest';
import { WorkspaceEvidence } from '../../src/export/workspace-evidence.ts';

it('believes users before messages and messages before addresses of files, and tells what else there is', () => {
  const evidence = new WorkspaceEvidence();
  evidence.addText('https:\\/\\/files.slack.com\\/files-pri\\/T0FILES00-F1\\/a.png https://acme.slack.com/archives/C1');
  expect([evidence.teamId, evidence.domain, evidence.otherTeamIds]).toEqual(['T0FILES00', 'acme', []]);
  evidence.addMessage({ team: 'T0MESSAGE' });
  expect([evidence.teamId, evidence.otherTeamIds]).toEqual(['T0MESSAGE', ['T0FILES00']]);
  evidence.addUser({ id: 'U1', team_id: 'T0USERS00' });
  expect([evidence.teamId, evidence.otherTeamIds]).toEqual(['T0USERS00', ['T0MESSAGE', 'T0FILES00']]);
});

it('does not count people from elsewhere', () => {
  const evidence = new WorkspaceEvidence();
  evidence.addUser({ id: 'U1', team_id: 'T0OWN0000' });
  for (const id of ['U2', 'U3', 'U4']) evidence.addUser({ id, team_id: 'T0EXTERNAL', is_stranger: true });
  expect(evidence.teamId).toBe('T0OWN0000');
});

it('takes only what can be an id', () => {
  const evidence = new WorkspaceEvidence();
  for (const team of [null, 7, '', 'acme', ['T0LIST000'], "T0'; drop table users"]) evidence.addMessage({ team });
  expect(evidence.teamId).toBeNull();
});
