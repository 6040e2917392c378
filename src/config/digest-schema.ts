/** The keys of the config file that are about the digest. */
import * as z from 'zod';
import { durationForms, durationMs } from './duration.ts';

const written = z.union([z.string(), z.literal(0).transform(() => '0')], `must be a duration such as ${durationForms}`);

/** Milliseconds; written as `90s`, `15m`, `36h`, `7d` or `0`. */
export const duration = written.transform((text, context): number => {
  const ms = durationMs(text.trim());
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `"${text}" is not a duration; write ${durationForms}` });
  return z.NEVER;
});

const share = z.number().min(0).max(1);
const count = z.int().min(0);

/** An object whose keys have defaults, so that it may be left out. */
const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape);

const categoryPriorities = section({
  product: count.default(1),
  risk: count.default(2),
  process: count.default(3),
  marketing: count.default(4),
  org: count.default(5),
  unknown: count.default(6),
});

export const digestSection = section({
  channel: z
    .string()
    .min(1)
    .optional()
    .describe('Where --publish posts: a channel id or name, a user id, or @name for a direct message.'),
  timezone: z.string().min(1).default('UTC').describe('Whose days and times a digest tells, as Europe/Amsterdam.'),
  first_window: duration.prefault('48h').describe('How far back the first digest reaches, when none was posted yet.'),
  upcoming: duration
    .prefault('7d')
    .describe('How far ahead coming events are told; 0 for none but those that are announced in the window.'),
  max_events: z.int().positive().default(10).describe('So many events in a section, the most important ones.'),
  min_confidence: share.default(0.7).describe('Events found with less confidence are not shown.'),
  min_importance: z.number().min(0).max(100).default(0).describe('Events of less importance are not shown.'),
  top: z.int().min(0).default(5).describe('So many threads, questions and late changes.'),
  category_priorities: categoryPriorities.prefault({}).describe('Of two equally important events, the lower number.'),
  private_channels: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Private channels and direct messages, by id or name, that may be told elsewhere: in a published digest, and to the language model.',
    ),
  objects: z.string().min(1).optional().describe('A YAML file with the names that one object goes by.'),
});

const weights = section({
  keyword: z.number().default(10),
  mention: z.number().default(8),
  replies: z.number().default(5),
  reactions: z.number().default(3),
  anchor: z.number().default(4),
  anchor_cap: z.number().default(12),
  link: z.number().default(2),
  link_cap: z.number().default(6),
  files: z.number().default(3),
  bot: z.number().default(-15),
});

/** What a release, an outage or a deadline is announced with. */
const defaultKeywords = [
  'release',
  'launch',
  'deploy',
  'rollout',
  'rollback',
  'migration',
  'maintenance',
  'incident',
  'outage',
  'downtime',
  'postmortem',
  'deadline',
  'webinar',
  'campaign',
  'policy',
  'postponed',
  'canceled',
  'cancelled',
];

export const scoringSection = section({
  threshold: z.number().default(0).describe('Messages that score less are no candidates for events.'),
  keywords: z.array(z.string().min(1)).default(defaultKeywords).describe('Words that make a message worth a look.'),
  trusted_bots: z
    .array(z.string().min(1))
    .default([])
    .describe('Bot or user ids whose posts count as those of people.'),
  weights: weights.prefault({}).describe('What each sign adds to the score.'),
  channels: z
    .array(
      section({
        channel: z.string().min(1).describe('Its id or name.'),
        threshold: z.number().optional(),
        keywords: z.array(z.string().min(1)).optional(),
        trusted_bots: z.array(z.string().min(1)).optional(),
        weights: weights.partial().optional(),
      }),
    )
    .default([])
    .describe('Channels for which some of it is different.'),
});

export const deduplicationSection = section({
  date_window_hours: z.number().min(0).default(48).describe('Two events further apart are two.'),
  title_similarity: share.default(0.8).describe('Titles less alike than this are of two events.'),
  message_lookback_days: z.int().positive().default(7).describe('How long events and changed messages are looked at.'),
});

export const importanceSection = section({
  category: z.record(z.string(), z.number()).default({}).describe('Base by category, instead of the built-in ones.'),
  severity: z.record(z.string(), z.number()).default({}),
  status: z.record(z.string(), z.number()).default({}),
  environment: z.record(z.string(), z.number()).default({}),
  critical_subsystems: z
    .array(z.string())
    .default(['authentication', 'payment', 'trading', 'wallet', 'database', 'api-gateway'])
    .describe('Events that touch one of them count for more.'),
});

export const llmSection = section({
  model: z.string().min(1).optional().describe('The language model; without one none is asked.'),
  base_url: z.string().min(1).optional().describe("An OpenAI-compatible API. Default: OpenAI's own."),
  temperature: z.number().min(0).max(2).default(1),
  timeout_seconds: z.number().positive().default(120),
  daily_budget_usd: z
    .number()
    .min(0)
    .default(10)
    .describe('For one UTC day; then extraction stops, the digest does not.'),
  daily_budget_tokens: z.int().positive().optional().describe('The same in tokens. Default: no limit.'),
  max_events_per_msg: z.int().min(1).max(5).default(5),
  cache_ttl_days: z.int().min(1).max(90).default(21),
  chunk_tokens: z.int().positive().optional().describe('How much of a message is sent at once. Default: by the model.'),
  chars_per_token: z.number().positive().optional(),
  max_candidates: z.int().positive().default(50).describe('So many messages of each run, the best first.'),
  prices: z
    .record(z.string(), section({ input: z.number().min(0), output: z.number().min(0) }))
    .default({})
    .describe('USD for a million tokens, by model.'),
});
