import { updateText } from '../experiment/updates.ts';
import type { Update } from '../experiment/updates.ts';
import type { Objective } from './lifecycle/objective.ts';

/** What decides the fitness of a search beside what is pruned: `then admm (iterations: 50)`, `by KL from dense`; nothing where it is as ever. */
export function fitnessWords(plan: {
  readonly update?: Update;
  readonly search: { readonly objective: Objective };
}): readonly string[] {
  return [...(plan.update ? [`then ${updateText(plan.update)}`] : []), ...BY[plan.search.objective]];
}

const BY: Readonly<Record<Objective, readonly string[]>> = {
  perplexity: [],
  kl: ['by KL from dense'],
  tasks: ['by its tasks'],
};
