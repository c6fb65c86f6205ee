import { throwIfCancelled } from '../../../base/errors.ts';
import type { RateCandidate } from '../events.ts';
import type { SelfPrunerContext } from './context.ts';
import type { ProposedRates } from './rateKnowledge.ts';
import { ratesKey } from '../rates.ts';
import { measuredFitness, objectiveOf } from '../../lifecycle/objective.ts';
import { readMeasure, wholeText } from '../measure.ts';

/**
 * Evaluates the configurations of one generation, each set of rates once, and tells what became of them in the order of their ids. The
 * losses of those with rates that were measured before, a baseline's among them, are known.
 */
export async function evaluateRates(
  configurations: readonly ProposedRates[],
  context: SelfPrunerContext,
): Promise<readonly RateCandidate[]> {
  const { knowledge, effects, options } = context;
  const firsts = new Map<string, ProposedRates>();
  for (const configuration of configurations) {
    const key = ratesKey(configuration.rates);
    if (!knowledge.sameAs(configuration.rates) && !firsts.has(key)) firsts.set(key, configuration);
  }
  throwIfCancelled(options.signal, 'searching');
  const asked = [...firsts.values()];
  const answers =
    asked.length === 0
      ? []
      : await effects.measure(
          asked.map(({ id, rates }) => ({ id, rates })),
          wholeText(options.opening),
        );
  const objective = objectiveOf(options.opening);
  const problems = new Map<string, string>();
  for (const [i, { id, rates }] of asked.entries()) {
    const read = readMeasure(answers[i]!, objective);
    knowledge.countEvaluation();
    if (typeof read === 'string') problems.set(ratesKey(rates), read);
    else knowledge.learn({ id, rates, ...read });
  }
  const settled: RateCandidate[] = [];
  for (const proposed of configurations) {
    const configuration = { ...proposed, outcome: outcomeOf(proposed, problems, context) };
    knowledge.settle(configuration);
    settled.push(configuration);
    await effects.emit({ kind: 'candidate', ...configuration });
  }
  return settled;
}

function outcomeOf(
  { id, rates }: ProposedRates,
  problems: ReadonlyMap<string, string>,
  { knowledge, options }: SelfPrunerContext,
): RateCandidate['outcome'] {
  const ranked = knowledge.sameAs(rates);
  if (!ranked) return { kind: 'invalid', detail: problems.get(ratesKey(rates))! };
  const fitness = measuredFitness(ranked.fitness, objectiveOf(options.opening), ranked.accuracy);
  return ranked.id === id ? { kind: 'full', ...fitness } : { kind: 'shared', of: ranked.id, ...fitness };
}
