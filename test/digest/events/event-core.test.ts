/** The pure functions around an event: keys, titles, importance, validity, likeness. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExtractedEvent } from '../../../src/digest/events/event.ts';
import {
  currentImportance,
  defaultImportance,
  importanceLabel,
  importanceOf,
} from '../../../src/digest/events/importance.ts';
import { clusterKey, dedupKey, primaryTime } from '../../../src/digest/events/keys.ts';
import { objectRegistry, registrySchema } from '../../../src/digest/events/object-registry.ts';
import { similarity } from '../../../src/digest/events/similarity.ts';
import { canonicalTitle, titleOf } from '../../../src/digest/events/title.ts';
import { validateEvent } from '../../../src/digest/events/validate.ts';
import type { IsoTime } from '../../../src/model.ts';
import { anEvent, someEvent } from './some-event.ts';

const posted = { posted_at: '2025-10-20T10:00:00.000Z' as IsoTime };
const iso = (text: string) => text as IsoTime;

describe('titles', () => {
  it('name action, object, details and anchor', () => {
    const event = anEvent({
      action: 'Launch',
      object_name_raw: 'Stocks & ETFs',
      qualifiers: ['alpha', 'Wallet team'],
      stroke: 'degradation possible',
      anchor: 'INV-1024',
    });
    expect(titleOf(event)).toBe('Launch: Stocks & ETFs — alpha, Wallet team, degradation possible (INV-1024)');
  });

  it('begin with the severity of a risk', () => {
    const risk = anEvent({
      action: 'Incident',
      object_name_raw: 'Payments API',
      category: 'risk',
      severity: 'sev2',
      stroke: 'in progress',
    });
    expect(titleOf(risk)).toBe('SEV2: incident — Payments API, in progress');
    expect(titleOf({ ...risk, severity: null })).toBe('INCIDENT: incident — Payments API, in progress');
  });

  it('have at most 140 characters, whole ones, whatever they are made of', () => {
    fc.assert(
      fc.property(someEvent(), (event) => {
        for (const title of [titleOf(event), canonicalTitle(event)]) {
          expect(title.length).toBeLessThanOrEqual(140);
          if (event.object_name_raw.isWellFormed()) expect(title.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  it('lose the stroke first, then the second qualifier, then the anchor', () => {
    const event = anEvent({
      action: 'Launch',
      object_name_raw: 'x'.repeat(80),
      qualifiers: ['a'.repeat(20), 'b'.repeat(20)],
      stroke: 'c'.repeat(20),
      anchor: 'AB-1',
    });
    expect(titleOf(event)).toMatch(/a, b+ \(AB-1\)$/);
    expect(titleOf({ ...event, object_name_raw: 'x'.repeat(95) })).toMatch(/x — a+ \(AB-1\)$/);
    expect(titleOf({ ...event, object_name_raw: 'x'.repeat(106) })).toMatch(/x — a+$/);
    expect(titleOf({ ...event, object_name_raw: 'x'.repeat(300) })).toMatch(/x\.\.\. — a+$/);
    expect(titleOf({ ...event, object_name_raw: 'Wallet', qualifiers: ['a'.repeat(200)] })).toBe('Launch: Wallet');
  });
});

describe('keys', () => {
  it('are those of the test vectors', () => {
    const event = anEvent({
      action: 'Launch',
      object_name_raw: ' Stocks & ETFs ',
      anchors: ['INV-1024'],
      status: 'planned',
      environment: 'prod',
      planned_start: iso('2025-10-21T00:00:00.000Z'),
      actual_start: null,
    });
    const cluster_key = clusterKey({ ...event, object_id: null });
    expect(cluster_key).toBe('132c03605430039aa7131939b019cb775b9e3e52');
    expect(dedupKey({ ...event, cluster_key })).toBe('c32accdc18eba5a1274379f0ca6f3675cc5f0807');
  });

  it('do not depend on the order of anchors', () => {
    const event = { ...anEvent({}), object_id: null };
    expect(clusterKey({ ...event, anchors: ['B-2', 'A-1'] })).toBe(clusterKey({ ...event, anchors: ['A-1', 'B-2'] }));
  });

  it('take the time an event began, else ended, else is to begin, else to end', () => {
    const times = { actual_start: iso('a'), actual_end: iso('b'), planned_start: iso('c'), planned_end: iso('d') };
    expect(primaryTime(times)).toBe('a');
    expect(primaryTime({ ...times, actual_start: null })).toBe('b');
    expect(primaryTime({ ...times, actual_start: null, actual_end: null })).toBe('c');
    expect(primaryTime({ actual_start: null, actual_end: null, planned_start: null, planned_end: iso('d') })).toBe('d');
  });
});

describe('likeness', () => {
  it('is twice the longest common subsequence by the lengths', () => {
    expect(similarity('Launch: Wallet v2 (ABC-1)', 'Launch: Wallet v2.1 (ABC-1)')).toBeCloseTo(0.9615, 4);
    expect(similarity('Launch: Wallet', 'Deploy: Wallet')).toBeCloseTo(0.5714, 4);
    expect(similarity('', '')).toBe(1);
    expect(similarity('a', '')).toBe(0);
  });

  it('is what comparing sign by sign gives, for texts of any length', () => {
    const text = () => fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 150 });
    fc.assert(
      fc.property(text(), text(), (a, b) => {
        const lengths = a.length + b.length;
        expect(similarity(a, b)).toBe(lengths === 0 ? 1 : (2 * commonLength(a, b)) / lengths);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same both ways, 1 for equal texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(similarity(a, b)).toBe(similarity(b, a));
        expect(similarity(a, a)).toBe(1);
      }),
    );
  });
});

/** By the definition of the longest common subsequence. */
function commonLength(a: string, b: string): number {
  let row = Array<number>(b.length + 1).fill(0);
  for (const sign of a) {
    const next = [0];
    for (let j = 0; j < b.length; j += 1)
      next.push(sign === b[j] ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return row[b.length] ?? 0;
}

describe('importance', () => {
  const plain = { category: 'product', environment: 'prod', severity: null, status: 'planned' } as const;
  const none = { reactions: 0, mentions: 0 };
  const of = (event: object, signals = none) =>
    importanceOf({ ...anEvent({ ...plain, impact_area: ['x'], anchors: [] }), ...event }, signals);

  it('is that of the test vectors', () => {
    expect(of({})).toBe(36);
    expect(of({ status: 'started', anchors: ['A-1'] }, { reactions: 5, mentions: 0 })).toBe(56);
    expect(
      of(
        {
          category: 'risk',
          severity: 'sev1',
          status: 'rolled_back',
          impact_area: ['payment', 'b', 'c'],
          anchors: ['A-1', 'A-2', 'A-3'],
        },
        { reactions: 10, mentions: 1 },
      ),
    ).toBe(100);
  });

  it('follows the configured weights', () => {
    const weights = {
      ...defaultImportance,
      category: { ...defaultImportance.category, product: 50 },
      criticalSubsystems: ['x'],
    };
    expect(importanceOf({ ...plain, impact_area: ['x'], anchors: [] }, none, weights)).toBe(70);
  });

  it('fades after a week, a tenth for each', () => {
    const week = 7 * 86_400_000;
    expect(currentImportance(50, week)).toBe(50);
    expect(currentImportance(50, -week)).toBe(50);
    expect(currentImportance(50, 2 * week)).toBeCloseTo(40.5);
    expect([80, 79, 60, 59, 40, 39].map(importanceLabel)).toEqual([
      'critical',
      'high',
      'high',
      'medium',
      'medium',
      'low',
    ]);
  });
});

describe('validation', () => {
  const check = (fields: Partial<ExtractedEvent>) => validateEvent(anEvent(fields), posted);

  it('accepts what can be true', () => {
    expect(check({ status: 'planned', planned_start: iso('2025-10-21T00:00:00.000Z') })).toMatchObject({
      state: 'valid',
      reasons: [],
    });
  });

  it('takes addresses, dates and emoji out of the slots, and leaves versions', () => {
    const { event, state } = check({
      object_name_raw: 'ClickHouse 23.8.12 https://e.com/x 🚀',
      qualifiers: ['on 2025-10-21', ':tada:', 'EU 12.10.2025 only'],
      stroke: 'since 1/2/2025',
      anchor: 'v2.3.0',
    });
    expect(event).toMatchObject({
      object_name_raw: 'ClickHouse 23.8.12',
      qualifiers: ['on', 'EU only'],
      stroke: 'since',
      anchor: 'v2.3.0',
    });
    expect(state).toBe('repaired');
  });

  it.each([
    ['Wallet (https://e.com/x)', 'Wallet'],
    ['Wallet [<https://e.com/a_(b)>] v2', 'Wallet v2'],
    ['wave :wave::skin-tone-3: all', 'wave all'],
    ['Launch:tada:', 'Launch'],
    ['Step 1️⃣ 👩‍💻 🇳🇱 done', 'Step done'],
    ['Freeze 2025/10/21, 21.10.2025 and 2025-10-21T10:00:00Z', 'Freeze, and'],
  ])('leaves nothing around what it takes out: %s', (object_name_raw, cleaned) => {
    expect(check({ object_name_raw })).toMatchObject({ state: 'repaired', event: { object_name_raw: cleaned } });
  });

  it.each([
    'Windows 10.0.19.2041',
    'API v1.2.2024',
    'Azure 2025-01-31-preview',
    'ClickHouse 23.8.12.2025-stable',
    'std::sync::Arc',
    'the 8:30: run',
    'Foo™ C# #1',
    'K8s 1.29 → 1.30',
  ])('leaves alone what only looks like a date or an emoji: %s', (object_name_raw) => {
    expect(check({ object_name_raw })).toMatchObject({ state: 'valid', event: { object_name_raw } });
  });

  it.each([
    [{ summary: ' ' }, 'it has no summary'],
    [{ object_name_raw: 'https://e.com' }, 'nobody knows what it is about'],
    [{ status: 'planned', planned_start: null, actual_start: null }, 'it is planned, and nobody knows for when'],
    [{ status: 'confirmed', planned_start: null }, 'it is confirmed, and nobody knows for when'],
  ] as const)('rejects %j', (fields, reason) => {
    const { state, reasons } = check(fields);
    expect(state).toBe('rejected');
    expect(reasons[0]).toBe(reason);
  });

  it('completes times rather than losing the event', () => {
    const began = iso('2025-10-19T08:00:00.000Z');
    const none = { planned_start: null, actual_start: null, actual_end: null } as const;
    expect(check({ ...none, status: 'completed', actual_start: began, time_confidence: 1 })).toMatchObject({
      state: 'repaired',
      event: { actual_end: began, time_confidence: 0.7 },
    });
    expect(check({ ...none, status: 'completed' }).event).toMatchObject({
      actual_end: posted.posted_at,
      time_source: 'ts_fallback',
    });
    expect(check({ ...none, status: 'started' }).event).toMatchObject({ actual_start: posted.posted_at });
    expect(check({ ...none, status: 'canceled' }).event).toMatchObject({ actual_start: posted.posted_at });
  });

  it('cuts what is too long and drops what is no address', () => {
    const { event } = check({
      summary: 'x'.repeat(400),
      why_it_matters: 'y'.repeat(200),
      links: [
        'javascript:alert(1)',
        'https://a.b/1',
        'https://a.b/2',
        'https://a.b/1',
        'https://a.b/3',
        'https://a.b/4',
      ],
      impact_area: ['a', 'b', 'c', 'd'],
      qualifiers: ['a', 'b', 'c'],
    });
    expect(event.summary).toHaveLength(320);
    expect(event.why_it_matters).toHaveLength(160);
    expect(event.links).toEqual(['https://a.b/1', 'https://a.b/2', 'https://a.b/3']);
    expect(event.impact_area).toHaveLength(3);
    expect(event.qualifiers).toHaveLength(2);
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(someEvent(), (event) => {
        const once = validateEvent(event, posted);
        const twice = validateEvent(once.event, posted);
        expect(twice.event).toEqual(once.event);
        expect(twice.state === 'rejected').toBe(once.state === 'rejected');
      }),
    );
  });
});

describe('the object registry', () => {
  const registry = objectRegistry({
    objects: { 'wallet.stocks': ['Stocks & ETFs', 'Stocks'], 'core.api': ['Payments API'] },
  });

  it('finds an object by any of its names, or one very like it', () => {
    expect(registry.lookUp(' stocks & etfs ')).toBe('wallet.stocks');
    expect(registry.lookUp('Payment API')).toBe('core.api');
    expect(registry.lookUp('Something else')).toBeNull();
  });

  it('refuses a file of another form', () => {
    expect(registrySchema.safeParse({ objects: { Wallet: ['x'] } }).success).toBe(false);
    expect(registrySchema.safeParse({ things: {} }).success).toBe(false);
  });
});
