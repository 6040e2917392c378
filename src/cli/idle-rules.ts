/** Rules of the configuration that never matched anything: a typing error in one shows nowhere else. */
import type { Config, WorkspaceConfig } from '../config/load.ts';
import { type ChannelSelection, selectChannels } from '../config/selection.ts';
import { formatCount } from '../output/counts.ts';
import type { KnownChannel } from '../sync/channel-identity.ts';
import type { SyncContext } from '../sync/context.ts';
import { selectable } from './channel-selection.ts';

/** In a run that read less, nearly every rule may have had nothing to match. */
const enoughMessages = 100;

/** Says which exclude patterns keep nothing out. One that is meant for several workspaces need not fit in each. */
export function noteIdleExcludes(sync: SyncContext, { workspaces }: Config, selection: ChannelSelection): void {
  const isGeneral = (pattern: string) =>
    workspaces.length > 1 && workspaces.every(({ channels }) => channels.exclude.includes(pattern));
  for (const pattern of selection.idleExcludes().filter((each) => !isGeneral(each))) {
    const message = `No channel fits "${pattern}", which is to be excluded; it keeps nothing out. Is it spelt as the channel is?`;
    sync.emit({ type: 'notice', message });
  }
}

/** Says which rules discarded nothing, neither in this run nor in those on record. */
export async function noteIdleRules(sync: SyncContext, { discard }: WorkspaceConfig): Promise<void> {
  const { seen } = sync.messages;
  const idle = discard.filter(({ label }) => !sync.discarded.has(label));
  if (idle.length === 0 || seen < enoughMessages) return;
  const before = new Set(await sync.store.runs.listDiscardLabels(sync.teamId));
  for (const { label, field } of idle.filter((rule) => !before.has(rule.label))) {
    const message = `The discard rule "${label}" has never matched, nor did it in the ${formatCount(seen)} messages of this run. Is "${field}" the field that is meant?`;
    sync.emit({ type: 'notice', message });
  }
}

/** Says which channels the digest's settings name that nobody has seen; with several workspaces they may be another's. */
export function noteIdleDigestKeys(sync: SyncContext, config: Config, channels: readonly KnownChannel[]): void {
  if (config.workspaces.length > 1) return;
  const named = [
    ...config.scoring.channels.map(({ channel }) => ['scoring.channels', channel] as const),
    ...config.digest.private_channels.map((pattern) => ['digest.private_channels', pattern] as const),
  ];
  for (const [key, pattern] of named) {
    const { matches } = selectChannels({ include: [pattern], exclude: [] });
    if (channels.some((channel) => matches(selectable(channel)))) continue;
    sync.emit({ type: 'notice', message: `${key} names "${pattern}", and no channel in the database is called so.` });
  }
}
