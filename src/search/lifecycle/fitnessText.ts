import { formatChange, formatPerplexity } from '../../experiment/format.ts';
import type { SearchOpening } from './events.ts';
import { fitnessIn, objectiveOf } from './objective.ts';
import type { AnyFitness, Objective } from './objective.ts';

/** What a fitness is called, by the objective. */
export const FITNESS_WORDS: Readonly<Record<Objective, { readonly name: string; readonly title: string }>> = {
  perplexity: { name: 'perplexity', title: 'Perplexity' },
  kl: { name: 'KL from dense', title: 'KL divergence from the dense model' },
};

/** A fitness below a heading that says what it is: a divergence has four significant digits, too. */
export function formatFitness(fitness: number, objective: Objective, digits?: number): string {
  if (objective === 'perplexity' || !Number.isFinite(fitness)) return formatPerplexity(fitness, digits);
  // Rounding leaves less than this of a divergence of nothing.
  return Math.abs(fitness) < 1e-6 ? '0' : String(Number(fitness.toPrecision(digits ?? 4)));
}

/** A fitness where nothing else says what it is: `106.7`, `KL 0.1234`. */
export function fitnessText(fitness: number, objective: Objective, digits?: number): string {
  return `${objective === 'kl' ? 'KL ' : ''}${formatFitness(fitness, objective, digits)}`;
}

/** A fitness against that of the dense model: `106.7 (+6.4 %)`. A divergence is one from the dense model by itself. */
export function fitnessAgainstDense(fitness: number, opening: SearchOpening | undefined): string {
  const objective = objectiveOf(opening);
  const text = fitnessText(fitness, objective);
  return objective === 'kl' ? text : `${text} (${formatChange(fitness, opening?.densePerplexity ?? NaN)})`;
}

/** What the dense model is told with: `dense 100.3 on 64 blocks`, and that fitness is another thing where it is. */
export function denseText({ densePerplexity, blocks, objective }: SearchOpening): string {
  const by = objective === 'kl' ? ' · fitness: KL divergence from it, nats a token' : '';
  return `dense ${formatPerplexity(densePerplexity)} on ${blocks} blocks${by}`;
}

/** A fitness as an event or a list has it, in its own words; undefined where there is none. */
export function measuredText(measured: AnyFitness): string | undefined {
  const fitness = fitnessIn(measured);
  return fitness === undefined
    ? undefined
    : fitnessText(fitness, typeof measured.kl === 'number' ? 'kl' : 'perplexity');
}
