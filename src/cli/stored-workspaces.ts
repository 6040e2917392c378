/** The workspaces of a command that works offline: those the database knows, with or without a token or a config file. */
import { type ConfigFlags, unknownWorkspace, type WorkspaceConfig } from '../config/load.ts';
import type { Dialect } from '../db/dialects/dialect.ts';
import { openStore, type Store } from '../db/repositories/index.ts';
import type { WorkspaceRow } from '../db/schema.ts';
import { AppError, UsageError } from '../errors.ts';
import { workspaceLabel, workspaceLabelWithId } from '../labels.ts';
import type { Identity } from '../model.ts';
import { maskSecrets } from '../secrets.ts';
import type { CommandContext } from './context.ts';
import type { Targets } from './run-workspaces.ts';

/**
 * The stored workspaces that `wanted` (a name or a team id) selects. Throws `AppError` when there is none at all and
 * `UsageError` when none is called so.
 */
export async function storedTargets(
  context: CommandContext,
  dialect: Dialect,
  wanted: string | undefined,
  flags: ConfigFlags,
): Promise<Targets> {
  const store = openStore(dialect);
  const targets = new Map<WorkspaceConfig, { known: Identity }>();
  const rows = await store.directory.listWorkspaces();
  if (rows.length === 0) {
    // A dry run of what does not exist looks into an empty database in memory: told is the one that was asked for.
    throw new AppError(`the database ${maskSecrets(context.config.database)} holds no workspace yet`, {
      hint: 'Run "slackingest ingest" first, or give the database that it fills with --database.',
    });
  }
  for (const row of rows) {
    const workspace = await settingsOf(context, store, row, flags);
    if (wanted !== undefined && !isCalled(row, wanted) && !isSameWord(workspace.name, wanted)) continue;
    targets.set(workspace, { known: identityOf(row) });
  }
  if (targets.size === 0) {
    const known = rows.map((row) => workspaceLabelWithId({ ...row, teamId: row.team_id })).join(', ');
    throw new UsageError(`--workspace: the database holds no workspace "${wanted}"`, `Stored: ${known}.`);
  }
  return targets;
}

/** Whether a stored workspace goes by this word: its id, or what Slack calls it. In any case, as people type. */
export function isCalled({ team_id, name, domain }: WorkspaceRow, word: string): boolean {
  return [team_id, name, domain].some((called) => called !== null && called !== '' && isSameWord(called, word));
}

function isSameWord(a: string, b: string): boolean {
  return a.toLowerCase() === b.trim().toLowerCase();
}

/**
 * The configured workspaces that go by this word in Slack, which the database knows once they were read. Throws `UsageError`
 * when there is none.
 */
export async function workspacesCalled(
  context: CommandContext,
  dialect: Dialect,
  word: string,
): Promise<WorkspaceConfig[]> {
  const store = openStore(dialect);
  const found: WorkspaceConfig[] = [];
  for (const row of await store.directory.listWorkspaces()) {
    const configured = isCalled(row, word) ? await configuredAs(context, store, row) : undefined;
    if (configured !== undefined) found.push(configured);
  }
  if (found.length === 0) throw unknownWorkspace(context.config, word);
  return found;
}

/** What the config file says of the workspace: told by its team id, or by the name under which it was read last. */
async function configuredAs(
  { config }: CommandContext,
  store: Store,
  { team_id }: Pick<WorkspaceRow, 'team_id'>,
): Promise<WorkspaceConfig | undefined> {
  const recorded = await store.runs.findWorkspaceName(team_id);
  const configured =
    config.workspaces.find(({ teamId }) => teamId === team_id) ??
    config.workspaces.find(({ teamId, name }) => teamId === null && name === recorded);
  return configured === undefined ? undefined : { ...configured, teamId: team_id };
}

/** The same, or defaults where it says nothing of the workspace. */
export async function settingsOf(
  context: CommandContext,
  store: Store,
  row: Pick<WorkspaceRow, 'team_id' | 'name'>,
  flags: ConfigFlags,
): Promise<WorkspaceConfig> {
  const configured = await configuredAs(context, store, row);
  if (configured !== undefined) return configured;
  return {
    name: row.name ?? row.team_id,
    tokenEnv: '',
    teamId: row.team_id,
    channels: { include: [...(flags.channel ?? [])], exclude: [...(flags.exclude ?? [])] },
    discard: [],
    lookbackMs: 0,
    retention: 'unknown',
    digestChannel: null,
  };
}

export function identityOf({ team_id, name, domain, url, enterprise_id }: WorkspaceRow): Identity {
  return {
    teamId: team_id,
    teamName: workspaceLabel({ name, domain, teamId: team_id }),
    url: url ?? '',
    enterpriseId: enterprise_id,
    userId: null,
    isBot: true,
    scopes: null,
  };
}
