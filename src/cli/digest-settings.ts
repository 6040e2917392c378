/** What a digest needs of the configuration and of what is stored, put together. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config/load.ts';
import { type ChannelSelection, isGlob, selectChannels } from '../config/selection.ts';
import { describeIssues, inOurWords } from '../config/wrong-values.ts';
import type { ScoringSettings } from '../digest/candidates/score.ts';
import type { EventSettings } from '../digest/events/event-rows.ts';
import { defaultImportance, type ImportanceWeights } from '../digest/events/importance.ts';
import { noObjects, type ObjectRegistry, objectRegistry, registrySchema } from '../digest/events/object-registry.ts';
import { Directory } from '../digest/people.ts';
import { UsageError } from '../errors.ts';
import type { Identity } from '../model.ts';
import { identifyChannels, type KnownChannel } from '../sync/channel-identity.ts';
import type { SyncContext } from '../sync/context.ts';
import { selectable } from './channel-selection.ts';

/** The stored channels and people of a workspace. */
export interface Stored {
  channels: readonly KnownChannel[];
  directory: Directory;
}

export async function readStored(sync: SyncContext, identity: Identity): Promise<Stored> {
  const { store, teamId } = sync;
  const channels = await identifyChannels(sync, [], []);
  const rows = await store.directory.listChannelsExcept(teamId, []);
  const users = await store.activity.listUserNames(teamId);
  return { channels, directory: new Directory(identity.url, users, rows) };
}

/** The channel that everybody is in, by what Slack says of it. */
export function generalChannel(rows: readonly KnownChannel[]): string | null {
  return rows.find(({ raw }) => raw.text.includes('"is_general":true'))?.channel_id ?? null;
}

/** What tells for each channel how its messages are scored; the last rule for a channel wins. */
export function scoringFor(
  { scoring }: Config,
  channels: readonly KnownChannel[],
): (channelId: string) => ScoringSettings & { threshold: number } {
  const general = {
    threshold: scoring.threshold,
    weights: scoring.weights,
    keywords: scoring.keywords,
    trustedBots: scoring.trusted_bots,
  };
  const own = new Map<string, typeof general>();
  for (const rule of scoring.channels) {
    const selection = selectChannels({ include: [rule.channel], exclude: [] });
    for (const channel of channels.filter((each) => selection.matches(selectable(each)))) {
      own.set(channel.channel_id, {
        threshold: rule.threshold ?? general.threshold,
        weights: { ...general.weights, ...withoutUndefined(rule.weights ?? {}) },
        keywords: rule.keywords ?? general.keywords,
        trustedBots: rule.trusted_bots ?? general.trustedBots,
      });
    }
  }
  return (channelId) => own.get(channelId) ?? general;
}

function withoutUndefined<Values extends object>(
  values: Values,
): { [Key in keyof Values]: Exclude<Values[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Values]: Exclude<Values[Key], undefined>;
  };
}

export async function eventSettings({ importance, digest }: Config, directory: string): Promise<EventSettings> {
  return {
    registry: digest.objects === undefined ? noObjects : await readRegistry(resolve(directory, digest.objects)),
    importance: importanceWeights(importance),
  };
}

function importanceWeights(configured: Config['importance']): ImportanceWeights {
  return {
    category: { ...defaultImportance.category, ...configured.category },
    environment: { ...defaultImportance.environment, ...configured.environment },
    severity: { ...defaultImportance.severity, ...configured.severity },
    status: { ...defaultImportance.status, ...configured.status },
    criticalSubsystems: configured.critical_subsystems,
  };
}

async function readRegistry(path: string): Promise<ObjectRegistry> {
  const refuse = (why: string, cause?: unknown) =>
    new UsageError(`digest.objects: ${path} cannot be used: ${why}`, 'Write objects: { "area.name": [names] }.', cause);
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
  const result = registrySchema.safeParse(content, { error: inOurWords });
  if (!result.success) throw refuse(describeIssues(result.error.issues).join('; '));
  return objectRegistry(result.data);
}

/**
 * Which channels a digest may tell of. One that others will read tells of public channels, of the channel it is posted to,
 * and of those that the configuration names; and where guests or other companies read it, not even of all public ones.
 */
export function visibleChannels(
  channels: readonly KnownChannel[],
  selection: ChannelSelection,
  publicTo: { target: string; isInternal: boolean } | null,
  shared: readonly string[],
): Set<string> {
  // Whoever writes "*" thinks of channels, not of what two people say to each other, nor of what nobody knows.
  const named = selectChannels({ include: shared, exclude: [] });
  const exact = shared.filter((pattern) => !isGlob(pattern));
  const alone = selectChannels({ include: exact, exclude: [] });
  const isNamed = (channel: KnownChannel) =>
    channel.kind === 'public' || channel.kind === 'private'
      ? shared.length > 0 && named.matches(selectable(channel))
      : exact.length > 0 && alone.matches(selectable(channel));
  const isVisible = (channel: KnownChannel) =>
    publicTo === null ||
    channel.channel_id === publicTo.target ||
    (channel.kind === 'public' && publicTo.isInternal) ||
    isNamed(channel);
  const chosen = channels.filter((channel) => selection.matches(selectable(channel)));
  return new Set(chosen.filter(isVisible).map(({ channel_id }) => channel_id));
}
