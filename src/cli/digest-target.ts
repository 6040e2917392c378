/** Where a digest is posted, and who reads it there. */
import type { WorkspaceConfig } from '../config/load.ts';
import { selectChannels } from '../config/selection.ts';
import { UsageError } from '../errors.ts';
import type { KnownChannel } from '../sync/channel-identity.ts';
import type { SyncContext } from '../sync/context.ts';
import { selectable } from './channel-selection.ts';
import { noTarget } from './digest-options.ts';
import type { Stored } from './digest-settings.ts';

export interface DigestTarget {
  channelId: string;
  /** Everybody who reads it may read all public channels: no guest, and nobody of another company. */
  isInternal: boolean;
}

/**
 * The target of the flag, else the configured one: a channel's id or name, a person's id, `@name`, or a direct conversation.
 * Throws `UsageError` when there is none or nobody is called so.
 */
export async function findTarget(
  sync: SyncContext,
  workspace: WorkspaceConfig,
  flag: string | true,
  stored: Stored,
): Promise<DigestTarget> {
  const wanted = flag === true ? workspace.digestChannel : flag.trim();
  if (wanted === null || wanted === '') throw noTarget();
  if (/^[UW][A-Z0-9]{2,}$/.test(wanted)) return directWith(sync, wanted);
  if (wanted.startsWith('@')) return directWith(sync, personCalled(wanted.slice(1), stored));
  const selection = selectChannels({ include: [wanted], exclude: [] });
  const channel = stored.channels.find((each) => selection.matches(selectable(each)));
  if (channel !== undefined) return { channelId: channel.channel_id, isInternal: isInternal(channel) };
  // One that was never copied can be posted to; nothing is known of who reads it.
  if (/^[CGD][A-Z0-9]{2,}$/.test(wanted)) return { channelId: wanted, isInternal: true };
  throw new UsageError(
    `--publish: there is no channel "${wanted}" in the database`,
    'Give its id, or a name that "slackingest ingest" has seen.',
  );
}

function isInternal({ raw }: KnownChannel): boolean {
  return !/"is_(?:ext_shared|pending_ext_shared)":true/.test(raw.text);
}

async function directWith({ slack, store, teamId }: SyncContext, userId: string): Promise<DigestTarget> {
  const user = (await store.directory.findUsers(teamId, [userId])).get(userId);
  const isGuest = user?.raw?.['is_restricted'] === true || user?.raw?.['is_stranger'] === true;
  return { channelId: await slack.openDirect(userId), isInternal: !isGuest };
}

function personCalled(name: string, { directory }: Stored): string {
  const [only, ...others] = directory.usersCalled(name);
  if (only === undefined) throw new UsageError(`--publish: nobody is called "@${name}"`, "Give the person's id (U…).");
  if (others.length > 0) {
    throw new UsageError(
      `--publish: ${others.length + 1} people are called "@${name}"`,
      `Give the id of one: ${[only, ...others].join(', ')}.`,
    );
  }
  return only;
}
