import { throwIfCancelled } from '../../base/errors.ts';
import type { MeasureOutcome } from '../metrics/events.ts';
import type { Configuration } from './events.ts';
import type { RateContext } from './context.ts';
import type { ProposedRates } from './rateKnowledge.ts';
import { ratesKey } from './rates.ts';

/**
 * Evaluates the configurations of one generation, each set of rates once, and tells what became of them in the order of their ids. The
 * losses of those with rates that were measured before, a baseline's among them, are known.
 */
export async function evaluateRates(
  configurations: readonly ProposedRates[],
  context: RateContext,
): Promise<readonly Configuration[]> {
  const { knowledge, effects, options } = context;
  const firsts = new Map<string, ProposedRates>();
  for (const configuration of configurations) {
    const key = ratesKey(configuration.rates);
    if (!knowledge.sameAs(configuration.rates) && !firsts.has(key)) firsts.set(key, configuration);
  }
  throwIfCancelled(options.signal, 'searching');
  const asked = [...firsts.values()];
  const answers = asked.length === 0 ? [] : await effects.measure(asked.map(({ id, rates }) => ({ id, rates })));
  const problems = new Map<string, string>();
  for (const [i, { id, rates }] of asked.entries()) {
    const read = readMeasure(answers[i]!);
    knowledge.countEvaluation();
    if (typeof read === 'string') problems.set(ratesKey(rates), read);
    else knowledge.learn({ id, rates, ...read });
  }
  const settled: Configuration[] = [];
  for (const proposed of configurations) {
    const configuration = { ...proposed, outcome: outcomeOf(proposed, problems, context) };
    knowledge.settle(configuration);
    settled.push(configuration);
    await effects.emit({ kind: 'configuration', ...configuration });
  }
  return settled;
}

/** @returns the loss, or why there is none */
export function readMeasure(answer: MeasureOutcome): { readonly loss: number; readonly perplexity: number } | string {
  if (answer.kind === 'invalid') return answer.detail;
  const perplexity = Math.exp(answer.loss);
  return Number.isFinite(perplexity) ? { loss: answer.loss, perplexity } : `its loss is ${answer.loss}`;
}

function outcomeOf(
  { id, rates }: ProposedRates,
  problems: ReadonlyMap<string, string>,
  { knowledge }: RateContext,
): Configuration['outcome'] {
  const ranked = knowledge.sameAs(rates);
  if (!ranked) return { kind: 'invalid', detail: problems.get(ratesKey(rates))! };
  const { perplexity } = ranked;
  return ranked.id === id ? { kind: 'full', perplexity } : { kind: 'shared', of: ranked.id, perplexity };
}
