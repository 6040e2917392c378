import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CursorLifetime, Cursors } from './cursors.ts';
import { distort, type Fault, Faults } from './faults.ts';
import type { FullPage, Params, Settings } from './methods/call.ts';
import { METHODS } from './methods/index.ts';
import { type LimitOptions, RateLimiter } from './rate-limits.ts';
import { Refusal } from './refusal.ts';
import { readCall } from './request.ts';
import type { Token } from './tokens.ts';
import type { World } from './world.ts';

export interface StandInOptions {
  world: World;
  /** Default `off`. */
  limits?: 'off' | 'tiers' | 'restricted' | LimitOptions;
  faults?: readonly Fault[];
  port?: number;
  cursors?: CursorLifetime;
  /** `true`: half a page, then an empty one, then a full one, and so on, each with a cursor. Or say how many rows. */
  thinPages?: boolean | ((page: FullPage) => number);
  /** Do later pages of replies repeat the parent? Default true, the harder case. */
  repeatsParent?: boolean;
  /** The `Date` header, given what it should be (epoch milliseconds); null for none, as some proxies have it. */
  date?: (now: number) => string | null;
  onRequest?: Hook;
  onResponse?: Hook;
}

export interface LoggedRequest {
  /** 1 is the first request the server got. */
  readonly n: number;
  readonly method: string;
  /** Without the token. */
  readonly params: Params;
  /** Undefined when the token is unknown. */
  readonly workspace: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  /** 0 while unanswered, and for a connection that was reset or left hanging. */
  status: number;
}

/** The next request waits for it, so a hook may change the world between two pages. */
export type Hook = (request: LoggedRequest) => void | Promise<void>;

export interface StandIn extends AsyncDisposable {
  /** For SLACK_API_URL, with the trailing slash. */
  readonly url: string;
  readonly requests: readonly LoggedRequest[];
  readonly faults: Faults;
  count(method?: string, channel?: string): number;
  /** Both return a function that takes the hook away again. */
  onRequest(hook: Hook): () => void;
  onResponse(hook: Hook): () => void;
  /** Every cursor handed out so far turns invalid. */
  expireCursors(): void;
  close(): Promise<void>;
}

