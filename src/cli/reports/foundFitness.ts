import { measuredIn } from '../../search/lifecycle/objective.ts';

/** The fitness of what is not evaluated again yet, as `--json` has it. */
export function foundFitness(measured: object): { readonly perplexity: number | null; readonly kl?: number } {
  return { perplexity: null, ...measuredIn(measured) };
}
