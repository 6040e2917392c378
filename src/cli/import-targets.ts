/** Which workspaces an export goes to. */
import type { ConfigFlags, WorkspaceConfig } from '../config/load.ts';
import type { Dialect } from '../db/dialects/dialect.ts';
import { openStore, type Store } from '../db/repositories/index.ts';
import type { WorkspaceRow } from '../db/schema.ts';
import { UsageError } from '../errors.ts';
import type { ExportPlan, PlannedSection } from '../import/export-plan.ts';
import type { Identity } from '../model.ts';
import type { CommandContext } from './context.ts';
import { identityOf, isCalled, settingsOf } from './stored-workspaces.ts';

export interface ImportTarget {
  known: Identity;
  section: PlannedSection;
}

/**
 * The workspace of every section of the export: as `--workspace` says, as the export itself tells, or the stored one that
 * has the same conversations. `unknown` tells of sections of which nobody can say it; throws `UsageError` when that is
 * so of all, or when `--workspace` selects none.
 */
export async function importTargets(
  context: CommandContext,
  dialect: Dialect,
  plan: ExportPlan,
  wanted: string | undefined,
  flags: ConfigFlags,
): Promise<{ targets: Map<WorkspaceConfig, ImportTarget>; unknown: UsageError[] }> {
  const store = openStore(dialect);
  const stored = await store.directory.listWorkspaces();
  const sections = plan.sections.filter(
    ({ folders, lists, other }) => folders.size + lists.size + other.lists.length + other.messages.length > 0,
  );
  const chosen =
    sections.length > 1 && wanted !== undefined ? sectionsCalled(sections, wanted, stored, plan) : sections;
  const targets = new Map<WorkspaceConfig, ImportTarget>();
  const unknown: UsageError[] = [];
  for (const section of chosen) {
    const told = sections.length > 1 ? undefined : wanted;
    const known = told === undefined ? await withSameChannels(store, stored, section) : [];
    const teamId = told === undefined ? teamAsFar(context, section, known) : teamAsTold(context, stored, section, told);
    if (teamId === null) {
      unknown.push(unknownWorkspace(plan, section, known));
      continue;
    }
    const row = stored.find(({ team_id }) => team_id === teamId);
    const settings = await settingsOf(context, store, { team_id: teamId, name: row?.name ?? null }, flags);
    targets.set(
      { ...settings },
      { known: row === undefined ? newIdentity(teamId, section) : identityNow(row, section), section },
    );
  }
  const [first] = unknown;
  if (first !== undefined && targets.size === 0) throw first;
  return { targets, unknown };
}

function unknownWorkspace(
  { archive: { address, kind } }: ExportPlan,
  { prefix, team, candidates: told }: PlannedSection,
  known: readonly string[],
): UsageError {
  const candidates = [...known.map((teamId) => ({ teamId, why: 'whose copy has the same channels' })), ...told];
  const where = prefix === '' ? address : `${address} (${prefix})`;
  const named = listOf(candidates.map(({ teamId, why }) => (why === '' ? teamId : `${teamId} (${why})`)));
  const ids = candidates.length === 0 ? ['T0123ABCD'] : [...new Set(candidates.map(({ teamId }) => teamId))];
  const flag = ids
    .slice(0, listed)
    .map((teamId) => `--workspace ${teamId}`)
    .join(' or ');
  const id = `${flag} (in the browser it stands in the address: app.slack.com/client/T0123ABCD)`;
  return new UsageError(
    candidates.length === 0
      ? `nothing in ${where} tells which workspace it is of: no user, no message and no file names a team`
      : `${where} does not tell beyond doubt which workspace it is of; it points to ${named}`,
    team === null
      ? `Give its id: ${id}.`
      : `Import the folder ${prefix}${kind === 'zip' ? ', unpacked,' : ''} by itself and give its id: ${id}.`,
  );
}

/** Of organisations that share channels with many companies, the first few. */
const listed = 5;

function listOf(names: readonly string[]): string {
  return `${names.slice(0, listed).join(', ')}${names.length > listed ? `, and ${names.length - listed} more` : ''}`;
}

