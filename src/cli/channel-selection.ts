/** The selection of channels (config, `--channel`, `--exclude`) applied to what Slack lists. */
import type { WorkspaceConfig } from '../config/load.ts';
import { type ChannelSelection, selectChannels } from '../config/selection.ts';
import type { NormalizedChannel } from '../normalize/directory.ts';
import type { SyncContext } from '../sync/context.ts';

/** A channel as patterns see it. */
export function selectable(channel: NormalizedChannel): {
  id: string;
  name: string | null;
  previousNames?: readonly string[];
} {
  const raw: { previous_names?: unknown } = JSON.parse(channel.raw.text);
  const previous = Array.isArray(raw.previous_names)
    ? raw.previous_names.filter((name) => typeof name === 'string')
    : [];
  return { id: channel.channel_id, name: channel.name, ...(previous.length > 0 ? { previousNames: previous } : {}) };
}

/** Whether a channel was asked for by its id or name, not by a glob. */
export function namedBy(workspace: WorkspaceConfig): (channel: NormalizedChannel) => boolean {
  const named = selectChannels({
    include: workspace.channels.include.filter((pattern) => !/[*?]/.test(pattern)),
    exclude: [],
  });
  const namesAny = workspace.channels.include.some((pattern) => !/[*?]/.test(pattern));
  return (channel) => namesAny && named.matches(selectable(channel));
}

/** A channel asked for by name that does not exist must not look like an empty one. */
export function reportUnmet(sync: SyncContext, selection: ChannelSelection): void {
  for (const { pattern, reason } of selection.unmet()) {
    const message =
      reason === 'excluded'
        ? `The channel "${pattern}" was asked for and is excluded as well; it was not read.`
        : `There is no channel "${pattern}" that this token can see; a private channel shows only after the app was invited.`;
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
