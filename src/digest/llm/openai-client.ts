/** The chat completions of OpenAI and of everybody who speaks like it. The only file that knows the SDK. */
import type { OpenAI } from 'openai';
import * as z from 'zod';
import { type Fetch, fetchThrough, type HttpsProxy } from '../../http/proxy.ts';
import type { Charge, ChatAnswer, ChatFailure, ChatFailureKind, ChatModel, ChatRequest } from './chat-model.ts';
import { checkEndpoint } from './endpoint.ts';
import type { Tokens } from './prices.ts';

export interface OpenAiClientOptions {
  /** Null means OpenAI's own API. */
  baseUrl: string | null;
  apiKey: string;
  /** The way to an endpoint outside of this machine; null for straight. */
  proxy: HttpsProxy | null;
}

/** Answers of our form take some thousand bytes; an endpoint that sends more than this is not answering the question. */
const longestAnswerBytes = 4 * 1024 * 1024;
/** Node fires a longer timer at once (nodejs.org/api/timers.html). */
const longestTimerMs = 2 ** 31 - 1;

/**
 * A model behind an address. The SDK is loaded with the first call: it is big, and most runs ask nobody.
 * @throws UsageError when the address is not fit to be sent messages and a key
 */
export function openAiModel({ baseUrl, apiKey, proxy }: OpenAiClientOptions): ChatModel {
  const url = checkEndpoint(baseUrl);
  let client: Promise<OpenAI> | undefined;
  return {
    async complete(request, signal) {
      signal.throwIfAborted();
      client ??= openClient(url, apiKey, fetchThrough(proxy, url));
      return ask(await client, request, signal);
    },
  };
}

async function openClient(url: URL, apiKey: string, send: Fetch): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  return new OpenAI({
    baseURL: url.href.replace(/\/$/, ''),
    apiKey,
    // Absent ones would be taken from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    // Attempts are counted, paid and recorded by the caller, one by one.
    maxRetries: 0,
    // At its debug level it would print messages and answers.
    logLevel: 'off',
    logger: { debug: discard, info: discard, warn: discard, error: discard },
    fetch: fetchWith(apiKey, send),
  });
}

function discard(): void {}

/**
 * Sends our headers only: the SDK adds what it finds out about the machine and lets the environment change the key. Redirects
 * are not followed, since the messages would go on to an address nobody checked; a body without end is cut.
 */
function fetchWith(apiKey: string, send: Fetch): Fetch {
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/json',
    'user-agent': 'slackingest',
  };
  return async (input, init) => limited(await send(input, { ...init, headers, redirect: 'manual' }));
}

function limited(response: Response): Response {
  if (response.body === null) return response;
  let received = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      received += bytes.byteLength;
      if (received > longestAnswerBytes) controller.error(new AnswerTooLongError());
      else controller.enqueue(bytes);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
}

class AnswerTooLongError extends Error {
  override readonly name = 'AnswerTooLongError';
}

async function ask(client: OpenAI, request: ChatRequest, signal: AbortSignal): Promise<ChatAnswer> {
  // The SDK's own timeout ends with the headers of the answer; this one covers its body.
  const timeout = AbortSignal.timeout(Math.min(request.timeoutMs, longestTimerMs));
  try {
    const body = await client.chat.completions.create(parametersOf(request), {
      signal: AbortSignal.any([signal, timeout]),
      timeout: longestTimerMs,
    });
    return readCompletion(body);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return failed('timeout', 'timeout', 'all');
    return failureOf(error);
  }
}

function parametersOf(request: ChatRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return {
    model: request.model,
    temperature: request.temperature,
    [request.form.limit]: request.maxOutputTokens,
    messages: [
      { role: 'system', content: request.system },
      { role: 'user', content: request.user },
    ],
    ...responseFormat(request),
  };
}

function responseFormat({
  form,
  schema,
}: ChatRequest): Pick<OpenAI.ChatCompletionCreateParamsNonStreaming, 'response_format'> {
  switch (form.answer) {
    case 'json_schema':
      return { response_format: { type: 'json_schema', json_schema: { ...schema, strict: true } } };
    case 'json_object':
      return { response_format: { type: 'json_object' } };
    case 'text':
      return {};
  }
}

const tokenCount = z.int().min(0).max(1_000_000_000);
const usageShape = z.object({ prompt_tokens: tokenCount, completion_tokens: tokenCount });

/** Of a body, whatever the SDK believes it is: nothing in it was checked. */
const completionShape = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
});

