/** The people and conversations of an export, as far as nothing newer is known of them. */

import type { TransactionStore } from '../db/repositories/index.ts';
import type { ChannelAliasRow, ChannelRow, UserRow } from '../db/schema.ts';
import type { ArchiveReader } from '../export/archive.ts';
import type { ListName } from '../export/layout.ts';
import { type Defect, readListed, readObjects } from '../export/read-list.ts';
import type { ChannelKind, IsoTime, JsonObject } from '../model.ts';
import { kindOf, strictestKind } from '../normalize/conversation-kind.ts';
import {
  type NormalizedChannel,
  type NormalizedUser,
  normalizeChannel,
  normalizeUser,
} from '../normalize/directory.ts';
import { formerNames, nameAlias } from '../sync/channel-identity.ts';
import type { SyncContext } from '../sync/context.ts';
import { nowIso } from '../sync/context.ts';
import type { PlannedSection } from './export-plan.ts';

/** Told of a list's defects, with the list's path. */
export type OnDefect = (path: string, defect: Defect) => void;

const kindOfList: Record<Exclude<ListName, 'users' | 'org_users'>, ChannelKind> = {
  channels: 'public',
  groups: 'private',
  mpims: 'mpim',
  dms: 'im',
};

const listsOf = {
  user: ['users', 'org_users'],
  conversation: ['channels', 'groups', 'mpims', 'dms'],
} as const;

/** What the lists of the export hold, those by other names after Slack's own. */
async function* readLists(
  reader: ArchiveReader,
  { lists, other }: PlannedSection,
  kind: keyof typeof listsOf,
  onDefect: OnDefect,
): AsyncIterable<{ path: string; list: ListName | null; portion: JsonObject[] }> {
  for (const list of listsOf[kind]) {
    const file = lists.get(list);
    if (file === undefined) continue;
    for await (const portion of readObjects(reader, file, (defect) => onDefect(file.path, defect))) {
      yield { path: file.path, list, portion };
    }
  }
  for (const { file, list } of other.lists) {
    for await (const portion of readListed(reader, file, kind)) yield { path: file.path, list, portion };
  }
}

/** Reads the lists of conversations. Of two objects with one id the first counts, and what both say of its kind. */
export async function readConversations(
  reader: ArchiveReader,
  section: PlannedSection,
  onDefect: OnDefect,
): Promise<NormalizedChannel[]> {
  const byId = new Map<string, NormalizedChannel>();
  for await (const { path, list, portion } of readLists(reader, section, 'conversation', onDefect)) {
    const kind = list === null || list === 'users' || list === 'org_users' ? undefined : kindOfList[list];
    for (const received of portion) {
      const channel = normalizeChannel(received, kind);
      if (channel === null) onDefect(path, { position: null, reason: 'holds a conversation without an id' });
      else byId.set(channel.channel_id, withKindOf(byId.get(channel.channel_id) ?? channel, channel));
    }
  }
  return [...byId.values()];
}

function withKindOf(first: NormalizedChannel, again: NormalizedChannel): NormalizedChannel {
  return { ...first, kind: strictestKind(first.kind, again.kind) };
}

/** Stores the users of the export; returns how many there are. */
export async function importUsers(
  context: SyncContext,
  reader: ArchiveReader,
  section: PlannedSection,
  exportedAt: IsoTime,
  onDefect: OnDefect,
): Promise<number> {
  const ids = new Set<string>();
  for await (const { path, portion } of readLists(reader, section, 'user', onDefect)) {
    const users = new Map<string, NormalizedUser>();
    for (const received of portion) {
      const user = normalizeUser(received);
      if (user === null) onDefect(path, { position: null, reason: 'holds a user without an id' });
      else if (!ids.has(user.user_id)) users.set(user.user_id, user);
    }
    for (const id of users.keys()) ids.add(id);
    for (const part of partsOf([...users.values()])) await saveUsers(context, part, exportedAt);
  }
  return ids.size;
}

/** Users that are written in one transaction. */
const usersAtOnce = 2000;

function partsOf<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / usersAtOnce) }, (_, i) =>
    items.slice(i * usersAtOnce, (i + 1) * usersAtOnce),
  );
}

async function saveUsers(context: SyncContext, users: readonly NormalizedUser[], exportedAt: IsoTime): Promise<void> {
  const { store, teamId, knownUsers } = context;
  const at = nowIso(context);
  await store.transaction(async (tx) => {
    const stored = await tx.directory.findUsers(
      teamId,
      users.map(({ user_id }) => user_id),
    );
    const rows = users.flatMap((user) => userAfter(teamId, stored.get(user.user_id), user, { at, exportedAt }) ?? []);
    await tx.directory.writeUsers(rows);
  });
  for (const { user_id } of users) knownUsers.add(user_id);
}

const describedColumns = ['name', 'real_name', 'display_name', 'email', 'tz', 'is_bot', 'is_deleted'] as const;

