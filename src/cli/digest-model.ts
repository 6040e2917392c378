/** The language model of a digest: what the configuration says of it, and its stage between the others. */

import type { Environment } from '../config/env.ts';
import { resolveLlmKey } from '../config/llm.ts';
import type { Config } from '../config/load.ts';
import { readProxy } from '../config/proxy.ts';
import { reactionsOf } from '../digest/activity/shown-message.ts';
import { candidateMessage, saveReading } from '../digest/candidates/read-messages.ts';
import type { DigestWindow } from '../digest/digest.ts';
import type { EventSettings } from '../digest/events/event-rows.ts';
import type { CandidateMessage } from '../digest/events/extractor.ts';
import type { ChatModel } from '../digest/llm/chat-model.ts';
import { extractWithModel } from '../digest/llm/extract.ts';
import { openAiModel } from '../digest/llm/openai-client.ts';
import { priceOf } from '../digest/llm/prices.ts';
import { defaultLlmLimits, type LlmSettings, type LlmStageReport } from '../digest/llm/stage.ts';
import type { Directory } from '../digest/people.ts';
import type { IsoTime } from '../model.ts';
import { isLoopback } from '../slack/api-url.ts';
import { sleep } from '../slack/waiting.ts';
import type { SyncContext } from '../sync/context.ts';
import { millisToIso } from '../ts.ts';

export interface ConfiguredModel {
  model: ChatModel;
  settings: LlmSettings;
}

/**
 * The configured model; null when none is. Nothing is called yet. Throws `UsageError` for an address, a key or a price that is
 * missing or wrong.
 */
export function configuredModel({ llm, pace }: Config, env: Environment): ConfiguredModel | null {
  if (llm.model === undefined) return null;
  priceOf(llm.model, llm.prices);
  const model = openAiModel({ baseUrl: llm.base_url ?? null, apiKey: resolveLlmKey(env), proxy: readProxy(env) });
  const isStandIn = pace === 'off' && llm.base_url !== undefined && isLoopback(new URL(llm.base_url));
  return {
    model,
    settings: {
      ...defaultLlmLimits,
      model: llm.model,
      temperature: llm.temperature,
      timeoutMs: llm.timeout_seconds * 1000,
      budget: { usd: llm.daily_budget_usd, tokens: llm.daily_budget_tokens ?? null },
      prices: llm.prices,
      maxEventsPerMessage: llm.max_events_per_msg,
      cacheTtlMs: llm.cache_ttl_days * 86_400_000,
      chunk: { tokens: llm.chunk_tokens ?? null, charsPerToken: llm.chars_per_token ?? null },
      maxCandidates: llm.max_candidates,
      speed: isStandIn ? 1000 : defaultLlmLimits.speed,
    },
  };
}

export interface ModelStage {
  window: DigestWindow;
  /** Whose messages may be sent to it. */
  channelIds: readonly string[];
  directory: Directory;
  events: EventSettings;
  zone: string;
  log: (line: string) => void;
}

/** Has the model read the best candidates of the window. */
export function askModel(
  sync: SyncContext,
  { model, settings }: ConfiguredModel,
  { window, channelIds, directory, events, zone, log }: ModelStage,
): Promise<LlmStageReport> {
  const { store, teamId } = sync;
  /** Of the messages that were loaded: how many reactions each has. */
  const reactions = new Map<string, number>();
  const keyOf = ({ channel_id, ts }: Pick<CandidateMessage, 'channel_id' | 'ts'>) => `${channel_id} ${ts}`;
  return extractWithModel(
    {
      store,
      teamId,
      now: sync.now,
      signal: sync.signal,
      emit: sync.emit,
      log,
      model,
      settings,
      sleep,
      random: Math.random,
      async load(candidates) {
        const messages: CandidateMessage[] = [];
        for (const { channel_id, ts } of candidates) {
          const [found] = await store.events.findMessages(teamId, channel_id, [ts]);
          if (found === undefined) continue;
          reactions.set(keyOf({ channel_id, ts }), reactionsOf(found.raw));
          messages.push(candidateMessage(teamId, found, directory, zone));
        }
        return messages;
      },
      save: (tx, message, found, facts) =>
        saveReading(
          tx,
          message,
          found,
          {
            extractor: 'llm',
            ...facts,
            signals: { reactions: reactions.get(keyOf(message)) ?? 0, mentions: message.text.mentions },
          },
          directory,
          events,
          nowOf(sync),
        ),
    },
    { channelIds, from: window.from, to: window.to, deadline: null },
  );
}

function nowOf({ now }: SyncContext): IsoTime {
  return millisToIso(now());
}
