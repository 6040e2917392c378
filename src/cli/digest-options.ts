/** What the flags of `digest` ask for. */
import { parseDate } from '../config/date.ts';
import { durationForms, durationMs, parseDuration } from '../config/duration.ts';
import { type Config, type ConfigFlags, zoneError } from '../config/load.ts';
import { type Category, categories } from '../digest/events/event.ts';
import type { WindowRequest } from '../digest/window.ts';
import { UsageError } from '../errors.ts';
import { type DigestFormat, digestFormats } from '../output/formats.ts';
import { isZone, startOf, startOfDay } from '../time-zone.ts';
import type { GlobalFlags } from './context.ts';

export interface DigestFlags extends GlobalFlags, ConfigFlags {
  workspace?: string;
  format?: string;
  since?: string;
  date?: string;
  from?: string;
  to?: string;
  tz?: string;
  upcoming?: string;
  category?: readonly string[];
  minConfidence?: string;
  minImportance?: string;
  maxEvents?: string;
  top?: string;
  explain?: boolean;
  /** True without a value: where the configuration says. */
  publish?: string | true;
  repost?: boolean;
  update?: boolean;
  skipLlm?: boolean;
  rescore?: boolean;
  dryRun?: boolean;
}

export interface DigestOptions {
  format: DigestFormat;
  window: WindowRequest;
  zone: string;
  upcomingMs: number;
  categories: readonly Category[];
  minConfidence: number;
  minImportance: number;
  maxEvents: number;
  top: number;
  explain: boolean;
  /** The target as the flag has it; true for the configured one, null for not at all. */
  publish: string | true | null;
  mode: 'post' | 'repost' | 'update';
  skipLlm: boolean;
  rescore: boolean;
  dryRun: boolean;
}

/** Throws `UsageError` naming the flag that is wrong. `now` in epoch milliseconds. */
export function digestOptions(flags: DigestFlags, { digest, workspaces }: Config, now: number): DigestOptions {
  const zone = flags.tz ?? digest.timezone;
  if (!isZone(zone)) throw zoneError(zone, '--tz');
  if (flags.repost === true && flags.update === true) {
    throw new UsageError('--repost and --update exclude each other', 'Post anew, or edit what was posted.');
  }
  for (const [flag, isGiven] of [
    ['--repost', flags.repost],
    ['--update', flags.update],
  ] as const) {
    if (isGiven === true && flags.publish === undefined)
      throw new UsageError(
        `${flag} says how to publish, and --publish was not given`,
        `Add --publish, or leave ${flag} out.`,
      );
  }
  if (flags.publish === true && workspaces.every(({ digestChannel }) => digestChannel === null)) throw noTarget();
  return {
    format: formatOf(flags.format),
    window: windowRequest(flags, zone, digest.first_window, now),
    zone,
    upcomingMs: flags.upcoming === undefined ? digest.upcoming : parseDuration(flags.upcoming, '--upcoming'),
    categories: (flags.category ?? []).map(categoryOf),
    minConfidence: numberFlag(flags.minConfidence, '--min-confidence', 0, 1) ?? digest.min_confidence,
    minImportance: numberFlag(flags.minImportance, '--min-importance', 0, 100) ?? digest.min_importance,
    maxEvents: countFlag(flags.maxEvents, '--max-events', 1) ?? digest.max_events,
    top: countFlag(flags.top, '--top', 0) ?? digest.top,
    explain: flags.explain === true,
    publish: flags.publish ?? null,
    mode: flags.repost === true ? 'repost' : flags.update === true ? 'update' : 'post',
    skipLlm: flags.skipLlm === true,
    rescore: flags.rescore === true,
    dryRun: flags.dryRun === true,
  };
}

export function noTarget(): UsageError {
  return new UsageError(
    'nobody said where the digest is to be posted',
    'Give --publish a channel or a person, or set digest.channel in the config file.',
  );
}

function formatOf(text: string | undefined): DigestFormat {
  if (text === undefined) return 'text';
  const found = digestFormats.find((format) => format === text);
  if (found === undefined)
    throw new UsageError(`--format: "${text}" is no format`, `Write one of ${digestFormats.join(', ')}.`);
  return found;
}

