/** A language model as the pipeline sees it: one question, one answer, and why there was none. */
import type { JsonObject } from '../../model.ts';
import type { Tokens } from './prices.ts';

/** How a request says what it wants: how the answer is held to its form, and how its length is limited. */
export interface RequestForm {
  answer: 'json_schema' | 'json_object' | 'text';
  limit: 'max_completion_tokens' | 'max_tokens';
}

/** Endpoints that speak like OpenAI's differ in what they know, and answer 400 or 422 to the rest; the best first. */
export const requestForms: readonly [RequestForm, ...RequestForm[]] = [
  { answer: 'json_schema', limit: 'max_completion_tokens' },
  { answer: 'json_object', limit: 'max_completion_tokens' },
  { answer: 'json_schema', limit: 'max_tokens' },
  { answer: 'json_object', limit: 'max_tokens' },
  { answer: 'text', limit: 'max_tokens' },
];

export interface ChatRequest {
  model: string;
  temperature: number;
  system: string;
  user: string;
  form: RequestForm;
  /** Of the answer; sent with the form `json_schema`. */
  schema: { name: string; schema: JsonObject };
  /** Reasoning included, where the model reasons. */
  maxOutputTokens: number;
  /** From sending to the last byte of the answer. */
  timeoutMs: number;
}

/**
 * What a failed call means:
 * - `rate_limited`: ask again later
 * - `timeout`, `server`, `network`: may pass; ask again
 * - `bad_answer`: an answer that is none; the next one may be better
 * - `declined`: the model or a filter of the endpoint will not answer this
 * - `bad_request`: the endpoint does not accept this request
 * - `refused`: the key, its rights, its credit, the address or the model is wrong; no other request will fare better
 */
export type ChatFailureKind =
  | 'rate_limited'
  | 'timeout'
  | 'server'
  | 'network'
  | 'bad_answer'
  | 'declined'
  | 'bad_request'
  | 'refused';

/** What may have been charged for a failed call that tells no usage. */
export type Charge = 'nothing' | 'input' | 'all';

export interface ChatFailure {
  kind: ChatFailureKind;
  /** One word, of the endpoint (`invalid_api_key`) or ours (`http_500`); never text of a message or an answer. */
  code: string;
  retryAfterMs: number | null;
  charge: Charge;
}

/** `usage` is null when the endpoint did not say, or said nonsense. */
export type ChatAnswer =
  | { ok: true; content: string; isCutOff: boolean; usage: Tokens | null }
  | { ok: false; failure: ChatFailure; usage: Tokens | null };

export interface ChatModel {
  /**
   * Asks once, without retries. Whatever the endpoint does comes back as a value; rejects with the signal's reason, and
   * only when it fired.
   */
  complete(request: ChatRequest, signal: AbortSignal): Promise<ChatAnswer>;
}
