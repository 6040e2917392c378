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
import { parseExactly } from '../exact-json.ts';
import { type Fetch, fetchThrough, type HttpsProxy, proxyAddress, proxyStatusIn } from '../http/proxy.ts';
import type { LastCheck } from '../model.ts';
import type { CallFailure, Send } from './answer.ts';
import { readRetryAfter } from './retry-after.ts';

export interface ClientOptions {
  token: string;
  apiUrl: URL;
  proxy: HttpsProxy | null;
  /** Milliseconds for one call, its body included. */
  timeoutMs: number;
  /** Ends the call under way. */
  signal: AbortSignal;
  /** Told the `Date` header of every answer that is Slack's own. */
  onDate: (header: string | null) => void;
}

/** One client per token. Every call is one HTTP request. */
export function openClient({ token, apiUrl, proxy, timeoutMs, signal, onDate }: ClientOptions): Send {
  const bodies = new HeldBodies(onDate);
  const checks = new LastChecks();
  const client = new WebClient(token, {
    slackApiUrl: apiUrl.href,
    retryConfig: { retries: 0 },
    // Otherwise a 429 pauses all methods, though Slack's limits are per method.
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    logger: silentLogger,
    // The SDK writes the token into this object: shared, it would give the second client the first one's token.
    headers: {},
    fetch: boundedFetch(fetchThrough(proxy, apiUrl), timeoutMs, signal, { bodies, checks }),
  });
  return async (method, args, lastCheck) => {
    signal.throwIfAborted();
    checks.expect(method, lastCheck);
    try {
      const result = await client.apiCall(method, args);
      return { ok: true, body: bodies.take(method, result) };
    } catch (error) {
      signal.throwIfAborted();
      checks.throwIfFailed(method);
      return { ok: false, failure: failureOf(error, apiUrl.protocol === 'https:' ? proxy : null) };
    }
  };
}

/**
 * A fetch that ends with the run's signal or after the timeout, and that has read the body when it returns: the SDK
 * cannot cancel a call, and lets failures while the body is read escape in another shape than those before it.
 * Not built of AbortSignal.any and AbortSignal.timeout: on Node 20 garbage collection can take such a timeout away.
 */
function boundedFetch(
  send: Fetch,
  timeoutMs: number,
  signal: AbortSignal,
  { bodies, checks }: { bodies: HeldBodies; checks: LastChecks },
): FetchFunction {
  return async (url, init = {}) => {
    signal.throwIfAborted();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => stop.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs);
    try {
      checks.check(methodOf(String(url)));
      const response = await send(url, { ...init, signal: stop.signal });
      const text = await response.text();
      const rest =
        response.status === 200 ? bodies.hold(methodOf(String(url)), text, response.headers.get('date')) : text;
      // Some statuses (204) must not have a body, not even an empty one.
      const { status, statusText } = response;
      return new Response(rest === '' ? null : rest, {
        status,
        statusText,
        headers: headersInSeconds(response.headers),
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  };
}

/** The SDK understands a Retry-After of whole seconds only, and takes a date for none. */
function headersInSeconds(received: Headers): Headers {
  const headers = new Headers(received);
  const date = Date.parse(received.get('date') ?? '');
  const ms = readRetryAfter(received.get('retry-after'), Number.isNaN(date) ? Date.now() : date);
  if (ms === undefined) headers.delete('retry-after');
  else headers.set('retry-after', String(Math.ceil(ms / 1000)));
  return headers;
}

/**
 * What must hold when a request goes out: looked at behind all that the SDK does before, with nothing left but `fetch` itself.
 * Calls of one method never overlap, so its name is key enough.
 */
class LastChecks {
  readonly #byMethod = new Map<string, LastCheck>();
  readonly #failed = new Map<string, unknown>();

  expect(method: string, check: LastCheck | undefined): void {
    this.#failed.delete(method);
    if (check === undefined) this.#byMethod.delete(method);
    else this.#byMethod.set(method, check);
  }

  check(method: string): void {
    try {
      this.#byMethod.get(method)?.();
    } catch (error) {
      this.#failed.set(method, error);
      throw error;
    }
  }

  /** The SDK wraps what is thrown. */
  throwIfFailed(method: string): void {
    if (this.#failed.has(method)) throw this.#failed.get(method);
  }
}

/**
 * Keeps the answers that are fine away from the SDK and gives it an empty one in their place. The SDK puts together a
 * redacted and serialised copy of each answer for its debug log, even when nobody listens (WebClient.apiCall): for a
 * page of 999 messages that takes longer than parsing it. Calls of one method never overlap, so its name is key enough.
 */
class HeldBodies {
  readonly #byMethod = new Map<string, Record<string, unknown>>();
  readonly #onDate: ClientOptions['onDate'];

  constructor(onDate: ClientOptions['onDate']) {
    this.#onDate = onDate;
  }

  /** Takes the body of an answer; returns what the SDK is to see of it. */
  hold(method: string, text: string, date: string | null): string {
    const body = parseIfFine(text);
    if (body === undefined) return text;
    // What a proxy answers in Slack's place has the proxy's date.
    this.#onDate(date);
    this.#byMethod.set(method, body);
    return '{"ok":true}';
  }

  /** The whole answer, together with what the SDK took from the headers. */
  take(method: string, result: { response_metadata?: object }): unknown {
    const body = this.#byMethod.get(method);
    this.#byMethod.delete(method);
    if (body === undefined) return result;
    const own = body['response_metadata'];
    const metadata =
      typeof own === 'object' && own !== null ? { ...own, ...result.response_metadata } : result.response_metadata;
    return { ...body, response_metadata: metadata };
  }
}

function methodOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

/** The object of a body that says `"ok": true`; everything else is for the SDK to judge. */
function parseIfFine(text: string): Record<string, unknown> | undefined {
  let body: unknown;
  try {
    body = parseExactly(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return typeof body === 'object' && body !== null && 'ok' in body && body.ok === true ? { ...body } : undefined;
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

function failureOf(error: unknown, proxy: HttpsProxy | null): CallFailure {
  if (error instanceof WebAPIRateLimitedError) return rateLimited(error.retryAfter);
  if (error instanceof WebAPIPlatformError) return refusal(error.data);
  if (error instanceof WebAPIHTTPError) return httpFailure(error);
  if (error instanceof WebAPIRequestError) {
    const { original: cause } = error;
    const taken = proxy === null ? {} : { proxy: { address: proxyAddress(proxy), status: proxyStatusIn(cause) } };
    return { type: 'network', code: networkCode(cause), cause, ...taken };
  }
  if (isRateLimitWithoutHeader(error)) return rateLimited(undefined);
  // The SDK trips over bodies that are valid JSON but no object with ordinary response_metadata ("null", "12").
  if (error instanceof TypeError) return { type: 'bad_body', why: 'it is no JSON object of the usual form' };
  throw error;
}

function httpFailure({ statusCode: status, headers }: WebAPIHTTPError): CallFailure {
  return { type: 'http', status, retryAfterMs: readRetryAfter(new Headers(headers).get('retry-after'), Date.now()) };
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
