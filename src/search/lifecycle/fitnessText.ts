import { counted, formatChange, formatPerplexity } from '../../experiment/format.ts';
import type { SearchOpening } from './events.ts';
import { denseFitness, fitnessIn, objectiveIn, objectiveOf } from './objective.ts';
import type { AnyFitness, Objective } from './objective.ts';

/** What a fitness is called, by the objective; `short` stands before a number where nothing else says what it is. */
export const FITNESS_WORDS: Readonly<
  Record<Objective, { readonly name: string; readonly title: string; readonly short: string }>
> = {
  perplexity: { name: 'perplexity', title: 'Perplexity', short: '' },
  kl: { name: 'KL from dense', title: 'KL divergence from the dense model', short: 'KL' },
  tasks: { name: 'task loss', title: 'Loss on the tasks', short: 'task loss' },
};

/** A fitness below a heading that says what it is: what is no perplexity has four significant digits, too. */
export function formatFitness(fitness: number, objective: Objective, digits?: number): string {
  if (objective === 'perplexity' || !Number.isFinite(fitness)) return formatPerplexity(fitness, digits);
  // Rounding leaves less than this of a divergence of nothing.
  return Math.abs(fitness) < 1e-6 ? '0' : String(Number(fitness.toPrecision(digits ?? 4)));
}

/** A fitness where nothing else says what it is: `106.7`, `KL 0.1234`, `task loss 1.234`. */
export function fitnessText(fitness: number, objective: Objective, digits?: number): string {
  return `${FITNESS_WORDS[objective].short} ${formatFitness(fitness, objective, digits)}`.trimStart();
}

/** A fitness against that of the dense model: `106.7 (+6.4 %)`. A divergence is one from the dense model by itself. */
export function fitnessAgainstDense(fitness: number, opening: SearchOpening | undefined): string {
  const objective = objectiveOf(opening);
  const text = fitnessText(fitness, objective);
  return objective === 'kl' ? text : `${text} (${formatChange(fitness, denseFitness(opening) ?? NaN)})`;
}

/** What the dense model is told with: `dense 100.3 on 64 blocks`, and that fitness is another thing where it is. */
export function denseText(opening: SearchOpening): string {
  const { densePerplexity, blocks, objective, denseTaskLoss, denseAccuracy } = opening;
  const dense = `dense ${formatPerplexity(densePerplexity)}`;
  if (objective === 'tasks') {
    const of = measuredText({
      taskLoss: denseTaskLoss ?? null,
      ...(denseAccuracy !== undefined && { accuracy: denseAccuracy }),
    });
    return `${dense}, ${of} on ${counted(blocks, 'document')} · fitness: loss on the tasks, nats a document`;
  }
  const by = objective === 'kl' ? ' · fitness: KL divergence from it, nats a token' : '';
  return `${dense} on ${counted(blocks, 'block')}${by}`;
}

/** A fitness as an event or a list has it, in its own words; undefined where there is none. */
export function measuredText(measured: AnyFitness): string | undefined {
  const fitness = fitnessIn(measured);
  if (fitness === undefined) return undefined;
  const { accuracy } = measured;
  return `${fitnessText(fitness, objectiveIn(measured))}${accuracy === undefined ? '' : ` (${accuracyText(accuracy)})`}`;
}

/** A mean of accuracies, in percent: `acc 61.2`. */
export function accuracyText(accuracy: number): string {
  return `acc ${(100 * accuracy).toFixed(1)}`;
}
