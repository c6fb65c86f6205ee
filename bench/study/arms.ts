import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { fitnessIn } from '../../src/search/lifecycle/objective.ts';
import type { MetricCounts, MetricGeneration } from '../../src/search/metrics/events.ts';
import { runMetricSearch } from '../../src/search/metrics/runMetricSearch.ts';
import { armEffects, type MeasuredEffects } from './measuredEffects.ts';
import type { SearchOpening } from '../../src/search/lifecycle/events.ts';
import type { MetricSearchSettings } from '../../src/search/metrics/settings.ts';

/** The ways in which a study searches. */
export type Arm = 'search' | 'in full' | 'random';

export interface ArmResult {
  readonly arm: Arm;
  readonly seed: number;
  readonly counts: MetricCounts;
  /** What the arm costs, in evaluations of the whole fitness text. */
  readonly evaluations: number;
  /** Of the metrics that were evaluated in full: perplexity on the fitness text, one-shot. */
  readonly best: number;
  readonly expression: string;
  /** After each generation: evaluations so far, best so far. */
  readonly curve: readonly (readonly [evaluations: number, best: number])[];
}

/** Generations enough for any budget. */
const UNTIL_BUDGET = 10_000;

/** @param budget evaluations of the random arm; the others end with their generations */
export async function playArm(
  arm: Arm,
  plan: MetricSearchPlan,
  seed: number,
  opening: SearchOpening,
  effects: MeasuredEffects,
  budget: number,
): Promise<ArmResult> {
  const changes: Partial<MetricSearchSettings> = {
    search: {},
    // What shares a ranking has the same loss, so it is measured once here too; it is counted below.
    'in full': { rungs: 1 } as const,
    random: { method: 'random', generations: UNTIL_BUDGET, budget } as const,
  }[arm];
  const expressions = new Map<number, string>();
  const generations: MetricGeneration[] = [];
  const shared = armEffects(effects, (event) => {
    if (event.kind === 'candidate') expressions.set(event.id, event.expression);
    if (event.kind === 'generation') generations.push(event);
  });
  await runMetricSearch({ ...plan, baselines: [], search: { ...plan.search, ...changes, seed } }, shared, { opening });
  const last = generations.at(-1)!;
  const costOf = ({ candidates, invalid, evaluations }: MetricCounts): number =>
    arm === 'in full' ? candidates - invalid : evaluations;
  return {
    arm,
    seed,
    counts: last.counts,
    evaluations: costOf(last.counts),
    best: (last.bestSoFar && fitnessIn(last.bestSoFar)) ?? Infinity,
    expression: last.bestSoFar ? expressions.get(last.bestSoFar.id)! : 'none',
    curve: generations.flatMap(({ counts, bestSoFar }) =>
      bestSoFar ? [[costOf(counts), fitnessIn(bestSoFar)!] as const] : [],
    ),
  };
}
