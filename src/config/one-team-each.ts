/**
 * Each configured workspace is a team of its own. Two that are one team would be read twice, each time by the other's rules
 * (what is kept out, what is taken for deleted), and a team that was meant would never be read at all.
 */
import { UsageError } from '../errors.ts';
import { workspaceLabelWithId } from '../labels.ts';
import type { Identity } from '../model.ts';
import type { WorkspaceConfig } from './load.ts';

const hint =
  'Nothing was started, in other workspaces neither. Give each its own token, from the app that is installed in that workspace.';

/**
 * Refuses two that have the same token, when one of them is selected, before it is used. An organisation's token serves several workspaces, each named by
 * its team id.
 * @throws UsageError naming both
 */
export function refuseSharedTokens(
  tokens: ReadonlyMap<WorkspaceConfig, string>,
  selected: readonly WorkspaceConfig[],
): void {
  for (const [a, b] of pairs([...tokens.keys()])) {
    if (!selected.includes(a) && !selected.includes(b)) continue;
    if (tokens.get(a) !== tokens.get(b) || (a.teamId !== null && b.teamId !== null)) continue;
    throw new UsageError(`the workspaces "${a.name}" and "${b.name}" have the same token: ${variables(a, b)}`, hint);
  }
}

/**
 * Refuses two whose tokens belong to one team.
 * @throws UsageError naming both, and the team
 */
export function refuseSharedTeams(teams: ReadonlyMap<WorkspaceConfig, Identity>): void {
  for (const [a, b] of pairs([...teams.keys()])) {
    const [team, other] = [teams.get(a), teams.get(b)];
    if (team === undefined || team.teamId !== other?.teamId) continue;
    const label = workspaceLabelWithId({ name: team.teamName, teamId: team.teamId });
    throw new UsageError(
      `the workspaces "${a.name}" and "${b.name}" are one and the same, ${label}: the tokens in ${a.tokenEnv} and ${b.tokenEnv} both belong to it`,
      hint,
    );
  }
}

function variables(a: WorkspaceConfig, b: WorkspaceConfig): string {
  return a.tokenEnv === b.tokenEnv ? `both take it from ${a.tokenEnv}` : `${a.tokenEnv} and ${b.tokenEnv} hold one`;
}

function pairs<Item>(items: readonly Item[]): [Item, Item][] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b): [Item, Item] => [a, b]));
}
