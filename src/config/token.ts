import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import type { Environment } from './env.ts';
import { readVariable } from './env.ts';

/** The variable that holds the token when the config file names no other. */
export const defaultTokenVariable = 'SLACK_TOKEN';

/**
 * The Slack token of a workspace, from the first place that has one: the variable (for SLACK_TOKEN also its alias
 * SLACK_BOT_TOKEN), the file that `<variable>_FILE` names, the systemd credential of the variable's name in lower
 * case. Asked for only by commands that call Slack.
 * @throws UsageError when no place has one, a file cannot be read or is empty, or it is no bot or user token
 */
export function resolveToken(workspace: { name: string; tokenEnv: string }, env: Environment): string {
  const variable = workspace.tokenEnv;
  const aliases = variable === defaultTokenVariable ? [variable, 'SLACK_BOT_TOKEN'] : [variable];
  for (const name of aliases) {
    const value = readVariable(env, name);
    if (value !== undefined) return checkToken(value, name);
  }
  const file = readVariable(env, `${variable}_FILE`);
  if (file !== undefined) return readToken(file, `${variable}_FILE`);
  const directory = readVariable(env, 'CREDENTIALS_DIRECTORY');
  const credential = variable.toLowerCase();
  const credentialFile = join(directory ?? '', credential);
  // The unit may have been given other credentials only.
  if (directory !== undefined && existsSync(credentialFile))
    return readToken(credentialFile, `the systemd credential ${credential}`);

  const empty = aliases.filter((name) => env[name] !== undefined);
  const problem = empty.length === 0 ? 'is not set' : 'is set but empty';
  throw new UsageError(
    `no Slack token for workspace "${workspace.name}": ${empty[0] ?? variable} ${problem}`,
    `Set ${aliases.join(' or ')}, or ${variable}_FILE to the path of a file with the token, or give systemd the credential ${credential}.`,
  );
}

function readToken(path: string, source: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new UsageError(
      `${source}: the token file ${path} cannot be read`,
      'Correct the path or its permissions.',
      error,
    );
  }
  if (text === '') throw new UsageError(`${source}: the token file ${path} is empty`, 'Write the token into it.');
  return checkToken(text, source);
}

/** Why a token of another kind does not work. Rotated tokens begin with `xoxe.`, their refresh tokens with `xoxe-`. */
const wrongKinds: readonly [RegExp, string][] = [
  [/^xapp-/i, 'is an app-level token (xapp-), which cannot read messages'],
  [/^xoxe-/i, 'is a refresh token (xoxe-), which cannot read messages'],
  [/^xox[cd]-/i, 'is a browser session token, which works only together with a cookie'],
];

const kindHint = 'Use the bot token (xoxb-) or user token (xoxp-) from "OAuth & Permissions" of your Slack app.';

/** Never quotes the value: whatever was put there may be a secret. */
function checkToken(value: string, source: string): string {
  // Quotes come along when a shell's assignment is copied into an env file or a secret store.
  const token = value.replace(/^(["'])(.*)\1$/s, '$2').trim();
  for (const [kind, reason] of wrongKinds) {
    if (kind.test(token)) throw new UsageError(`${source} ${reason}`, kindHint);
  }
  if (!/^(?:xoxe\.)?xox[bp]-/.test(token)) throw new UsageError(`${source} does not hold a Slack token`, kindHint);
  // Other characters cannot be sent in a header; they come from copying two lines or a shortened token.
  if (!/^[!-~]+$/.test(token) || token.endsWith('-')) {
    throw new UsageError(`${source} does not hold a whole Slack token`, 'Copy it again: one line, without spaces.');
  }
  return token;
}
