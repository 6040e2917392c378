/** The words of the event pipeline: what an extractor finds, and what is stored of it. */
import * as z from 'zod';
import type { IsoTime } from '../../model.ts';

export const actions = [
  'Launch',
  'Deploy',
  'Migration',
  'Move',
  'Rollback',
  'Policy',
  'Campaign',
  'Webinar',
  'Incident',
  'RCA',
  'A/B Test',
  'Other',
] as const;
export const categories = ['product', 'process', 'marketing', 'risk', 'org', 'unknown'] as const;
export const statuses = [
  'planned',
  'confirmed',
  'started',
  'completed',
  'postponed',
  'canceled',
  'rolled_back',
  'updated',
] as const;
export const changeTypes = [
  'launch',
  'deploy',
  'migration',
  'rollback',
  'ab_test',
  'policy',
  'campaign',
  'incident',
  'rca',
  'other',
] as const;
export const environments = ['prod', 'staging', 'dev', 'multi', 'unknown'] as const;
export const severities = ['sev1', 'sev2', 'sev3', 'info', 'unknown'] as const;
export const timeSources = ['explicit', 'relative', 'ts_fallback'] as const;

export type Action = (typeof actions)[number];
export type Category = (typeof categories)[number];
export type Status = (typeof statuses)[number];
export type ChangeType = (typeof changeTypes)[number];
export type Environment = (typeof environments)[number];
export type Severity = (typeof severities)[number];
export type TimeSource = (typeof timeSources)[number];

/** The lengths of an event's texts and lists. */
export const limits = {
  qualifiers: 2,
  links: 3,
  impactAreas: 3,
  summary: 320,
  whyItMatters: 160,
  title: 140,
} as const;

/** What an extractor says happens, before anybody checked whether it can be true. Times in UTC. */
export interface ExtractedEvent {
  action: Action;
  /** What it happens to, as the message calls it. */
  object_name_raw: string;
  qualifiers: string[];
  /** A word on its course: "degradation possible", "rollback done". */
  stroke: string | null;
  /** A key, version or quarter that names it: `ABC-12`, `v2.3.0`; never a URL. */
  anchor: string | null;
  category: Category;
  status: Status;
  change_type: ChangeType;
  environment: Environment;
  severity: Severity | null;
  planned_start: IsoTime | null;
  planned_end: IsoTime | null;
  actual_start: IsoTime | null;
  actual_end: IsoTime | null;
  /** `ts_fallback`: the message tells no time, its own was taken. */
  time_source: TimeSource;
  /** No time of day is told: it starts with a day where its author lives, and ends with the day before its end. */
  days_only?: boolean;
  /** 0 to 1, like `confidence`. */
  time_confidence: number;
  summary: string;
  why_it_matters: string | null;
  links: string[];
  anchors: string[];
  impact_area: string[];
  impact_type: string[];
  confidence: number;
}

/** Of a stored event: what its message said by itself, and what the message was like. */
export const eventOrigin = z.object({
  channel_id: z.string(),
  ts: z.string(),
  permalink: z.string().nullable(),
  signals: z.object({ reactions: z.number(), mentions: z.number() }),
  event: z.custom<ExtractedEvent>(),
});
export type EventOrigin = z.output<typeof eventOrigin>;
