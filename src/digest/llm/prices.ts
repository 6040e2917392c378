/**
 * What calls cost, in whole nano-dollars (10^-9 USD): prices are told in USD for a million tokens with up to three
 * decimals, so that a token costs a whole number of them and sums come out exact, which sums of fractions do not.
 */
import { UsageError } from '../../errors.ts';

/** USD for a million tokens. */
export interface ModelPrice {
  input: number;
  output: number;
}

export interface Tokens {
  input: number;
  output: number;
}

const nanosPerUsd = 1e9;

/** Published prices without discounts (openai.com/api/pricing), as of November 2026. */
const builtInPrices: Readonly<Record<string, ModelPrice>> = {
  'gpt-5-nano': { input: 0.05, output: 0.4 },
  'gpt-4o-mini': { input: 0.15, output: 0.6 },
  'gpt-4o': { input: 2.5, output: 10 },
  'gpt-3.5-turbo': { input: 0.5, output: 1.5 },
};

/**
 * The price of a model: the configured one, otherwise the built-in one.
 * @throws UsageError when nobody knows it: a guessed price would make the budget worthless
 */
export function priceOf(model: string, prices: Readonly<Record<string, ModelPrice>>): ModelPrice {
  const price = own(prices, model) ?? own(builtInPrices, model);
  if (price !== undefined) return price;
  throw new UsageError(
    `nobody knows what the language model "${model}" costs, so no budget can be kept`,
    `Set llm.prices for "${model}" (USD for a million tokens, input and output; 0 and 0 where nothing is charged).`,
  );
}

/** The name comes from outside: `constructor` is no model. */
function own(prices: Readonly<Record<string, ModelPrice>>, model: string): ModelPrice | undefined {
  return Object.hasOwn(prices, model) ? prices[model] : undefined;
}

/** Nano-dollars, rounded up where a price has more than three decimals. */
export function costOf({ input, output }: Tokens, price: ModelPrice): number {
  // 0.05 * 1000 is not always what it should be in binary: whole numbers that were meant are taken as such.
  return Math.ceil(roundAway(input * price.input * 1000 + output * price.output * 1000));
}

function roundAway(nanos: number): number {
  const whole = Math.round(nanos);
  return Math.abs(nanos - whole) < 1e-3 ? whole : nanos;
}

export function usdOf(nanos: number): number {
  return nanos / nanosPerUsd;
}

/** Of an amount, or of a sum of amounts, that `usdOf` made: the nearest whole number undoes what a sum of fractions adds. */
export function nanosOf(usd: number): number {
  return Math.round(usd * nanosPerUsd);
}
