import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import { LLM_ROLES } from './llm.ts';
import type { NamedRates, RateSearchPlan } from './plan.ts';
import { OWL, STRUCTURE_METHODS } from '../../experiment/structure.ts';
import type { RateCounts } from './events.ts';
import type { RateContext } from './context.ts';
import type { RateEffects, RateSearchOptions } from './effects.ts';
import { evaluateRates, readMeasure, wholeText } from './evaluateRates.ts';
import { LlmAccount } from './llmAccount.ts';
import { checkPrompts } from './prompts.ts';
import { operatorOf, proposeRates } from './proposeRates.ts';
import { RateKnowledge } from './rateKnowledge.ts';
import type { RankedRates } from './rateKnowledge.ts';
import { projectRates, rateSpace } from './rates.ts';
import type { ComponentsOpening } from '../lifecycle/events.ts';
import { perplexityOf } from '../lifecycle/outcome.ts';
import { statisticsOf } from '../lifecycle/statisticsOf.ts';

/** What a search for rates comes to, before its finalists are evaluated again. */
export interface RateOutcome {
  readonly counts: RateCounts;
  /** Distinct rates, the best first, as many as the plan says. */
  readonly finalists: readonly RankedRates[];
}

/**
 * Runs Self-Pruner: baselines, first configurations, then as many iterations as the plan says, each of which lets the best make
 * new ones by mutation and by crossover. Everything that is random comes from the seed and the configurations' ids; with equal plans and
 * equal answers, a language model's replies among them, searches are equal.
 *
 * @throws EspalierError `settings/invalid` for a plan that cannot be run, `cancelled` once `options.signal` is aborted; and whatever
 * `effects` throw
 */
export async function runRateSearch(
  plan: RateSearchPlan,
  effects: RateEffects,
  options: RateSearchOptions,
): Promise<RateOutcome> {
  const { search } = plan;
  const { opening } = options;
  checkTarget(plan);
  const space = rateSpace(opening.components, plan.sparsity.share);
  const knowledge = new RateKnowledge();
  const account = new LlmAccount();
  const context: RateContext = { plan, space, knowledge, account, effects, options };
  if (LLM_ROLES.some((role) => operatorOf(role, plan) === 'llm')) {
    checkPrompts(plan, opening);
    checkCap(plan);
  }
  await measureBaselines(context);

  const counts = (): RateCounts => knowledge.countsWith(account);
  for (let generation = 0; generation <= search.generations; generation++) {
    const population = knowledge.leaders.slice(0, search.population);
    const proposed =
      generation === 0
        ? await proposeRates('initialise', 0, search.population, [], context)
        : [
            ...(search.mutate === 'off'
              ? []
              : await proposeRates('mutate', generation, search.mutations, population, context)),
            ...(search.cross === 'off'
              ? []
              : await proposeRates('cross', generation, search.crossovers, population, context)),
          ];
    const evaluated = await evaluateRates(proposed, context);
    const perplexities = evaluated.flatMap((each) => perplexityOf(each) ?? []).sort((a, b) => a - b);
    const best = knowledge.leaders[0];
    await effects.emit({
      kind: 'generation',
      generation,
      ...statisticsOf(perplexities.map(Math.log), perplexities),
      bestSoFar: best ? { id: best.id, perplexity: best.perplexity } : null,
      counts: counts(),
    });
  }
  return { counts: counts(), finalists: knowledge.leaders.slice(0, search.finalists) };
}

/** Rates say how much of each block goes: a method that removes blocks as a whole has no use for them. */
function checkTarget({ name, target }: RateSearchPlan): void {
  if (target.kind === 'weights' || target.score.kind === 'metric') return;
  const { method } = target.score;
  if (STRUCTURE_METHODS[method].removes === 'components') return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `searching for rates (${name})`,
    expected: 'a score that chooses heads and channels',
    actual: `${method}, which removes whole blocks`,
    remedy: 'Choose wanda-sp, magnitude, taylor, flap, or a metric.',
  });
}

/** A limit on money that never takes effect would be found out when the bill comes. */
function checkCap({ name, llm }: RateSearchPlan): void {
  if (llm.costCap === 0 || llm.promptPrice > 0 || llm.replyPrice > 0) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `searching for rates (${name})`,
    expected: 'prices, for a limit on what may be spent',
    actual: `costCap ${llm.costCap}, and neither promptPrice nor replyPrice`,
    remedy: 'Say what a million tokens of prompts and of replies cost, or limit tokens with tokenCap.',
  });
}

/** Rates that a plan gives are measured as they stand; those that follow from the sparsity in five decimals, as configurations. */
async function measureBaselines({ plan, space, knowledge, effects, options }: RateContext): Promise<void> {
  throwIfCancelled(options.signal, 'searching');
  const asked = plan.baselines.flatMap((baseline, i) => {
    const exact = baselineRates(baseline, plan, options.opening);
    if (exact === undefined) return [];
    const rates = baseline.rates.kind === 'given' ? exact : projectRates(exact, space);
    return [{ id: -1 - i, name: baseline.name, rates }];
  });
  if (asked.length === 0) return;
  const answers = await effects.measure(
    asked.map(({ id, rates }) => ({ id, rates })),
    wholeText(options.opening),
  );
  for (const [i, { id, name, rates }] of asked.entries()) {
    const read = readMeasure(answers[i]!);
    if (typeof read === 'string') {
      await effects.emit({ kind: 'baseline', id, name, rates, error: baselineError(name, read) });
      continue;
    }
    if (!knowledge.sameAs(rates)) knowledge.learn({ id, rates, ...read });
    await effects.emit({ kind: 'baseline', id, name, rates, perplexity: read.perplexity });
  }
}

/** @returns undefined where only an evaluation of the whole model finds the rates: it is compared with at the end */
function baselineRates(
  { name, rates }: NamedRates,
  { sparsity }: RateSearchPlan,
  { components, owl }: ComponentsOpening,
): readonly number[] | undefined {
  switch (rates.kind) {
    case 'global':
      return undefined;
    case 'uniform':
      return components.map(() => sparsity.share);
    case 'owl':
      // The opening has those of the usual settings.
      if (rates.multiple !== OWL.multiple || rates.spread !== OWL.spread) return undefined;
      return checkLength(name, owl ?? [], components.length);
    case 'given':
      return checkLength(name, rates.rates, components.length);
  }
}

function checkLength(name: string, rates: readonly number[], blocks: number): readonly number[] {
  if (rates.length === blocks) return rates;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `measuring the baseline ${name}`,
    expected: `one rate for each of ${blocks} blocks`,
    actual: `${rates.length} rates`,
    remedy: 'Give as many rates as the model has blocks.',
  });
}

function baselineError(name: string, detail: string): ErrorData {
  return {
    code: 'evaluation/not-finite',
    operation: `measuring the baseline ${name}`,
    expected: 'a finite perplexity',
    actual: detail,
    remedy: 'The search goes on without it: leave it out of the baselines, or change its rates.',
  };
}
