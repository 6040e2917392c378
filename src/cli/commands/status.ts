import type { Config, ConfigFlags } from '../../config/load.ts';
import { configuredLabel, defaultTokenVariable, defaultWorkspaceName } from '../../config/token.ts';
import { migrationStatus } from '../../db/migrate.ts';
import { isMissing, openDatabase } from '../../db/open.ts';
import { openStore, type Store } from '../../db/repositories/index.ts';
import type { WorkspaceRow } from '../../db/schema.ts';
import { UsageError } from '../../errors.ts';
import { exitCodes } from '../../exit-codes.ts';
import { workspaceLabelWithId } from '../../labels.ts';
import { printable, printableJson } from '../../secrets.ts';
import { type CommandContext, type GlobalFlags, openContext, type Process, surroundings } from '../context.ts';
import { noDatabase } from '../open-database.ts';
import { printFailure } from '../result.ts';
import { type RunStatus, readWorkspaceStatus, runStatus, type WorkspaceStatus } from '../status-report.ts';
import { errorLines, type Screen, shortTime, workspaceText } from '../status-text.ts';
import { isCalled } from '../stored-workspaces.ts';

interface StatusFlags extends GlobalFlags, ConfigFlags {
  workspace?: string;
}

/** The `--json` object. */
interface Status {
  command: 'status';
  at: string;
  database: {
    title: string;
    address: string;
    /** There is none yet, or it holds nothing of ours. */
    is_empty: boolean;
    size_bytes: number | null;
    schema: { applied: string[]; pending: string[] };
  };
  workspaces: WorkspaceStatus[];
  /** Runs of workspaces that were never read, because they failed before Slack said which workspace it is. */
  other_runs: RunStatus[];
}

/** `slackingest status`: needs a database and no token, and creates nothing. */
export async function statusCommand(process: Process, flags: StatusFlags): Promise<number> {
  try {
    // There is nothing to watch, so no spinner.
    const context = await openContext(process, { ...flags, quiet: true });
    const status = await readStatus(context, flags.workspace);
    const { isTTY, columns, rows } = process.stdout.terminal;
    const isTerminal = isTTY === true;
    const screen = { columns: columns ?? 80, isTerminal, lines: isTerminal ? (rows ?? null) : null };
    if (flags.json === true) context.print(printableJson(status));
    else context.print(printable(textOf(status, screen)));
    // Of a schema that is behind it can tell nothing but that.
    return isOutdated(status.database) ? exitCodes.failed : exitCodes.ok;
  } catch (error) {
    if (flags.json === true) printFailure(process.stdout, 'status', error);
    throw error;
  }
}

function isOutdated({ is_empty, schema }: Status['database']): boolean {
  return !is_empty && schema.pending.length > 0;
}

async function readStatus(context: CommandContext, wanted: string | undefined): Promise<Status> {
  const { database: url } = context.config;
  if (await isMissing(url)) throw noDatabase(context);
  const dialect = await openDatabase(url, { ...surroundings(context), access: 'read' });
  try {
    const { applied, pending } = await migrationStatus(dialect);
    const isEmpty = applied.length === 0;
    const database = {
      title: dialect.title,
      address: dialect.address,
      is_empty: isEmpty,
      size_bytes: isEmpty ? null : await dialect.sizeInBytes(),
      schema: { applied: applied.map(({ name }) => name), pending: pending.map(({ name }) => name) },
    };
    // The queries know the present schema only, and to upgrade an older one is not for a command that looks.
    const isReadable = !isEmpty && pending.length === 0;
    const found = isReadable ? await readWorkspaces(context, openStore(dialect), wanted) : nothing;
    return { command: 'status', at: new Date(context.now()).toISOString(), database, ...found };
  } catch (error) {
    throw dialect.explain(error) ?? error;
  } finally {
    await dialect.close();
  }
}