function sectionsCalled(
  sections: readonly PlannedSection[],
  wanted: string,
  stored: readonly WorkspaceRow[],
  { archive }: ExportPlan,
): PlannedSection[] {
  const name = wanted.trim().toLowerCase();
  const called = sections.filter(({ teamId, team, domain }) => {
    const row = stored.find(({ team_id }) => team_id === teamId);
    return [teamId, team, domain, row?.name, row?.domain].some((one) => one?.toLowerCase() === name);
  });
  if (called.length > 0) return called;
  const known = sections.map(({ teamId, team }) => (team === null ? teamId : `${team} (${teamId})`)).join(', ');
  throw new UsageError(`--workspace: ${archive.address} holds no workspace "${wanted}"`, `It holds ${known}.`);
}

/** As `--workspace` says. */
function teamAsTold(
  context: CommandContext,
  stored: readonly WorkspaceRow[],
  section: PlannedSection,
  wanted: string,
): string {
  const teamId = idCalled(context, stored, section, wanted);
  const { teamId: told } = section;
  if (told !== null && told !== teamId) {
    const message = `The export looks like one of workspace ${told}; it is imported as ${teamId}, as --workspace says.`;
    context.progress.emit({ type: 'notice', message });
  }
  return teamId;
}

/**
 * As far as the export tells, and the copies that have its channels (`known`). What is not beyond doubt is said; null where
 * it would be a guess.
 */
function teamAsFar(context: CommandContext, section: PlannedSection, known: readonly string[]): string | null {
  const notice = (message: string) => context.progress.emit({ type: 'notice', message });
  const { teamId: told, certainty } = section;
  const only = known.length === 1 ? known[0] : undefined;
  const others = listOf(section.otherTeamIds);
  if (told !== null && (certainty === 'strong' || known.includes(told) || only === undefined)) {
    if (certainty !== 'strong' && others !== '') {
      notice(
        `The export is taken for one of workspace ${told}; some of it points to ${others}. --workspace says otherwise.`,
      );
    }
    return told;
  }
  if (only === undefined) return null;
  const names = told ?? others;
  if (names !== '') {
    notice(
      `The export names ${names}, but its channels are those of ${only}, where it goes; --workspace says otherwise.`,
    );
  }
  return only;
}

/** A team id, a name in the config file, or the name or domain of a workspace that is stored. */
function idCalled(
  { config }: CommandContext,
  stored: readonly WorkspaceRow[],
  section: PlannedSection,
  wanted: string,
): string {
  const text = wanted.trim();
  if (/^[TE][A-Z0-9]{2,30}$/.test(text)) return text;
  const name = text.toLowerCase();
  const configured = config.workspaces.find((workspace) => workspace.name.toLowerCase() === name);
  if (configured?.teamId) return configured.teamId;
  const row = stored.find((one) => isCalled(one, name));
  if (row !== undefined) return row.team_id;
  if (section.teamId !== null && [section.teamId, section.domain].some((called) => called?.toLowerCase() === name)) {
    return section.teamId;
  }
  throw new UsageError(
    `--workspace: "${wanted}" is neither a team id nor the name of a workspace that is known`,
    'Write the team id, such as T0123ABCD; in the browser it stands in the address: app.slack.com/client/T0123ABCD.',
  );
}

/** The stored workspaces that have most of this export's conversations, which may be shared between several. */
async function withSameChannels(
  store: Store,
  stored: readonly WorkspaceRow[],
  { channelIds }: PlannedSection,
): Promise<string[]> {
  const same: string[] = [];
  for (const { team_id } of stored) {
    const found = (await store.directory.findChannels(team_id, channelIds)).size;
    if (found > 0 && found * 2 > channelIds.length) same.push(team_id);
  }
  return same;
}

/** What is stored, and what another export did not tell and this one does. */
function identityNow(row: WorkspaceRow, section: PlannedSection): Identity {
  const stored = identityOf(row);
  const told = newIdentity(row.team_id, section);
  return {
    ...stored,
    teamName: stored.teamName === row.team_id ? told.teamName : stored.teamName,
    url: stored.url === '' ? told.url : stored.url,
    enterpriseId: stored.enterpriseId ?? told.enterpriseId,
  };
}

/** Until Slack says more. */
function newIdentity(teamId: string, { domain, enterpriseId, team }: PlannedSection): Identity {
  return {
    teamId,
    teamName: team ?? domain ?? teamId,
    url: domain === null ? '' : `https://${domain}.slack.com/`,
    enterpriseId,
    userId: null,
    isBot: true,
    scopes: null,
  };
}
