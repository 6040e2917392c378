/** What there is to audit, at which budget and how often a run does so: from the database, for `status` and `ingest --plan`. */
import type { Store } from '../db/repositories/index.ts';
import type { ChannelFacts, MessageCount, ThreadCount } from '../db/repositories/overview.ts';
import type { IsoTime, PaceState } from '../model.ts';
import { pageSize } from '../slack/methods.ts';
import { auditBudget } from '../sync/audit.ts';
import type { AuditBudget, AuditLoad } from '../sync/audit-cycle.ts';
import { roomIn } from '../sync/context.ts';
import { millisToIso } from '../ts.ts';

const dayMs = 86_400_000;
const frequencyDays = 7;

/** How `ingest` ran in the last days. */
export interface Frequency {
  runs: number;
  first: IsoTime | null;
  /** Null while nobody can tell: one run is no rate, nor are several of the same day. */
  perDay: number | null;
}

export async function frequencyOf(store: Store, teamId: string, now: number): Promise<Frequency> {
  const since = millisToIso(now - frequencyDays * dayMs);
  const { runs, first } = await store.overview.countRuns(teamId, 'ingest', since);
  const days = first === null ? 0 : (now - Date.parse(first)) / dayMs;
  return { runs, first, perDay: runs < 2 || days < 1 ? null : runs / days };
}

/**
 * What audits have to read again. Archived channels are taken for read to their end; those that Slack never listed and only
 * an export told of are read by nobody.
 */
export function auditLoad(
  channels: readonly ChannelFacts[],
  messages: readonly MessageCount[],
  threads: readonly ThreadCount[],
): AuditLoad {
  const archived = new Set(channels.filter(({ is_archived }) => is_archived).map(({ channel_id }) => channel_id));
  const unseen = new Set(
    channels.filter(({ exported_at }) => exported_at !== null).map(({ channel_id }) => channel_id),
  );
  const seen = <Count extends { channel_id: string }>(counts: readonly Count[]) =>
    counts.filter(({ channel_id }) => !unseen.has(channel_id));
  return {
    channels: seen(messages).map((count) => ({
      rows: count.messages,
      shown: count.messages - count.replies,
      isQuiet: archived.has(count.channel_id),
    })),
    threads: seen(threads).reduce((sum, count) => sum + count.threads, 0),
    lively: seen(threads).reduce((sum, count) => sum + count.lively, 0),
  };
}

/** Slack's restriction makes pages small and calls dear. */
export function auditBudgetNow(auditRequests: number, pace: readonly PaceState[]): AuditBudget {
  const isRestricted = pace.some((state) => state.method === 'conversations.history' && state.isRestricted);
  const size = pageSize('conversations.history', isRestricted);
  return { requests: auditBudget(size, auditRequests), room: roomIn(size) };
}
