import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import type { Environment } from './env.ts';
import { readVariable } from './env.ts';
import type { WorkspaceConfig } from './load.ts';
import { refuseSharedTokens } from './one-team-each.ts';

/** The variable that holds the token when the config file names no other. */
export const defaultTokenVariable = 'SLACK_TOKEN';

/** How runs of the workspace are recorded that no config file names. */
export const defaultWorkspaceName = 'default';

/** What to call a workspace of which nothing is known but how it is configured. */
export function configuredLabel({ name, tokenEnv }: { name: string; tokenEnv: string }): string {
  return name === defaultWorkspaceName ? `the workspace of ${tokenEnv}` : name;
}

/** A workspace's token, or why it has none. */
export type ResolvedToken = { token: string } | { refused: UsageError };

/**
 * The token of each selected workspace that has one, and of the others why not: one that is not set costs its own workspace
 * only.
 * @throws UsageError when no workspace has one, or when one shares it with another configured workspace, selected or not
 */
export function resolveTokens(
  selected: readonly WorkspaceConfig[],
  configured: readonly WorkspaceConfig[],
  env: Environment,
): Map<WorkspaceConfig, ResolvedToken> {
  const others = configured.filter(({ name }) => !selected.some((one) => one.name === name));
  const found = new Map([...selected, ...others].map((workspace) => [workspace, tryToken(workspace, env)]));
  const wanted = new Map([...found].filter(([workspace]) => selected.includes(workspace)));
  const refused = [...wanted.values()].flatMap((token) => ('refused' in token ? [token.refused] : []));
  const [first] = refused;
  if (first !== undefined && refused.length === wanted.size) throw allRefused(first, refused);
  const held = [...found].flatMap(([at, of]): [WorkspaceConfig, string][] => ('token' in of ? [[at, of.token]] : []));
  refuseSharedTokens(new Map(held), selected);
  return wanted;
}

function allRefused(first: UsageError, all: readonly UsageError[]): UsageError {
  if (all.length === 1) return first;
  return new UsageError(all.map(({ message }) => message).join('; '), first.hint, first);
}

/** As `resolveToken`, with what it would throw as a value. */
export function tryToken(workspace: WorkspaceConfig, env: Environment): ResolvedToken {
  try {
    return { token: resolveToken(workspace, env) };
  } catch (error) {
    if (error instanceof UsageError) return { refused: error };
    throw error;
  }
}

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
  // The one of SLACK_TOKEN has no name that anybody gave it.
  const whose = workspace.name === defaultWorkspaceName ? '' : ` for workspace "${workspace.name}"`;
  const problem = empty.length === 0 ? 'is not set' : 'is set but empty';
  throw new UsageError(
    `no Slack token${whose}: ${empty[0] ?? variable} ${problem}`,
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
