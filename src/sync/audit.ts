/**
 * Audits: what was read before is read again in turn, because Slack tells of edits, reactions and deletions to nobody who
 * does not look. What was not looked at for longest comes first; a run spends a small, fixed share on it, so that its
 * cost does not grow with the history, and any change anywhere is found within a number of runs that can be told.
 */
import type { IsoTime } from '../model.ts';
import { microsToTs, tsToMicros } from '../ts.ts';
import type { PlannedChannel } from './channel-plan.ts';
import type { ChannelPosition } from './channel-position.ts';
import { pageRoom, type SyncContext } from './context.ts';
import { readWindow, type WindowResult } from './history.ts';
import type { Window } from './interval.ts';
import { homeOf } from './sender.ts';

/** A channel that was read in this run. */
export interface OpenChannel {
  entry: PlannedChannel;
  position: ChannelPosition;
  /** From here up (microseconds) this run has read everything again, since `began`. */
  rereadFrom: number;
  began: IsoTime;
}

/** A history that was read to its end is left alone for so many runs, unless reading it again costs no call. */
export const runsBetween = 3;

/**
 * Messages that a run may read again at no call, for each call it may spend on audits: they cost time instead, about as
 * much as it takes to wait for the call's turn.
 */
export const messagesPerCall = 300;

/** Objects in a page where Slack restricts the app. */
const slowPage = 15;

/** Calls that a run spends on audits: where every call takes a minute, new messages and changed threads need nearly all. */
export function auditBudget(pageSize: number, wanted: number): number {
  return pageSize <= slowPage ? Math.min(1, wanted) : wanted;
}

/**
 * Chooses the channels to be read again as a whole where one page holds them, which costs no call: those that were not
 * looked at for longest, as many as the budget of messages allows. `counts` has the stored rows by channel id.
 */
export function chooseWholeAgain(
  planned: readonly PlannedChannel[],
  counts: ReadonlyMap<string, number>,
  { requests, room }: { requests: number; room: number },
): Set<string> {
  let messages = requests * messagesPerCall;
  // Where the last reading failed there is something else to do.
  const known = planned.filter(({ state, isQuiet }) => state !== undefined && state.last_error === null && !isQuiet);
  known.sort((a, b) => compareAudits(a.state?.audited_at ?? null, b.state?.audited_at ?? null));
  const chosen = new Set<string>();
  for (const { channelId } of known) {
    if (messages <= 0) break;
    messages -= Math.min(counts.get(channelId) ?? 0, room);
    chosen.add(channelId);
  }
  return chosen;
}

/** Notes what the ordinary reading of a channel audited by the way. */
export async function recordReread(context: SyncContext, channel: OpenChannel): Promise<void> {
  const { position, rereadFrom, began } = channel;
  if (position.isAllFrom(rereadFrom)) await record(context, channel, rereadFrom, began);
}

/**
 * Reads old history again, the channel with the oldest audit first, until `requests` calls are spent. `read` isolates one
 * window's failure from the others.
 */
export async function auditHistories(
  context: SyncContext,
  opened: readonly OpenChannel[],
  requests: number,
  read: (entry: PlannedChannel, work: () => Promise<WindowResult[]>) => Promise<boolean>,
): Promise<void> {
  let left = requests;
  for (const channel of dueForAudit(context, opened)) {
    for (;;) {
      const window = await nextWindow(context, channel, reachedBy(channel));
      if (window === null) break;
      if (left <= 0) return;
      const isRead = await read(channel.entry, async () => {
        const result = await auditWindow(context, channel, window);
        left -= result.pages;
        return [result];
      });
      if (!isRead || channel.position.audit.underWay === null) break;
    }
  }
}

/**
 * How many calls `auditHistories` is going to make for channels of which this run is going to read everything from
 * `rereadFrom` up; each window takes one.
 */
export async function countAudits(
  context: SyncContext,
  opened: readonly OpenChannel[],
  requests: number,
): Promise<number> {
  let calls = 0;
  const left = opened.filter(({ position, rereadFrom }) => !position.isAllFrom(rereadFrom));
  for (const channel of dueForAudit(context, left)) {
    for (let reached = reachedBy(channel); calls < requests; calls += 1) {
      const window = await nextWindow(context, channel, reached);
      if (window === null) break;
      reached = window.oldest + 1;
    }
  }
  return calls;
}

function dueForAudit({ runNumber }: SyncContext, opened: readonly OpenChannel[]): OpenChannel[] {
  const due = opened.filter(({ position: { audit } }) => {
    return audit.underWay !== null || audit.auditedRun === null || audit.auditedRun + runsBetween <= runNumber;
  });
  return due.sort((a, b) => compareAudits(a.position.audit.auditedAt, b.position.audit.auditedAt));
}

/** From here up the audit under way has read everything. */
function reachedBy({ position, rereadFrom }: OpenChannel): number {
  return Math.min(position.audit.underWay?.from ?? rereadFrom, rereadFrom);
}

/** The next page's worth of an audit, latest first; null when nothing is left. */
async function nextWindow(
  context: SyncContext,
  { entry, position }: OpenChannel,
  reached: number,
): Promise<{ oldest: number; latest: number } | null> {
  const covered = position.coveredBefore(reached);
  if (covered === null) return null;
  const latest = covered.to + 1;
  const { store, teamId } = context;
  const nth = await store.messages.findNthShown(teamId, entry.channelId, microsToTs(latest), pageRoom(context));
  const from = Math.max(covered.from, nth === undefined ? 0 : tsToMicros(nth));
  return { oldest: from - 1, latest };
}

async function auditWindow(
  context: SyncContext,
  channel: OpenChannel,
  window: Window & { latest: number },
): Promise<WindowResult> {
  const { entry, position } = channel;
  const began = position.audit.underWay?.began ?? channel.began;
  const result = await readWindow(context, entry, position, window);
  context.audits.windows += 1;
  // Where everything is hidden or expired there is nothing older to look at either. That it still is has been seen.
  const isHidden = result.messages === 0 && (result.isLimited || (await isPast(context, channel, window.latest)));
  await record(context, channel, isHidden ? 0 : window.oldest + 1, began);
  return result;
}

/** Whether whatever is older is hidden or expired. What other organisations wrote in a shared channel does not go with ours. */
async function isPast(
  { store, teamId }: SyncContext,
  { entry, position }: OpenChannel,
  latest: number,
): Promise<boolean> {
  if (latest <= position.hiddenBefore) return true;
  return latest <= position.visibleFrom && !(await homeOf(store, teamId, entry.channelId)).isShared;
}

async function record(context: SyncContext, { position }: OpenChannel, from: number, began: IsoTime): Promise<void> {
  const run = context.runNumber;
  let adopt = (): void => undefined;
  await context.store.transaction(async (store) => {
    adopt = await position.recordAudit(store, { from, began, run });
  });
  adopt();
}

/** Never comes before any time. */
function compareAudits(a: IsoTime | null, b: IsoTime | null): number {
  const [first, second] = [a ?? '', b ?? ''];
  return first < second ? -1 : first > second ? 1 : 0;
}
