/** What kind of workspace and what kind of trouble a seed stands for. */
import { Random } from '../stand-in/random.ts';
import type { ScenarioOptions } from './scenario.ts';

export type Traits = Pick<ScenarioOptions, 'rounds' | 'features' | 'trouble' | 'duringRuns' | 'crowd'>;

/**
 * What the program cannot do yet, or what a search for a difference wants to leave out, by name: SLACKINGEST_TEST_WITHOUT
 * is a list such as `kills,retention`.
 */
const without = new Set((process.env['SLACKINGEST_TEST_WITHOUT'] ?? '').split(','));

/** A calm seed has changes of all kinds, and runs that nothing disturbs: then two databases see the same. */
export function traitsOf(seed: number, { calm = false, rounds = 8 }: { calm?: boolean; rounds?: number } = {}): Traits {
  const random = new Random(seed + 77);
  const has = (name: string, probability: number): boolean => random.chance(probability) && !without.has(name);
  const features = {
    deletions: has('deletions', 1),
    retention: has('retention', 0.4),
    planLimit: has('planLimit', 0.15),
    conversions: has('conversions', 0.5),
    removals: has('removals', 0.5),
  };
  const trouble = {
    faults: !calm && has('faults', 0.6),
    kills: !calm && has('kills', 0.6),
    budgets: !calm && has('budgets', 0.6),
    backfill: !calm && has('backfill', 0.5),
  };
  const duringRuns = !calm && has('duringRuns', 0.4);
  return { rounds, features, trouble, duringRuns, crowd: has('crowd', 0.1) ? 1500 : 0 };
}
