/**
 * What a model answered, as events. Lenient where only a value is odd, since a paid answer with one bad field is worth more
 * than none: each event and each field is read by itself, and what cannot be read becomes what says least.
 */
import * as z from 'zod';
import type { JsonObject } from '../../model.ts';
import {
  type Action,
  actions,
  categories,
  changeTypes,
  type Environment,
  type ExtractedEvent,
  environments,
  limits,
  type Severity,
  type Status,
  severities,
  statuses,
  timeSources,
} from '../events/event.ts';
import {
  knownAnchor,
  knownAnchors,
  knownLinks,
  type MessageFacts,
  shortened,
  visibleLine,
  withoutForeignLinks,
} from './answer-text.ts';
import { endOfDay, isDay, momentOfAnswer } from './answer-time.ts';

export interface AnswerContext extends MessageFacts {
  /** IANA name: of times that tell no offset. */
  zone: string;
}

export interface AnswerReading {
  events: ExtractedEvent[];
  /** Entries of the list that are no events at all. */
  unreadable: number;
  /** The model says that it left events out. */
  hasOverflow: boolean;
}

const lengths = { name: 200, qualifier: 60, stroke: 80, anchor: 80, area: 60 } as const;
/** Far more than is kept of any field or list; what follows is not worth looking at. */
const longestField = 4000;
const mostEntries = 50;
const mostAnchors = 10;
const mostImpactTypes = 5;
/** Of what the model is not asked twice about: below every threshold at which events are shown. */
const unknownConfidence = 0.5;
const removedLink = '[link removed]';

/** What the databases can hold: no lone surrogates, no U+0000. */
const text = z
  .union([z.string(), z.number().transform(String)])
  .catch('')
  .transform((value) => value.slice(0, longestField).toWellFormed().replaceAll('\u0000', ' '));
const texts = z
  .union([z.array(z.unknown()), z.string().transform((one): unknown[] => [one])])
  .catch([])
  .transform((values) => values.slice(0, mostEntries).map((value) => text.parse(value)));

/** 0 to 1; `"0.8"`, `"80%"` and `80` are what they look like. */
const share = z
  .union([z.number(), z.string()])
  .transform((value) => {
    const number = typeof value === 'number' ? value : Number.parseFloat(value.replace(',', '.'));
    const isPercent = number > 1 || (typeof value === 'string' && value.trim().endsWith('%'));
    return Math.min(1, Math.max(0, isPercent ? number / 100 : number));
  })
  .refine(Number.isFinite)
  .catch(unknownConfidence);

const eventShape = z.object({
  action: text,
  object_name_raw: text,
  qualifiers: texts,
  stroke: text,
  anchor: text,
  category: text,
  status: text,
  change_type: text,
  environment: text,
  severity: text,
  planned_start: text,
  planned_end: text,
  actual_start: text,
  actual_end: text,
  time_source: text,
  time_confidence: share,
  summary: text,
  why_it_matters: text,
  links: texts,
  anchors: texts,
  impact_area: texts,
  impact_type: texts,
  confidence: share,
});

const answerShape = z
  .object({
    is_event: z.unknown().optional(),
    events: z.array(z.unknown()).nullish(),
    overflow_note: z.unknown().optional(),
  })
  .refine(({ is_event, events }) => Array.isArray(events) || typeof is_event === 'boolean');

/**
 * The JSON of an answer, also when it stands in a code fence or between words; null when there is none of the right shape.
 * Of it only what is read of answers, so that it can be stored, whatever else the model wrote; `readAnswer` reads it.
 */
