import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveToken } from '../../src/config/token.ts';
import { UsageError } from '../../src/errors.ts';

const workspace = { name: 'default', tokenEnv: 'SLACK_TOKEN' };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slackingest-token-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('resolveToken', () => {
  it('prefers variable, alias, file, credential, in this order', () => {
    write('slack_token', 'xoxb-credential\n');
    const credential = { CREDENTIALS_DIRECTORY: directory };
    const file = { ...credential, SLACK_TOKEN_FILE: write('token', '\ufeffxoxb-file\n') };
    const alias = { ...file, SLACK_BOT_TOKEN: 'xoxb-alias' };
    const variable = { ...alias, SLACK_TOKEN: 'xoxb-variable' };
    expect([credential, file, alias, variable].map((env) => resolveToken(workspace, env))).toEqual([
      'xoxb-credential',
      'xoxb-file',
      'xoxb-alias',
      'xoxb-variable',
    ]);
  });

  it('looks in the same places for a variable the config file names', () => {
    const acme = { name: 'acme', tokenEnv: 'ACME_TOKEN' };
    expect(resolveToken(acme, { ACME_TOKEN: 'xoxp-1', SLACK_TOKEN: 'xoxb-2' })).toBe('xoxp-1');
    expect(resolveToken(acme, { ACME_TOKEN_FILE: write('t', 'xoxp-3') })).toBe('xoxp-3');
    write('acme_token', 'xoxp-4');
    expect(resolveToken(acme, { CREDENTIALS_DIRECTORY: directory })).toBe('xoxp-4');
    expect(() => resolveToken(acme, { SLACK_TOKEN: 'xoxb-2' })).toThrow(/workspace "acme": ACME_TOKEN is not set/);
  });

  it.each([' xoxb-1-a\n', '"xoxb-1-a"', "'xoxb-1-a'", '" xoxb-1-a "'])('takes off what copying adds: %j', (value) => {
    expect(resolveToken(workspace, { SLACK_TOKEN: value })).toBe('xoxb-1-a');
  });

  it('takes rotated tokens', () => {
    expect(resolveToken(workspace, { SLACK_TOKEN: 'xoxe.xoxb-1-Mi0y' })).toBe('xoxe.xoxb-1-Mi0y');
  });

  it('says what to set when there is none', () => {
    expect(() => resolveToken(workspace, {})).toThrow(
      expect.objectContaining({
        message: 'no Slack token: SLACK_TOKEN is not set',
        hint: expect.stringMatching(/SLACK_TOKEN or SLACK_BOT_TOKEN.*SLACK_TOKEN_FILE.*slack_token/),
      }),
    );
    expect(() => resolveToken(workspace, { CREDENTIALS_DIRECTORY: directory })).toThrow('SLACK_TOKEN is not set');
    expect(() => resolveToken(workspace, { SLACK_TOKEN: ' ' })).toThrow('SLACK_TOKEN is set but empty');
    expect(() => resolveToken(workspace, { SLACK_BOT_TOKEN: '' })).toThrow('SLACK_BOT_TOKEN is set but empty');
  });

  it.each([
    ['xapp-1-A1-2-SECRET', 'app-level token'],
    ['xoxe-1-SECRET', 'refresh token'],
    ['xoxc-1-SECRET', 'browser session token'],
    ['SECRET', 'does not hold a Slack token'],
    ['xoxb-1 SECRET', 'does not hold a whole Slack token'],
    ['xoxb-1\nSECRET', 'does not hold a whole Slack token'],
    ['xoxb-SECRET…', 'does not hold a whole Slack token'],
    ['xoxb-', 'does not hold a whole Slack token'],
  ])('refuses %j without quoting it', (value, reason) => {
    const resolve = () => resolveToken(workspace, { SLACK_TOKEN: value });
    expect(resolve).toThrow(UsageError);
    expect(resolve).toThrow(new RegExp(`^SLACK_TOKEN .*${reason}`));
    expect(resolve).not.toThrow('SECRET');
  });

  it('refuses a missing, unreadable or empty file and does not look further', () => {
    write('slack_token', 'xoxb-credential');
    const env = { CREDENTIALS_DIRECTORY: directory };
    expect(() => resolveToken(workspace, { ...env, SLACK_TOKEN_FILE: join(directory, 'none') })).toThrow(
      /SLACK_TOKEN_FILE.*none cannot be read/,
    );
    expect(() => resolveToken(workspace, { ...env, SLACK_TOKEN_FILE: directory })).toThrow('cannot be read');
    expect(() => resolveToken(workspace, { ...env, SLACK_TOKEN_FILE: write('empty', ' \n') })).toThrow('is empty');
  });
});
