/** Names that messages tell a channel had: each renaming is one, of the subtypes `channel_name` and `group_name`. */
import type { ChannelAliasRow } from '../db/schema.ts';
import { isName } from '../ids.ts';
import type { IsoTime, JsonObject, JsonText } from '../model.ts';

const renamings: ReadonlySet<string | null> = new Set(['channel_name', 'group_name']);

/** The former name in each renaming; the latter is the channel's own, or the former one of the next. */
export function renamedFrom(
  messages: readonly { subtype: string | null; raw: JsonText }[],
  key: { teamId: string; channelId: string },
  at: IsoTime,
): ChannelAliasRow[] {
  const names = new Set<string>();
  for (const { subtype, raw } of messages) {
    if (!renamings.has(subtype)) continue;
    const { old_name }: JsonObject = JSON.parse(raw.text);
    if (isName(old_name)) names.add(old_name);
  }
  return [...names].map((alias) => ({
    team_id: key.teamId,
    kind: 'name',
    alias,
    channel_id: key.channelId,
    updated_at: at,
  }));
}
