/** Whose export it is: by what only the own workspace has, by numbers only where one clearly beats, else not at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WorkspaceEvidence } from '../../src/export/workspace-evidence.ts';
import type { JsonObject } from '../../src/model.ts';

const home = 'T0HOME000';
const partner = 'T0PARTNER';

interface Told {
  channels?: JsonObject[];
  /** By workspace, how many people the list has of it. */
  users?: Record<string, number>;
  more?: JsonObject[];
  /** By folder, who wrote there. */
  folders?: Record<string, readonly string[]>;
  messages?: JsonObject[];
}

function evidenceOf({ channels = [], users = {}, more = [], folders = {}, messages = [] }: Told): WorkspaceEvidence {
  const evidence = new WorkspaceEvidence();
  for (const channel of channels) evidence.addChannel(channel);
  for (const [team_id, n] of Object.entries(users)) for (let i = 0; i < n; i += 1) evidence.addUser({ team_id });
  for (const user of more) evidence.addUser(user);
  for (const [folder, teams] of Object.entries(folders))
    for (const team of teams) evidence.addMessage({ team }, folder);
  for (const message of messages) evidence.addMessage(message);
  return evidence;
}

const times = (n: number, team: string) => Array.from({ length: n }, () => team);
const mostlyPartner = { shared: [home, ...times(50, partner)], general: [home] };

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
  const evidence = evidenceOf({ users: { [home]: 1 } });
  for (const id of ['U2', 'U3', 'U4']) evidence.addUser({ id, team_id: 'T0EXTERNAL', is_stranger: true });
  expect(evidence.teamId).toBe(home);
});

it('takes only what can be an id', () => {
  const evidence = new WorkspaceEvidence();
  for (const team of [null, 7, '', 'acme', ['T0LIST000'], "T0'; drop table users"]) evidence.addMessage({ team });
  expect(evidence.teamId).toBeNull();
});

describe('a partner company that writes more, or has more people', () => {
  it.each<[string, Told, string | null, string]>([
    ['wrote most, but not everywhere', { folders: mostlyPartner }, home, 'likely'],
    ['has most of the people too', { folders: mostlyPartner, users: { [home]: 3, [partner]: 8 } }, home, 'likely'],
    [
      'has nearly all people: a contradiction',
      { folders: mostlyPartner, users: { [home]: 1, [partner]: 9 } },
      null,
      'none',
    ],
    ['shares the only channel', { folders: { shared: [home, ...times(50, partner)] } }, null, 'none'],
    ['wrote where the others did not', { folders: { a: [home], b: [partner], c: [partner] } }, null, 'none'],
    ['owns nothing here', { users: { [partner]: 9 }, more: [{ team_id: home, is_admin: true }] }, home, 'strong'],
    ['wrote into a channel read here', { messages: [{ team: home, user_team: partner }] }, home, 'likely'],
    [
      'is not in the channel of all',
      { channels: [{ name: 'all', is_general: true }], folders: { all: [home], b: [partner], c: [partner] } },
      home,
      'strong',
    ],
    ['is in shared channels', { channels: [{ context_team_id: home }], folders: { a: [partner] } }, home, 'strong'],
    [
      'is in shared channels alone',
      {
        channels: [{ shared_team_ids: [home] }, { is_ext_shared: true, shared_team_ids: [home, partner] }],
        users: { [partner]: 9 },
      },
      home,
      'strong',
    ],
  ])('%s', (_, told, teamId, certainty) => {
    const evidence = evidenceOf(told);
    expect([evidence.teamId, evidence.certainty]).toEqual([teamId, certainty]);
    if (teamId === null) expect(evidence.candidates.map((one) => one.teamId).sort()).toEqual([home, partner]);
  });

  it('is never taken for the own workspace where that wrote in all folders', () => {
    const folder = fc.record({ home: fc.integer({ min: 1, max: 3 }), partner: fc.integer({ min: 0, max: 60 }) });
    fc.assert(
      fc.property(fc.array(folder, { minLength: 1, maxLength: 12 }), (all) => {
        const folders = Object.fromEntries(
          all.map((one, i) => [`f${i}`, [...times(one.home, home), ...times(one.partner, partner)]]),
        );
        expect(evidenceOf({ folders }).teamId).not.toBe(partner);
      }),
    );
  });
});

describe('an organisation', () => {
  it('is no workspace where one stands beside it, and by itself no answer', () => {
    const both = evidenceOf({ messages: [...times(20, 'E0ORG'), home].map((team) => ({ team })) });
    expect([both.teamId, both.organisationId]).toEqual([home, 'E0ORG']);
    const alone = evidenceOf({ messages: [{ team: 'E0ORG' }] });
    expect([alone.teamId, alone.candidates]).toEqual([null, [{ teamId: 'E0ORG', why: 'the whole organisation' }]]);
  });

  it('tells the workspace by its people, who are all in it, and in others', () => {
    const person = (...teams: string[]) => ({ enterprise_user: { enterprise_id: 'E0ORG', teams } });
    const evidence = evidenceOf({ more: [person(home), person(home, 'T0EAST000'), person('T0WEST000', home)] });
    expect([evidence.teamId, evidence.certainty, evidence.enterpriseId]).toEqual([home, 'strong', 'E0ORG']);
  });
});
