/**
 * Whose member sent a message. In a channel that is shared with another organisation each one's retention takes the
 * messages of its own members only (slack.com/help, retention for specific conversations).
 */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { JsonObject } from '../model.ts';
import { nonEmptyText, objectOf } from '../normalize/json-access.ts';

/** Where a channel is, as far as it matters for whose messages are in it. */
export interface Home {
  teamId: string;
  /** Of a workspace that belongs to an organisation (Enterprise Grid): some fields name that instead. */
  enterpriseId: string | null;
  /** Members of other organisations may write in it. */
  isShared: boolean;
}

/** A channel of which nothing is known counts as shared. */
export async function homeOf(store: TransactionStore, teamId: string, channelId: string): Promise<Home> {
  const channel = (await store.directory.findChannels(teamId, [channelId])).get(channelId);
  const enterpriseId = (await store.directory.findWorkspace(teamId))?.enterprise_id ?? null;
  return { teamId, enterpriseId, isShared: channel === undefined || isSharedOutside(channel.raw) };
}

/** `is_shared` covers channels that only workspaces of one organisation share (docs.slack.dev, conversation object). */
function isSharedOutside(channel: JsonObject): boolean {
  return channel['is_ext_shared'] === true || (channel['is_shared'] === true && channel['is_org_shared'] !== true);
}

/** Equal for messages whose senders' policies are one; null when nobody can tell. */
export function senderOf(message: JsonObject, { teamId, enterpriseId, isShared }: Home): string | null {
  const stated = [
    message['user_team'],
    message['source_team'],
    message['team'],
    objectOf(message['user_profile'])?.['team'],
    objectOf(message['bot_profile'])?.['team_id'],
  ].map((team) => (team === enterpriseId ? teamId : nonEmptyText(team)));
  const teams = [...new Set(stated.filter((team) => team !== null))];
  if (teams.length === 0) return isShared ? null : teamId;
  // Which of two fields names the sender's team is not documented: such messages are compared among themselves.
  return teams.length === 1 ? (teams[0] ?? null) : stated.join(' ');
}
