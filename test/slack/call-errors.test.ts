import { expect, test } from 'vitest';
import { exitCodes } from '../../src/exit-codes.ts';
import { slackError } from '../../src/slack/call-errors.ts';

const refused = (code: string, needed?: string) =>
  slackError('conversations.history', { type: 'refused', code, needed });

test('a missing scope is named, with what to do', () => {
  expect(refused('missing_scope', 'groups:history')).toMatchObject({
    kind: 'scope',
    needed: 'groups:history',
    exitCode: exitCodes.slackRefused,
    message: 'Slack refused conversations.history: the token lacks the scope groups:history (missing_scope).',
    hint: 'Add the scope groups:history to the app, reinstall it, then run again.',
  });
});

test('a missing scope that Slack does not name leads to the manifest', () => {
  expect(refused('missing_scope').hint).toContain('slack-app-manifest.yaml');
});

test.each([
  ['invalid_auth', 'auth'],
  ['token_revoked', 'auth'],
  ['account_inactive', 'auth'],
  ['plan_upgrade_required', 'capability'],
  ['team_access_not_granted', 'capability'],
  ['not_in_channel', 'channel'],
  ['ekm_access_denied', 'channel'],
  ['thread_not_found', 'channel'],
  ['user_not_found', 'channel'],
  ['invalid_cursor', 'cursor'],
  ['internal_error', 'transient'],
  ['invalid_ts_oldest', 'caller'],
  ['something_of_2031', 'unknown'],
  ['constructor', 'unknown'],
])('%s is of kind %s', (code, kind) => {
  expect(refused(code)).toMatchObject({ kind, code });
});

test.each([
  [500, 'transient'],
  [503, 'transient'],
  [408, 'transient'],
  [404, 'unknown'],
  [403, 'unknown'],
  [301, 'unknown'],
])('HTTP status %d is of kind %s', (status, kind) => {
  expect(slackError('users.list', { type: 'http', status })).toMatchObject({ kind, code: `http_${status}` });
});

test('a network failure says what happened and keeps its cause', () => {
  const cause = new Error('connect ECONNREFUSED 127.0.0.1:9');
  const error = slackError('users.list', { type: 'network', code: 'ECONNREFUSED', cause }, 6);
  expect(error).toMatchObject({ kind: 'transient', code: 'ECONNREFUSED', cause });
  expect(error.message).toBe('users.list did not reach Slack (ECONNREFUSED). The call failed 6 times in a row.');
});

test('an unusable answer is transient', () => {
  const error = slackError('users.list', { type: 'bad_body', why: 'it is neither a result nor an error of Slack' });
  expect(error).toMatchObject({ kind: 'transient', code: 'bad_body' });
});
