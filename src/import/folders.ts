/** Which conversation a folder of an export is. */
import { createHash } from 'node:crypto';
import type { ChannelAliasRow, ChannelRow } from '../db/schema.ts';
import type { ChannelKind, JsonObject } from '../model.ts';
import { type NormalizedChannel, normalizeChannel } from '../normalize/directory.ts';
import { pairsOf } from '../sync/channel-identity.ts';

export interface FolderChannel {
  channelId: string;
  /** For people. */
  name: string;
  kind: ChannelKind;
  /**
   * How it was found: the export's own list, the folder's name being an id, a name that a stored channel has or had; `local`
   * when nothing knows it.
   */
  by: 'list' | 'id' | 'former_name' | 'local';
}

/** A conversation of the export's own lists. */
export type ListedConversation = NormalizedChannel;

/** What is stored of the workspace's channels. */
export interface KnownChannels {
  channels: readonly ChannelRow[];
  aliases: readonly ChannelAliasRow[];
}

/** The folders to be told apart, with the microsecond before which nothing of them can have been written. */
export interface Folder {
  name: string;
  /** Of the first day, at the latest; null when no name of a file is a date. */
  before: number | null;
}

/**
 * Finds the conversation of every folder: by the export's own lists first, since names are used again and only they belong to
 * this export. A name that only the database knows counts when it means one channel that existed then. Every other
 * folder gets an id that follows from its name, so that the next export meets it again.
 */
export function resolveFolders(
  folders: readonly Folder[],
  listed: readonly ListedConversation[],
  known: KnownChannels,
): Map<string, FolderChannel> {
  const ids = new Map(
    known.aliases.filter(({ kind }) => kind === 'id').map(({ alias, channel_id }) => [alias, channel_id]),
  );
  const byName = indexOf(listed, ({ name, channel_id }) => [name, channel_id]);
  const byFormerName = indexOf(listed, ({ previousNames }) => previousNames);
  const own = new Set(folders.flatMap(({ name }) => byName.get(fold(name))?.[0]?.channel_id ?? []));
  const resolve = ({ name, before }: Folder): FolderChannel => {
    const inList =
      byName.get(fold(name))?.[0] ??
      only(byFormerName.get(fold(name))?.filter(({ channel_id }) => !own.has(channel_id)));
    if (inList !== undefined) {
      const channelId = ids.get(inList.channel_id) ?? inList.channel_id;
      return { channelId, name: inList.name ?? name, kind: inList.kind, by: 'list' };
    }
    if (isChannelId(name))
      return { channelId: ids.get(name) ?? name, name, kind: name.startsWith('D') ? 'im' : kindByName(name), by: 'id' };
    const stored = only(storedChannels(name, before, known).filter(({ channel_id }) => !own.has(channel_id)));
    if (stored !== undefined) return { channelId: stored.channel_id, name, kind: stored.kind, by: 'former_name' };
    return { channelId: localId(name), name, kind: kindByName(name), by: 'local' };
  };
  return new Map(folders.map((folder) => [folder.name, resolve(folder)]));
}

/** Channels that are or were called so and can have existed; those with a local id only say that a folder had that name. */
export function storedChannels(
  name: string,
  before: number | null,
  { channels, aliases }: KnownChannels,
): ChannelRow[] {
  const called = new Set(
    aliases.flatMap(({ kind, alias, channel_id }) =>
      kind === 'name' && fold(alias) === fold(name) ? [channel_id] : [],
    ),
  );
  return channels.filter(
    (channel) =>
      !isLocalId(channel.channel_id) &&
      (called.has(channel.channel_id) || (channel.name !== null && fold(channel.name) === fold(name))) &&
      existed(channel.raw, before),
  );
}

/** `created` is in seconds, and 0 or 1 where Slack does not know it; old exports write it as text. */
function existed({ created }: JsonObject, before: number | null): boolean {
  const seconds = Number(created ?? 0);
  return before === null || !Number.isFinite(seconds) || seconds * 1_000_000 < before;
}

/**
 * Conversations of an export that are stored under another id than the export gives, with that id: Slack gave them a new one
 * since, or the export is from after that and no run has asked Slack yet. Then the next run moves them to the new id.
 */
export function storedIdsOf(
  listed: readonly ListedConversation[],
  { channels, aliases }: KnownChannels,
): Map<string, string> {
  const ids = new Map(aliases.flatMap(({ kind, alias, channel_id }) => (kind === 'id' ? [[alias, channel_id]] : [])));
  const stored = new Set(channels.map(({ channel_id }) => channel_id));
  const inExport = new Set(listed.map(({ channel_id }) => channel_id));
  const unknown = listed.filter(({ channel_id }) => !stored.has(channel_id) && !ids.has(channel_id));
  if (unknown.length === 0) return ids;
  const others = channels.flatMap(({ channel_id, raw, kind }) => {
    const channel = inExport.has(channel_id) ? null : normalizeChannel(raw, kind);
    return channel === null
      ? []
      : { ...channel, previousNames: [...channel.previousNames, ...namesOf(channel_id, aliases)] };
  });
  for (const { from, to } of pairsOf(unknown, others)) ids.set(from.channel_id, to.channel_id);
  return ids;
}

function namesOf(channelId: string, aliases: readonly ChannelAliasRow[]): string[] {
  return aliases.flatMap(({ kind, alias, channel_id }) => (kind === 'name' && channel_id === channelId ? [alias] : []));
}

const localPrefix = 'LOCAL-';

/** No id of Slack's has a hyphen. */
function localId(folder: string): string {
  return `${localPrefix}${createHash('sha256').update(fold(folder)).digest('hex').slice(0, 12).toUpperCase()}`;
}

export function isLocalId(channelId: string): boolean {
  return channelId.startsWith(localPrefix);
}

function isChannelId(folder: string): boolean {
  return /^[CDG][A-Z0-9]{7,}$/.test(folder);
}

function kindByName(folder: string): ChannelKind {
  return folder.startsWith('mpdm-') ? 'mpim' : 'public';
}

function indexOf(
  listed: readonly ListedConversation[],
  namesOf: (conversation: ListedConversation) => readonly (string | null)[],
): Map<string, ListedConversation[]> {
  const index = new Map<string, ListedConversation[]>();
  for (const conversation of listed) {
    for (const name of namesOf(conversation)) {
      if (name === null) continue;
      const same = index.get(fold(name));
      if (same === undefined) index.set(fold(name), [conversation]);
      else same.push(conversation);
    }
  }
  return index;
}

/** File systems and zips write one accented letter in two ways. */
function fold(name: string): string {
  return name.normalize('NFC');
}

function only<Item>(items: readonly Item[] | undefined): Item | undefined {
  return items?.length === 1 ? items[0] : undefined;
}
