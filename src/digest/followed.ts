/**
 * Tells news from history that was read late: by a first copy, a backfill, an import, or after the app joined a channel. Slack's
 * own count of time decides, so neither our clock nor the order of runs can move it.
 */
import type { Store } from '../db/repositories/index.ts';
import type { Ts } from '../model.ts';
import { compareTs, isTs } from '../ts.ts';

/** Whether what happened in a channel at `ts`, and became known later, was written after the channel was first read. */
export type IsNews = (channelId: string, ts: string) => boolean;

export async function followedChannels(store: Store, teamId: string): Promise<IsNews> {
  const states = await store.positions.listStates(teamId);
  const from = new Map(states.map(({ channel_id, followed_from_ts }) => [channel_id, followed_from_ts]));
  return (channelId, ts) => isAfter(ts, from.get(channelId) ?? null);
}

/** `followedFrom` is what Slack had last when the place was first read; null when it never was. */
export function isAfter(ts: string, followedFrom: Ts | null): boolean {
  return followedFrom !== null && isTs(ts) && compareTs(ts, followedFrom) > 0;
}
