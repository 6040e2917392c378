/** The language model: the file's section completed by the environment. The key is asked for only when it is needed. */
import type * as z from 'zod';
import { UsageError } from '../errors.ts';
import type { llmSection } from './digest-schema.ts';
import { type Environment, readVariable } from './env.ts';

export type LlmConfig = Readonly<z.output<typeof llmSection>>;

/**
 * Of the environment, `LLM_BASE_URL` and `LLM_API_KEY` go by the names of OpenAI's own clients too.
 * @throws UsageError for a variable that is no number or out of range
 */
export function llmConfig(env: Environment, file: z.output<typeof llmSection>): LlmConfig {
  const text = (...names: string[]) =>
    names.map((name) => readVariable(env, name)).find((value) => value !== undefined);
  const number = (name: string, range: { min: number; max?: number; whole?: true }) =>
    numberOf(readVariable(env, name), name, range);
  const changes = {
    model: text('LLM_MODEL'),
    base_url: text('LLM_BASE_URL', 'OPENAI_BASE_URL'),
    temperature: number('LLM_TEMPERATURE', { min: 0, max: 2 }),
    timeout_seconds: number('LLM_TIMEOUT_SECONDS', { min: 0.001 }),
    daily_budget_usd: number('LLM_DAILY_BUDGET_USD', { min: 0 }),
    daily_budget_tokens: number('LLM_DAILY_BUDGET_TOKENS', { min: 1, whole: true }),
    max_events_per_msg: number('LLM_MAX_EVENTS_PER_MSG', { min: 1, max: 5, whole: true }),
    cache_ttl_days: number('LLM_CACHE_TTL_DAYS', { min: 1, max: 90, whole: true }),
  };
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const input = number('LLM_PRICE_INPUT', { min: 0 });
  const output = number('LLM_PRICE_OUTPUT', { min: 0 });
  const merged: LlmConfig = { ...file, ...given };
  if (merged.model === undefined || input === undefined || output === undefined) return merged;
  return { ...merged, prices: { ...file.prices, [merged.model]: { input, output } } };
}

/** The key of the endpoint. Throws `UsageError` when there is none. */
export function resolveLlmKey(env: Environment): string {
  const key = readVariable(env, 'LLM_API_KEY') ?? readVariable(env, 'OPENAI_API_KEY');
  if (key === undefined) {
    throw new UsageError(
      'a language model is configured, and there is no key for it',
      'Set LLM_API_KEY (or OPENAI_API_KEY), to any word where the endpoint wants none; or run with --skip-llm.',
    );
  }
  return key;
}

function numberOf(
  text: string | undefined,
  name: string,
  { min, max = Number.MAX_SAFE_INTEGER, whole }: { min: number; max?: number; whole?: true },
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= min && value <= max && (whole !== true || Number.isInteger(value)))
    return value;
  const range = max < Number.MAX_SAFE_INTEGER ? `from ${min} to ${max}` : `from ${min} on`;
  throw new UsageError(`${name}: "${text}" is not a ${whole === true ? 'whole ' : ''}number ${range}`);
}
