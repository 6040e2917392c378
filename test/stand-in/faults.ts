import type { JsonObject, JsonValue } from '../../src/model.ts';

/** Which calls a fault meets: the `nth` call that fits, and the `times - 1` fitting calls after it. */
export interface FaultMatch {
  /** Absent: calls of any method count. */
  method?: string;
  channel?: string;
  workspace?: string;
  when?: (params: Readonly<Record<string, string>>) => boolean;
  /** 1 is the first call that fits, counted from when the fault was added. Default 1. */
  nth?: number;
  /** Default 1; Infinity for ever. */
  times?: number;
}

export type FaultEffect =
  /** Any HTTP status. */
  | { kind: 'http'; status: number; body?: string; headers?: Record<string, string> }
  /** A Slack error code in a 200 body; `ratelimited` and `internal_error` occur this way too. */
  | { kind: 'error'; error: string; needed?: string; provided?: string }
  /** 429. Without `retryAfter` the header is missing, which happens behind proxies. */
  | { kind: '429'; retryAfter?: number }
  /** A login or maintenance page with status 200. */
  | { kind: 'html' }
  | { kind: 'broken-json' }
  /** The honest answer cut in the middle: `length` promises more bytes than come, `chunked` never sends the last chunk. */
  | { kind: 'truncated'; transfer?: 'length' | 'chunked' }
  /** The connection ends before any answer. The call had no effect. */
  | { kind: 'reset' }
  /** Nothing is ever answered. The call had no effect. */
  | { kind: 'hang' }
  /** The call is done, and its answer is lost: the connection ends, stays silent, or a gateway answers with 502. */
  | { kind: 'lost'; how: 'reset' | 'hang' | 'http' }
  /** The connection ends at once, and the call is done all the same, so much later. */
  | { kind: 'late'; delayMs: number }
  /** The honest answer, late. */
  | { kind: 'slow'; delayMs: number }
  /** Answers something else; given the honest answer. */
  | { kind: 'rewrite'; body: (honest: JsonObject) => JsonValue }
  /** The same as text: for what no value of this program's can be written as, such as endless nesting. */
  | { kind: 'rewrite-text'; text: (honest: string) => string }
  /** The cursor that was sent comes back as the next one. On a first page there is none: the answer stays honest. */
  | { kind: 'cursor-loop' }
  /** has_more without a cursor, as time paging may answer. */
  | { kind: 'no-cursor' };

export type Fault = FaultMatch & FaultEffect;

export interface FaultSubject {
  method: string;
  workspace: string | undefined;
  params: Readonly<Record<string, string>>;
}

/** Faults in the order they were added; a call meets at most one, but counts for all it fits. */
export class Faults {
  readonly #scripted: { fault: Fault; seen: number }[] = [];

  constructor(faults: readonly Fault[] = []) {
    for (const fault of faults) this.add(fault);
  }

  add(fault: Fault): void {
    this.#scripted.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#scripted.length = 0;
  }

  next(subject: FaultSubject): Fault | undefined {
    let met: Fault | undefined;
    for (const scripted of this.#scripted) {
      if (!fits(scripted.fault, subject)) continue;
      scripted.seen += 1;
      const { nth = 1, times = 1 } = scripted.fault;
      if (scripted.seen >= nth && scripted.seen < nth + times) met ??= scripted.fault;
    }
    return met;
  }
}

function fits(fault: Fault, { method, workspace, params }: FaultSubject): boolean {
  return (
    (fault.method === undefined || fault.method === method) &&
    (fault.workspace === undefined || fault.workspace === workspace) &&
    (fault.channel === undefined || fault.channel === params.channel) &&
    (fault.when === undefined || fault.when(params))
  );
}

/** What `cursor-loop`, `no-cursor`, `rewrite` and `rewrite-text` make of the honest answer. */
export function distort(fault: Fault, honest: string, sentCursor: string | undefined): string {
  const body = (): JsonObject => JSON.parse(honest) as JsonObject;
  switch (fault.kind) {
    case 'rewrite':
      return JSON.stringify(fault.body(body()));
    case 'rewrite-text':
      return fault.text(honest);
    case 'cursor-loop':
      if (!sentCursor) return honest;
      return JSON.stringify({ ...body(), has_more: true, response_metadata: { next_cursor: sentCursor } });
    case 'no-cursor': {
      const { response_metadata: _, ...rest } = body();
      return JSON.stringify({ ...rest, has_more: true });
    }
    default:
      return honest;
  }
}

/** Answers whose shape is wrong, for `rewrite`. */
export const wrongShape = {
  nullMessages: (honest: JsonObject): JsonValue => ({ ...honest, messages: null }),
  /** A null and an object without ts among the honest messages. */
  strangeMessages: (honest: JsonObject): JsonValue => {
    const messages = Array.isArray(honest.messages) ? honest.messages : [];
    return { ...honest, messages: [null, ...messages, { type: 'message', text: 'I have no ts' }] };
  },
  notAnObject: (): JsonValue => ['ok'],
  noOk: ({ ok: _, ...rest }: JsonObject): JsonValue => rest,
};
