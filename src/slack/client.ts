/**
 * The only file that knows @slack/web-api. It turns off all that the SDK decides by itself (retries, waiting, logging
 * to stdout) and puts what the SDK throws into our words. What is said about it here was measured on version 8.2.0.
 */
import type { FetchFunction, Logger } from '@slack/web-api';
import {
  LogLevel,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
} from '@slack/web-api';
import type { CallFailure, Send } from './answer.ts';

export interface ClientOptions {
  token: string;
  apiUrl: URL;
  /** Milliseconds for one call, its body included. */
  timeoutMs: number;
  /** Ends the call under way. */
  signal: AbortSignal;
}

/** One client per token. Every call is one HTTP request. */
export function openClient({ token, apiUrl, timeoutMs, signal }: ClientOptions): Send {
  const client = new WebClient(token, {
    slackApiUrl: apiUrl.href,
    retryConfig: { retries: 0 },
    // Otherwise a 429 pauses all methods, though Slack's limits are per method.
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    logger: silentLogger,
    // The SDK writes the token into this object: shared, it would give the second client the first one's token.
    headers: {},
    fetch: boundedFetch(timeoutMs, signal),
  });
  return async (method, args) => {
    signal.throwIfAborted();
    try {
      return { ok: true, body: await client.apiCall(method, args) };
    } catch (error) {
      signal.throwIfAborted();
      return { ok: false, failure: failureOf(error) };
    }
  };
}

/**
 * A fetch that ends with the run's signal or after the timeout, and that has read the body when it returns: the SDK
 * cannot cancel a call, and lets failures while the body is read escape in another shape than those before it.
 * Not built of AbortSignal.any and AbortSignal.timeout: on Node 20 garbage collection can take such a timeout away.
 */
function boundedFetch(timeoutMs: number, signal: AbortSignal): FetchFunction {
  return async (url, init = {}) => {
    signal.throwIfAborted();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => stop.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs);
    try {
      const response = await fetch(url, { ...init, signal: stop.signal });
      const body = await response.arrayBuffer();
      // Some statuses (204) must not have a body, not even an empty one.
      return new Response(body.byteLength === 0 ? null : body, response);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  };
}

/** The default logger writes INFO and DEBUG to stdout, which belongs to the result. Failures reach us as errors anyway. */
const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
};

function failureOf(error: unknown): CallFailure {
  if (error instanceof WebAPIRateLimitedError) return rateLimited(error.retryAfter);
  if (error instanceof WebAPIPlatformError) return refusal(error.data);
  if (error instanceof WebAPIHTTPError) return { type: 'http', status: error.statusCode };
  if (error instanceof WebAPIRequestError) {
    return { type: 'network', code: networkCode(error.original), cause: error.original };
  }
  if (isRateLimitWithoutHeader(error)) return rateLimited(undefined);
  // The SDK trips over bodies that are valid JSON but no object with ordinary response_metadata ("null", "12").
  if (error instanceof TypeError) return { type: 'bad_body', why: 'it is no JSON object of the usual form' };
  throw error;
}

function rateLimited(retryAfterSeconds: number | undefined): CallFailure {
  const ms = retryAfterSeconds === undefined ? undefined : Math.max(0, retryAfterSeconds) * 1000;
  return { type: 'rate_limited', retryAfterMs: ms };
}

/** A 429 whose Retry-After is missing or no number of seconds is a plain Error without a code. */
function isRateLimitWithoutHeader(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Retry header did not contain a valid timeout');
}

/**
 * The SDK reports a body that is not JSON (a proxy's HTML, a truncated page) as a platform error whose code is the
 * whole body; that must not pass for a word of Slack's.
 */
function refusal(data: WebAPIPlatformError['data'] & { needed?: unknown }): CallFailure {
  const code: unknown = data.error;
  if (code === 'ratelimited' || code === 'rate_limited') return rateLimited(data.response_metadata?.retryAfter);
  if (typeof code !== 'string' || !/^[a-z][a-z0-9_]{0,99}$/.test(code)) {
    return { type: 'bad_body', why: 'it is neither a result nor an error of Slack' };
  }
  return { type: 'refused', code, needed: typeof data.needed === 'string' ? data.needed : undefined };
}

/** fetch says only "fetch failed" or "terminated"; the reason is one or two causes down. */
function networkCode(error: Error): string {
  if (error.name === 'TimeoutError') return 'timeout';
  if ('code' in error && typeof error.code === 'string') return ourWord(error.code);
  // The SDK follows no redirect, and fetch gives that failure no code.
  if (error.message === 'unexpected redirect') return 'redirected';
  return error.cause instanceof Error ? networkCode(error.cause) : 'network_error';
}

function ourWord(code: string): string {
  if (/^UND_ERR_\w*_TIMEOUT$/.test(code)) return 'timeout';
  return code === 'UND_ERR_SOCKET' ? 'connection_lost' : code;
}
