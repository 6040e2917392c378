/**
 * Which conversation is which. Names change and are used again; even ids change: a private channel gets a new one when it
 * is shared with another workspace, and the former id is then unknown to Slack (docs.slack.dev, slack-connect). What is
 * stored must go on as one channel.
 */
import type { ChannelAliasRow } from '../db/schema.ts';
import { channelLabel } from '../labels.ts';
import type { IsoTime, ListedKind } from '../model.ts';
import { type NormalizedChannel, normalizeStored } from '../normalize/directory.ts';
import { nowIso, type SyncContext } from './context.ts';

/** A channel as Slack lists it. */
export interface ListedChannel extends NormalizedChannel {
  /** When the stored row last changed. */
  updatedAt: IsoTime;
}

/** A channel that Slack lists or that is stored, with everything it can be called by. */
export interface KnownChannel extends ListedChannel {
  /** False for a stored channel that Slack does not list: deleted, private without us, or of a kind not asked for. */
  isListed: boolean;
  formerNames: readonly string[];
  formerIds: readonly string[];
  /** Of its former names those that another channel has now; of a channel not listed also its last name. */
  takenNames: readonly string[];
}

/**
 * Compares the whole list of the kinds that were asked for with what is stored, and moves what is stored to the new id
 * where a channel got one. Returns the listed channels, then the stored ones that are not listed.
 */
export async function identifyChannels(
  context: SyncContext,
  listed: readonly ListedChannel[],
  kinds: readonly ListedKind[],
): Promise<KnownChannel[]> {
  const { store, teamId } = context;
  const ids = listed.map(({ channel_id }) => channel_id);
  const unlisted = (await store.directory.listChannelsExcept(teamId, ids)).flatMap((row) => {
    const channel = normalizeStored(row);
    return channel === null ? [] : { ...channel, updatedAt: row.updated_at };
  });
  const moved = new Set<string>();
  const candidates = unlisted.filter(({ kind }) => kinds.some((asked) => asked === kind));
  for (const { from, to } of pairsOf(candidates, listed)) {
    if (await moveChannel(context, from, to)) moved.add(from.channel_id);
  }
  const left = unlisted.filter(({ channel_id }) => !moved.has(channel_id));
  return withFormerNames(listed, left, await store.directory.listAliases(teamId));
}

interface Pair {
  from: NormalizedChannel;
  to: NormalizedChannel;
}

/** A channel that is gone and one that is there, alike in all that a new id leaves as it was. Two that fit are none. */
export function pairsOf(gone: readonly NormalizedChannel[], listed: readonly NormalizedChannel[]): Pair[] {
  if (gone.length === 0) return [];
  const byOrigin = groupBy(listed, ({ origin }) => origin);
  const pairs = gone.flatMap((from) =>
    from.origin === null
      ? []
      : (byOrigin.get(from.origin) ?? []).filter((to) => hadName(to, from.name)).map((to) => ({ from, to })),
  );
  return pairs.filter(({ from, to }) => pairs.every((other) => (other.from === from) === (other.to === to)));
}

function hadName({ name, previousNames }: NormalizedChannel, wanted: string | null): boolean {
  return wanted !== null && (name === wanted || previousNames.includes(wanted));
}

/** Only onto an id under which nothing is stored: two histories that were both read are never mixed. */
async function moveChannel(context: SyncContext, from: NormalizedChannel, to: NormalizedChannel): Promise<boolean> {
  const { teamId } = context;
  const at = nowIso(context);
  const isMoved = await context.store.transaction(async (store) => {
    if (await store.directory.hasContent(teamId, to.channel_id)) return false;
    // All rows of the channel: too much to rewrite for nothing.
    if (context.store.undoes) return true;
    await store.directory.moveChannel(teamId, { from: from.channel_id, to: to.channel_id }, at);
    const names = formerNames(from, to).map((alias) => nameAlias(teamId, to.channel_id, alias, at));
    await store.directory.addAliases(names);
    return true;
  });
  if (isMoved) {
    const message = `${channelLabel(to.name, to.channel_id)} has a new id, ${to.channel_id} instead of ${from.channel_id}, as a private channel gets when it is shared with another workspace. What is stored of it goes on under the new id.`;
    context.emit({ type: 'notice', message });
  }
  return isMoved;
}

/** Names to be remembered when a channel that was known as `before` is now `after`. */
export function formerNames(before: { name: string | null } | undefined, after: NormalizedChannel): string[] {
  const names = new Set(after.previousNames);
  if (before !== undefined && before.name !== null && after.name !== null) names.add(before.name);
  if (after.name !== null) names.delete(after.name);
  return [...names];
}

export function nameAlias(teamId: string, channelId: string, alias: string, at: IsoTime): ChannelAliasRow {
  return { team_id: teamId, kind: 'name', alias, channel_id: channelId, updated_at: at };
}

function withFormerNames(
  listed: readonly ListedChannel[],
  unlisted: readonly ListedChannel[],
  aliases: readonly ChannelAliasRow[],
): KnownChannel[] {
  const presentNames = new Set(listed.map(({ name }) => name));
  const aliasesById = groupBy(aliases, ({ channel_id }) => channel_id);
  const known = (channel: ListedChannel, isListed: boolean): KnownChannel => {
    const own = aliasesById.get(channel.channel_id) ?? [];
    const remembered = own.filter(({ kind }) => kind === 'name').map(({ alias }) => alias);
    const former = [...new Set([...channel.previousNames, ...remembered])].filter((name) => name !== channel.name);
    const outdated = isListed || channel.name === null ? former : [...former, channel.name];
    return {
      ...channel,
      isListed,
      formerNames: former,
      formerIds: own.filter(({ kind }) => kind === 'id').map(({ alias }) => alias),
      takenNames: outdated.filter((name) => presentNames.has(name)),
    };
  };
  return [...listed.map((channel) => known(channel, true)), ...unlisted.map((channel) => known(channel, false))];
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
