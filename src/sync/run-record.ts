/** The record of one run on one workspace, kept alive by a heartbeat for as long as the run works. */
import type { Store } from '../db/repositories/index.ts';
import type { RunChannelRow, RunRow } from '../db/schema.ts';
import { channelLabel } from '../labels.ts';
import type { JsonObject, PaceState } from '../model.ts';
import { maskSecrets } from '../secrets.ts';
import { millisToIso } from '../ts.ts';
import type { UnitError } from './context.ts';
import type { Outcome } from './outcome.ts';

/** Several beats within the lock's expiry, so that one slow beat does not lose it. */
const heartbeatMs = 5_000;

export interface RunFacts {
  runId: string;
  teamId: string | null;
  workspace: string;
  command: string;
  trigger: RunRow['trigger'];
  configHash: string;
  appVersion: string;
}

/** Places of failures that the record of a run names. */
const mostPlaces = 100;

/**
 * What failed, each kind of failure once with its places: `#general, #random: not_in_channel; #ops (3 times): timeout`. What
 * concerns no conversation tells itself.
 */
export function recordedErrors(errors: readonly UnitError[]): string | null {
  if (errors.length === 0) return null;
  const placesOf = new Map<string, Map<string, number>>();
  for (const { code, message, channel, channelId } of errors.slice(0, mostPlaces)) {
    const what = channelId === null ? message : code;
    const places = placesOf.get(what) ?? new Map<string, number>();
    placesOf.set(what, places);
    if (channelId === null) continue;
    const place = channelLabel(channel, channelId);
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  const told = [...placesOf].map(([what, places]) => {
    const named = [...places].map(([place, n]) => (n === 1 ? place : `${place} (${n} times)`));
    return named.length === 0 ? what : `${named.join(', ')}: ${what}`;
  });
  const more = errors.length > mostPlaces ? [`and ${errors.length - mostPlaces} more`] : [];
  return maskSecrets([...told, ...more].join('; '));
}

/** Records that the run began. */
export async function beginRun(store: Store, facts: RunFacts, now: () => number): Promise<void> {
  const at = millisToIso(now());
  await store.transaction((tx) =>
    tx.runs.insertRun({
      run_id: facts.runId,
      team_id: facts.teamId,
      workspace: facts.workspace,
      command: facts.command,
      trigger: facts.trigger,
      status: 'running',
      started_at: at,
      finished_at: null,
      heartbeat_at: at,
      exit_code: null,
      counts: {},
      error: null,
      config_hash: facts.configHash,
      app_version: facts.appVersion,
    }),
  );
}

/** Records how the run ended, with what it did per channel and what the pacer must know next time. */
export async function endRun(
  store: Store,
  facts: RunFacts,
  end: {
    outcome: Outcome;
    error: string | null;
    counts: JsonObject;
    channels: readonly Omit<RunChannelRow, 'run_id' | 'team_id'>[];
    pace: readonly PaceState[];
  },
  now: () => number,
): Promise<void> {
  const at = millisToIso(now());
  const { teamId } = facts;
  await store.transaction(async (tx) => {
    await tx.runs.updateRun(facts.runId, {
      status: end.outcome.status,
      exit_code: end.outcome.exitCode,
      finished_at: at,
      heartbeat_at: at,
      counts: end.counts,
      error: end.error,
    });
    if (teamId === null) return;
    await tx.runs.forgetUneventful(teamId, facts.runId);
    await tx.runs.saveRunChannels(end.channels.map((row) => ({ ...row, run_id: facts.runId, team_id: teamId })));
    await tx.runs.savePaceStates(teamId, end.pace, at);
  });
}

/**
 * Beats until disposed: renews the lock, dates the run, saves the pace. A beat that fails is told to `onFailure`, once
 * per beat; disposing waits for the beat under way.
 */
export function startHeartbeat(beat: () => Promise<void>, onFailure: (error: unknown) => void): AsyncDisposable {
  let underway: Promise<void> | null = null;
  const timer = setInterval(() => {
    underway ??= beat()
      .catch(onFailure)
      .finally(() => {
        underway = null;
      });
  }, heartbeatMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await underway;
    },
  };
}
