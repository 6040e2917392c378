/** What came back from one HTTP call, in our own words, so that only client.ts knows the SDK's. */
import type { LastCheck } from '../model.ts';

export type Answer = { ok: true; body: unknown } | { ok: false; failure: CallFailure };

export type CallFailure =
  /** Slack wants a pause; `retryAfterMs` is absent when it did not say how long. */
  | { type: 'rate_limited'; retryAfterMs: number | undefined }
  /** A well-formed `{"ok":false,"error":code}`. `needed` comes with `missing_scope`. */
  | { type: 'refused'; code: string; needed: string | undefined }
  /** An HTTP status other than 200 and 429. A failing server may say how long it wants to be left alone. */
  | { type: 'http'; status: number; retryAfterMs?: number | undefined }
  /** HTTP 200 with something that is not what the method promises. `why` never quotes the body. */
  | { type: 'bad_body'; why: string }
  /** What was asked for, and nothing that can be taken: another try would bring the same. `why` as above. */
  | { type: 'odd_body'; why: string }
  /**
   * No answer, or one that broke off. `code` is ours (`timeout`) or Node's (`ECONNRESET`). `proxy`: the one that was taken, and
   * the HTTP status with which it refused to.
   */
  | { type: 'network'; code: string; cause: Error; proxy?: { address: string; status: number | undefined } };

/** The arguments of one call; `undefined` ones are not sent. */
export type CallArguments = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Sends one HTTP request, without retries. A failure is an answer; only the signal's reason, what `lastCheck` throws, and bugs
 * are thrown.
 */
export type Send = (method: string, args: CallArguments, lastCheck?: LastCheck) => Promise<Answer>;
