/** How much may be asked of a language model in one UTC day, by everybody who uses the database. */
import type { IsoTime } from '../../model.ts';
import { millisToIso } from '../../ts.ts';
import { costOf, type ModelPrice, nanosOf, type Tokens } from './prices.ts';

export interface Budget {
  usd: number;
  /** Input and output together; null without such a limit. */
  tokens: number | null;
}

/** What was spent since the day began, calls that are under way included with all that they may cost. */
export interface Spent {
  usd: number;
  tokens: number;
}

const dayMs = 86_400_000;
/** Below this share of the budget only the best candidates are read, once there are enough to choose from. */
const scarceShare = 0.2;
const enoughToChoose = 10;
const bestShare = 0.1;

/** The UTC day of a moment: from, up to and not including. */
export function budgetDay(millis: number): { from: IsoTime; to: IsoTime } {
  const from = Math.floor(millis / dayMs) * dayMs;
  return { from: millisToIso(from), to: millisToIso(from + dayMs) };
}

/** Which budget does not cover a call that takes at most `most`; null when both do. */
export function lacking(budget: Budget, spent: Spent, most: Tokens, price: ModelPrice): 'usd' | 'tokens' | null {
  if (nanosOf(spent.usd) + costOf(most, price) > nanosOf(budget.usd)) return 'usd';
  const tokens = spent.tokens + most.input + most.output;
  return budget.tokens !== null && tokens > budget.tokens ? 'tokens' : null;
}

/** Whether less than a fifth of either budget is left. */
export function isScarce(budget: Budget, spent: Spent): boolean {
  const usdLeft = nanosOf(budget.usd) - nanosOf(spent.usd);
  if (usdLeft < nanosOf(budget.usd) * scarceShare) return true;
  return budget.tokens !== null && budget.tokens - spent.tokens < budget.tokens * scarceShare;
}

/** With a scarce budget, the score from which a candidate is among the best tenth; null when there are few anyway. */
export function leastScore(scores: readonly number[]): number | null {
  if (scores.length < enoughToChoose) return null;
  return scores.toSorted((a, b) => b - a)[Math.floor(scores.length * bestShare)] ?? null;
}

/**
 * Tokens that a text can have at most. Tokens of the byte-level vocabularies in use stand for at least one byte of UTF-8
 * each (github.com/openai/tiktoken); how many exactly only the model's own tokenizer knows.
 */
export function mostTokens(...texts: string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
