/**
 * Asks a model about one piece of a message, and pays for it. What a call may cost at most is written down before it is
 * sent, as if it were spent, and replaced by what it did cost: so runs side by side cannot spend the same money, and a run
 * that is killed leaves behind what it may have spent.
 */
import { randomUUID } from 'node:crypto';
import type { CandidateKey } from '../../db/repositories/candidate-leases.ts';
import type { TransactionStore } from '../../db/repositories/index.ts';
import type { CallOutcome } from '../../db/repositories/language-models.ts';
import type { LlmCallRow } from '../../db/schema.ts';
import { maskSecrets } from '../../secrets.ts';
import { millisToIso } from '../../ts.ts';
import type { CandidateMessage } from '../events/extractor.ts';
import { type AnswerContext, type AnswerReading, parseAnswer, readAnswer } from './answer.ts';
import { answerSchema, answerSchemaVersion } from './answer-schema.ts';
import { type Budget, budgetDay, lacking, mostTokens, type Spent } from './budget.ts';
import { cacheKey, sha256 } from './cache-key.ts';
import { type ChatAnswer, type ChatFailure, type ChatRequest, type RequestForm, requestForms } from './chat-model.ts';
import { costOf, type ModelPrice, priceOf, type Tokens, usdOf } from './prices.ts';
import * as prompt from './prompts/events-2026-11-23.ts';
import { retryDelay } from './retry.ts';
import type { LlmContext, Stopped } from './stage.ts';

export const promptVersion = prompt.version;

/** A piece of a message. */
export interface Piece {
  message: CandidateMessage;
  index: number;
  text: string;
}

export type PieceOutcome =
  | { type: 'answered'; reading: AnswerReading; isCached: boolean }
  /** The call failed, and so did those after it. */
  | { type: 'failed'; failure: ChatFailure }
  | { type: 'stopped'; why: Stopped; note: string }
  /** Somebody else has the candidate now. */
  | { type: 'lost' };

/** What was sent and spent in one run. */
export interface Sums {
  calls: number;
  tokens: Tokens;
  nanos: number;
}

/** Whoever asks us to wait longer does not serve us in this run. */
const longestWaitMs = 5 * 60_000;
/** The frame around each text of a request: roles and separators take a few tokens each. */
const frameTokens = 64;
const schemaTokens = mostTokens(JSON.stringify(answerSchema));

type Reservation =
  | { type: 'reserved'; row: LlmCallRow; most: Tokens }
  | { type: 'lost' }
  | { type: 'spent'; note: string };

export class Asker {
  readonly sums: Sums = { calls: 0, tokens: { input: 0, output: 0 }, nanos: 0 };
  readonly #context: LlmContext;
  readonly #deadline: number | null;
  readonly #price: ModelPrice;
  /** How the endpoint wants to be asked: the first form until another one is found to be right. */
  #form: RequestForm = requestForms[0];
  #isFormProven = false;

  /** Throws `UsageError` when nobody knows what the model costs. */
  constructor(context: LlmContext, deadline: number | null) {
    this.#context = context;
    this.#deadline = deadline;
    this.#price = priceOf(context.settings.model, context.settings.prices);
  }

