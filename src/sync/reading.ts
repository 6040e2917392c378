/** What every command that reads channels does before and after: list them, choose, count what is left. */
import type { Identity } from '../model.ts';
import type { KnownChannel } from './channel-identity.ts';
import { noteNothingToRead, type PlannedChannel, planChannels } from './channel-plan.ts';
import { type DirectoryCounts, syncChannels } from './channels.ts';
import type { SyncContext } from './context.ts';
import type { ChannelResult, ReadProgress } from './read-channels.ts';

export interface ReadingOptions {
  identity: Identity;
  /** Whether the user wants this channel. */
  isSelected: (channel: KnownChannel) => boolean;
  /** Whether the channel was named, so that not being able to read it is a failure. */
  isNamed: (channel: KnownChannel) => boolean;
  /** When the run began, in epoch milliseconds: all windows are measured from this one moment. */
  began: number;
  threads: boolean;
  /** Read one lane after the other, see `ReadOptions`. */
  inTurn: boolean;
  join: boolean;
  /** Nothing will be stored: what was found in this run cannot be read back for its next step. */
  dryRun: boolean;
}

export interface ReadingResult {
  channelResults: ChannelResult[];
  directory: DirectoryCounts;
  threadsPending: number;
}

export interface Reading {
  planned: PlannedChannel[];
  directory: DirectoryCounts;
}

/** Lists the channels and plans which to read, and tells so. */
export async function beginReading(
  context: SyncContext,
  options: ReadingOptions,
  progress: ReadProgress,
): Promise<Reading> {
  const { channels: known, counts: directory } = await syncChannels(context, options.identity);
  const choice = { ...options, isBot: options.identity.isBot, join: options.join && !options.dryRun };
  const { planned, total } = await planChannels(context, choice, known);
  progress.channels.total = total;
  progress.channels.skipped = total - planned.length;
  if (planned.length === 0) noteNothingToRead(context, progress.channels);
  context.threads.found = await countPending(context, planned);
  context.emit({ type: 'channels', total: planned.length, skipped: progress.channels.skipped });
  return { planned, directory };
}

export async function endReading(
  context: SyncContext,
  { planned, directory }: Reading,
  { dryRun }: ReadingOptions,
  progress: ReadProgress,
): Promise<ReadingResult> {
  noteUnshown(context);
  return {
    channelResults: [...progress.results.values()],
    directory,
    threadsPending: dryRun ? context.threads.found : await countPending(context, planned),
  };
}

/** A doubt, and no failure of ours: `status` and `verify` go on telling of it. */
function noteUnshown({ threads: { unshown }, emit }: SyncContext): void {
  if (unshown === 0) return;
  const of = unshown === 1 ? 'a thread' : `${unshown} threads`;
  const message = `Of ${of} Slack shows fewer replies than it says there are. They are looked at again in the next runs; "slackingest status" names them.`;
  emit({ type: 'notice', message });
}

function countPending({ store, teamId }: SyncContext, planned: readonly PlannedChannel[]): Promise<number> {
  return store.positions.countPendingThreads(
    teamId,
    planned.map(({ channelId }) => channelId),
  );
}
