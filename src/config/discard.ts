/**
 * Rules that keep messages out of the database.
 */
import * as z from 'zod';
import type { DiscardRule, DiscardTest } from '../sync/discard.ts';

const maxPatternLength = 500;

/** `bot_profile.name`: keys of Slack's message object, joined by dots. */
const field = z
  .string()
  .regex(/^[^\s.]+(?:\.[^\s.]+)*$/, 'is no path such as subtype or bot_profile.name')
  .describe('Path into the message as Slack sends it, such as `subtype` or `bot_profile.name`.');

const scalar = z.union(
  [z.string(), z.number(), z.boolean(), z.null()],
  'must be a text, a number, true, false or null',
);

const note = z.string().optional().describe('Why the rule exists.');

const pattern = z
  .string()
  .min(1)
  .max(maxPatternLength, `is longer than ${maxPatternLength} characters`)
  .transform((source, context): RegExp => {
    const problem = repetitionProblem(source);
    if (problem === undefined) {
      try {
        return new RegExp(source, 'u');
      } catch (error) {
        context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
        return z.NEVER;
      }
    }
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });

/** One rule as it is written, turned into the shape that the sync layer defines. A message is discarded when any rule matches. */
export const discardRule = z
  .discriminatedUnion(
    'op',
    [
      z.strictObject({ field, op: z.literal('eq'), value: scalar, note }),
      z.strictObject({ field, op: z.literal('in'), value: z.array(scalar).min(1), note }),
      z.strictObject({ field, op: z.literal('exists'), note }),
      z.strictObject({ field, op: z.literal('not_exists'), note }),
      z.strictObject({ field, op: z.literal('regex'), value: pattern, note }),
      z.strictObject({ field, op: z.literal('starts_with'), value: z.string().min(1), note }),
    ],
    'must be one of eq, in, exists, not_exists, regex, starts_with',
  )
  .transform((rule): DiscardRule => {
    switch (rule.op) {
      case 'eq':
        return toRule(rule, { op: 'eq', value: rule.value }, JSON.stringify(rule.value));
      case 'in':
        return toRule(rule, { op: 'in', values: rule.value }, JSON.stringify(rule.value));
      case 'regex':
        return toRule(rule, { op: 'regex', pattern: rule.value }, String(rule.value));
      case 'starts_with':
        return toRule(rule, { op: 'starts_with', prefix: rule.value }, JSON.stringify(rule.value));
      case 'exists':
      case 'not_exists':
        return toRule(rule, { op: rule.op }, '');
    }
  });

function toRule(rule: { field: string; note?: string | undefined }, test: DiscardTest, value: string): DiscardRule {
  return { field: rule.field, test, label: rule.note ?? `${rule.field} ${test.op} ${value}`.trim() };
}

/**
 * A repeated group that itself holds an unbounded repetition, `(a+)*`, can take exponential time on one long
 * message and hang a run. Escapes and character classes are skipped, as nothing in them repeats.
 */
function repetitionProblem(source: string): string | undefined {
  const groups: { repeats: boolean }[] = [{ repeats: false }];
  const tokens = source.match(/\\.|\[(?:\\.|[^\]\\])*\]|[+*]|\{\d+,\d*\}|[()]|./gsu) ?? [];
  for (const [index, token] of tokens.entries()) {
    const current = groups.at(-1);
    if (current === undefined) return undefined;
    if (token === '(') groups.push({ repeats: false });
    else if (isRepetition(token)) current.repeats = true;
    else if (token === ')') {
      groups.pop();
      const parent = groups.at(-1);
      if (current.repeats && isRepetition(tokens[index + 1] ?? '')) {
        return 'repeats a group that repeats something itself; that can take for ever on a long message';
      }
      if (parent !== undefined) parent.repeats ||= current.repeats;
    }
  }
  return undefined;
}

function isRepetition(token: string): boolean {
  return token === '+' || token === '*' || /^\{\d+,\d*\}$/.test(token);
}
