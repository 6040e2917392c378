/** The selection of channels (config, `--channel`, `--exclude`) applied to what Slack lists. */
import type { WorkspaceConfig } from '../config/load.ts';
import { type ChannelSelection, isGlob, type SelectableChannel, selectChannels } from '../config/selection.ts';
import type { KnownChannel } from '../sync/channel-identity.ts';
import type { SyncContext } from '../sync/context.ts';

/** A channel as patterns see it. */
export function selectable({
  channel_id: id,
  name,
  formerNames,
  formerIds,
  takenNames,
}: KnownChannel): SelectableChannel {
  return { id, name, formerNames, formerIds, takenNames };
}

/** Whether a channel was asked for by its id or name, not by a glob. */
export function namedBy(workspace: WorkspaceConfig): (channel: KnownChannel) => boolean {
  const include = workspace.channels.include.filter((pattern) => !isGlob(pattern));
  const named = selectChannels({ include, exclude: [] });
  return (channel) => include.length > 0 && named.matches(selectable(channel));
}

/** What was asked for and does not exist must not look like an empty channel. */
export function reportUnmet(
  sync: SyncContext,
  selection: ChannelSelection,
  where = 'that this token can see; a private channel shows only after the app was invited',
): void {
  for (const { pattern, reason } of selection.unmet()) {
    const missing = isGlob(pattern) ? `No channel matches "${pattern}"` : `There is no channel "${pattern}"`;
    const message =
      reason === 'excluded'
        ? `The channel "${pattern}" was asked for and is excluded as well; it was not read.`
        : `${missing} ${where}.`;
    sync.errors.push({ channelId: null, channel: pattern, code: 'channel_not_found', message, hint: null });
    sync.emit({
      type: 'unit_failed',
      channelId: null,
      channel: pattern,
      code: 'channel_not_found',
      kind: 'channel',
      message,
    });
  }
}
