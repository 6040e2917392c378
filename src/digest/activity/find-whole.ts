import type { WholeMessage } from '../../db/repositories/activity.ts';
import type { Store } from '../../db/repositories/index.ts';
import type { Ts } from '../../model.ts';

/** Whole messages of several channels, by `channel_id ts`. */
export async function findWhole(
  store: Store,
  teamId: string,
  keys: readonly { channel_id: string; ts: Ts }[],
): Promise<Map<string, WholeMessage>> {
  const byChannel = new Map<string, Ts[]>();
  for (const { channel_id, ts } of keys) {
    const known = byChannel.get(channel_id);
    if (known === undefined) byChannel.set(channel_id, [ts]);
    else known.push(ts);
  }
  const found = new Map<string, WholeMessage>();
  for (const [channelId, ts] of byChannel) {
    for (const row of await store.activity.findWhole(teamId, channelId, ts)) found.set(`${channelId} ${row.ts}`, row);
  }
  return found;
}
