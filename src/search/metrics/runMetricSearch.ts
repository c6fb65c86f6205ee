import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import type { MetricSearchPlan } from './plan.ts';
import type { MetricCounts, MetricGeneration } from './events.ts';
import type { Expression } from '../../metric/expression.ts';
import { printPrefix } from '../../metric/print.ts';
import { alphabetOf } from './alphabet.ts';
import type { Alphabet } from './alphabet.ts';
import type { Proposed } from './candidate.ts';
import type { MetricEffects, MetricSearchOptions } from './effects.ts';
import { evaluateGeneration } from './evaluateGeneration.ts';
import type { SearchContext } from './evaluateGeneration.ts';
import { Knowledge } from './knowledge.ts';
import { rungsOf } from './ladder.ts';
import { nextPopulation } from './population.ts';
import type { Population } from './population.ts';
import { propose } from './propose.ts';
import { ReachRule } from './reachRule.ts';
import { tuneConstants } from './tune.ts';
import type { MeasureOutcome } from '../lifecycle/events.ts';
import { FITNESS_NOUNS, fitnessOfLoss, measuredFitness, objectiveOf } from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';
import { statisticsOf } from '../lifecycle/statisticsOf.ts';

/** What a search comes to, before its finalists are evaluated again. */
export interface MetricSearchOutcome {
  readonly counts: MetricCounts;
  /** The best that were evaluated in full, no two of which remove the same weights; the best first, as many as the plan says. */
  readonly finalists: readonly Finalist[];
}

export interface Finalist {
  readonly id: number;
  readonly expression: Expression;
  /** In the search, by its objective. */
  readonly fitness: number;
}

/**
 * Runs a search from its first generation to its last, or to its budget. Baselines come first. Everything that is random comes
 * from the seed and the candidates' ids, so that equal plans and equal answers give equal searches.
 *
 * @throws EspalierError `cancelled` once `options.signal` is aborted; and whatever `effects` throw
 */
export async function runMetricSearch(
  plan: MetricSearchPlan,
  effects: MetricEffects,
  options: MetricSearchOptions,
): Promise<MetricSearchOutcome> {
  const settings = plan.search;
  const { blocks } = options.opening;
  const objective = objectiveOf(options.opening);
  const knowledge = new Knowledge(options.opening);
  const rungs = rungsOf(blocks, plan.settings.length, settings);
  const context: SearchContext = { settings, rungs, knowledge, effects, options };
  const alphabet = alphabetOf(plan, settings.constants);
  const reach = new ReachRule();
  if (alphabet.operands.length === 0) throw noOperands(plan);
  await measureBaselines(plan, context);

  let population: Population = [];
  for (let generation = 0; generation < settings.generations; generation++) {
    if (generation > 0 && settings.budget > 0 && knowledge.evaluations >= settings.budget) break;
    const drafts = await proposeGeneration(generation, population, plan, alphabet, context);
    const proposed = await tuneConstants(drafts, reach.target, context);
    const evaluated = await evaluateGeneration(proposed, context);
    for (const one of evaluated) if (one.tuning) reach.learn(one, knowledge.get(one.parents[0]!)!);
    const before = population.map(({ candidate }) => candidate);
    population = nextPopulation(before, evaluated, settings, knowledge);
    const losses = evaluated.map(({ loss }) => loss).filter(Number.isFinite);
    await effects.emit({
      kind: 'generation',
      generation,
      ...statisticsOf(
        losses,
        losses.map((loss) => fitnessOfLoss(loss, objective)),
        objective,
      ),
      bestSoFar: bestSoFar(knowledge, objective),
      counts: knowledge.counts,
    });
  }
  const finalists = knowledge.leaders.slice(0, settings.finalists).map(({ candidate }) => ({
    id: candidate.id,
    expression: candidate.expression,
    fitness: fitnessOfLoss(candidate.loss, objective),
  }));
  return { counts: knowledge.counts, finalists };
}

/** A generation of thousands is proposed in parts, so that a process can answer messages between them. */
const PART = 100;

async function proposeGeneration(
  generation: number,
  population: Population,
  plan: MetricSearchPlan,
  alphabet: Alphabet,
  { knowledge, options }: SearchContext,
): Promise<readonly Proposed[]> {
  const { search } = plan;
  // The elites are a part of the generation, and evaluated already.
  const count = generation === 0 ? search.population : Math.max(1, search.population - search.elites);
  const firstId = knowledge.counts.candidates;
  const proposed: Proposed[] = [];
  while (proposed.length < count) {
    proposed.push(propose(firstId + proposed.length, generation, population, plan, alphabet));
    if (proposed.length % PART !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfCancelled(options.signal, 'searching');
  }
  return proposed;
}

async function measureBaselines(plan: MetricSearchPlan, { effects, options }: SearchContext): Promise<void> {
  if (plan.baselines.length === 0) return;
  throwIfCancelled(options.signal, 'searching');
  const objective = objectiveOf(options.opening);
  const whole = { index: 0, begin: 0, end: options.opening.blocks };
  const proposals = plan.baselines.map(({ expression }, i) => ({ id: -1 - i, expression }));
  const answers = await effects.measure(proposals, whole);
  for (const [i, { metric, expression }] of plan.baselines.entries()) {
    const answer = answers[i]!;
    const fitness = answer.kind === 'loss' ? fitnessOfLoss(answer.loss, objective) : NaN;
    const text = printPrefix(expression);
    await effects.emit(
      Number.isFinite(fitness)
        ? { kind: 'baseline', name: metric, expression: text, ...measuredFitness(fitness, objective) }
        : { kind: 'baseline', name: metric, expression: text, error: baselineError(metric, answer, objective) },
    );
  }
}

function noOperands({ name }: MetricSearchPlan): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: `searching (${name})`,
    expected: 'at least one operand',
    actual: 'none',
    remedy: 'Name what metrics are made of, such as W, X, G.',
  });
}

function baselineError(metric: string, answer: MeasureOutcome, objective: Objective): ErrorData {
  return {
    code: answer.kind === 'invalid' ? 'metric/invalid-score' : 'evaluation/not-finite',
    operation: `measuring the baseline ${metric}`,
    expected: `a metric that ranks weights, and a finite ${FITNESS_NOUNS[objective]}`,
    actual: answer.kind === 'invalid' ? answer.detail : `a loss of ${answer.loss}`,
    remedy: 'The search goes on without it: leave it out of the baselines, or change its formula.',
  };
}

function bestSoFar({ leaders }: Knowledge, objective: Objective): MetricGeneration['bestSoFar'] {
  const best = leaders[0]?.candidate;
  return best === undefined
    ? null
    : { id: best.id, ...measuredFitness(fitnessOfLoss(best.loss, objective), objective) };
}
