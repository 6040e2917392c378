import type { IncomingMessage } from 'node:http';
import type { Params } from './methods/call.ts';

export interface ApiCall {
  method: string;
  /** Without the token. */
  params: Params;
  /** Empty when none was sent. */
  token: string;
}

/**
 * Slack takes arguments from the query, from a form or from JSON, and the token from the Authorization header or a
 * `token` argument (docs.slack.dev/apis/web-api). Undefined when the path is no API method.
 */
export async function readCall(request: IncomingMessage): Promise<ApiCall | undefined> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const method = /^\/api\/([\w.]+)$/.exec(url.pathname)?.[1];
  const body = await readBody(request);
  if (method === undefined) return undefined;
  const isJson = request.headers['content-type']?.startsWith('application/json') ?? false;
  const sent = { ...Object.fromEntries(url.searchParams), ...(isJson ? fromJson(body) : fromForm(body)) };
  const { token: field, ...params } = sent;
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return { method, params, token: bearer ?? field ?? '' };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function fromForm(body: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body));
}

function fromJson(body: string): Record<string, string> {
  const parsed: unknown = body === '' ? {} : JSON.parse(body);
  if (typeof parsed !== 'object' || parsed === null) return {};
  const entries = Object.entries(parsed).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(entries);
}
