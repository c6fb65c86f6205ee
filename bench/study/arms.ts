import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { fitnessIn } from '../../src/search/lifecycle/objective.ts';
import type { MetricCandidate, MetricCounts, MetricGeneration } from '../../src/search/metrics/events.ts';
import { runMetricSearch } from '../../src/search/metrics/runMetricSearch.ts';
import { armEffects, type MeasuredEffects } from './measuredEffects.ts';
import { SimulatedWorkers } from '../steady/simulatedWorkers.ts';
import type { SearchOpening } from '../../src/search/lifecycle/events.ts';
import type { MetricSearchSettings } from '../../src/search/metrics/settings.ts';

/** The ways in which a study searches: the first sets the budget of those that have one. */
export const ARMS = ['search', 'in full', 'random', 'exponents', 'constants', 'steady 8', 'steady 64'] as const;

export type Arm = (typeof ARMS)[number];

export interface ArmResult {
  readonly arm: Arm;
  readonly seed: number;
  readonly counts: MetricCounts;
  /** What the arm costs, in evaluations of the whole fitness text. */
  readonly evaluations: number;
  /** Of the metrics that were evaluated in full: perplexity on the fitness text, one-shot. */
  readonly best: number;
  readonly expression: string;
  /** Candidates that moved a constant, those of them that were evaluated, and those that were then better than what they were made of. */
  readonly tuned: { readonly all: number; readonly evaluated: number; readonly better: number };
  /** After each generation: evaluations so far, best so far. */
  readonly curve: readonly (readonly [evaluations: number, best: number])[];
}

/** Of a block and of a probe, where workers are simulated: it is their ratio that counts. */
const COSTS = { block: 10, probe: 5, spread: 0.1 };

/** Generations enough for any budget. */
const UNTIL_BUDGET = 10_000;

/** @param budget evaluations of the arms that are compared at equal ones; the others end with their generations */
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
    exponents: { constants: 'exponents', generations: UNTIL_BUDGET, budget } as const,
    constants: { constants: 'all', generations: UNTIL_BUDGET, budget } as const,
    // As many candidates as the search: only their order is that of so many workers.
    'steady 8': { evolution: 'steady-state' } as const,
    'steady 64': { evolution: 'steady-state' } as const,
  }[arm];
  const candidates = new Map<number, MetricCandidate>();
  const generations: MetricGeneration[] = [];
  const workers = new SimulatedWorkers(arm === 'steady 64' ? 64 : 8, { ...COSTS, seed }, effects);
  const shared = armEffects(effects, workers, (event) => {
    if (event.kind === 'candidate') candidates.set(event.id, event);
    if (event.kind === 'generation') generations.push(event);
  });
  await runMetricSearch({ ...plan, baselines: [], search: { ...plan.search, ...changes, seed } }, shared, { opening });
  const costOf = ({ candidates, invalid, evaluations }: MetricCounts): number =>
    arm === 'in full' ? candidates - invalid : evaluations;
  // A generation that has begun is finished: what it found beyond the budget would not be found with equal evaluations.
  const isWithin = ({ counts }: MetricGeneration): boolean => costOf(counts) <= budget;
  const hasConstants = arm === 'exponents' || arm === 'constants';
  const last = (hasConstants ? generations.findLast(isWithin) : generations.at(-1)) ?? generations[0]!;
  return {
    arm,
    seed,
    counts: last.counts,
    evaluations: costOf(last.counts),
    best: (last.bestSoFar && fitnessIn(last.bestSoFar)) ?? Infinity,
    expression: last.bestSoFar ? candidates.get(last.bestSoFar.id)!.expression : 'none',
    tuned: tunedOf(candidates),
    curve: generations.flatMap(({ counts, bestSoFar }) =>
      bestSoFar ? [[costOf(counts), fitnessIn(bestSoFar)!] as const] : [],
    ),
  };
}

function tunedOf(candidates: ReadonlyMap<number, MetricCandidate>): ArmResult['tuned'] {
  const tuned = [...candidates.values()].filter(({ operator }) => operator === 'tune');
  const evaluated = tuned.filter(({ outcome }) => outcome.kind === 'full' || outcome.kind === 'stopped');
  const better = evaluated.filter(({ outcome, parents }) => {
    const parent = candidates.get(parents[0]!)!.outcome;
    return outcome.kind === 'full' && parent.kind !== 'invalid' && fitnessIn(outcome)! < fitnessIn(parent)!;
  });
  return { evaluated: evaluated.length, better: better.length, all: tuned.length };
}
