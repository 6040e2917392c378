/** What a run that ended early leaves for the next one. */
import type { SyncContext } from './context.ts';
import type { ReadProgress } from './read-channels.ts';
import { pagesInHoles } from './request-plan.ts';

export interface Remaining {
  /** Still to be read in this run's sense; null when the run ended before it knew the channels. */
  channels: number | null;
  threads: number;
  /** Ranges of old history. */
  holes: number;
  /** Calls by method: at least one for each. */
  calls: Record<'conversations.history' | 'conversations.replies', number>;
}

/** `isHasty`: the process is told to end, so the database is not asked how large a hole may be. */
export async function measureRemaining(
  context: SyncContext,
  progress: ReadProgress,
  { isHasty }: { isHasty: boolean },
): Promise<Remaining> {
  const threads = context.threads.found - context.threads.read;
  const withHoles = progress.opened.flatMap(({ entry, position }) => {
    const holes = progress.holes(position);
    return holes.length === 0 ? [] : [{ entry, position, holes }];
  });
  const holes = withHoles.reduce((sum, channel) => sum + channel.holes.length, 0);
  const unread = withoutHoles(
    progress.unread,
    withHoles.map(({ entry }) => entry.channelId),
  ).length;
  let pages = 0;
  for (const { entry, position, holes } of withHoles) {
    pages += isHasty ? holes.length : await pagesInHoles(context, entry, position, holes);
  }
  return {
    channels: progress.channels.total === 0 ? null : progress.unread.size,
    threads,
    holes,
    calls: { 'conversations.history': unread + pages, 'conversations.replies': threads },
  };
}

/** A channel that is left because of its holes costs what they cost. */
function withoutHoles(unread: ReadonlySet<string>, holed: readonly string[]): string[] {
  return [...unread].filter((channelId) => !holed.includes(channelId));
}