const nothing: Pick<Status, 'workspaces' | 'other_runs'> = { workspaces: [], other_runs: [] };

async function readWorkspaces(
  context: CommandContext,
  store: Store,
  wanted: string | undefined,
): Promise<Pick<Status, 'workspaces' | 'other_runs'>> {
  const { config, now } = context;
  const settings = { now: now(), pace: config.pace, auditRequests: config.auditRequests };
  const known = await store.overview.listWorkspaces();
  const workspaces: WorkspaceStatus[] = [];
  for (const row of wanted === undefined ? known : selected(config, known, wanted)) {
    workspaces.push(await readWorkspaceStatus(store, row, settings));
  }
  const other_runs = wanted === undefined ? await runsOfUnread(store, config, known) : [];
  return { workspaces, other_runs };
}

/** Runs of workspaces that are configured and that Slack never named: their token is refused, or not set. */
async function runsOfUnread(store: Store, config: Config, known: readonly WorkspaceRow[]): Promise<RunStatus[]> {
  const names = new Set<string | null>();
  for (const { team_id } of known) names.add(await store.runs.findWorkspaceName(team_id));
  const unread = new Set(config.workspaces.map(({ name }) => name).filter((name) => !names.has(name)));
  const runs = await store.overview.listRuns(null, 10);
  return runs.filter(({ workspace }) => known.length === 0 || unread.has(workspace ?? '')).map(runStatus);
}

/**
 * By team id, Slack's name or domain, or the name in the config file. Throws `UsageError` when no workspace of the database
 * goes by it.
 */
function selected(config: Config, known: readonly WorkspaceRow[], wanted: string): WorkspaceRow[] {
  const folded = wanted.trim().toLowerCase();
  const ofConfig = config.workspaces.find(({ name }) => name.toLowerCase() === folded)?.teamId;
  const found = known.filter((row) => row.team_id === ofConfig || isCalled(row, wanted));
  if (found.length > 0) return found;
  const [only, ...others] = known;
  // Without a team id in the config file only its token could tell which one is meant.
  const isConfigured = config.workspaces.some(({ name }) => name.toLowerCase() === folded);
  if (only !== undefined && others.length === 0 && isConfigured && config.workspaces.length === 1) return [only];
  throw new UsageError(
    `--workspace: the database holds no workspace "${wanted}"`,
    known.length === 0
      ? 'It holds none yet.'
      : `It holds ${known.map((row) => workspaceLabelWithId({ ...row, teamId: row.team_id })).join(', ')}.`,
  );
}

function textOf({ database, workspaces, other_runs }: Status, screen: Screen): string {
  const { title, address, is_empty, size_bytes, schema } = database;
  if (is_empty) return `${title} ${address}: nothing is stored yet; "slackingest ingest" makes the first copy`;
  const size = size_bytes === null ? '' : `, ${formatBytes(size_bytes)}`;
  const lines = [`${title} ${address}${size}, schema ${schema.applied.at(-1)}`];
  if (schema.pending.length > 0) {
    lines.push(`The schema is behind (${schema.pending.join(', ')}); "slackingest migrate" brings it up to date.`);
    return lines.join('\n');
  }
  if (workspaces.length === 0) lines.push('No workspace was read yet.');
  for (const { started_at, command, status, error, workspace } of other_runs) {
    const label = configuredLabel({ name: workspace ?? defaultWorkspaceName, tokenEnv: defaultTokenVariable });
    lines.push(`  ${shortTime(started_at)}  ${command}  ${status}  ${label}`);
    if (error !== null) lines.push(...errorLines(error, screen));
  }
  for (const workspace of workspaces) lines.push('', ...workspaceText(workspace, screen));
  return lines.join('\n');
}

function formatBytes(bytes: number): string {
  const megabytes = bytes / 1_000_000;
  return megabytes < 1000 ? `${megabytes.toFixed(1)} MB` : `${(megabytes / 1000).toFixed(1)} GB`;
}
