/** The plan for people, within 80 columns. Pure. */
import { formatDuration } from '../config/duration.ts';
import { countOf, formatCount } from '../output/counts.ts';
import { type LimitsInForce, timeNeeded } from '../slack/time-needed.ts';
import type { FreshnessLevel, PlanReport } from './plan-report.ts';
import { renderTable } from './table.ts';

const width = 78;

/** Lines for under the run's own first line. */
export function planText(report: PlanReport, limits: LimitsInForce, maxRequests: number | null): string[] {
  const lines = [
    ...requestLines(report),
    '',
    ...noteLines(report, maxRequests),
    ...limitLines(limits),
    ...(report.channels.never_read > 0 ? ['', ...firstCopyLines(report, limits)] : []),
    ...(report.channels.never_read < report.channels.total ? ['', ...freshnessLines(report)] : []),
  ];
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function requestLines(report: PlanReport): string[] {
  const rows = Object.entries(report.requests).map(([method, calls]) => [
    method,
    formatCount(calls),
    timeText(report.seconds_by_method[method] ?? 0),
  ]);
  const columns = [
    { title: 'the next run' },
    { title: 'requests', align: 'right' as const },
    { title: 'takes', align: 'right' as const },
  ];
  return renderTable(columns, [...rows, ['all', formatCount(report.total), timeText(report.seconds)]], width);
}

function noteLines({ later, threads, holes, audits }: PlanReport, maxRequests: number | null): string[] {
  const parts = [
    threads > 0 ? `${formatCount(threads)} for threads that wait` : '',
    holes > 0 ? `${countOf(holes, 'range')} of old history` : '',
    audits.history + audits.replies > 0
      ? `${formatCount(audits.history)} + ${formatCount(audits.replies)} for audits`
      : '',
  ].filter((part) => part !== '');
  return [
    ...(parts.length === 0 ? [] : [`Among them ${parts.join(', ')}.`]),
    `Histories and replies are read ${maxRequests === null ? 'side by side' : 'in turn'}. What was written since the last`,
    'run is not known yet: each thread that changed costs one request more.',
    ...(maxRequests !== null && later > 0
      ? [`The budget of ${formatCount(maxRequests)} requests leaves ${formatCount(later)} to later runs.`]
      : []),
  ];
}

function limitLines({ pace, states, now }: LimitsInForce): string[] {
  const restricted = states.filter(({ isRestricted }) => isRestricted).map(({ method }) => method);
  const resting = states.filter(({ notBefore }) => notBefore > now);
  return [
    ...(pace === 1 || pace === 'off' ? [] : [`The pace is ${pace} of Slack's published rates.`]),
    ...restricted.map((method) => `Slack allows one call of ${method} a minute, 15 messages each.`),
    ...resting.map(
      ({ method, notBefore }) => `${method} rests for ${formatDuration(notBefore - now)} more, as Slack asked.`,
    ),
  ];
}

/** Of a copy nobody made yet only the rate is known. */
function firstCopyLines({ channels }: PlanReport, limits: LimitsInForce): string[] {
  const perPage = limits.states.some((state) => state.method === 'conversations.history' && state.isRestricted)
    ? 15
    : 999;
  const rest = { ...limits, states: limits.states.map((state) => ({ ...state, notBefore: 0, recentCalls: [] })) };
  const rows = [1_000, 10_000, 100_000].map((n) => [
    formatCount(n),
    timeText(Math.ceil(timeNeeded({ 'conversations.history': Math.ceil(n / perPage) }, rest) / 1000)),
    timeText(Math.ceil(timeNeeded({ 'conversations.replies': n }, rest) / 1000)),
  ]);
  const columns = [
    { title: 'how many', align: 'right' as const },
    { title: 'as messages', align: 'right' as const },
    { title: 'as threads', align: 'right' as const },
  ];
  return [
    `At least: ${formatCount(channels.never_read)} of ${countOf(channels.total, 'channel')} ${channels.never_read === 1 ? 'was' : 'were'} never read. A first copy takes`,
    `a request for every ${perPage} messages of a channel, and one for each thread:`,
    ...renderTable(columns, rows, width),
  ];
}

function freshnessLines({ freshness, runs_per_day: perDay, is_rate_assumed }: PlanReport): string[] {
  const columns = [
    { title: 'whole history audited' },
    { title: 'audit_requests', align: 'right' as const },
    { title: 'requests', align: 'right' as const },
    { title: 'more time', align: 'right' as const },
    { title: 'threads every', align: 'right' as const },
  ];
  const rows = freshness.map((level) => [
    levelText(level, perDay),
    formatCount(level.audit_requests),
    formatCount(level.requests_per_run),
    timeText(level.extra_seconds),
    level.threads_every_runs === null ? 'never' : daysText(level.threads_every_runs / perDay),
  ]);
  return [
    ...renderTable(columns, rows, width),
    'Requests and time are those of each run; "now" is how it is set.',
    `At ${rateText(perDay)}, ${is_rate_assumed ? 'which is assumed: too few are on record' : 'as in the last days'}.`,
  ];
}

/** `24 runs a day`, `0.14 runs a day`. */
export function rateText(perDay: number): string {
  const rate = perDay.toLocaleString('en-US', { maximumSignificantDigits: 2 });
  return `${rate} ${rate === '1' ? 'run' : 'runs'} a day`;
}

function levelText({ every_days: days, every_runs: runs }: FreshnessLevel, perDay: number): string {
  const isReached = days !== null && (runs === null || runs <= Math.max(1, days * perDay));
  if (isReached) return `every ${dayWords[days] ?? `${days} days`}`;
  if (days !== null && runs !== null) return `every ${daysText(runs / perDay)} at best`;
  return runs === null ? 'now: never' : `now: every ${daysText(runs / perDay)}`;
}

const dayWords: Readonly<Record<number, string>> = { 1: 'day', 7: 'week', 30: 'month' };

function daysText(days: number): string {
  return formatDuration(Math.max(1000, days * 86_400_000));
}

function timeText(seconds: number): string {
  return formatDuration(seconds * 1000);
}
