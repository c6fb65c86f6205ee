import type { SearchOpening } from '../../search/lifecycle/events.ts';
import { measuredIn } from '../../search/lifecycle/objective.ts';
import type { AnyFitness } from '../../search/lifecycle/objective.ts';

/** What a search has chosen something by, beside the perplexity that `--json` has of it anyway. */
export interface OwnFitness {
  /** Mean divergence from the dense model. */
  readonly kl?: number;
  /** Mean loss on the tasks, in nats a document, and the mean of the accuracies. */
  readonly taskLoss?: number;
  readonly accuracy?: number;
}

/** The fitness of what is not evaluated again yet, as `--json` has it. */
export function foundFitness(measured: AnyFitness | undefined): OwnFitness & { readonly perplexity: number | null } {
  return { perplexity: null, ...(measured && measuredIn(measured)) };
}

/** The same of what has a perplexity as finally evaluated. */
export function ownFitness(measured: AnyFitness | undefined): OwnFitness {
  const own = measured && measuredIn(measured);
  return own === undefined || own.perplexity !== undefined ? {} : own;
}

/** What the dense model has of the tasks that candidates are chosen by. */
export function denseTasks(opening: SearchOpening | undefined): Pick<SearchOpening, 'denseTaskLoss' | 'denseAccuracy'> {
  const { denseTaskLoss, denseAccuracy } = opening ?? {};
  return {
    ...(denseTaskLoss !== undefined && { denseTaskLoss }),
    ...(denseAccuracy !== undefined && { denseAccuracy }),
  };
}
