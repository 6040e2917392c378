/** In how many runs everything that is stored has been read again. Pure arithmetic on counts; audit.ts does the reading. */
import { messagesPerCall, runsBetween } from './audit.ts';
import { firstInterval, longestInterval } from './thread-schedule.ts';

/** What there is to read again. */
export interface AuditLoad {
  /** Of each channel: all rows, the messages that its history shows, and whether it is not read otherwise. */
  channels: readonly { rows: number; shown: number; isQuiet: boolean }[];
  threads: number;
  /** Those of the threads that changed not long ago and are read again more often. */
  lively: number;
}

export interface AuditBudget {
  /** Calls a run may spend on histories, and as many on threads. */
  requests: number;
  /** Messages that one call reads again. */
  room: number;
}

/** In runs, at least 1; null when the budget is 0, so that it never happens. */
export interface AuditCycle {
  histories: number | null;
  threads: number | null;
}

/** Calls that one reading of all old history takes. Where one page holds a channel it is read again by the way, at no call. */
export function pagesToAudit({ channels }: AuditLoad, room: number): number {
  const paid = channels.filter(({ shown, isQuiet }) => shown > room || isQuiet);
  return sum(paid.map(({ shown }) => Math.max(1, Math.ceil(shown / room))));
}

/** After how many runs everything was read again, so that any change to it is found. */
export function auditCycle(load: AuditLoad, budget: AuditBudget): AuditCycle {
  if (budget.requests === 0) return { histories: null, threads: null };
  return { histories: historyCycle(load, budget), threads: threadCycle(load, budget) };
}

function historyCycle(load: AuditLoad, { requests, room }: AuditBudget): number {
  const pages = pagesToAudit(load, room);
  const ofLarge = pages === 0 ? 0 : Math.max(runsBetween, Math.ceil(pages / requests));
  return Math.max(1, ofLarge, Math.ceil(messagesByTheWay(load, room) / (requests * messagesPerCall)));
}

/** Lively threads may take up to half of the budget; the others share the rest. */
function threadCycle({ threads, lively }: AuditLoad, { requests }: AuditBudget): number {
  if (threads === 0) return 1;
  const forLively = Math.min(Math.ceil(requests / 2), Math.ceil(lively / firstInterval));
  const forOthers = Math.max(1, requests - forLively);
  return Math.max(longestInterval, Math.ceil((threads - lively) / forOthers), Math.ceil(lively / requests));
}

/** What must be read again by the way until every small channel had its turn: large ones take their turns too. */
function messagesByTheWay({ channels }: AuditLoad, room: number): number {
  if (channels.every(({ shown, isQuiet }) => shown > room || isQuiet)) return 0;
  return sum(channels.map(({ rows, isQuiet }) => (isQuiet ? 0 : Math.min(rows, room))));
}

/** What it costs each run when everything is read again within so many runs. */
export interface AuditCost {
  history: number;
  replies: number;
  /** The budget that allows it: the larger of both, or what small channels need. */
  requests: number;
}

/** Threads come round after `longestInterval` runs at the earliest, whatever the budget. */
export function auditCost(load: AuditLoad, room: number, runs: number): AuditCost {
  const history = Math.ceil(pagesToAudit(load, room) / Math.max(runs, runsBetween));
  const replies = Math.ceil(load.threads / Math.max(runs, longestInterval));
  const byTheWay = Math.ceil(messagesByTheWay(load, room) / (runs * messagesPerCall));
  return { history, replies, requests: Math.max(history, replies, byTheWay) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
