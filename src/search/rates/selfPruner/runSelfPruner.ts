import { checkCap } from '../../llm/checkCap.ts';
import type { RateCounts } from '../events.ts';
import { measuredFitness, objectiveOf } from '../../lifecycle/objective.ts';
import { statisticsOfRates } from '../measure.ts';
import type { MeasuredRates } from '../measure.ts';
import type { RateOutcome, RateSearch } from '../rateSearch.ts';
import type { SelfPrunerContext } from './context.ts';
import { evaluateRates } from './evaluateRates.ts';
import { RATE_ROLES } from './roles.ts';
import { ListAccount } from './listAccount.ts';
import type { SelfPrunerPlan } from './plan.ts';
import { checkPrompts } from './prompts.ts';
import { operatorOf, proposeRates } from './proposeRates.ts';
import { RateKnowledge } from './rateKnowledge.ts';

/**
 * Runs Self-Pruner: first configurations, then as many iterations as the plan says, each of which lets the best make new ones by mutation and
 * by crossover.
 *
 * @param baselines that are measured already
 * @throws EspalierError `settings/invalid` for a plan that cannot be run
 */
export async function runSelfPruner(
  search: RateSearch<SelfPrunerPlan>,
  baselines: readonly MeasuredRates[],
): Promise<RateOutcome> {
  const { plan, effects } = search;
  const settings = plan.search;
  const objective = objectiveOf(search.options.opening);
  const knowledge = new RateKnowledge();
  const account = new ListAccount();
  const context: SelfPrunerContext = { ...search, knowledge, account };
  for (const baseline of baselines) if (!knowledge.sameAs(baseline.rates)) knowledge.learn(baseline);

  const counts = (): RateCounts => knowledge.countsWith(account);
  for (let generation = 0; generation <= settings.generations; generation++) {
    const population = knowledge.leaders.slice(0, settings.population);
    const proposed =
      generation === 0
        ? await proposeRates('initialise', 0, settings.population, [], context)
        : [
            ...(settings.mutate === 'off'
              ? []
              : await proposeRates('mutate', generation, settings.mutations, population, context)),
            ...(settings.cross === 'off'
              ? []
              : await proposeRates('cross', generation, settings.crossovers, population, context)),
          ];
    const evaluated = await evaluateRates(proposed, context);
    const best = knowledge.leaders[0];
    await effects.emit({
      kind: 'generation',
      generation,
      ...statisticsOfRates(evaluated, objective),
      bestSoFar: best ? { id: best.id, ...measuredFitness(best.fitness, objective) } : null,
      counts: counts(),
    });
  }
  return { counts: counts(), finalists: knowledge.leaders.slice(0, settings.finalists) };
}

/**
 * Refuses what can never be asked, before a model is run.
 *
 * @throws EspalierError `settings/invalid`
 */
export function checkSelfPruner(search: RateSearch<SelfPrunerPlan>): void {
  const { plan } = search;
  if (RATE_ROLES.every((role) => operatorOf(role, plan) !== 'llm')) return;
  checkPrompts(plan, search);
  checkCap(plan);
}
