/**
 * Every key of the config file, with its default and what it means. The flags and variables that set the same
 * thing are checked by the same schemas (load.ts).
 */
import * as z from 'zod';
import {
  deduplicationSection,
  digestSection,
  duration,
  importanceSection,
  llmSection,
  scoringSection,
} from './digest-schema.ts';
import { discardRule } from './discard.ts';
import { durationForms } from './duration.ts';

const channels = z.strictObject({
  include: z.array(z.string()).default([]).describe('Channel ids, names or globs to read; empty for all.'),
  exclude: z.array(z.string()).default([]).describe('Channel ids, names or globs never to read; beats include.'),
});

const lookback = duration.describe('How far behind the checkpoint edits, deletions and late replies are looked for.');

/** `unknown` and `none` as they are, anything else as milliseconds. */
const retention = z
  .union(
    [z.literal('unknown'), z.literal('none'), duration],
    `must be none, unknown or a duration such as ${durationForms}`,
  )
  .describe(
    'After what time Slack itself deletes messages of the workspace. Messages that old are never taken for deleted by people; with `none` every vanished message is.',
  );

const discard = z.array(discardRule);

const workspaceSchema = z.strictObject({
  name: z.string().min(1).describe('What to call the workspace here and in --workspace.'),
  token_env: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable, never a token')
    .describe('Name of the environment variable that holds the token of this workspace.'),
  team_id: z
    .string()
    .regex(/^[TE][A-Z0-9]+$/, 'must be a team id such as T0123ABCD')
    .optional()
    .describe('Refuse to work when the token belongs to another team.'),
  channels: channels.optional().describe('Include replaces the general one, exclude adds to it.'),
  discard: discard.optional().describe('Added to the general rules.'),
  lookback: lookback.optional(),
  retention: retention.optional(),
  digest_channel: z.string().min(1).optional().describe('Where --publish posts in this workspace.'),
});

export const fileSchema = z.strictObject({
  database: z
    .string()
    .min(1)
    .optional()
    .describe(
      '`sqlite:<path>` or `postgres://user@host/name`, without a password. Default: a SQLite file in the data directory.',
    ),
  lookback: lookback.prefault('7d'),
  retention: retention.default('unknown'),
  audit_requests: z
    .int()
    .min(0)
    .default(10)
    .describe(
      'So many calls of each run read old history again, and as many read threads again, to find edits and deletions that nothing tells of.',
    ),
  threads: z.boolean().default(true).describe('Read the replies of threads.'),
  max_duration: duration
    .refine((ms) => ms > 0, 'must be longer than 0; without it a run has no limit')
    .optional()
    .describe('End the run after this time; a later run goes on. Default: no limit.'),
  max_requests: z.int().positive().optional().describe('End the run after so many calls to Slack. Default: no limit.'),
  lock_timeout: duration.prefault('0s').describe('How long to wait for another run on the same workspace to end.'),
  users_max_age: duration.prefault('24h').describe('Age at which the directory of users is read again.'),
  pace: z
    .union([z.number().positive(), z.literal('off')], 'must be a number above 0 and at most 1')
    .default(1)
    .describe("1 keeps Slack's published rates, 0.5 half of them."),
  channels: channels.prefault({}).describe('Which channels to read.'),
  discard: discard.default([]).describe('Messages that are never stored.'),
  digest: digestSection.prefault({}).describe('What a digest tells, and where it is posted.'),
  scoring: scoringSection.prefault({}).describe('Which messages are looked at for events.'),
  deduplication: deduplicationSection.prefault({}).describe('When two messages tell of one event.'),
  importance: importanceSection.prefault({}).describe('What makes an event important.'),
  llm: llmSection.prefault({}).describe('A language model that reads the best candidates.'),
  workspaces: z.array(workspaceSchema).default([]).describe('The workspaces to read. Default: the one of SLACK_TOKEN.'),
});

export type FileSettings = z.output<typeof fileSchema>;

/** The keys allowed at a place of the file, by the nearest key above it; `''` is the top. */
export const knownKeys: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(fileSchema.shape),
  channels: Object.keys(channels.shape),
  workspaces: Object.keys(workspaceSchema.shape),
  discard: ['field', 'op', 'value', 'note'],
  digest: Object.keys(digestSection.shape),
  category_priorities: Object.keys(digestSection.shape.category_priorities.unwrap().shape),
  scoring: Object.keys(scoringSection.shape),
  weights: Object.keys(scoringSection.shape.weights.unwrap().shape),
  deduplication: Object.keys(deduplicationSection.shape),
  importance: Object.keys(importanceSection.shape),
  llm: Object.keys(llmSection.shape),
  prices: ['input', 'output'],
};