/** The row after the export has told of the user; null when it stays as it is. What is not known elsewhere is filled in. */
function userAfter(
  teamId: string,
  stored: UserRow | undefined,
  user: NormalizedUser,
  { at, exportedAt }: { at: IsoTime; exportedAt: IsoTime },
) {
  const isUnknown = stored === undefined || stored.lookup !== null || stored.raw === null;
  if (isUnknown) {
    return { team_id: teamId, ...user, lookup: null, updated_at: at, exported_at: exportedAt };
  }
  const isNewer = stored.exported_at !== null && isLater(exportedAt, user.content_hash, stored);
  const [first, second] = isNewer ? [user, stored] : [stored, user];
  const described = Object.fromEntries(
    describedColumns.map((column) => [column, first[column] ?? second[column]]),
  ) as Pick<UserRow, (typeof describedColumns)[number]>;
  const isChanged = describedColumns.some((column) => described[column] !== stored[column]);
  if (!isNewer) return isChanged ? { ...stored, ...described, updated_at: at } : null;
  const isSame = !isChanged && stored.content_hash === user.content_hash;
  if (isSame && stored.exported_at === exportedAt) return null;
  return {
    ...stored,
    ...described,
    content_hash: user.content_hash,
    raw: user.raw,
    updated_at: isSame ? stored.updated_at : at,
    exported_at: exportedAt,
  };
}

/** Of two exports the newer; of one export that tells two things, always the same. */
function isLater(
  exportedAt: IsoTime,
  contentHash: string,
  stored: { exported_at: IsoTime | null; content_hash: string | null },
): boolean {
  if (stored.exported_at === null) return false;
  if (exportedAt !== stored.exported_at) return exportedAt > stored.exported_at;
  return contentHash > (stored.content_hash ?? '');
}

type WrittenChannel = Parameters<TransactionStore['directory']['writeChannels']>[0][number];

/**
 * Stores the conversations. Another name than the one that is known is remembered as a former one, whichever of the two is
 * newer.
 */
export async function importConversations(
  context: SyncContext,
  channels: readonly NormalizedChannel[],
  exportedAt: IsoTime,
): Promise<void> {
  const { store, teamId } = context;
  const at = nowIso(context);
  await store.transaction(async (tx) => {
    const stored = await tx.directory.findChannels(
      teamId,
      channels.map(({ channel_id }) => channel_id),
    );
    const rows: WrittenChannel[] = [];
    const aliases: ChannelAliasRow[] = [];
    for (const channel of channels) {
      const before = stored.get(channel.channel_id);
      const isNewer = before === undefined || isLater(exportedAt, channel.content_hash, before);
      const isSame = before !== undefined && before.content_hash === channel.content_hash;
      const names = isNewer ? formerNames(before, channel) : namesThen(channel, before);
      aliases.push(...names.map((name) => nameAlias(teamId, channel.channel_id, name, at)));
      const kind = before === undefined ? channel.kind : kindAfter(before, channel);
      const isSameKind = before?.kind === kind;
      if (isNewer && !(isSame && isSameKind && before.exported_at === exportedAt)) {
        rows.push(channelRow(teamId, { ...channel, kind }, isSame && isSameKind ? before.updated_at : at, exportedAt));
      } else if (!isNewer && !isSameKind) rows.push({ ...before, kind, updated_at: at });
    }
    await tx.directory.writeChannels(rows);
    await addNewAliases(tx, teamId, aliases);
  });
}

/**
 * Exports say the same in any order: what one of them calls private is private. Only Slack itself takes that back, when it
 * is asked, and what it said no export changes.
 */
function kindAfter(stored: ChannelRow, channel: NormalizedChannel): ChannelKind {
  const isSlacksOwn = stored.exported_at === null && kindOf(stored.raw) !== 'unknown';
  return isSlacksOwn ? stored.kind : strictestKind(stored.kind, channel.kind);
}

/** Names that the channel had when an older export was made. */
function namesThen(channel: NormalizedChannel, now: ChannelRow): string[] {
  const names = new Set(channel.previousNames);
  if (channel.name !== null) names.add(channel.name);
  if (now.name !== null) names.delete(now.name);
  return [...names];
}

async function addNewAliases(tx: TransactionStore, teamId: string, aliases: readonly ChannelAliasRow[]): Promise<void> {
  if (aliases.length === 0) return;
  const keyOf = ({ kind, alias, channel_id }: ChannelAliasRow) => `${kind} ${channel_id} ${alias}`;
  const known = new Set((await tx.directory.listAliases(teamId)).map(keyOf));
  const added = new Map(aliases.filter((alias) => !known.has(keyOf(alias))).map((alias) => [keyOf(alias), alias]));
  await tx.directory.addAliases([...added.values()]);
}

function channelRow(teamId: string, channel: NormalizedChannel, updatedAt: IsoTime, exportedAt: IsoTime) {
  const { isPartial: _, previousNames: __, origin: ___, is_member: ____, ...columns } = channel;
  return { team_id: teamId, ...columns, is_member: null, updated_at: updatedAt, exported_at: exportedAt };
}
