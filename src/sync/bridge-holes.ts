/** Reads several holes at one go where that costs fewer calls than one by one. */
import { microsToTs } from '../ts.ts';
import type { PlannedChannel } from './channel-plan.ts';
import type { ChannelPosition } from './channel-position.ts';
import { pageRoom, type SyncContext } from './context.ts';
import type { Window } from './interval.ts';

/**
 * The same holes, latest first, with those made one window between which all is known and one page has room for it. An export has
 * no file for a day on which nobody wrote, so that in a quiet channel every other day is a hole, and each would cost a call.
 */
export async function bridgeHoles(
  context: SyncContext,
  { channelId }: Pick<PlannedChannel, 'channelId'>,
  position: Pick<ChannelPosition, 'covers'>,
  holes: readonly Window[],
): Promise<Window[]> {
  const room = pageRoom(context);
  const windows: Window[] = [];
  let free = room;
  for (const hole of holes) {
    const later = windows.at(-1);
    const range = later === undefined || hole.latest === null ? null : { from: hole.latest, to: later.oldest };
    const between =
      range === null || range.to < range.from || !position.covers(range)
        ? null
        : await context.store.messages.countShownUpTo(
            context.teamId,
            channelId,
            { from: microsToTs(range.from), to: microsToTs(range.to) },
            free,
          );
    if (later === undefined || between === null) {
      windows.push(hole);
      free = room;
    } else {
      windows[windows.length - 1] = { ...later, oldest: hole.oldest };
      free -= between;
    }
  }
  return windows;
}
