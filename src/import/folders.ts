/** Which conversation a folder of an export is. */
import { createHash } from 'node:crypto';
import type { ChannelAliasRow, ChannelRow } from '../db/schema.ts';
import type { ChannelKind, JsonObject } from '../model.ts';
import { kindOf } from '../normalize/conversation-kind.ts';
import { type NormalizedChannel, normalizeStored } from '../normalize/directory.ts';
import { pairsOf } from '../sync/channel-identity.ts';

export interface FolderChannel {
  channelId: string;
  /** For people. */
  name: string;
  kind: ChannelKind;
  /**
   * How it was found: the export's own list, the folder's name being an id, a name that a stored channel has or had; `local`
   * when nothing knows it, `ambiguous` when the lists hold more than one conversation that it can be.
   */
  by: 'list' | 'id' | 'former_name' | 'local' | 'ambiguous';
  /** What the folder can be where that is more than one. */
  candidates: readonly ListedConversation[];
}

/** A conversation of the export's own lists. */
export interface ListedConversation extends NormalizedChannel {
  /** Its id in the export; `channel_id` is the one under which it is stored. */
  exportedId: string;
}

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
 * folder gets an id that follows from its name, so that the next export meets it again; so does one that the lists have
 * more than one conversation for, since a guess might publish what was said in private.
 */
export function resolveFolders(
  folders: readonly Folder[],
  listed: readonly ListedConversation[],
  known: KnownChannels,
): Map<string, FolderChannel> {
  const ids = new Map(
    known.aliases.filter(({ kind }) => kind === 'id').map(({ alias, channel_id }) => [alias, channel_id]),
  );
  const stored = new Map(known.channels.map((row) => [row.channel_id, row]));
  const bySmallName = indexOf(listed, ({ name, exportedId }) => [name, exportedId].map(small));
  const byFormerName = indexOf(listed, ({ previousNames }) => previousNames);
  const named = new Set(folders.map(({ name }) => fold(name)));
  const isNamed = ({ name, exportedId }: ListedConversation) => named.has(fold(name ?? '')) || named.has(exportedId);
  const own = new Set(listed.filter(isNamed).map(({ channel_id }) => channel_id));
  const resolve = ({ name, before }: Folder): FolderChannel => {
    const candidates = candidatesOf(name, bySmallName, named);
    if (candidates.length > 1) return { ...placeholder(name), by: 'ambiguous', candidates };
    const inList =
      candidates[0] ?? only(byFormerName.get(fold(name))?.filter(({ channel_id }) => !own.has(channel_id)));
    if (inList !== undefined) {
      const { channel_id: channelId, kind } = inList;
      return { channelId, name: inList.name ?? name, kind, by: 'list', candidates: [] };
    }
    if (isChannelId(name)) {
      const channelId = ids.get(name) ?? name;
      return { channelId, name, kind: stored.get(channelId)?.kind ?? kindOf({ id: name }), by: 'id', candidates: [] };
    }
    const former = only(storedChannels(name, before, known).filter(({ channel_id }) => !own.has(channel_id)));
    if (former === undefined) return { ...placeholder(name), by: 'local', candidates: [] };
    return { channelId: former.channel_id, name, kind: former.kind, by: 'former_name', candidates: [] };
  };
  return new Map(folders.map((folder) => [folder.name, resolve(folder)]));
}

/**
 * The conversations of the lists that a folder can be. Where a file system takes capitals for small letters, conversations
 * whose names differ in nothing else share one folder.
 */
function candidatesOf(
  folder: string,
  bySmallName: ReadonlyMap<string, readonly ListedConversation[]>,
  named: ReadonlySet<string>,
): ListedConversation[] {
  const alike = bySmallName.get(small(folder) ?? '') ?? [];
  const called = ({ name, exportedId }: ListedConversation) => [fold(name ?? exportedId), exportedId];
  if (!alike.some((one) => called(one).includes(fold(folder)))) return [];
  const mayBeIt = (one: ListedConversation) =>
    called(one).includes(fold(folder)) || !called(one).some((name) => named.has(name));
  return [...new Map(alike.filter(mayBeIt).map((one) => [one.channel_id, one])).values()];
}

/** A conversation of our own, until something names the folder. */
function placeholder(folder: string): Pick<FolderChannel, 'channelId' | 'name' | 'kind'> {
  return { channelId: localId(folder), name: folder, kind: kindOf({ name: folder }) };
}

/** Channels that are or were called so and can have existed; those with a local id only say that a folder had that name. */
function storedChannels(name: string, before: number | null, { channels, aliases }: KnownChannels): ChannelRow[] {
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

/**
 * The one channel that ever had this name, whenever it was made; undefined where there are several, however they spell it:
 * one of them may be whose messages these are, and another's readers would read them.
 */
export function onlyChannelCalled(name: string, known: KnownChannels): ChannelRow | undefined {
  const alike = new Set(
    [
      ...known.aliases.flatMap(({ alias, channel_id }) => (small(alias) === small(name) ? [channel_id] : [])),
      ...known.channels.flatMap((row) =>
        [row.name, row.channel_id].map(small).includes(small(name)) ? [row.channel_id] : [],
      ),
    ].filter((id) => !isLocalId(id)),
  );
  return alike.size === 1 ? only(storedChannels(name, null, known)) : undefined;
}

/** Whether a channel was there before a moment. `created` is in seconds, 0 or 1 where Slack does not know it; old exports write it as text. */
export function existed({ created }: JsonObject, before: number | null): boolean {
  const seconds = Number(created ?? 0);
  return before === null || !Number.isFinite(seconds) || seconds * 1_000_000 < before;
}

/**
 * Conversations of an export that are stored under another id than the export gives, with that id: Slack gave them a new one
 * since, or the export is from after that and no run has asked Slack yet. Then the next run moves them to the new id.
 */
export function storedIdsOf(
  listed: readonly NormalizedChannel[],
  { channels, aliases }: KnownChannels,
): Map<string, string> {
  const ids = new Map(aliases.flatMap(({ kind, alias, channel_id }) => (kind === 'id' ? [[alias, channel_id]] : [])));
  const stored = new Set(channels.map(({ channel_id }) => channel_id));
  const inExport = new Set(listed.map(({ channel_id }) => channel_id));
  const unknown = listed.filter(({ channel_id }) => !stored.has(channel_id) && !ids.has(channel_id));
  if (unknown.length === 0) return ids;
  const others = channels.flatMap((row) => {
    const channel = inExport.has(row.channel_id) ? null : normalizeStored(row);
    return channel === null
      ? []
      : { ...channel, previousNames: [...channel.previousNames, ...namesOf(row.channel_id, aliases)] };
  });
  for (const { from, to } of pairsOf(unknown, others)) ids.set(from.channel_id, to.channel_id);
  return ids;
}

function namesOf(channelId: string, aliases: readonly ChannelAliasRow[]): string[] {
  return aliases.flatMap(({ kind, alias, channel_id }) => (kind === 'name' && channel_id === channelId ? [alias] : []));
}

export const localPrefix = 'LOCAL-';

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

function small(name: string | null): string | null {
  return name === null ? null : fold(name).toLowerCase();
}

function only<Item>(items: readonly Item[] | undefined): Item | undefined {
  return items?.length === 1 ? items[0] : undefined;
}
