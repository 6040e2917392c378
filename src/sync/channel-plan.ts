/** Which channels a run reads, and in which order. */
import type { IngestionStateRow } from '../db/schema.ts';
import type { IsoTime } from '../model.ts';
import { tsToMicros } from '../ts.ts';
import type { KnownChannel } from './channel-identity.ts';
import { failUnit, type SyncContext } from './context.ts';
import type { ReadableChannel } from './history.ts';

export interface PlannedChannel extends ReadableChannel {
  channel: KnownChannel;
  /** Its checkpoint before this run; undefined for a channel never read. */
  state: IngestionStateRow | undefined;
  /** It is archived and was read up to its archiving: nothing new can be in it until its settings change. */
  isQuiet: boolean;
}

export interface ChannelChoice {
  /** Whether the token belongs to a bot. */
  isBot: boolean;
  /** Whether the user wants this channel. */
  isSelected: (channel: KnownChannel) => boolean;
  /** Whether the channel was named, so that not being able to read it is a failure. */
  isNamed: (channel: KnownChannel) => boolean;
  join: boolean;
}

/**
 * Chooses what to read and in which order: the channel with the latest known activity first, but before all others the
 * ones that the previous run did not get to, or a small budget would read the same few channels for ever. Of the channels
 * that Slack does not list only those that were read before are known. `total` counts the selected channels, those the
 * token cannot read included.
 */
export async function planChannels(
  context: SyncContext,
  choice: ChannelChoice,
  channels: readonly KnownChannel[],
): Promise<{ planned: PlannedChannel[]; total: number }> {
  const states = new Map(
    (await context.store.positions.listStates(context.teamId)).map((state) => [state.channel_id, state]),
  );
  const known = channels.filter(({ isListed, channel_id }) => isListed || states.has(channel_id));
  const selected = known.filter(choice.isSelected);
  const quiet = await findQuiet(context, selected, states);
  const planned: PlannedChannel[] = [];
  for (const channel of selected) {
    const { channel_id: channelId, name } = channel;
    const state = states.get(channelId);
    const entry = { channelId, name: name ?? channelId, channel, state, isQuiet: quiet.has(channelId) };
    if (await isReadable(context, choice, entry)) planned.push(entry);
  }
  const previousRun = await context.store.runs.findLastStart(context.teamId, 'ingest');
  planned.sort((a, b) => missedBefore(a, b, previousRun) || lastActivity(b) - lastActivity(a));
  return { planned, total: selected.length };
}

/** A bot reads what it is a member of, a user every public channel besides. */
export function canRead({ is_member, kind }: Pick<KnownChannel, 'is_member' | 'kind'>, isBot: boolean): boolean {
  return is_member !== false || (!isBot && kind === 'public');
}

/**
 * That a channel was checked since it was archived does not say that it was read to its end: a run may have been killed
 * after its first page. The message that tells of the archiving is the last one there can be, so once the checkpoint
 * stands at it nothing follows. Without it (an import, a rule that discards it) the channel goes on costing its one call.
 */
async function findQuiet(
  context: SyncContext,
  channels: readonly KnownChannel[],
  states: ReadonlyMap<string, IngestionStateRow>,
): Promise<Set<string>> {
  const checked = channels.filter(({ channel_id, is_archived, isListed, updatedAt }) => {
    const state = states.get(channel_id);
    if (!is_archived || !isListed || state === undefined || state.last_error !== null) return false;
    return state.last_checked_at !== null && updatedAt < state.last_checked_at;
  });
  if (checked.length === 0) return new Set();
  const ids = checked.map(({ channel_id }) => channel_id);
  return context.store.directory.findReadToArchiving(context.teamId, ids);
}

/**
 * A bot reads what it is a member of. A channel it never joined is skipped; one that was named, or read before, is
 * tried, so that losing access shows as a failure.
 */
async function isReadable(
  context: SyncContext,
  choice: ChannelChoice,
  { channel, state, name }: PlannedChannel,
): Promise<boolean> {
  if (canRead(channel, choice.isBot)) return true;
  if (choice.join && channel.isListed && channel.kind === 'public' && !channel.is_archived) {
    try {
      await context.slack.join(channel.channel_id);
      return true;
    } catch (error) {
      failUnit(context, error, { channelId: channel.channel_id, channel: name });
      return false;
    }
  }
  return choice.isNamed(channel) || state !== undefined;
}

/** Puts channels that were not checked since the previous run began before the others, the longest unchecked first. */
function missedBefore(a: PlannedChannel, b: PlannedChannel, previousRun: IsoTime | null): number {
  const missedSince = ({ state, isQuiet }: PlannedChannel) => {
    const checkedAt = state?.last_checked_at ?? '';
    return !isQuiet && previousRun !== null && checkedAt < previousRun ? checkedAt : 'not missed';
  };
  return compareText(missedSince(a), missedSince(b));
}

/** Times in ISO form begin with a digit, so they come before any word, and nothing comes before the empty text. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Microseconds. Of a channel not read yet Slack tells only when its settings changed, in milliseconds. */
function lastActivity({ state, channel }: PlannedChannel): number {
  if (state?.last_ts) return tsToMicros(state.last_ts);
  const updated = /"updated":(\d{13})\b/.exec(channel.raw.text)?.[1];
  return updated === undefined ? 0 : Number(updated) * 1000;
}

/** Not a failure, but nobody wants it to go unnoticed. */
export function noteNothingToRead(context: SyncContext, { total, skipped }: { total: number; skipped: number }): void {
  const message =
    total === 0
      ? 'There is nothing to read: no channel that the token can see is selected.'
      : `There is nothing to read: the app is in none of the ${skipped} selected channels. Invite it (/invite @app), or run with --join.`;
  context.emit({ type: 'notice', message });
}