interface Reply {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

const HTML =
  '<!DOCTYPE html><html><head><title>Slack</title></head><body><p>Slack is down for maintenance.</p></body></html>';

/** Starts Slack on loopback. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const { world } = options;
  const cursors = new Cursors(options.cursors);
  const faults = new Faults(options.faults);
  const limits = limitOptions(options.limits);
  const limiter = limits === undefined ? undefined : new RateLimiter(limits);
  const settings: Settings = {
    cursors,
    thin: thinning(options.thinPages),
    isRestricted: limits?.regime === 'restricted',
    repeatsParent: options.repeatsParent ?? true,
  };
  const requests: LoggedRequest[] = [];
  const before = new Set<Hook>(options.onRequest === undefined ? [] : [options.onRequest]);
  const after = new Set<Hook>(options.onResponse === undefined ? [] : [options.onResponse]);
  let settled: Promise<unknown> = Promise.resolve();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await readCall(request);
    if (call === undefined) {
      send(response, { status: 404, body: HTML, headers: { 'content-type': 'text/html' } });
      return;
    }
    const { method, params } = call;
    const token = world.tokens.get(call.token);
    const workspace = token?.workspace.id;
    const entry: LoggedRequest = { n: requests.length + 1, method, params, workspace, at: Date.now(), status: 0 };
    requests.push(entry);
    await settled;
    for (const hook of before) await hook(entry);
    if (after.size > 0) {
      response.once('close', () => {
        settled = settled.then(async () => {
          for (const hook of after) await hook(entry);
        });
      });
    }
    const fault = faults.next({ method, workspace, params });
    const honest = (): Reply => answer(method, params, call.token, token);
    await respond(response, entry, fault, honest);
  }

  function answer(method: string, params: Params, value: string, token: Token | undefined): Reply {
    const known = METHODS.get(method);
    if (known === undefined) return refused(new Refusal('unknown_method'));
    if (value === '') return refused(new Refusal('not_authed'));
    if (token === undefined) return refused(new Refusal('invalid_auth'));
    if (token.state !== 'ok') return refused(new Refusal(token.state));
    const wait = limiter?.take(token.workspace.id, token.app, method);
    if (wait !== undefined) return tooMany(wait);
    const headers = {
      'x-oauth-scopes': token.scopes.join(','),
      ...(known.accepts.length > 0 ? { 'x-accepted-oauth-scopes': known.accepts.join(',') } : {}),
    };
    try {
      const body = known.answer({ method, params, token, workspace: token.workspace, settings });
      return { status: 200, body, headers };
    } catch (error) {
      if (error instanceof Refusal) return { ...refused(error), headers };
      throw error;
    }
  }

  const server = createServer((request, response) => {
    stampDate(response, options.date);
    handle(request, response).catch((error: unknown) => {
      // A mistake in the stand-in or in a test's hook must be seen, not taken for one of Slack's failures.
      process.stderr.write(`stand-in: ${error instanceof Error ? error.stack : String(error)}\n`);
      response.destroy();
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };

  return {
    url: `http://127.0.0.1:${port}/api/`,
    requests,
    faults,
    count: (method, channel) =>
      requests.filter(
        (entry) =>
          (method === undefined || entry.method === method) &&
          (channel === undefined || entry.params.channel === channel),
      ).length,
    onRequest: (hook) => subscribe(before, hook),
    onResponse: (hook) => subscribe(after, hook),
    expireCursors: () => cursors.expireAll(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Answers honestly or as the fault has it. */
async function respond(
  response: ServerResponse,
  entry: LoggedRequest,
  fault: Fault | undefined,
  honest: () => Reply,
): Promise<void> {
  const reply = (sent: Reply): void => {
    entry.status = sent.status;
    send(response, sent);
  };
  if (fault === undefined) return reply(honest());
  switch (fault.kind) {
    case 'http':
      return reply({ status: fault.status, body: fault.body ?? '', headers: fault.headers ?? {} });
    case 'error': {
      const { error, needed, provided } = fault;
      const extra = { ...(needed === undefined ? {} : { needed }), ...(provided === undefined ? {} : { provided }) };
      return reply(refused(new Refusal(error, extra)));
    }
    case '429':
      return reply(tooMany(fault.retryAfter));
    case 'html':
      return reply({ status: 200, body: HTML, headers: { 'content-type': 'text/html; charset=utf-8' } });
    case 'broken-json': {
      const { body } = honest();
      return reply({ status: 200, body: body.slice(0, -Math.ceil(body.length / 3)) });
    }
    case 'truncated':
      entry.status = 200;
      return truncate(response, honest(), fault.transfer ?? 'length');
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return;
    case 'lost':
      honest();
      if (fault.how === 'http') return reply({ status: 502, body: '' });
      if (fault.how === 'reset') response.socket?.resetAndDestroy();
      return;
    case 'late':
      response.socket?.resetAndDestroy();
      await sleep(fault.delayMs, undefined, { ref: false });
      honest();
      return;
    case 'slow':
      await sleep(fault.delayMs, undefined, { ref: false });
      return reply(honest());
    default: {
      const sent = honest();
      return reply({ ...sent, body: distort(fault, sent.body, entry.params.cursor) });
    }
  }
}

function stampDate(response: ServerResponse, date: StandInOptions['date']): void {
  if (date === undefined) return;
  const header = date(Date.now());
  response.sendDate = header !== null;
  if (header !== null) response.setHeader('date', header);
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}

function truncate(response: ServerResponse, { status, body, headers }: Reply, transfer: 'length' | 'chunked'): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    ...(transfer === 'length' ? { 'content-length': bytes.length } : {}),
    ...headers,
  });
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.destroy());
}

function refused(refusal: Refusal): Reply {
  return { status: 200, body: refusal.toJson() };
}

function tooMany(retryAfter: number | undefined): Reply {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return { status: 429, body: new Refusal('ratelimited').toJson(), headers };
}

function limitOptions(limits: StandInOptions['limits']): LimitOptions | undefined {
  if (limits === undefined || limits === 'off') return undefined;
  return typeof limits === 'string' ? { regime: limits } : limits;
}

function thinning(thinPages: StandInOptions['thinPages']): Settings['thin'] {
  if (typeof thinPages === 'function') return thinPages;
  if (thinPages !== true) return ({ limit }) => limit;
  return ({ depth, limit }) => [Math.ceil(limit / 2), 0, limit][depth % 3] ?? limit;
}

function subscribe(hooks: Set<Hook>, hook: Hook): () => void {
  hooks.add(hook);
  return () => hooks.delete(hook);
}
