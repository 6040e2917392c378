/**
 * THE invariant: rows, and the checkpoint or coverage that vouches for them, commit in one transaction or not at all.
 * Every message from Slack's API comes in through here; what exports bring takes the same way from `writeMessages` on.
 */

import type { Store, TransactionStore } from '../db/repositories/index.ts';
import type { ThreadRow } from '../db/schema.ts';
import { RefusedContentError } from '../errors.ts';
import type { Malformed, Ts } from '../model.ts';
import type { NormalizedMessage } from '../normalize/message.ts';
import { type AbsentMessage, recordAbsence } from './absence.ts';
import type { MessageCounts } from './counts.ts';
import { type DiscardRule, matchingRule } from './discard.ts';
import { renamedFrom } from './former-names.ts';
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
  /** Messages that the database refuses, though it takes the others. */
  refused: Malformed[];
}

export interface PageContent {
  messages: readonly NormalizedMessage[];
  /** Outlines of messages that cannot be stored: what they tell of threads counts all the same. */
  setApart?: readonly NormalizedMessage[];
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
 * the same page again changes no row. Messages may come in any order; of two with one ts the later counts. One that the
 * database refuses costs itself and not the page, or its channel could never be read again.
 */
export async function savePage(
  context: PageContext,
  channelId: string,
  content: PageContent,
  seen: Observation,
  vouch: Vouch,
): Promise<SavedPage> {
  try {
    return await saveOnce(context, channelId, content, seen, vouch);
  } catch (error) {
    if (!(error instanceof RefusedContentError)) throw error;
    const refused = await findRefused(context, channelId, content.messages, seen);
    if (refused.size === 0) throw error;
    const [taken, setApart] = [false, true].map((is) => content.messages.filter(({ ts }) => refused.has(ts) === is));
    const rest = { ...content, messages: taken ?? [], setApart: [...(content.setApart ?? []), ...(setApart ?? [])] };
    const saved = await saveOnce(context, channelId, rest, seen, vouch);
    const reasons = [...refused].map(([ts, why]) => ({ position: null, reason: `(ts ${ts}) is refused: ${why}` }));
    return { ...saved, refused: reasons };
  }
}

/** Ends a transaction that only was to show whether the database takes what is in it. */
class Undone extends Error {}

/** Which messages the database does not take, and why: tried in halves, and in halves of what is refused. */
async function findRefused(
  context: PageContext,
  channelId: string,
  messages: readonly NormalizedMessage[],
  seen: Observation,
): Promise<ReadonlyMap<Ts, string>> {
  const [first, second] = messages;
  if (first === undefined) return new Map();
  try {
    await context.store.transaction(async (store) => {
      await writeMessages(store, context.teamId, channelId, messages, seen);
      throw new Undone();
    });
  } catch (error) {
    if (error instanceof Undone) return new Map();
    if (!(error instanceof RefusedContentError)) throw error;
    if (second === undefined) return new Map([[first.ts, error.message]]);
  }
  const middle = Math.ceil(messages.length / 2);
  const older = await findRefused(context, channelId, messages.slice(0, middle), seen);
  return new Map([...older, ...(await findRefused(context, channelId, messages.slice(middle), seen))]);
}

async function saveOnce(
  context: PageContext,
  channelId: string,
  { messages, setApart = [], absent = [], absentReplies = [] }: PageContent,
  seen: Observation,
  vouch: Vouch,
): Promise<SavedPage> {
  const { teamId } = context;
  const kept = keepMessages(context, messages);
  const authors = unknownAuthors(context, kept.messages);
  const saved = await context.store.transaction(async (store) => {
    const { counts, changes } = await writeMessages(store, teamId, channelId, kept.messages, seen);
    const readBefore = storedBefore(kept.messages, changes);
    const renamed = renamedFrom(kept.messages, { teamId, channelId }, seen.at);
    if (renamed.length > 0) await store.directory.addAliases(renamed);
    const told = { messages: [...messages, ...setApart], formerRoots: formerRoots(changes) };
    const news = await recordThreadNews(store, teamId, channelId, told, readBefore);
    const gone = await recordAbsence(store, teamId, channelId, { absent, absentReplies }, seen.at);
    if (authors.length > 0) await store.directory.addUserPlaceholders(teamId, authors, seen.at);
    const allChanges = [...changes, ...gone.changes];
    await vouch(store, news.threads, allChanges);
    counts.deleted += gone.changes.length;
    return { counts, changes: allChanges, newlyPending: news.newlyPending + gone.newlyPending, refused: [] };
  });
  for (const author of authors) context.knownUsers.add(author);
  for (const [label, n] of kept.discarded) context.discarded.set(label, (context.discarded.get(label) ?? 0) + n);
  saved.counts.discarded = messages.length - kept.duplicates - kept.messages.length;
  saved.counts.seen = messages.length - kept.duplicates;
  return saved;
}

/** Roots that came without a word of their thread: with the last reply Slack may take the counters and `thread_ts` away. */
function formerRoots(changes: readonly MessageChange[]): Ts[] {
  return changes.flatMap(({ ts, read, was }) =>
    read !== null && read.thread_ts === null && was?.thread_ts === ts ? [ts] : [],
  );
}

/** Those of the messages that Slack's API had shown before, and not only an export. */
function storedBefore(messages: readonly NormalizedMessage[], changes: readonly MessageChange[]): Set<Ts> {
  const known = new Set(messages.map(({ ts }) => ts));
  for (const { ts, was } of changes) if (was === null || was.source === 'import') known.delete(ts);
  return known;
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
