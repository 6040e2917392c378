/** The words of the extraction by a language model: what it is given, and what it reports. */
import type { CandidateKey, LeaseScope } from '../../db/repositories/candidate-leases.ts';
import type { Store, TransactionStore } from '../../db/repositories/index.ts';
import type { Emit } from '../../sync/events.ts';
import type { ExtractedEvent } from '../events/event.ts';
import type { CandidateMessage } from '../events/extractor.ts';
import type { Budget } from './budget.ts';
import type { ChatModel } from './chat-model.ts';
import type { ModelPrice } from './prices.ts';

export interface LlmSettings {
  model: string;
  temperature: number;
  /** Of one call, from sending to the last byte of the answer. */
  timeoutMs: number;
  /** Of one UTC day, over all workspaces of the database. */
  budget: Budget;
  /** USD for a million tokens, by model; models without one have the built-in price, if there is any. */
  prices: Readonly<Record<string, ModelPrice>>;
  maxEventsPerMessage: number;
  cacheTtlMs: number;
  /** How much of a message is sent at once; null for what suits the model. */
  chunk: { tokens: number | null; charsPerToken: number | null };
  /** So many candidates of one run, the best first. */
  maxCandidates: number;
  /** Of one answer, reasoning included: what a call may cost at most follows from it. */
  maxOutputTokens: number;
  /** Candidates that are read at the same time. */
  concurrency: number;
  /** By this factor the delays before retries are shorter; 1 except against a stand-in. */
  speed: number;
}

/** What is right where nobody configures it. */
export const defaultLlmLimits = { maxOutputTokens: 8000, concurrency: 4, speed: 1 } as const;

export interface LlmContext {
  /** One that keeps what it writes: the calls are made and paid for. */
  store: Store;
  teamId: string;
  /** Epoch milliseconds. */
  now: () => number;
  signal: AbortSignal;
  emit?: Emit;
  /** For debugging; is told hashes, lengths and counts, never words of messages or answers. */
  log?: (line: string) => void;
  model: ChatModel;
  settings: LlmSettings;
  /** The messages of candidates; those that are no longer there are left out. */
  load: (candidates: readonly CandidateKey[]) => Promise<CandidateMessage[]>;
  /**
   * Stores the events of a message, none being a result too, in the transaction that marks the candidate as read. False when
   * none of them can be true, and what was known of the message before stays.
   */
  save: (
    tx: TransactionStore,
    message: CandidateMessage,
    events: ExtractedEvent[],
    facts: { model: string; promptVersion: string },
  ) => Promise<boolean>;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** [0, 1) */
  random: () => number;
}

/** Which candidates, and until when (epoch milliseconds; null without an end). */
export interface LlmOptions extends Omit<LeaseScope, 'teamId'> {
  deadline: number | null;
}

/**
 * Why a run ended before its candidates did: `budget`: what is left of the day's does not cover another call; `refused`: the
 * endpoint accepts none of our calls; `unavailable`: it fails, or asks to wait for long; `deadline`: the time is up.
 */
export type Stopped = 'budget' | 'refused' | 'unavailable' | 'deadline';

export interface LlmStageReport {
  /** Candidates that were read to the end. */
  read: number;
  /** Those among them for which nobody had to be asked. */
  cached: number;
  /** Candidates that could not be read this time; they are tried again, or given up after the third time. */
  failed: number;
  events: number;
  /** Sent, failed ones included. */
  calls: number;
  tokens_in: number;
  tokens_out: number;
  cost_usd: number;
  spent_today_usd: number;
  stopped: Stopped | null;
  /** Sentences for people. */
  notes: string[];
}
