/** Events for tests, ordinary and arbitrary. */
import fc from 'fast-check';
import {
  actions,
  categories,
  changeTypes,
  type ExtractedEvent,
  environments,
  severities,
  statuses,
  timeSources,
} from '../../../src/digest/events/event.ts';
import type { IsoTime } from '../../../src/model.ts';

const ordinary: ExtractedEvent = {
  action: 'Deploy',
  object_name_raw: 'Checkout',
  qualifiers: [],
  stroke: null,
  anchor: null,
  category: 'product',
  status: 'updated',
  change_type: 'deploy',
  environment: 'unknown',
  severity: null,
  planned_start: null,
  planned_end: null,
  actual_start: '2025-10-20T09:00:00.000Z' as IsoTime,
  actual_end: null,
  time_source: 'explicit',
  time_confidence: 0.9,
  summary: 'Checkout is deployed.',
  why_it_matters: null,
  links: [],
  anchors: [],
  impact_area: [],
  impact_type: [],
  confidence: 0.9,
};

/** An ordinary event with some fields of its own. */
export function anEvent(fields: Partial<ExtractedEvent>): ExtractedEvent {
  return { ...ordinary, ...fields };
}

const time = () =>
  fc.option(
    fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => date.toISOString() as IsoTime),
  );
const word = () =>
  fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.constantFrom(
      'https://e.com/a',
      '2025-01-02',
      '🚀',
      ':tada: x',
      ':a::b: :c::',
      '((https://e.com)',
      '1.2 .2025',
      'v1.2.3',
      '#1',
    ),
  );
const words = () => fc.array(word(), { maxLength: 5 });

/** Any event that its type admits. */
export function someEvent(): fc.Arbitrary<ExtractedEvent> {
  return fc.record({
    action: fc.constantFrom(...actions),
    object_name_raw: word(),
    qualifiers: words(),
    stroke: fc.option(word()),
    anchor: fc.option(word()),
    category: fc.constantFrom(...categories),
    status: fc.constantFrom(...statuses),
    change_type: fc.constantFrom(...changeTypes),
    environment: fc.constantFrom(...environments),
    severity: fc.option(fc.constantFrom(...severities)),
    planned_start: time(),
    planned_end: time(),
    actual_start: time(),
    actual_end: time(),
    time_source: fc.constantFrom(...timeSources),
    time_confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    summary: word(),
    why_it_matters: fc.option(word()),
    links: words(),
    anchors: words(),
    impact_area: words(),
    impact_type: words(),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  });
}