  /**
   * The events of a piece, from the cache or from the model, asked again while it fails and may do better. `hold` keeps the
   * candidate ours for the time of one more call; false when it is not ours any more. Rejects with the signal's reason.
   */
  async ask(piece: Piece, hold: (tx: TransactionStore) => Promise<boolean>): Promise<PieceOutcome> {
    const { store, signal, now } = this.#context;
    const question = this.#questionOf(piece);
    const cached = await store.languageModels.findAnswer(question.cacheKey, millisToIso(now()));
    const reading = cached === null ? null : readAnswer(cached, contextOf(piece.message));
    if (reading !== null) {
      const row = this.#callRow(question, 0, { tokens: { input: 0, output: 0 }, nanos: 0 });
      await store.transaction((tx) =>
        tx.languageModels.insertCall({ ...row, success: true, cached: true, error_code: null, error_message: null }),
      );
      return { type: 'answered', reading, isCached: true };
    }

    let form = this.#form;
    let failures = 0;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      if (this.#timeLeft() <= 0) return outOfTime;
      const reservation = await this.#reserve(question, attempt, hold);
      if (reservation.type === 'lost') return reservation;
      if (reservation.type === 'spent') return { type: 'stopped', why: 'budget', note: reservation.note };
      const outcome = await this.#send(question, reservation, form);
      if (outcome.type === 'answered') {
        this.#form = form;
        this.#isFormProven = true;
        return outcome;
      }
      const { failure } = outcome;
      if (failure.kind === 'timeout' && this.#timeLeft() <= 0) return outOfTime;
      const other = failure.kind === 'bad_request' ? this.#formAfter(form) : undefined;
      if (other !== undefined) {
        form = other;
        continue;
      }
      failures += 1;
      const stopped = await this.#waitAfter(failure, failures);
      if (stopped !== null) return stopped;
    }
  }

  /** A form that has brought an answer is right; a request that it does not help is wrong in another way. */
  #formAfter(form: RequestForm): RequestForm | undefined {
    if (this.#isFormProven) return form === this.#form ? undefined : this.#form;
    return requestForms[requestForms.indexOf(form) + 1];
  }

  /** Null when it is to be tried again. */
  async #waitAfter(failure: ChatFailure, failures: number): Promise<PieceOutcome | null> {
    const { settings, random, sleep, signal, emit } = this.#context;
    if (failure.kind === 'refused') return { type: 'stopped', why: 'refused', note: refusalNote(failure.code) };
    const delay = retryDelay(failure, failures, { speed: settings.speed, random });
    if (delay === null) return { type: 'failed', failure };
    if (delay > longestWaitMs) return { type: 'stopped', why: 'unavailable', note: longWaitNote(delay) };
    if (this.#timeLeft() <= delay) return outOfTime;
    emit?.({ type: 'retry', method: eventName, attempt: failures, code: failure.code, message: describe(failure) });
    const reason = failure.kind === 'rate_limited' ? 'rate_limit' : 'retry';
    emit?.({ type: 'waiting', method: eventName, reason, ms: delay });
    await sleep(delay, signal);
    return null;
  }

  #timeLeft(): number {
    return this.#deadline === null ? Number.POSITIVE_INFINITY : this.#deadline - this.#context.now();
  }

