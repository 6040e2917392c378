/** Whatever is wrong with a file that a person wrote is said by its key, in words of our own. */
import { expect, it } from 'vitest';
import { fileSchema } from '../../src/config/schema.ts';
import { describeIssues, inOurWords } from '../../src/config/wrong-values.ts';
import { registrySchema } from '../../src/digest/events/object-registry.ts';

const strange = ['x', '', 1, 1.5, -1, 1e20, Number.NaN, true, null, [], [1], [{}], [null], {}, { a: 1 }, '7 days'];
const sections = ['channels', 'digest', 'scoring', 'deduplication', 'importance', 'llm'] as const;
const zodsWords =
  /invalid|expected|received|too (?:small|big)|unrecognized|invalid input|pattern|not understood|another kind/i;

function linesOf(content: unknown, schema: typeof fileSchema | typeof registrySchema = fileSchema): string[] {
  const result = schema.safeParse(content, { error: inOurWords });
  return result.success ? [] : describeIssues(result.error.issues);
}

it('never says it in the words of the library that checks', () => {
  const contents = strange.flatMap((value) => [
    value,
    ...Object.keys(fileSchema.shape).map((key) => ({ [key]: value })),
    ...sections.flatMap((section) =>
      Object.keys(fileSchema.shape[section].unwrap().shape).map((key) => ({ [section]: { [key]: value } })),
    ),
    ...['name', 'token_env', 'team_id', 'channels', 'discard', 'lookback', 'retention', 'digest_channel'].map(
      (key) => ({
        workspaces: [{ name: 'a', token_env: 'A', [key]: value }],
      }),
    ),
    ...['field', 'op', 'value', 'note'].map((key) => ({ discard: [{ field: 'a', op: 'eq', value: 1, [key]: value }] })),
    { llm: { prices: { m: value } } },
  ]);
  const lines = contents.flatMap((content) => linesOf(content));
  expect(lines.length).toBeGreaterThan(500);
  expect([...new Set(lines.filter((line) => zodsWords.test(line)))]).toEqual([]);
  const registries = strange.flatMap((value) => [
    value,
    { objects: value },
    { objects: { 'a.b': value } },
    { objects: { A: [] } },
  ]);
  expect(
    registries.flatMap((content) => linesOf(content, registrySchema)).filter((line) => zodsWords.test(line)),
  ).toEqual([]);
});
