import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import type { MetricSearchPlan, ProposingPlan } from './plan.ts';
import { checkCap } from '../llm/checkCap.ts';
import type { MetricCounts } from './events.ts';
import type { Expression } from '../../metric/expression.ts';
import { printPrefix } from '../../metric/print.ts';
import { alphabetOf } from './alphabet.ts';
import type { MetricEffects, MetricSearchOptions } from './effects.ts';
import { evaluateGeneration } from './evaluateGeneration.ts';
import type { SearchContext } from './searchContext.ts';
import { generationEvent } from './generationEvent.ts';
import { Knowledge } from './knowledge.ts';
import { SteadyState } from './steadyState/steadyState.ts';
import { rungsOf } from './ladder.ts';
import { nextPopulation } from './population.ts';
import type { Population } from './population.ts';
import { ProposalAccount } from './proposals/account.ts';
import { knownBaseline } from './proposals/askForFormulas.ts';
import type { ProposalContext } from './proposals/askForFormulas.ts';
import { checkProposalPrompt } from './proposals/prompt.ts';
import { proposeGeneration } from './proposeGeneration.ts';
import type { GenerationParts } from './proposeGeneration.ts';
import { isProposing } from './plan.ts';
import { ReachRule } from './reachRule.ts';
import { tuneConstants } from './tune.ts';
import type { MeasureOutcome } from '../lifecycle/events.ts';
import { accuracyOf, FITNESS_NOUNS, fitnessOfLoss, measuredFitness, objectiveOf } from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';

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
 * Runs a search from its first generation to its last, or to its budget; or without generations, as it is set. Baselines come first. Everything that is random comes
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
  const objective = objectiveOf(options.opening);
  const account = isProposing(plan) ? new ProposalAccount() : undefined;
  const knowledge = new Knowledge(options.opening, account);
  const rungs = rungsOf(options.opening, plan.settings.length, settings);
  const context: SearchContext = { settings, rungs, knowledge, effects, options };
  const alphabet = alphabetOf(plan, settings.constants);
  if (alphabet.operands.length === 0) throw noOperands(plan);
  if (isProposing(plan)) checkProposals(plan, options);
  const baselines = await measureBaselines(plan, context);
  const { proposer } = effects;
  const proposals =
    isProposing(plan) && account && proposer && plan.llm.provider !== 'none'
      ? { plan, knowledge, proposer, effects, options, account, baselines, rejected: [] }
      : undefined;
  if (settings.evolution === 'steady-state') {
    if (!effects.singly) throw noSingleAnswers();
    await new SteadyState(plan, alphabet, context, effects.singly).run();
  } else await runGenerations({ plan, alphabet, context, proposals });
  const finalists = knowledge.leaders.slice(0, settings.finalists).map(({ candidate }) => ({
    id: candidate.id,
    expression: candidate.expression,
    fitness: fitnessOfLoss(candidate.loss, objective),
  }));
  return { counts: knowledge.counts, finalists };
}

/** Generation by generation: each is proposed from the population that the ones before left. */
async function runGenerations(common: Omit<GenerationParts, 'tune'>): Promise<void> {
  const { context } = common;
  const { settings, knowledge, effects } = context;
  const reach = new ReachRule();
  const parts: GenerationParts = { ...common, tune: (drafts) => tuneConstants(drafts, reach.target, context) };
  let population: Population = [];
  for (let generation = 0; generation < settings.generations; generation++) {
    if (generation > 0 && settings.budget > 0 && knowledge.evaluations >= settings.budget) break;
    const proposed = await proposeGeneration(generation, population, parts);
    const evaluated = await evaluateGeneration(proposed, context);
    for (const one of evaluated) if (one.tuning) reach.learn(one, knowledge.get(one.parents[0]!)!);
    const before = population.map(({ candidate }) => candidate);
    population = nextPopulation(before, evaluated, settings, knowledge);
    await effects.emit(generationEvent(generation, evaluated, context));
  }
}

/** @returns those that have a perplexity */
async function measureBaselines(
  plan: MetricSearchPlan,
  { effects, options }: SearchContext,
): Promise<ProposalContext['baselines']> {
  if (plan.baselines.length === 0) return [];
  throwIfCancelled(options.signal, 'searching');
  const objective = objectiveOf(options.opening);
  const whole = { index: 0, begin: 0, end: options.opening.blocks };
  const proposals = plan.baselines.map(({ expression }, i) => ({ id: -1 - i, expression }));
  const answers = await effects.measure(proposals, whole);
  const known: ProposalContext['baselines'][number][] = [];
  for (const [i, { metric, expression }] of plan.baselines.entries()) {
    const answer = answers[i]!;
    const fitness = answer.kind === 'loss' ? fitnessOfLoss(answer.loss, objective) : NaN;
    const text = printPrefix(expression);
    if (Number.isFinite(fitness)) known.push(knownBaseline(metric, expression, fitness));
    await effects.emit(
      Number.isFinite(fitness)
        ? {
            kind: 'baseline',
            name: metric,
            expression: text,
            ...measuredFitness(fitness, objective, accuracyIn(answer)),
          }
        : { kind: 'baseline', name: metric, expression: text, error: baselineError(metric, answer, objective) },
    );
  }
  return known;
}

/**
 * Refuses what can never be asked, before a model is run.
 *
 * @throws EspalierError `settings/invalid`
 */
function checkProposals(plan: ProposingPlan, { opening }: MetricSearchOptions): void {
  if (plan.llm.provider === 'none') return;
  checkProposalPrompt(plan, opening);
  checkCap(plan);
}

function noSingleAnswers(): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'searching',
    expected: 'effects that answer one by one, for a search without generations',
    actual: 'none',
    remedy: 'Search generation by generation, and report a bug.',
  });
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

function accuracyIn(answer: MeasureOutcome): number | undefined {
  return answer.kind === 'loss' ? accuracyOf(answer) : undefined;
}