  #questionOf({ message, index, text }: Piece): Question {
    const { model, temperature } = this.#context.settings;
    const { system } = prompt;
    const user = prompt.userPrompt({
      channel: message.channel_name,
      posted_at: message.posted_at,
      zone: message.zone,
      text: maskSecrets(text),
      links: message.text.links.map(maskSecrets),
      anchors: message.text.anchors,
    });
    const key = cacheKey({
      model,
      temperature,
      schemaVersion: answerSchemaVersion,
      promptVersion,
      system,
      user,
      chunkIndex: index,
    });
    return { message, index, system, user, cacheKey: key };
  }

  /** The row of a call of which nothing is known yet but what it costs at most. */
  #callRow(question: Question, attempt: number, most: { tokens: Tokens; nanos: number }): LlmCallRow {
    const { settings, now } = this.#context;
    const { team_id, channel_id, ts }: CandidateKey = question.message;
    return {
      id: randomUUID(),
      team_id,
      channel_id,
      ts,
      chunk_index: question.index,
      cache_key: question.cacheKey,
      model: settings.model,
      prompt_version: promptVersion,
      temperature: settings.temperature,
      tokens_in: most.tokens.input,
      tokens_out: most.tokens.output,
      cost_usd: usdOf(most.nanos),
      latency_ms: 0,
      attempt,
      success: false,
      cached: false,
      error_code: 'unfinished',
      error_message: 'sent, and nobody saw how it ended; counted with what it may have cost',
      created_at: millisToIso(now()),
    };
  }

  async #reserve(
    question: Question,
    attempt: number,
    hold: (tx: TransactionStore) => Promise<boolean>,
  ): Promise<Reservation> {
    const { store, settings, now } = this.#context;
    const input = mostTokens(question.system, question.user) + schemaTokens + frameTokens;
    const most: Tokens = { input, output: settings.maxOutputTokens };
    const nanos = costOf(most, this.#price);
    return store.transaction(async (tx) => {
      if (!(await hold(tx))) return { type: 'lost' };
      await tx.languageModels.holdBudget();
      const day = budgetDay(now());
      const spent = await tx.languageModels.sumSpent(day.from, day.to);
      const lacks = lacking(settings.budget, spent, most, this.#price);
      if (lacks !== null) return { type: 'spent', note: spentNote(lacks, settings.budget, spent, { most, nanos }) };
      const row = this.#callRow(question, attempt, { tokens: most, nanos });
      await tx.languageModels.insertCall(row);
      return { type: 'reserved', row, most };
    });
  }

  async #send(
    question: Question,
    { row, most }: Extract<Reservation, { type: 'reserved' }>,
    form: RequestForm,
  ): Promise<Extract<PieceOutcome, { type: 'answered' | 'failed' }>> {
    const { model, now, signal, emit, log } = this.#context;
    this.sums.calls += 1;
    emit?.({ type: 'request', method: eventName, requests: this.sums.calls });
    const before = now();
    let answer: ChatAnswer | undefined;
    try {
      answer = await model.complete(this.#requestOf(question, form), signal);
    } finally {
      // Of a call that was broken off nobody knows what it cost.
      if (answer === undefined) this.#add(most);
    }
    const json = answer.ok ? parseAnswer(answer.content) : null;
    const reading = json === null ? null : usable(readAnswer(json, contextOf(question.message)));
    const tokens = answer.usage ?? this.#guessUsage(answer, most);
    const failure = answer.ok ? badAnswer(answer) : answer.failure;
    const latencyMs = Math.max(0, Math.round(now() - before));
    this.#add(tokens);
    await this.#settle(row, { tokens, latencyMs, failure: reading === null ? failure : null, json });
    log?.(
      [
        `language model ${row.channel_id} ${row.ts} piece ${row.chunk_index} attempt ${row.attempt}:`,
        reading === null ? failure.code : `${reading.events.length} events`,
        `${tokens.input}+${tokens.output} tokens, ${latencyMs} ms;`,
        `asked ${sha256(question.user).slice(0, 12)} (${question.user.length} characters),`,
        answer.ok ? `answered ${sha256(answer.content).slice(0, 12)} (${answer.content.length})` : 'no answer',
      ].join(' '),
    );
    return reading === null ? { type: 'failed', failure } : { type: 'answered', reading, isCached: false };
  }

  #requestOf(question: Question, form: RequestForm): ChatRequest {
    const { settings } = this.#context;
    return {
      model: settings.model,
      temperature: settings.temperature,
      system: question.system,
      user: question.user,
      form,
      schema: answerSchema,
      maxOutputTokens: settings.maxOutputTokens,
      timeoutMs: Math.max(1, Math.ceil(Math.min(settings.timeoutMs, this.#timeLeft()))),
    };
  }

  /**
   * What an answer without usage is counted with, never less than it can have been: the bytes of what was sent and received,
   * or the whole reservation where an answer may have been made that we did not get to see.
   */
  #guessUsage(answer: ChatAnswer, most: Tokens): Tokens {
    if (answer.ok) return { input: most.input, output: Math.min(most.output, mostTokens(answer.content)) };
    switch (answer.failure.charge) {
      case 'nothing':
        return { input: 0, output: 0 };
      case 'input':
        return { input: most.input, output: 0 };
      case 'all':
        return most;
    }
  }

  #add({ input, output }: Tokens): void {
    this.sums.tokens.input += input;
    this.sums.tokens.output += output;
    this.sums.nanos += costOf({ input, output }, this.#price);
  }

  async #settle(row: LlmCallRow, { tokens, latencyMs, failure, json }: Settlement): Promise<void> {
    const { store, settings, now } = this.#context;
    const outcome: CallOutcome = {
      tokens_in: tokens.input,
      tokens_out: tokens.output,
      cost_usd: usdOf(costOf(tokens, this.#price)),
      latency_ms: latencyMs,
      success: failure === null,
      error_code: failure?.code ?? null,
      error_message: failure === null ? null : describe(failure),
    };
    await store.transaction(async (tx) => {
      await tx.languageModels.settleCall(row.id, outcome);
      if (failure !== null || json === null) return;
      await tx.languageModels.saveAnswer({
        cache_key: row.cache_key,
        response: json,
        created_at: millisToIso(now()),
        expires_at: millisToIso(now() + settings.cacheTtlMs),
      });
    });
  }
}

interface Question {
  message: CandidateMessage;
  index: number;
  system: string;
  user: string;
  cacheKey: string;
}

interface Settlement {
  tokens: Tokens;
  latencyMs: number;
  failure: ChatFailure | null;
  json: ReturnType<typeof parseAnswer>;
}

/** How calls are called in progress events. */
const eventName = 'chat.completions';

const outOfTime: PieceOutcome = {
  type: 'stopped',
  why: 'deadline',
  note: 'The time for the language model was up; the rest is read by a later run.',
};

function contextOf({ text, zone }: CandidateMessage): AnswerContext {
  return { text: text.plain, links: text.links, anchors: text.anchors, zone };
}

/** What is wrong with an answer that holds no events of the right shape. */
/** An answer that holds entries, none of which is an event, says nothing: not that there are no events. */
function usable(reading: AnswerReading | null): AnswerReading | null {
  return reading !== null && reading.events.length === 0 && reading.unreadable > 0 ? null : reading;
}

function badAnswer({ isCutOff }: { isCutOff: boolean }): ChatFailure {
  return { kind: 'bad_answer', code: isCutOff ? 'cut_off' : 'bad_shape', retryAfterMs: null, charge: 'all' };
}

/** For people, in our words only: those of an endpoint may quote the message. */
export function describe({ kind, code }: ChatFailure): string {
  const words: Readonly<Record<ChatFailure['kind'], string>> = {
    rate_limited: 'the endpoint asks to slow down',
    timeout: 'no answer in time',
    server: 'the endpoint failed',
    network: 'the connection failed',
    bad_answer: 'the answer is not what was asked for',
    declined: 'the model or a filter declined to answer',
    bad_request: 'the endpoint does not accept the request',
    refused: 'the endpoint refuses our calls',
  };
  return `${words[kind]} (${code})`;
}

export function refusalNote(code: string): string {
  return `The language model was not asked any more: the endpoint refuses our calls (${code}). Check the key (LLM_API_KEY), its credit, llm.model and llm.base_url.`;
}

function longWaitNote(ms: number): string {
  return `The language model was not asked any more: the endpoint asks to wait for ${Math.ceil(ms / 60_000)} minutes. The rest is read by a later run.`;
}

function spentNote(
  lacks: 'usd' | 'tokens',
  budget: Budget,
  spent: Spent,
  { most, nanos }: { most: Tokens; nanos: number },
): string {
  const [used, whole, needed] =
    lacks === 'usd'
      ? [usdText(spent.usd), usdText(budget.usd), usdText(usdOf(nanos))]
      : [`${spent.tokens}`, `${budget.tokens} tokens`, `${most.input + most.output}`];
  return `The language model was not asked any more: of today's budget (UTC), ${used} of ${whole} are spent, and one call may take up to ${needed}. The rest is read by a later run.`;
}

function usdText(usd: number): string {
  return `${usd.toFixed(usd >= 0.1 || usd === 0 ? 2 : 6)} USD`;
}
