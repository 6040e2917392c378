/** A language model that is none: OpenAI's chat completions over HTTP on loopback, with answers told in advance. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

const requestBody = z.looseObject({
  model: z.string(),
  temperature: z.number(),
  max_completion_tokens: z.number().optional(),
  max_tokens: z.number().optional(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
  response_format: z.looseObject({ type: z.string() }).optional(),
});

/** One call as it came in. */
export interface ModelRequest {
  path: string;
  authorization: string | undefined;
  headers: IncomingHttpHeaders;
  body: z.output<typeof requestBody>;
  system: string;
  user: string;
  /** 0 for the first. */
  index: number;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
}

/** What one call is answered with. `usage` is what this stand-in would send a bill for. */
export interface Answer {
  usage: Usage | null;
  send(request: ModelRequest, response: ServerResponse): void;
}

export interface StandInModel extends AsyncDisposable {
  baseUrl: string;
  /** Every call, in the order in which they came. */
  requests: ModelRequest[];
  /** Of all calls that were answered with usage. */
  billed: Usage;
  /** Calls under way at the same time, at most. */
  busiest: number;
}

/** The endpoint; `answer` decides what each call gets. */
export async function openModel(answer: (request: ModelRequest) => Answer): Promise<StandInModel> {
  const requests: ModelRequest[] = [];
  const billed: Usage = { prompt_tokens: 0, completion_tokens: 0 };
  let underWay = 0;
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming, requests.length);
    requests.push(request);
    underWay += 1;
    model.busiest = Math.max(model.busiest, underWay);
    response.once('close', () => {
      underWay -= 1;
    });
    const { usage, send } = answer(request);
    billed.prompt_tokens += usage?.prompt_tokens ?? 0;
    billed.completion_tokens += usage?.completion_tokens ?? 0;
    send(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const model: StandInModel = {
    baseUrl: `http://127.0.0.1:${portOf(server.address())}/v1`,
    requests,
    billed,
    busiest: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return model;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address.port;
}

async function readRequest(incoming: IncomingMessage, index: number): Promise<ModelRequest> {
  let text = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming) text += String(chunk);
  const body = requestBody.parse(JSON.parse(text));
  const contentOf = (role: string) => body.messages.find((message) => message.role === role)?.content ?? '';
  return {
    path: incoming.url ?? '',
    authorization: incoming.headers.authorization,
    headers: incoming.headers,
    body,
    system: contentOf('system'),
    user: contentOf('user'),
    index,
  };
}
