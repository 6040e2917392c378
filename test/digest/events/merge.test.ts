/** Which events become one, and that the rows depend on what messages say and on nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../src/db/repositories/index.ts';
import type { EventRow } from '../../../src/db/schema.ts';
import type { ExtractedEvent } from '../../../src/digest/events/event.ts';
import { eventId, type Finding, rowsOf } from '../../../src/digest/events/event-rows.ts';
import { defaultImportance } from '../../../src/digest/events/importance.ts';
import { type MergeableEvent, planMerges } from '../../../src/digest/events/merge.ts';
import { mergeEvents } from '../../../src/digest/events/merge-events.ts';
import { noObjects } from '../../../src/digest/events/object-registry.ts';
import { saveEvents } from '../../../src/digest/events/save-events.ts';
import type { IsoTime } from '../../../src/model.ts';
import { parseTs, tsToIso } from '../../../src/ts.ts';
import { eachDatabase, type TestDatabase } from '../../support/databases.ts';
import { anEvent } from './some-event.ts';

const team = 'T1';
const at = '2025-10-25T00:00:00.000Z' as IsoTime;
const since = '2025-10-18T00:00:00.000Z' as IsoTime;
const events = { registry: noObjects, importance: defaultImportance };
const settings = { dateWindowMs: 48 * 3_600_000, titleSimilarity: 0.8 };
const iso = (text: string) => text as IsoTime;

/** A message, and the events that are found in it. */
interface Told {
  n: number;
  events: ExtractedEvent[];
  channel?: string;
  scope?: string;
}

function finding({ n, channel = 'C1', scope = 'public' }: Told): Finding {
  const ts = parseTs(`${1_761_000_000 + n}.000000`);
  return {
    team_id: team,
    channel_id: channel,
    ts,
    posted_at: tsToIso(ts),
    permalink: `https://acme.slack.com/archives/${channel}/p${n}`,
    scope,
    signals: { reactions: 0, mentions: 0 },
    extractor: 'rules',
    prompt_version: null,
    model: null,
  };
}

const rows = (told: Told) => rowsOf(finding(told), told.events, events, at);

async function save(store: Store, ...messages: Told[]): Promise<void> {
  const found = messages.map((told) => ({ message: finding(told), rows: rows(told), mayBeKnown: true }));
  await store.transaction((tx) => saveEvents(tx, team, found, events));
}

const scopeOf = (channelId: string) => (channelId === 'C9' ? 'C9' : 'public');
const merge = (store: Store) => mergeEvents(store, team, since, { ...settings, events, scopeOf });

function mergeable(...messages: Told[]): MergeableEvent[] {
  return messages.flatMap((told) => rows(told).map((row) => ({ ...row, sources: [finding(told)] })));
}

const launch = (fields: Partial<ExtractedEvent> = {}) =>
  anEvent({
    action: 'Launch',
    object_name_raw: 'Wallet v2',
    anchors: ['ABC-1'],
    anchor: 'ABC-1',
    status: 'planned',
    actual_start: null,
    planned_start: iso('2025-10-22T10:00:00.000Z'),
    ...fields,
  });

describe('two events', () => {
  const isOne = (a: Partial<ExtractedEvent>, b: Partial<ExtractedEvent>, more: Partial<Told> = {}) =>
    planMerges(mergeable({ n: 1, events: [launch(a)] }, { n: 2, events: [launch(b)], ...more }), settings).absorbed
      .size === 1;

  it('are one when they share an anchor, are near in time and called alike', () => {
    expect(isOne({}, { object_name_raw: 'Wallet v2.1' })).toBe(true);
    expect(isOne({}, { action: 'Deploy', object_name_raw: 'Something' })).toBe(false);
    expect(isOne({}, { anchors: ['ABC-2'] })).toBe(false);
    expect(isOne({ anchors: [], links: ['https://e.com/a'] }, { anchors: [], links: ['https://e.com/a'] })).toBe(true);
  });

  it('are one up to 48 hours apart, and whenever one of them has no time', () => {
    expect(isOne({}, { planned_start: iso('2025-10-24T10:00:00.000Z') })).toBe(true);
    expect(isOne({}, { planned_start: iso('2025-10-24T10:00:01.000Z') })).toBe(false);
    const [one, other] = mergeable({ n: 1, events: [launch()] }, { n: 2, events: [launch()] });
    if (one === undefined || other === undefined) throw new Error('two events were made');
    expect(planMerges([one, { ...other, primary_time: null }], settings).absorbed.size).toBe(1);
  });

  it('are two when they are of one message, or when not all who may read one may read the other', () => {
    expect(
      planMerges(mergeable({ n: 1, events: [launch(), launch({ object_name_raw: 'Wallet v3' })] }), settings).absorbed
        .size,
    ).toBe(0);
    expect(isOne({}, {}, { scope: 'C9', channel: 'C9' })).toBe(false);
  });

  it('become the first one with what the other adds', () => {
    const plan = planMerges(
      mergeable(
        { n: 1, events: [launch({ links: ['https://e.com/b'], confidence: 0.7, impact_area: ['web'] })] },
        {
          n: 2,
          events: [
            launch({
              links: ['https://e.com/a'],
              confidence: 0.9,
              severity: 'info',
              planned_start: iso('2025-10-23T10:00:00.000Z'),
            }),
          ],
        },
      ),
      settings,
    );
    const survivor = plan.events.find(({ merged_into }) => merged_into === null);
    expect(survivor).toMatchObject({
      event_id: eventId(finding({ n: 1, events: [] }), 0),
      links: ['https://e.com/a', 'https://e.com/b'],
      confidence: 0.9,
      severity: 'info',
      impact_area: ['web'],
      planned_start: '2025-10-22T10:00:00.000Z',
    });
  });

  it('are canceled together when a later message says so, and not when an earlier one did', () => {
    const statusOf = (...told: Told[]) =>
      planMerges(mergeable(...told), settings).events.find(({ merged_into }) => merged_into === null)?.status;
    const canceled = launch({ status: 'canceled' });
    expect(statusOf({ n: 1, events: [launch()] }, { n: 2, events: [canceled] })).toBe('canceled');
    expect(
      statusOf(
        { n: 2, events: [launch()] },
        { n: 1, events: [{ ...canceled, planned_start: iso('2025-10-22T11:00:00.000Z') }] },
      ),
    ).toBe('planned');
  });
});

