/**
 * THE invariant: rows, and the checkpoint or coverage that vouches for them, commit in one transaction or not at all.
 * Every message from Slack's API comes in through here; what exports bring takes the same way from `writeMessages` on.
 */

import type { Store, TransactionStore } from '../db/repositories/index.ts';
import type { ThreadRow } from '../db/schema.ts';
import type { Ts } from '../model.ts';
import type { NormalizedMessage } from '../normalize/message.ts';
import { type AbsentMessage, recordAbsence } from './absence.ts';
import type { MessageCounts } from './counts.ts';
import { type DiscardRule, matchingRule } from './discard.ts';
import type { Observation } from './merge.ts';
import { recordThreadNews } from './thread-news.ts';
import { type MessageChange, writeMessages } from './write-messages.ts';

export interface PageContext {
  store: Store;
  teamId: string;
  discardRules: readonly DiscardRule[];
  /** Messages dropped so far, by the rule's label. */
  discarded: Map<string, number>;
  /** Ids that have a row in `users`; grows as placeholders are committed. */
  knownUsers: Set<string>;
}

export interface SavedPage {
  counts: MessageCounts;
  /** Rows that are not as they were; unchanged and stale ones are left out. */
  changes: MessageChange[];
  /** Threads that this page made pending. */
  newlyPending: number;
}

export interface PageContent {
  messages: readonly NormalizedMessage[];
  /** Stored messages that Slack should have shown beside these and did not: see absence.ts. */
  absent?: readonly AbsentMessage[];
  /** Stored replies that are gone from their thread. */
  absentReplies?: readonly Ts[];
}

/** Records what a page completes, given the threads that it tells about as they stand now, and the rows it changed. */
export type Vouch = (
  store: TransactionStore,
  threads: ReadonlyMap<Ts, ThreadRow>,
  changes: readonly MessageChange[],
) => Promise<void>;

/**
 * Saves messages of one channel and lets `vouch` record, in the same transaction, what they complete. Idempotent: saving
 * the same page again changes no row. Messages may come in any order; of two with one ts the later counts.
 */
export async function savePage(
  context: PageContext,
  channelId: string,
  { messages, absent = [], absentReplies = [] }: PageContent,
  seen: Observation,
  vouch: Vouch,
): Promise<SavedPage> {
  const { teamId } = context;
  const kept = keepMessages(context, messages);
  const authors = unknownAuthors(context, kept.messages);
  const saved = await context.store.transaction(async (store) => {
    const { counts, changes } = await writeMessages(store, teamId, channelId, kept.messages, seen);
    const news = await recordThreadNews(store, teamId, channelId, messages);
    const gone = await recordAbsence(store, teamId, channelId, { absent, absentReplies }, seen.at);
    if (authors.length > 0) await store.directory.addUserPlaceholders(teamId, authors, seen.at);
    const allChanges = [...changes, ...gone.changes];
    await vouch(store, news.threads, allChanges);
    counts.deleted += gone.changes.length;
    return { counts, changes: allChanges, newlyPending: news.newlyPending + gone.newlyPending };
  });
  for (const author of authors) context.knownUsers.add(author);
  for (const [label, n] of kept.discarded) context.discarded.set(label, (context.discarded.get(label) ?? 0) + n);
  saved.counts.discarded = messages.length - kept.duplicates - kept.messages.length;
  saved.counts.seen = messages.length - kept.duplicates;
  return saved;
}

function keepMessages(context: PageContext, messages: readonly NormalizedMessage[]) {
  const discarded = new Map<string, number>();
  const byTs = new Map(messages.map((message) => [message.ts, message]));
  const kept = [...byTs.values()].filter((message) => {
    const rule = context.discardRules.length === 0 ? null : matchingRule(context.discardRules, message.message);
    if (rule !== null) discarded.set(rule.label, (discarded.get(rule.label) ?? 0) + 1);
    return rule === null;
  });
  return { messages: kept, discarded, duplicates: messages.length - byTs.size };
}

/** Authors without a row, whom Slack can be asked about: users (U, W), not the bots (B) that old messages have in their place. */
export function unknownAuthors(
  context: Pick<PageContext, 'knownUsers'>,
  messages: readonly Pick<NormalizedMessage, 'user_id'>[],
): string[] {
  const authors = new Set<string>();
  for (const { user_id: id } of messages) {
    if (id !== null && /^[UW]/.test(id) && !context.knownUsers.has(id)) authors.add(id);
  }
  return [...authors];
}
