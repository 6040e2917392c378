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
  const sections = plan.sections.filter(({ folders, lists }) => folders.size > 0 || lists.size > 0);
  const chosen =
    sections.length > 1 && wanted !== undefined ? sectionsCalled(sections, wanted, stored, plan) : sections;
  const targets = new Map<WorkspaceConfig, ImportTarget>();
  const unknown: UsageError[] = [];
  for (const section of chosen) {
    const told = sections.length > 1 ? undefined : wanted;
    const teamId = await teamOf(context, store, stored, section, told);
    if (teamId === null) {
      unknown.push(unknownWorkspace(plan, section));
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

function unknownWorkspace({ archive: { address, kind } }: ExportPlan, { prefix, team }: PlannedSection): UsageError {
  const where = prefix === '' ? address : `${address} (${prefix})`;
  const id = '--workspace T0123ABCD (in the browser it stands in the address: app.slack.com/client/T0123ABCD)';
  return new UsageError(
    `nothing in ${where} tells which workspace it is of: no user, no message and no file names a team`,
    team === null
      ? `Give its id: ${id}.`
      : `Import the folder ${prefix}${kind === 'zip' ? ', unpacked,' : ''} by itself and give its id: ${id}.`,
  );
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
): Promise<string | null> {
  const notice = (message: string) => context.progress.emit({ type: 'notice', message });
  const told = section.teamId;
  if (wanted !== undefined) {
    const teamId = idCalled(context, stored, section, wanted);
    if (told !== null && told !== teamId) {
      notice(`The export looks like one of workspace ${told}; it is imported as ${teamId}, as --workspace says.`);
    }
    return teamId;
  }
  const known = await withSameChannels(store, stored, section);
  if (known !== null && told !== null && known !== told) {
    notice(
      `The export names ${told}, but its channels are those of ${known}, where it goes; --workspace says otherwise.`,
    );
  } else if (section.otherTeamIds.length > 0) {
    const others = section.otherTeamIds.join(', ');
    notice(
      `The export is taken for one of workspace ${told}; some of it points to ${others}. --workspace says otherwise.`,
    );
  }
  return known ?? told;
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

/**
 * The one stored workspace that has most of this export's conversations: one or two of them may be shared between several.
 * Null when there is none.
 */
async function withSameChannels(
  store: Store,
  stored: readonly WorkspaceRow[],
  { channelIds }: PlannedSection,
): Promise<string | null> {
  for (const { team_id } of stored) {
    const found = (await store.directory.findChannels(team_id, channelIds)).size;
    if (found > 0 && found * 2 > channelIds.length) return team_id;
  }
  return null;
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
