/** What is wrong with a file that a person wrote, told by its keys and in words of our own, whichever schema it was. */
import type * as z from 'zod';
import { nearestWord } from '../nearest-word.ts';

type Issue = z.core.$ZodIssue;

/** For `safeParse(content, { error: inOurWords })`: what zod would say where the schema itself says nothing. */
export function inOurWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${kindOf(String(issue.expected))}`;
    case 'invalid_value':
      return `must be ${listOf(issue.values.map(String))}`;
    case 'too_small':
      return limitText(issue.origin, 'at least', issue.inclusive === false, issue.minimum);
    case 'too_big':
      return limitText(issue.origin, 'at most', issue.inclusive === false, issue.maximum);
    default:
      return 'has a form that is not understood';
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a list of keys with their values',
  record: 'a list of keys with their values',
};

function kindOf(expected: string): string {
  return kinds[expected] ?? 'of another kind';
}

function listOf(values: readonly string[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`;
}

function limitText(
  origin: string,
  bound: 'at least' | 'at most',
  isExclusive: boolean,
  limit: number | bigint,
): string {
  if (origin === 'string' || origin === 'array') {
    if (bound === 'at least' && Number(limit) <= 1) return 'must not be empty';
    return `must have ${bound} ${limit} ${origin === 'string' ? 'characters' : 'entries'}`;
  }
  if (!isExclusive) return `must be ${bound} ${limit}`;
  return `must be ${bound === 'at least' ? 'more' : 'less'} than ${limit}`;
}

/**
 * One line for each thing that is wrong: `threads: must be true or false`. `knownKeys` are the keys that are allowed at a
 * place, by the nearest key above it.
 */
export function describeIssues(
  issues: readonly Issue[],
  knownKeys: Readonly<Record<string, readonly string[]>> = {},
): string[] {
  return issues.flatMap((issue) => describeIssue(issue, knownKeys));
}

function describeIssue(issue: Issue, knownKeys: Readonly<Record<string, readonly string[]>>): string[] {
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => `${formatPath(issue.path)}: the key ${message}`);
  }
  if (issue.code !== 'unrecognized_keys') {
    return [issue.path.length === 0 ? `the whole ${issue.message}` : `${formatPath(issue.path)}: ${issue.message}`];
  }
  const parent = issue.path.findLast((segment) => typeof segment === 'string') ?? '';
  return issue.keys.map((key) => {
    const nearest = nearestWord(key.toLowerCase().replaceAll('-', '_'), knownKeys[String(parent)] ?? []);
    const suggestion = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
    return `unknown key "${formatPath([...issue.path, key])}"${suggestion}`;
  });
}

/** `workspaces[0].name` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, segment) =>
      typeof segment === 'number' ? `${text}[${segment}]` : `${text}${text === '' ? '' : '.'}${String(segment)}`,
    '',
  );
}
