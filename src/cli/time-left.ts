/** Tells now and then, while channels are read, how long what is known to be left takes at the pace in force. */
import { type LimitsInForce, timeNeeded } from '../slack/time-needed.ts';
import type { SyncContext } from '../sync/context.ts';
import type { ReadProgress } from '../sync/read-channels.ts';
import { measureRemaining } from '../sync/remaining.ts';

/** A person looks at the line so often at most; a short run never pays for it. */
const intervalMs = 3_000;
/** Measuring asks the database, and may take one part in so many of the run. */
const share = 20;

/**
 * Listens to what `sync` emits, and adds `time_left` to it. The returned function waits until nothing is measured any more; after
 * it nothing is told.
 */
export function tellTimeLeft(
  sync: SyncContext,
  progress: ReadProgress,
  limits: () => LimitsInForce,
): () => Promise<void> {
  const { emit, now } = sync;
  let nextAt = now() + intervalMs;
  let measuring: Promise<void> | null = null;
  let isOver = false;

  async function measure(): Promise<void> {
    const began = now();
    const { calls } = await measureRemaining(sync, progress, { isHasty: false });
    nextAt = now() + Math.max(intervalMs, share * (now() - began));
    measuring = null;
    if (!isOver) emit({ type: 'time_left', ms: timeNeeded(calls, limits()) });
  }
  sync.emit = (event) => {
    emit(event);
    if (event.type !== 'progress' || measuring !== null || isOver || now() < nextAt) return;
    // The run itself meets whatever is wrong with the database, and says so.
    measuring = measure().catch(() => {
      isOver = true;
    });
  };
  return async () => {
    isOver = true;
    await measuring;
  };
}