describe('a plan', () => {
  const survivors = (...told: Told[]) =>
    planMerges(mergeable(...told), settings).events.filter(({ merged_into }) => merged_into === null);
  const planned = (day: string) => iso(`${day}T10:00:00.000Z`);

  it('puts together what only a third message brings together', () => {
    const left = survivors(
      { n: 1, events: [launch({ anchors: ['ABC-1'], planned_start: planned('2025-10-21') })] },
      { n: 2, events: [launch({ anchors: ['XY-9'], planned_start: planned('2025-10-22') })] },
      { n: 3, events: [launch({ anchors: ['ABC-1', 'XY-9'], planned_start: planned('2025-10-23') })] },
    );
    expect(left.map(({ anchors, sources }) => [anchors, sources.length])).toEqual([[['ABC-1', 'XY-9'], 3]]);
  });

  it('believes the last message that says how it ended, whatever the order of times', () => {
    const [event] = survivors(
      { n: 1, events: [launch({ planned_start: planned('2025-10-21') })] },
      { n: 3, events: [launch({ status: 'canceled', planned_start: planned('2025-10-21'), anchors: ['ABC-1'] })] },
      {
        n: 2,
        events: [launch({ status: 'postponed', planned_start: planned('2025-10-22') })],
      },
    );
    expect(event?.status).toBe('canceled');
  });

  it('leaves out an end that is before the beginning told by another message', () => {
    const [event] = survivors(
      { n: 1, events: [launch({ status: 'started', actual_start: planned('2025-10-22') })] },
      { n: 2, events: [launch({ status: 'updated', planned_start: null, actual_end: planned('2025-10-21') })] },
    );
    expect(event).toMatchObject({ actual_start: planned('2025-10-22'), actual_end: null });
  });

  it('is the same for any order of events, and merges nothing more of what it leaves', () => {
    const messages = someMessages().chain((told) => {
      const all = mergeable(...told);
      return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }));
    });
    fc.assert(
      fc.property(messages, ([told, shuffled]) => {
        const plan = planMerges(told, settings);
        expect(byId(planMerges(shuffled, settings).events)).toEqual(byId(plan.events));
        const left = plan.events.filter(({ merged_into }) => merged_into === null);
        const again = planMerges(left, settings);
        expect(again.absorbed.size).toBe(0);
        expect(byId(again.events)).toEqual(byId(left));
        for (const survivor of plan.absorbed.values()) expect(plan.absorbed.has(survivor)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

/** In one order; a survivor keeps its messages in the order in which they joined it. */
function byId(all: readonly MergeableEvent[]): unknown[] {
  return all
    .map(({ sources, ...row }) => ({ ...row, sources: sources.map(({ ts }) => ts).sort() }))
    .sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
}

eachDatabase((create) => {
  describe('stored events', () => {
    it('keep every message behind them, and show the absorbed one no more', async () => {
      await using database = await create();
      const store = openStore(await database.openMigrated());
      await save(store, { n: 1, events: [launch()] }, { n: 2, events: [launch({ object_name_raw: 'Wallet v2.1' })] });
      await merge(store);
      const [first, second] = (await stored(database)).events;
      expect([first?.['merged_into'], second?.['merged_into']].sort()).toEqual(
        [eventId(finding({ n: 1, events: [] }), 0), null].sort(),
      );
      const { sources } = await stored(database);
      expect(sources.map(({ event_id }) => event_id)).toEqual(Array(2).fill(eventId(finding({ n: 1, events: [] }), 0)));
    });

    it('are told apart again when an edit takes away what they shared', async () => {
      await using database = await create();
      const store = openStore(await database.openMigrated());
      await save(store, { n: 1, events: [launch()] }, { n: 2, events: [launch({ object_name_raw: 'Wallet v2.1' })] });
      await merge(store);
      await save(store, { n: 2, events: [launch({ object_name_raw: 'Search', anchors: ['XY-9'] })] });
      await merge(store);
      const { events: after, sources } = await stored(database);
      expect(after.map(({ merged_into }) => merged_into)).toEqual([null, null]);
      expect(sources).toHaveLength(2);
      await save(store, { n: 1, events: [] }, { n: 2, events: [] });
      expect(await stored(database)).toEqual({ events: [], sources: [] });
    });

    it('of one key are one at once', async () => {
      await using database = await create();
      const store = openStore(await database.openMigrated());
      const alike = launch({ anchors: [], anchor: null });
      await save(store, { n: 2, events: [alike] });
      await save(store, { n: 1, events: [alike] }, { n: 3, events: [alike] });
      await merge(store);
      const { events: after, sources } = await stored(database);
      const first = eventId(finding({ n: 1, events: [] }), 0);
      expect(after.filter(({ merged_into }) => merged_into === null).map(({ event_id }) => event_id)).toEqual([first]);
      expect(sources.map(({ event_id }) => event_id)).toEqual([first, first, first]);
    });

    it('are the same whatever the order, the portions and the former versions in which messages were read', {
      timeout: 240_000,
    }, async () => {
      await using database = await create();
      const store = openStore(await database.openMigrated());
      await fc.assert(
        fc.asyncProperty(
          someMessages(),
          fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
          async (messages, choices) => {
            await forget(store, messages);
            await save(store, ...messages);
            await merge(store);
            const expected = await stored(database);
            await merge(store);
            expect(await stored(database)).toEqual(expected);

            await forget(store, messages);
            const next = chooser(choices);
            const waiting = [...messages];
            while (waiting.length > 0) {
              const portion = waiting.splice(next(waiting.length), 1 + next(3));
              // What a message said before it was edited.
              if (next(3) === 0)
                await save(
                  store,
                  ...portion.map((told) => ({ ...told, events: messages[next(messages.length)]?.events ?? [] })),
                );
              if (next(2) === 0) await merge(store);
              await save(store, ...portion);
              if (next(2) === 0) await merge(store);
            }
            await merge(store);
            expect(await stored(database)).toEqual(expected);
          },
        ),
        { numRuns: database.name === 'sqlite' ? 100 : 25 },
      );
    });
  });
});

const someLaunch = () =>
  fc
    .record({
      object_name_raw: fc.constantFrom('Wallet v2', 'Wallet v2.1', 'Wallet', 'Search'),
      anchors: fc.subarray(['ABC-1', 'ABC-2', 'XY-9'], { maxLength: 2 }),
      links: fc.subarray(['https://e.com/a', 'https://e.com/b'], { maxLength: 1 }),
      status: fc.constantFrom('planned' as const, 'canceled' as const, 'completed' as const),
      planned_start: fc
        .constantFrom('2025-10-22', '2025-10-23', '2025-10-25')
        .map((day) => iso(`${day}T10:00:00.000Z`)),
      confidence: fc.constantFrom(0.7, 0.9),
    })
    .map(launch);

function someMessages(): fc.Arbitrary<Told[]> {
  return fc.array(fc.array(someLaunch(), { maxLength: 2 }), { minLength: 1, maxLength: 7 }).map((all) =>
    all.map((found, n) => ({
      n,
      events: found,
      ...(n % 4 === 3 ? { channel: 'C9', scope: 'C9' } : {}),
    })),
  );
}

function chooser(choices: readonly number[]): (below: number) => number {
  let place = 0;
  return (below) => {
    place += 1;
    return (choices[place % choices.length] ?? 0) % below;
  };
}

async function forget(store: Store, messages: readonly Told[]): Promise<void> {
  await save(store, ...messages.map((told) => ({ ...told, events: [] })));
}

async function stored(
  database: TestDatabase,
): Promise<{ events: Partial<EventRow>[]; sources: Record<string, unknown>[] }> {
  return {
    events: await database.rows('events', { order: 'event_id', without: ['origin'] }),
    sources: await database.rows('event_sources', { order: 'event_id, channel_id, ts' }),
  };
}
