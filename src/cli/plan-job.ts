/** `ingest --plan`: what the next run is going to ask of Slack, how long that takes, and what freshness costs. */
import type { SlackApiHandle } from '../slack/api-source.ts';
import type { SyncContext } from '../sync/context.ts';
import type { IngestOptions } from '../sync/ingest.ts';
import type { ReadProgress } from '../sync/read-channels.ts';
import { planRequests } from '../sync/request-plan.ts';
import { livelyInterval } from '../sync/thread-schedule.ts';
import { auditBudgetNow, auditLoad, frequencyOf } from './audit-facts.ts';
import type { CommandContext } from './context.ts';
import { planReport } from './plan-report.ts';
import { planText } from './plan-text.ts';
import type { ReadingEnd } from './reading-job.ts';

/** Lists the channels, and calls nothing else. Wants a store that undoes what it writes. */
export async function planIngest(
  context: CommandContext,
  sync: SyncContext,
  options: IngestOptions,
  { progress, slack }: { progress: ReadProgress; slack: SlackApiHandle },
): Promise<ReadingEnd> {
  const { store, teamId } = sync;
  const { config, now } = context;
  const plan = await planRequests(sync, options, progress);
  const states = slack.paceSnapshot();
  const limits = { pace: config.pace, states, now: now() };
  const messages = await store.overview.countMessages(teamId);
  const threads = await store.overview.countThreads(teamId, livelyInterval);
  const report = planReport({
    plan,
    listPages: slack.requests['conversations.list'] ?? 0,
    load: auditLoad(await store.overview.listChannelFacts(teamId), messages, threads),
    budget: auditBudgetNow(options.auditRequests, states),
    maxRequests: config.maxRequests,
    runsPerDay: (await frequencyOf(store, teamId, now())).perDay,
    limits,
  });
  return {
    threadsPending: report.threads,
    extra: { plan: { ...report, freshness: report.freshness.map((level) => ({ ...level })) } },
    lines: planText(report, limits, config.maxRequests),
  };
}
