/** What a workspace and a conversation are called wherever people read of them: each by one name, whoever tells. */
import { printable } from './secrets.ts';

/** `Acme`, as Slack calls it; until Slack has, or an export, its address or its id. */
export function workspaceLabel({ name, domain, teamId }: NamedWorkspace): string {
  return oneLine(name ?? '') || oneLine(domain ?? '') || teamId;
}

/** `Acme (T0123ABCD)`: where it has to be told apart, or be named to the program. */
export function workspaceLabelWithId(workspace: NamedWorkspace): string {
  const label = workspaceLabel(workspace);
  return label === workspace.teamId ? label : `${label} (${workspace.teamId})`;
}

interface NamedWorkspace {
  name: string | null;
  domain?: string | null;
  teamId: string;
}

/**
 * `#general`. Direct messages go by what they have for a name (the people in it), or by their id, and so does everything of
 * which no more than the id is known.
 */
export function channelLabel(name: string | null, channelId: string, kind?: string): string {
  const bare = oneLine(name ?? '').replace(/^#/, '');
  if (bare === '' || bare === channelId) return printable(channelId);
  const isDirect =
    kind === 'im' ||
    kind === 'mpim' ||
    /^D[A-Z0-9]+$/.test(channelId) ||
    bare.startsWith('mpdm-') ||
    // Names of channels have neither; those of several people do.
    /[\s,]/.test(bare);
  return isDirect ? bare : `#${bare}`;
}

function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}
