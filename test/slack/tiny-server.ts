import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Request {
  /** The last part of the path: Slack's method. */
  method: string;
  args: Record<string, string>;
  authorization: string | undefined;
}

export type Answerer = (request: Request, response: ServerResponse) => void;

export interface TinyServer {
  apiUrl: string;
  requests: Request[];
}

/** An HTTP server on loopback that ends with the test. The n-th request gets the n-th answer, later ones the last. */
export async function serve(...answers: Answerer[]): Promise<TinyServer> {
  const requests: Request[] = [];
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming);
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { apiUrl: `http://127.0.0.1:${portOf(server.address())}/api/`, requests };
}

/** An address where nobody listens. */
export async function unusedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${portOf(server.address())}/api/`;
  await new Promise((resolve) => server.close(resolve));
  return url;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answerer {
  return text(JSON.stringify(body), status, { 'content-type': 'application/json', ...headers });
}

export function text(body: string, status = 200, headers: Record<string, string> = {}): Answerer {
  return (_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** `{"ok":true}` and more. */
export const ok = (body: Record<string, unknown> = {}): Answerer => json({ ok: true, ...body });

export const refusal = (error: string, body: Record<string, unknown> = {}): Answerer =>
  json({ ok: false, error, ...body });

/** Half a body, then the connection breaks. */
export const truncated: Answerer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"ok":true,', () => response.destroy());
};

export const reset: Answerer = (_, response) => {
  response.socket?.resetAndDestroy();
};

/** Headers and half a body, then nothing. */
export const stalled: Answerer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"ok":true,');
};

export const silent: Answerer = () => {};

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address.port;
}

async function readRequest(incoming: IncomingMessage): Promise<Request> {
  let body = '';
  for await (const chunk of incoming) body += String(chunk);
  return {
    method: incoming.url?.split('/').at(-1) ?? '',
    args: Object.fromEntries(new URLSearchParams(body)),
    authorization: incoming.headers.authorization,
  };
}
