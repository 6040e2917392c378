/** Whether the replies of every thread are there, as far as the database knows how many there should be. */
import type { DoubtfulThread } from '../db/repositories/integrity.ts';
import { claimedReplies } from '../sync/thread-news.ts';
import { type Gap, gapIn } from './gap.ts';
import type { Findings, Ledger, Suspect, UnshownReplies, VerifiedChannel } from './ledger.ts';

/** The replies that are stored against the ledger, the root and each other. */
export async function checkThreads({ store, teamId, channels, threads, discards }: Ledger): Promise<Findings> {
  const gaps: Gap[] = [];
  const suspects: Suspect[] = [];
  for (const thread of await store.integrity.listDoubtfulThreads(teamId)) {
    const channel = channels.get(thread.channel_id);
    if (channel === undefined) continue;
    if (thread.is_pending) {
      if (threads) gaps.push(pending(channel, thread));
      continue;
    }
    const found = doubts(channel, thread, discards);
    gaps.push(...found);
    // Roots lie, and then a thread that was read to the end is right; only Slack can tell.
    if (found.length === 0) suspects.push({ channelId: channel.channelId, threadTs: thread.thread_ts });
  }
  for (const { channel_id, ts, reply_count, latest_reply } of await store.integrity.listUnknownThreads(teamId)) {
    const channel = channels.get(channel_id);
    if (channel === undefined) continue;
    gaps.push(
      gapIn(channel, {
        kind: 'unknown_thread',
        ts,
        message: `The message tells of ${reply_count} replies, which were never queued to be read.`,
        remedy: { newThreads: [{ ts, claim: claimOf({ reply_count, latest_reply }) }] },
      }),
    );
  }
  return { gaps, suspects };
}

/** What Slack says of threads and did not show when they were last read. */
export async function findUnshown({ store, teamId, channels }: Ledger): Promise<UnshownReplies[]> {
  return (await store.positions.listUnshownThreads(teamId)).flatMap(
    ({ channel_id, thread_ts, claim, shown_replies }) => {
      const channel = channels.get(channel_id);
      if (channel === undefined) return [];
      const { channelId, name } = channel;
      return [{ channelId, name, ts: thread_ts, says: claimedReplies(claim), shows: shown_replies }];
    },
  );
}

function pending(channel: VerifiedChannel, { thread_ts: ts, last_error }: DoubtfulThread): Gap {
  const why = last_error === null ? '' : ` The last try failed: ${last_error}`;
  return gapIn(channel, { kind: 'thread_pending', ts, message: `The replies are still to be read.${why}` });
}

function doubts(channel: VerifiedChannel, thread: DoubtfulThread, discards: boolean): Gap[] {
  const { thread_ts: ts, live, live_replies: known, reply_count: told, claim, last_error } = thread;
  const remedy = { threads: [ts] };
  // Settled because Slack shows no such thread.
  if (last_error !== null) return [];
  if (known !== null && live < known) {
    const message = `${live} of the ${known} replies that were read are stored and not marked deleted.`;
    return [gapIn(channel, { kind: 'missing_replies', ts, message, remedy })];
  }
  if (known !== null && live > known) {
    const message = `${live} replies are stored and not marked deleted; when all were read there were ${known}.`;
    return [gapIn(channel, { kind: 'surplus_replies', ts, message, remedy })];
  }
  if (told === null) return [];
  if (claimOf(thread) !== claim) {
    const message = `The root tells "${claimOf(thread)}" of its replies; they were read for "${claim}".`;
    return [gapIn(channel, { kind: 'reply_count', ts, message, remedy: { ...remedy, rows: [ts] } })];
  }
  if (known === null && told !== live && !discards) {
    const message = `The root tells of ${told} replies, ${live} are stored, and nothing says that all were read.`;
    return [gapIn(channel, { kind: 'unproven_replies', ts, message, remedy })];
  }
  return [];
}

/** As the ledger writes what a root says of its replies. */
function claimOf({ reply_count, latest_reply }: { reply_count: number | null; latest_reply: string | null }): string {
  return `${reply_count ?? 0} ${latest_reply ?? '-'}`;
}
