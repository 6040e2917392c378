/** What `ingest --plan` tells: calls per method, the time they take, and what more or less freshness would cost. Pure. */
import { type LimitsInForce, timeNeeded, timeOfMethod } from '../slack/time-needed.ts';
import { type AuditBudget, type AuditLoad, auditCost, auditCycle } from '../sync/audit-cycle.ts';
import type { RequestPlan } from '../sync/request-plan.ts';
import { planWithin } from './plan-budget.ts';

export interface PlanReport {
  /** By method, none left out that is called. */
  requests: Record<string, number>;
  total: number;
  /** Calls that a budget of requests leaves to later runs. */
  later: number;
  seconds: number;
  /** Of each method by itself. */
  seconds_by_method: Record<string, number>;
  /** Channels never read and holes hold nobody knows how many messages. */
  is_lower_bound: boolean;
  channels: { total: number; never_read: number };
  /** Known to be read anew: changed threads, ranges never read. */
  threads: number;
  holes: number;
  audits: { history: number; replies: number };
  runs_per_day: number;
  /** No run tells how often there is one; hourly runs are assumed. */
  is_rate_assumed: boolean;
  freshness: FreshnessLevel[];
}

/** What each run costs when everything stored is read again within so many days. */
export interface FreshnessLevel {
  /** Null: the present setting. */
  every_days: number | null;
  every_runs: number | null;
  threads_every_runs: number | null;
  /** The setting that gives it. */
  audit_requests: number;
  requests_per_run: number;
  /** Of these, the audits. */
  extra_requests: number;
  /** How much longer than without audits a run takes. */
  extra_seconds: number;
}

export interface PlanFacts {
  plan: RequestPlan;
  /** Pages of conversations.list, counted while planning. */
  listPages: number;
  load: AuditLoad;
  budget: AuditBudget;
  /** Null without limit. */
  maxRequests: number | null;
  /** Null when no run tells. */
  runsPerDay: number | null;
  limits: LimitsInForce;
}

const assumedRunsPerDay = 24;
const levelDays = [1, 3, 7, 30];

export function planReport(facts: PlanFacts): PlanReport {
  const { limits, maxRequests } = facts;
  const all = wholeOf(facts);
  const plan = maxRequests === null ? facts.plan : planWithin(facts.plan, maxRequests - spentBefore(facts));
  const requests = wholeOf({ ...facts, plan });
  return {
    requests,
    total: sum(requests),
    later: sum(all) - sum(requests),
    seconds: Math.ceil(timeNeeded(requests, limits, { inTurn: maxRequests !== null }) / 1000),
    seconds_by_method: Object.fromEntries(
      Object.entries(requests).map(([method, calls]) => [
        method,
        Math.ceil(timeOfMethod(method, calls, limits) / 1000),
      ]),
    ),
    is_lower_bound: plan.neverRead > 0 || plan.holes > 0,
    channels: { total: plan.channels, never_read: plan.neverRead },
    threads: plan.replies.pending,
    holes: plan.history.holes === 0 ? 0 : plan.holes,
    audits: { history: plan.history.audits, replies: plan.replies.audits },
    runs_per_day: facts.runsPerDay ?? assumedRunsPerDay,
    is_rate_assumed: facts.runsPerDay === null,
    freshness: [...levelDays.map((days) => levelOf(facts, days)), presentLevel(facts)],
  };
}

/** Calls that come before everything a plan tells of. */
function spentBefore({ listPages }: PlanFacts): number {
  return 1 + listPages;
}

function wholeOf(facts: PlanFacts): Record<string, number> {
  return requestsOf(facts, facts.plan.history.audits, facts.plan.replies.audits);
}

function requestsOf(
  { plan, listPages }: PlanFacts,
  historyAudits: number,
  replyAudits: number,
): Record<string, number> {
  const all = {
    'auth.test': 1,
    'conversations.list': listPages,
    'conversations.join': plan.joins,
    'conversations.history': plan.history.recent + plan.history.holes + historyAudits,
    'conversations.replies': plan.replies.pending + replyAudits,
    'users.list': plan.users.list,
    'users.info': plan.users.info,
  };
  return Object.fromEntries(Object.entries(all).filter(([, calls]) => calls > 0));
}

function levelOf(facts: PlanFacts, days: number): FreshnessLevel {
  const { load, budget, runsPerDay } = facts;
  const runs = Math.max(1, Math.floor(days * (runsPerDay ?? assumedRunsPerDay)));
  const { history, replies, requests } = auditCost(load, budget.room, runs);
  return { every_days: days, ...cycleWith(facts, requests), ...costOf(facts, history, replies) };
}

/** In the long run, not only in the next one. */
function presentLevel(facts: PlanFacts): FreshnessLevel {
  const { load, budget } = facts;
  const { histories, threads } = auditCycle(load, budget);
  const history = histories === null ? 0 : Math.min(budget.requests, auditCost(load, budget.room, histories).history);
  const replies = threads === null ? 0 : Math.min(budget.requests, auditCost(load, budget.room, threads).replies);
  return { every_days: null, ...cycleWith(facts, budget.requests), ...costOf(facts, history, replies) };
}

function cycleWith(
  { load, budget }: PlanFacts,
  requests: number,
): Pick<FreshnessLevel, 'audit_requests' | 'every_runs' | 'threads_every_runs'> {
  const cycle = auditCycle(load, { ...budget, requests });
  return { audit_requests: requests, every_runs: cycle.histories, threads_every_runs: cycle.threads };
}

function costOf(
  facts: PlanFacts,
  history: number,
  replies: number,
): Pick<FreshnessLevel, 'requests_per_run' | 'extra_requests' | 'extra_seconds'> {
  const without = requestsOf(facts, 0, 0);
  const requests = requestsOf(facts, history, replies);
  return {
    requests_per_run: sum(requests),
    extra_requests: history + replies,
    extra_seconds: secondsOf(requests, facts.limits) - secondsOf(without, facts.limits),
  };
}

function secondsOf(calls: Record<string, number>, limits: LimitsInForce): number {
  return Math.ceil(timeNeeded(calls, limits) / 1000);
}

function sum(calls: Record<string, number>): number {
  return Object.values(calls).reduce((total, n) => total + n, 0);
}
