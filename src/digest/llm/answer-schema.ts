/** The form of an answer, as it is told to endpoints that can hold a model to it. */
import type { JsonObject, JsonValue } from '../../model.ts';
import { actions, categories, changeTypes, environments, severities, statuses, timeSources } from '../events/event.ts';

/** Changes whenever the schema does: a cached answer to another one is none. */
export const answerSchemaVersion = '2026-11-23';

const text: JsonValue = { type: 'string' };
const textOrNull: JsonValue = { type: ['string', 'null'] };
const number: JsonValue = { type: 'number' };
const texts: JsonValue = { type: 'array', items: text };
const oneOf = (values: readonly string[]): JsonValue => ({ type: 'string', enum: [...values] });
const oneOfOrNull = (values: readonly string[]): JsonValue => ({ type: ['string', 'null'], enum: [...values, null] });

/** Strict schemas want every property required and none besides (platform.openai.com/docs/guides/structured-outputs). */
function object(properties: Record<string, JsonValue>): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

/** Lengths and counts are left to the prompt and to who reads the answer: not every endpoint knows those keywords. */
export const answerSchema = {
  name: 'events_of_a_message',
  schema: object({
    is_event: { type: 'boolean' },
    overflow_note: textOrNull,
    events: {
      type: 'array',
      items: object({
        action: oneOf(actions),
        object_name_raw: text,
        qualifiers: texts,
        stroke: textOrNull,
        anchor: textOrNull,
        category: oneOf(categories),
        status: oneOf(statuses),
        change_type: oneOf(changeTypes),
        environment: oneOf(environments),
        severity: oneOfOrNull(severities),
        planned_start: textOrNull,
        planned_end: textOrNull,
        actual_start: textOrNull,
        actual_end: textOrNull,
        time_source: oneOf(timeSources),
        time_confidence: number,
        summary: text,
        why_it_matters: textOrNull,
        links: texts,
        anchors: texts,
        impact_area: texts,
        impact_type: texts,
        confidence: number,
      }),
    },
  }),
};
