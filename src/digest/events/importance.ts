/** How much an event matters, 0 to 100. */
import type { Category, Environment, ExtractedEvent, Severity, Status } from './event.ts';

export interface ImportanceWeights {
  category: Readonly<Record<Category, number>>;
  environment: Readonly<Record<Environment, number>>;
  severity: Readonly<Record<Severity, number>>;
  status: Readonly<Record<Status, number>>;
  /** Impact areas that make an event matter more. */
  criticalSubsystems: readonly string[];
}

export const defaultImportance: ImportanceWeights = {
  category: { risk: 35, product: 30, org: 25, process: 20, marketing: 15, unknown: 10 },
  environment: { prod: 1.2, multi: 1.15, unknown: 1, staging: 0.8, dev: 0.6 },
  severity: { sev1: 20, sev2: 15, sev3: 10, info: 5, unknown: 0 },
  status: {
    rolled_back: 15,
    started: 10,
    completed: 8,
    canceled: 5,
    updated: 5,
    postponed: 3,
    confirmed: 2,
    planned: 0,
  },
  criticalSubsystems: ['authentication', 'payment', 'trading', 'wallet', 'database', 'api-gateway'],
};

const criticalBonus = 10;

/** What of the message counts besides the event: reactions to it, and how often all were called. */
export interface Signals {
  reactions: number;
  mentions: number;
}

/** A whole number. Of two events that differ in one sign only, the one with more of it never matters less. */
export function importanceOf(
  event: Pick<ExtractedEvent, 'category' | 'environment' | 'severity' | 'status' | 'impact_area' | 'anchors'>,
  { reactions, mentions }: Signals,
  weights: ImportanceWeights = defaultImportance,
): number {
  const base = Math.floor(
    weights.category[event.category] * areaFactor(event.impact_area.length) * weights.environment[event.environment] +
      1e-9,
  );
  const signals = Math.min(reactions, 10) + Math.min(3 * mentions, 9) + Math.min(5 * event.anchors.length, 15);
  const critical = event.impact_area.some((area) => weights.criticalSubsystems.includes(area.toLowerCase()));
  const sum =
    base +
    (event.severity === null ? 0 : weights.severity[event.severity]) +
    weights.status[event.status] +
    signals +
    (critical ? criticalBonus : 0);
  return Math.max(0, Math.min(100, Math.round(sum)));
}

function areaFactor(areas: number): number {
  return areas >= 3 ? 1.3 : areas === 2 ? 1.15 : areas === 1 ? 1 : 0.9;
}

const weekMs = 7 * 86_400_000;

/** What is left of it after so much time: all of it for a week, then a tenth less for each week of its age. */
export function currentImportance(importance: number, ageMs: number): number {
  return ageMs <= weekMs ? importance : importance * 0.9 ** (ageMs / weekMs);
}

export function importanceLabel(importance: number): 'critical' | 'high' | 'medium' | 'low' {
  if (importance >= 80) return 'critical';
  if (importance >= 60) return 'high';
  return importance >= 40 ? 'medium' : 'low';
}