function categoryOf(text: string): Category {
  const found = categories.find((category) => category === text.trim().toLowerCase());
  if (found === undefined)
    throw new UsageError(`--category: "${text}" is no category`, `Write one of ${categories.join(', ')}.`);
  return found;
}

function windowRequest(flags: DigestFlags, zone: string, firstMs: number, now: number): WindowRequest {
  const given = (['since', 'date', 'from'] as const).filter((name) => flags[name] !== undefined);
  if (given.length > 1) {
    throw new UsageError(`--${given[0]} and --${given[1]} exclude each other`, 'Tell the window in one way.');
  }
  if (flags.to !== undefined && flags.from === undefined) {
    throw new UsageError('--to needs --from', 'Give the beginning of the window too.');
  }
  if (flags.since !== undefined) return { kind: 'upToNow', from: sinceOf(flags.since, zone, now) };
  if (flags.date !== undefined) return dayOf(flags.date, zone, now);
  if (flags.from === undefined) return { kind: 'sinceLast', firstMs };
  const from = momentIn(flags.from, '--from', zone, 0);
  if (from >= now)
    throw new UsageError(`--from: "${flags.from}" is in the future`, 'A digest tells what has happened.');
  if (flags.to === undefined) return { kind: 'upToNow', from };
  const to = momentIn(flags.to, '--to', zone, 1);
  if (to <= from) throw new UsageError(`--to: "${flags.to}" is not after --from "${flags.from}"`);
  return to > now ? { kind: 'upToNow', from } : { kind: 'fixed', from, to };
}

function sinceOf(text: string, zone: string, now: number): number {
  const ms = durationMs(text.trim());
  if (ms === 0)
    throw new UsageError(`--since: "${text}" leaves nothing to tell of`, 'Write a longer one, such as 24h.');
  if (ms !== undefined) return now - ms;
  if (!/^\d{4}-\d{2}-\d{2}/.test(text.trim()))
    throw new UsageError(
      `--since: "${text}" is neither a duration nor a date`,
      `Write a duration such as ${durationForms}, or a date such as 2026-11-20.`,
    );
  const from = momentIn(text, '--since', zone, 0);
  if (from >= now)
    throw new UsageError(`--since: "${text}" is in the future`, 'Write a duration such as 24h, or a past date.');
  return from;
}

/** A whole day in the zone; today as far as it has come. */
function dayOf(text: string, zone: string, now: number): WindowRequest {
  const word = text.trim().toLowerCase();
  if (!/^(?:today|yesterday|\d{4}-\d{2}-\d{2})$/.test(word))
    throw new UsageError(`--date: "${text}" is not a day`, 'Write YYYY-MM-DD, today or yesterday.');
  const from =
    word === 'today'
      ? startOfDay(now, zone)
      : word === 'yesterday'
        ? startOfDay(now, zone, -1)
        : momentIn(text, '--date', zone, 0);
  if (from >= now) throw new UsageError(`--date: "${text}" is in the future`, 'A digest tells what has happened.');
  const to = startOfDay(from, zone, 1);
  return to > now ? { kind: 'upToNow', from } : { kind: 'fixed', from, to };
}

/** A day is its first moment in the zone, or with `days` 1 the next day's; anything else a time with its own offset. */
function momentIn(text: string, name: string, zone: string, days: 0 | 1): number {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim()) ?? [];
  // Which days there are, the calendar's own check tells.
  const utc = parseDate(text, name);
  if (year === undefined) return utc;
  return startOf({ year: Number(year), month: Number(month), day: Number(day) + days }, zone);
}

function numberFlag(text: string | undefined, name: string, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new UsageError(`${name}: "${text}" is not a number from ${min} to ${max}`);
}

function countFlag(text: string | undefined, name: string, min: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text) && Number(text) >= min) return Number(text);
  throw new UsageError(`${name}: "${text}" is not a whole number from ${min} on`);
}
