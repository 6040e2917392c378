/** What the stand-in of a language model can be told to answer. */
import type { ServerResponse } from 'node:http';
import type { Answer, ModelRequest, Usage } from './server.ts';

export const usualUsage: Usage = { prompt_tokens: 1234, completion_tokens: 321 };

interface CompletionOptions {
  /** Null: none in the answer. */
  usage?: Usage | null;
  finishReason?: string;
  refusal?: string;
}

/** A completion with this text in it. */
export function content(text: string | null, options: CompletionOptions = {}): Answer {
  const { usage = usualUsage, finishReason = 'stop', refusal = null } = options;
  return {
    usage,
    send(request, response) {
      json(response, 200, {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: request.body.model,
        choices: [
          {
            index: 0,
            finish_reason: finishReason,
            message: { role: 'assistant', content: text, refusal },
            logprobs: null,
          },
        ],
        ...(usage === null ? {} : { usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens } }),
      });
    },
  };
}

/** A good event, with some of it different. */
export function event(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    action: 'Deploy',
    object_name_raw: 'payments',
    qualifiers: [],
    stroke: null,
    anchor: null,
    category: 'product',
    status: 'completed',
    change_type: 'deploy',
    environment: 'prod',
    severity: null,
    planned_start: null,
    planned_end: null,
    actual_start: '2026-11-20T10:00:00Z',
    actual_end: null,
    time_source: 'explicit',
    time_confidence: 0.9,
    summary: 'Payments were deployed.',
    why_it_matters: null,
    links: [],
    anchors: [],
    impact_area: ['payment'],
    impact_type: [],
    confidence: 0.9,
    ...changes,
  };
}

export const events = (list: unknown[], options: CompletionOptions = {}): Answer =>
  content(JSON.stringify({ is_event: list.length > 0, overflow_note: null, events: list }), options);

export const good: Answer = events([event()]);
export const noEvent: Answer = events([]);
export const malformed: Answer = content('{"is_event": true, "events": [{"action": ');
export const wrongShape: Answer = content('{"answer": "yes"}');
export const cutOff: Answer = content('{"is_event": true, "events": [{"acti', { finishReason: 'length' });
export const refused: Answer = content(null, { refusal: 'I cannot help with that.' });
export const filtered: Answer = content('', { finishReason: 'content_filter' });
export const withoutUsage: Answer = events([event()], { usage: null });

/** No answer at all. */
export const hang: Answer = { usage: null, send() {} };

/** Headers and half a body, then nothing. */
export const stall: Answer = {
  usage: null,
  send(_, response) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"id":"chatcmpl-1",');
  },
};

export const reset: Answer = {
  usage: null,
  send(_, response) {
    response.socket?.resetAndDestroy();
  },
};

/** A body that never ends. */
export const endless: Answer = {
  usage: null,
  send(_, response) {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = 'x'.repeat(256 * 1024);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    response.on('error', () => {});
    more();
  },
};

export const noJson: Answer = {
  usage: null,
  send(_, response) {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<html><body>Sign in to the hotel network</body></html>');
  },
};

/** An error as OpenAI words it. */
export function failure(
  status: number,
  {
    code = null,
    headers = {},
    message = 'It failed.',
  }: {
    code?: string | null;
    headers?: Record<string, string>;
    message?: string;
  } = {},
): Answer {
  return {
    usage: null,
    send(_, response) {
      json(response, status, { error: { message, type: null, param: null, code } }, headers);
    },
  };
}

export const rateLimited = (retryAfter?: string): Answer =>
  failure(429, {
    code: 'rate_limit_exceeded',
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
  });

/** The same, later. */
export function slow(ms: number, answer: Answer): Answer {
  return {
    usage: answer.usage,
    send(request, response) {
      setTimeout(() => {
        if (!response.destroyed) answer.send(request, response);
      }, ms).unref();
    },
  };
}

/** The same, once so many calls wait for it. */
export function together(calls: number, answer: Answer): Answer {
  const waiting: (() => void)[] = [];
  return {
    usage: answer.usage,
    send(request, response) {
      waiting.push(() => answer.send(request, response));
      if (waiting.length === calls) for (const send of waiting.splice(0)) send();
    },
  };
}

/** One answer after the other, the last one from then on. */
export function inTurn(...answers: [Answer, ...Answer[]]): (request: ModelRequest) => Answer {
  return ({ index }) => answers[Math.min(index, answers.length - 1)] ?? answers[0];
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