function readCompletion(body: unknown): ChatAnswer {
  const usage = usageOf(body);
  const { data } = completionShape.safeParse(body);
  const choice = data?.choices[0];
  if (choice === undefined) return failed('bad_answer', 'no_completion', 'all', usage);
  const { finish_reason: reason, message } = choice;
  if (reason === 'content_filter') return failed('declined', 'content_filter', 'all', usage);
  if (typeof message.refusal === 'string' && message.refusal !== '') return failed('declined', 'refusal', 'all', usage);
  const content = message.content ?? '';
  if (content.trim() === '')
    return failed('bad_answer', reason === 'length' ? 'cut_off' : 'empty_answer', 'all', usage);
  return { ok: true, content, isCutOff: reason === 'length', usage };
}

function usageOf(body: unknown): Tokens | null {
  const { data } = z.object({ usage: usageShape }).safeParse(body);
  return data === undefined ? null : { input: data.usage.prompt_tokens, output: data.usage.completion_tokens };
}

function failed(
  kind: ChatFailureKind,
  code: string,
  charge: Charge,
  usage: Tokens | null = null,
  retryAfterMs: number | null = null,
): ChatAnswer {
  return { ok: false, failure: { kind, code, charge, retryAfterMs }, usage };
}

/** Of an `APIError` of the SDK that has a status; told by its form, so that the SDK need not be loaded to ask. */
const statusErrorShape = z.object({
  status: z.int(),
  headers: z
    .custom<Headers>((value) => value instanceof Headers)
    .optional()
    .catch(undefined),
  error: z.unknown().optional(),
  code: z.unknown().optional(),
  type: z.unknown().optional(),
});

function failureOf(error: unknown): ChatAnswer {
  const { data } = statusErrorShape.safeParse(error);
  if (data === undefined) return brokenConnection(error);
  const { status, headers } = data;
  const code = wordOf(data.code) ?? wordOf(data.type) ?? `http_${status}`;
  const { kind, charge } = meaningOf(status, code);
  return failed(kind, code, charge, usageOf(data.error), retryAfterOf(headers));
}

/** What providers charge nothing for is what they refuse; a server that failed may have read the question. */
function meaningOf(status: number, code: string): Pick<ChatFailure, 'kind' | 'charge'> {
  // OpenAI says "slow down" and "your credit is used up" with the same status (platform.openai.com/docs/guides/error-codes).
  if (status === 429) return { kind: code === 'insufficient_quota' ? 'refused' : 'rate_limited', charge: 'nothing' };
  if (status === 408) return { kind: 'timeout', charge: 'all' };
  if (status >= 500) return { kind: 'server', charge: status === 504 ? 'all' : 'input' };
  if (status === 409 || status === 425) return { kind: 'server', charge: 'nothing' };
  if (code === 'content_filter') return { kind: 'declined', charge: 'input' };
  if (status === 400 || status === 413 || status === 422) return { kind: 'bad_request', charge: 'nothing' };
  return { kind: 'refused', charge: 'nothing' };
}

/** The endpoint's word for what is wrong. Texts of errors are left alone: they quote the request. */
function wordOf(value: unknown): string | null {
  return typeof value === 'string' && /^[a-z][\w.-]{0,63}$/i.test(value) ? value : null;
}

/** Seconds, or a date, which is one by the clock of the endpoint (RFC 9110, 10.2.3). */
function retryAfterOf(headers: Headers | undefined): number | null {
  const millis = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (millis >= 0) return millis;
  const text = headers?.get('retry-after') ?? '';
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text) * 1000;
  const sentAt = Date.parse(headers?.get('date') ?? '');
  const wait = Date.parse(text) - (Number.isNaN(sentAt) ? Date.now() : sentAt);
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** Codes of Node and undici of connections that never came about, so that nothing was sent. */
const neverSent =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|.*_CERT.*)$/;

function brokenConnection(error: unknown): ChatAnswer {
  const causes = causesOf(error);
  if (causes.some((cause) => cause instanceof AnswerTooLongError)) return failed('bad_answer', 'too_long', 'all');
  if (causes.some((cause) => cause instanceof SyntaxError)) return failed('bad_answer', 'no_json', 'all');
  const code = causes.map(codeOf).find((word) => word !== null) ?? 'connection_lost';
  return failed('network', code, neverSent.test(code) ? 'nothing' : 'all');
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at !== undefined && causes.length < 8; at = at instanceof Error ? at.cause : undefined) {
    causes.push(at);
  }
  return causes;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? wordOf(error.code) : null;
}
