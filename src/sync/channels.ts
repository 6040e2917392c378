/** The list of channels: stored, and turned into what this run is going to read. */

import type { ChannelRow } from '../db/schema.ts';
import { SlackError } from '../errors.ts';
import type { Identity, IsoTime, JsonObject, ListedKind } from '../model.ts';
import type { NormalizedChannel } from '../normalize/directory.ts';
import { normalizeChannel, normalizeStored } from '../normalize/directory.ts';
import { formerNames, identifyChannels, type KnownChannel, type ListedChannel, nameAlias } from './channel-identity.ts';
import { nowIso, type SyncContext } from './context.ts';
import { reportMalformed } from './malformed.ts';

const kindOfScope: Record<string, ListedKind> = {
  'channels:read': 'public',
  'groups:read': 'private',
  'im:read': 'im',
  'mpim:read': 'mpim',
};

export interface DirectoryCounts {
  total: number;
  inserted: number;
  updated: number;
  unchanged: number;
}

export function noDirectoryChanges(): DirectoryCounts {
  return { total: 0, inserted: 0, updated: 0, unchanged: 0 };
}

/**
 * Fetches and stores all channels the token can list, of every kind it has the scope for, and returns them together with
 * the stored ones that Slack does not list. Kinds it lacks the scope for are told as a notice: not to be given a scope is
 * a choice, not a failure.
 * Throws `SlackError` of kind scope when not even one kind can be listed, and any other when the list could not be read to
 * its end: nothing is concluded from part of it.
 */
export async function syncChannels(
  context: SyncContext,
  identity: Identity,
): Promise<{ channels: KnownChannel[]; counts: DirectoryCounts }> {
  const counts = noDirectoryChanges();
  const channels = new Map<string, ListedChannel>();
  let kinds = kindsOf(identity.scopes);
  for (;;) {
    try {
      for await (const page of context.slack.channels(kinds)) {
        reportMalformed(context, page.malformed, {
          code: 'malformed_channel',
          of: 'a page of conversations.list',
          ...noChannel,
        });
        for (const channel of await saveChannels(context, page.items, channels, counts))
          channels.set(channel.channel_id, channel);
      }
      break;
    } catch (error) {
      const refused =
        error instanceof SlackError && error.kind === 'scope' ? kindOfScope[error.needed ?? ''] : undefined;
      if (refused === undefined || !kinds.includes(refused) || kinds.length === 1) throw error;
      kinds = kinds.filter((kind) => kind !== refused);
    }
  }
  noteMissingKinds(context, kinds);
  counts.total = channels.size;
  return { channels: await identifyChannels(context, [...channels.values()], kinds), counts };
}

const noChannel = { channelId: null, channel: null };

/** Slack names the token's scopes with every answer; where it does not, every kind is tried. */
function kindsOf(scopes: readonly string[] | null): ListedKind[] {
  const granted = Object.entries(kindOfScope).filter(([scope]) => scopes === null || scopes.includes(scope));
  const kinds = granted.map(([, kind]) => kind);
  // A token without any of them is told so by Slack, with the scope's name.
  return kinds.length === 0 ? ['public'] : kinds;
}

function noteMissingKinds(context: SyncContext, kinds: readonly ListedKind[]): void {
  const missing = Object.entries(kindOfScope).filter(([, kind]) => !kinds.includes(kind));
  if (missing.length === 0) return;
  const scopes = missing.map(([scope]) => scope).join(', ');
  context.emit({
    type: 'notice',
    message: `Not covered, because the token lacks the scope: ${missing.map(([, kind]) => kind).join(', ')} channels (${scopes}).`,
  });
}

/** A listing may begin anew and show a channel twice; it is counted once. */
async function saveChannels(
  context: SyncContext,
  page: readonly JsonObject[],
  seen: ReadonlyMap<string, ListedChannel>,
  counts: DirectoryCounts,
): Promise<ListedChannel[]> {
  const byId = new Map<string, NormalizedChannel>();
  for (const received of page) {
    const channel = normalizeChannel(received);
    if (channel !== null) byId.set(channel.channel_id, channel);
  }
  if (byId.size === 0) return [];
  const at = nowIso(context);
  return context.store.transaction(async (store) => {
    const stored = await store.directory.findChannels(context.teamId, [...byId.keys()]);
    const channels = [...byId.values()].map((channel) => fuller(channel, stored.get(channel.channel_id)));
    const changed = new Set(channels.filter((channel) => isChanged(stored.get(channel.channel_id), channel)));
    await store.directory.writeChannels([...changed].map((channel) => channelRow(context.teamId, channel, at)));
    await store.directory.addAliases(
      [...changed].flatMap((channel) =>
        formerNames(stored.get(channel.channel_id), channel).map((name) =>
          nameAlias(context.teamId, channel.channel_id, name, at),
        ),
      ),
    );
    for (const channel of channels) {
      if (seen.has(channel.channel_id)) continue;
      if (!stored.has(channel.channel_id)) counts.inserted += 1;
      else if (changed.has(channel)) counts.updated += 1;
      else counts.unchanged += 1;
    }
    return channels.map((channel) => {
      const known = stored.get(channel.channel_id);
      return { ...channel, updatedAt: known === undefined || changed.has(channel) ? at : known.updated_at };
    });
  });
}

/** An object that says nothing tells nothing new of a channel that is known, and one without its kind nothing of that. */
function fuller(channel: NormalizedChannel, stored: ChannelRow | undefined): NormalizedChannel {
  if (stored === undefined) return channel;
  if (channel.isPartial) return normalizeStored(stored) ?? channel;
  return channel.kind === 'unknown' ? { ...channel, kind: stored.kind } : channel;
}

function isChanged(stored: ChannelRow | undefined, channel: NormalizedChannel): boolean {
  return (
    stored === undefined ||
    stored.content_hash !== channel.content_hash ||
    stored.is_member !== channel.is_member ||
    stored.kind !== channel.kind ||
    // What an export said is Slack's own word from now on.
    stored.exported_at !== null
  );
}

function channelRow(teamId: string, channel: NormalizedChannel, at: IsoTime) {
  const { isPartial: _, previousNames: __, origin: ___, ...columns } = channel;
  return { team_id: teamId, ...columns, updated_at: at, exported_at: null };
}
