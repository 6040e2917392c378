/** Which workspaces an export goes to. */
import type { ConfigFlags, WorkspaceConfig } from '../config/load.ts';
import type { Dialect } from '../db/dialects/dialect.ts';
import { openStore, type Store } from '../db/repositories/index.ts';
import type { WorkspaceRow } from '../db/schema.ts';
import { UsageError } from '../errors.ts';
import type { ExportPlan, PlannedSection } from '../import/export-plan.ts';
import type { Identity } from '../model.ts';
import type { CommandContext } from './context.ts';
import { identityOf, settingsOf } from './stored-workspaces.ts';

export interface ImportTarget {
  known: Identity;
  section: PlannedSection;
}

/**
 * The workspace of every section of the export: as `--workspace` says, as the export itself tells, or the stored one that
 * has the same conversations. Throws `UsageError` when one stays unknown, or when `--workspace` selects none.
 */
export async function importTargets(
  context: CommandContext,
  dialect: Dialect,
  plan: ExportPlan,
  wanted: string | undefined,
  flags: ConfigFlags,
): Promise<Map<WorkspaceConfig, ImportTarget>> {
  const store = openStore(dialect);
  const stored = await store.directory.listWorkspaces();
  const sections = plan.sections.filter(({ folders, lists }) => folders.size > 0 || lists.size > 0);
  const chosen =
    sections.length > 1 && wanted !== undefined ? sectionsCalled(sections, wanted, stored, plan) : sections;
  const targets = new Map<WorkspaceConfig, ImportTarget>();
  for (const section of chosen) {
    const told = sections.length > 1 ? undefined : wanted;
    const teamId = await teamOf(context, store, stored, section, told, plan);
    const row = stored.find(({ team_id }) => team_id === teamId);
    const settings = await settingsOf(context, store, { team_id: teamId, name: row?.name ?? null }, flags);
    targets.set(
      { ...settings },
      { known: row === undefined ? newIdentity(teamId, section) : identityNow(row, section), section },
    );
  }
  return targets;
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

async function teamOf(
  context: CommandContext,
  store: Store,
  stored: readonly WorkspaceRow[],
  section: PlannedSection,
  wanted: string | undefined,
  { archive }: ExportPlan,
): Promise<string> {
  const where = section.prefix === '' ? archive.address : `${archive.address} (${section.prefix})`;
  if (wanted !== undefined) {
    const teamId = idCalled(context, stored, section, wanted);
    if (section.teamId !== null && section.teamId !== teamId) {
      const message = `The export looks like one of workspace ${section.teamId}; it is imported as ${teamId}, as --workspace says.`;
      context.progress.emit({ type: 'notice', message });
    }
    return teamId;
  }
  // What a whole organisation shares is of no single workspace.
  const own =
    section.team === null && section.enterpriseId !== null && isOrganisation(section)
      ? section.enterpriseId
      : section.teamId;
  const teamId = own ?? (await withSameChannels(store, stored, section));
  if (teamId !== null) return teamId;
  throw new UsageError(
    `nothing in ${where} tells which workspace it is of: no user and no message names a team`,
    'Give its id: --workspace T0123ABCD (in the browser it stands in the address: app.slack.com/client/T0123ABCD).',
  );
}

function isOrganisation({ lists }: PlannedSection): boolean {
  return lists.has('org_users') && !lists.has('users');
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
  const row = stored.find((one) =>
    [one.team_id, one.name, one.domain].some((called) => called?.toLowerCase() === name),
  );
  if (row !== undefined) return row.team_id;
  if (section.teamId !== null && [section.teamId, section.domain].some((called) => called?.toLowerCase() === name)) {
    return section.teamId;
  }
  throw new UsageError(
    `--workspace: "${wanted}" is neither a team id nor the name of a workspace that is known`,
    'Write the team id, such as T0123ABCD; in the browser it stands in the address: app.slack.com/client/T0123ABCD.',
  );
}

/** The one stored workspace that has conversations of this export; null when there is none, or more than one. */
async function withSameChannels(
  store: Store,
  stored: readonly WorkspaceRow[],
  { channelIds }: PlannedSection,
): Promise<string | null> {
  if (channelIds.length === 0) return null;
  const fitting: string[] = [];
  for (const { team_id } of stored) {
    if ((await store.directory.findChannels(team_id, channelIds)).size > 0) fitting.push(team_id);
  }
  const [only, ...others] = fitting;
  return others.length > 0 ? null : (only ?? null);
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
