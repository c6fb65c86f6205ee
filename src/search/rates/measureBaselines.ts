import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import { OWL } from '../../experiment/structure.ts';
import type { ComponentsOpening } from '../lifecycle/events.ts';
import { FITNESS_NOUNS, measuredFitness, objectiveOf } from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';
import { readMeasure, wholeText } from './measure.ts';
import type { MeasuredRates } from './measure.ts';
import type { NamedRates } from './plan.ts';
import { projectRates } from './rates.ts';
import type { RateSpace } from './rates.ts';
import type { RateSearch } from './rateSearch.ts';

/**
 * Measures what the search is compared with, on the whole fitness text. Rates that a plan gives are measured as they stand; those that follow
 * from the sparsity in five decimals, as configurations.
 *
 * @returns those that have a finite loss, with ids below 0
 */
export async function measureBaselines({
  plan,
  space,
  effects,
  options,
}: RateSearch): Promise<readonly MeasuredRates[]> {
  const measured: MeasuredRates[] = [];
  throwIfCancelled(options.signal, 'searching');
  const asked = plan.baselines.flatMap((baseline, i) => {
    const exact = baselineRates(baseline, space, options.opening);
    if (exact === undefined) return [];
    // Equal rates are within a budget as they are.
    const isExact = baseline.rates.kind === 'given' || (space.budget && baseline.rates.kind === 'uniform');
    const rates = isExact ? exact : projectRates(exact, space);
    return [{ id: -1 - i, name: baseline.name, rates }];
  });
  if (asked.length === 0) return [];
  const objective = objectiveOf(options.opening);
  const answers = await effects.measure(
    asked.map(({ id, rates }) => ({ id, rates })),
    wholeText(options.opening),
  );
  for (const [i, { id, name, rates }] of asked.entries()) {
    const read = readMeasure(answers[i]!, objective);
    if (typeof read === 'string') {
      await effects.emit({ kind: 'baseline', id, name, rates, error: baselineError(name, read, objective) });
      continue;
    }
    measured.push({ id, rates, ...read });
    await effects.emit({
      kind: 'baseline',
      id,
      name,
      rates,
      ...measuredFitness(read.fitness, objective, read.accuracy),
    });
  }
  return measured;
}

/** @returns undefined where only an evaluation of the whole model finds the rates: it is compared with at the end */
function baselineRates(
  { name, rates }: NamedRates,
  { mean, budget }: RateSpace,
  { components, owl }: ComponentsOpening,
): readonly number[] | undefined {
  switch (rates.kind) {
    case 'global':
      return undefined;
    case 'uniform':
      return components.map(() => budget?.equal ?? mean);
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

function baselineError(name: string, detail: string, objective: Objective): ErrorData {
  return {
    code: 'evaluation/not-finite',
    operation: `measuring the baseline ${name}`,
    expected: `a finite ${FITNESS_NOUNS[objective]}`,
    actual: detail,
    remedy: 'The search goes on without it: leave it out of the baselines, or change its rates.',
  };
}