export function parseAnswer(content: string): JsonObject | null {
  for (const candidate of [content, content.slice(content.indexOf('{'), content.lastIndexOf('}') + 1)]) {
    const parsed = parseJson(candidate);
    const { data } = answerShape.safeParse(Array.isArray(parsed) ? { events: parsed } : parsed);
    if (data !== undefined) {
      const { is_event, events, overflow_note } = data;
      return {
        is_event: typeof is_event === 'boolean' ? is_event : null,
        overflow_note: text.parse(overflow_note),
        events: (events ?? []).slice(0, mostEntries).map((entry) => eventShape.safeParse(entry).data ?? null),
      };
    }
  }
  return null;
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The events of an answer that `parseAnswer` made; null when it has another shape, as one of another time may have. */
export function readAnswer(answer: JsonObject, context: AnswerContext): AnswerReading | null {
  const { data } = answerShape.safeParse(answer);
  if (data === undefined) return null;
  const listed = data.is_event === false ? [] : (data.events ?? []);
  const events = listed.flatMap((entry) => readEvent(entry, context) ?? []);
  return {
    events,
    unreadable: listed.length - events.length,
    hasOverflow: typeof data.overflow_note === 'string' && orNull(data.overflow_note) !== null,
  };
}

/** Null for what is no object. An event without a name or summary is one; whoever validates it says why it is none. */
function readEvent(entry: unknown, context: AnswerContext): ExtractedEvent | null {
  const { data } = eventShape.safeParse(entry);
  if (data === undefined) return null;
  const slot = (value: string, length: number) => cleaned(value, length, '', context);
  const prose = (value: string, length: number) => cleaned(value, length, removedLink, context);
  const list = (values: string[], length: number, most: number) =>
    unique(values.map((value) => slot(value, length)).filter((value) => !isNothing(value))).slice(0, most);
  const moment = (value: string) => momentOfAnswer(value, context.zone);
  const told = [data.planned_start, data.planned_end, data.actual_start, data.actual_end].filter((text) =>
    moment(text),
  );
  const daysOnly = told.length > 0 && told.every(isDay);
  const times = {
    planned_start: moment(data.planned_start),
    planned_end: daysOnly ? endOfDay(data.planned_end, context.zone) : moment(data.planned_end),
    actual_start: moment(data.actual_start),
    actual_end: moment(data.actual_end),
  };
  const hasTime = Object.values(times).some((time) => time !== null);
  return {
    action: oneOf(actions, data.action) ?? synonym(actionSynonyms, data.action) ?? 'Other',
    object_name_raw: slot(data.object_name_raw, lengths.name),
    qualifiers: list(data.qualifiers, lengths.qualifier, limits.qualifiers),
    stroke: orNull(slot(data.stroke, lengths.stroke)),
    anchor: orNull(knownAnchor(slot(data.anchor, lengths.anchor), context) ?? ''),
    category: oneOf(categories, data.category) ?? 'unknown',
    status: oneOf(statuses, data.status) ?? synonym(statusSynonyms, data.status) ?? 'updated',
    change_type: oneOf(changeTypes, data.change_type) ?? 'other',
    environment: oneOf(environments, data.environment) ?? synonym(environmentSynonyms, data.environment) ?? 'unknown',
    severity: isNothing(data.severity)
      ? null
      : (oneOf(severities, data.severity) ?? synonym(severitySynonyms, data.severity) ?? 'unknown'),
    ...times,
    ...(daysOnly ? { days_only: true } : {}),
    time_source: hasTime ? (oneOf(timeSources, data.time_source) ?? 'relative') : 'ts_fallback',
    time_confidence: data.time_confidence,
    summary: prose(data.summary, limits.summary),
    why_it_matters: orNull(prose(data.why_it_matters, limits.whyItMatters)),
    links: knownLinks(data.links, context).slice(0, limits.links),
    anchors: knownAnchors(data.anchors, context).slice(0, mostAnchors),
    impact_area: list(data.impact_area, lengths.area, limits.impactAreas),
    impact_type: list(data.impact_type, lengths.area, mostImpactTypes),
    confidence: data.confidence,
  };
}

function cleaned(value: string, length: number, instead: string, context: AnswerContext): string {
  const line = withoutForeignLinks(visibleLine(value), context, instead);
  // The rest of a link that was cut is another link.
  return line.length <= length ? line : withoutForeignLinks(shortened(line, length), context, '');
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}

function orNull(value: string): string | null {
  return isNothing(value) ? null : value;
}

/** Models write out that there is nothing. */
function isNothing(value: string): boolean {
  return /^(|null|none|n\/a|-)$/i.test(value.trim());
}

const actionSynonyms: Readonly<Record<string, Action>> = {
  release: 'Launch',
  deployment: 'Deploy',
  outage: 'Incident',
  postmortem: 'RCA',
  experiment: 'A/B Test',
};
const statusSynonyms: Readonly<Record<string, Status>> = {
  cancelled: 'canceled',
  scheduled: 'planned',
  upcoming: 'planned',
  inprogress: 'started',
  ongoing: 'started',
  done: 'completed',
  finished: 'completed',
  resolved: 'completed',
  delayed: 'postponed',
  rolledback: 'rolled_back',
};
const environmentSynonyms: Readonly<Record<string, Environment>> = {
  production: 'prod',
  stage: 'staging',
  development: 'dev',
  test: 'dev',
  multiple: 'multi',
  all: 'multi',
};
const severitySynonyms: Readonly<Record<string, Severity>> = {
  p1: 'sev1',
  p2: 'sev2',
  p3: 'sev3',
  critical: 'sev1',
  high: 'sev2',
  medium: 'sev3',
};

/** Letters and digits only: `SEV-1`, `rolled back` and `A/B test` are what they look like. */
function bare(value: string): string {
  return value.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function oneOf<Value extends string>(values: readonly Value[], value: string): Value | undefined {
  const wanted = bare(value);
  return values.find((known) => bare(known) === wanted);
}

function synonym<Value>(synonyms: Readonly<Record<string, Value>>, value: string): Value | undefined {
  const wanted = bare(value);
  return Object.hasOwn(synonyms, wanted) ? synonyms[wanted] : undefined;
}
