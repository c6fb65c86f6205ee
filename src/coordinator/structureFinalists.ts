import type { PlannedEvaluation } from '../experiment/planSchema.ts';
import type { StructurePlan } from '../search/kinds.ts';
import type { StructureFinalistEvent } from '../search/rates/events.ts';
import { checkSame } from './divergence.ts';
import { evaluateFinalist, settleInOrder } from './finalists.ts';
import type { Drive } from './searchKind.ts';

/** What a search for rates or masks evaluates at its end. */
export interface StructureFinalist extends Pick<StructureFinalistEvent, 'id' | 'name'> {
  readonly evaluation: PlannedEvaluation;
}

/**
 * Evaluates finalists and baselines as an evaluation outside of the search would, and journals them in their order.
 *
 * @param known those that the journal has: the first ones
 */
export function evaluateStructures(
  entries: readonly StructureFinalist[],
  known: readonly StructureFinalistEvent[],
  plan: StructurePlan,
  { pool, append, portable }: Drive,
): Promise<readonly StructureFinalistEvent[]> {
  const jobs = entries.map(({ evaluation, ...about }, place) => {
    const before = known[place];
    if (before) {
      const { id, name } = before;
      checkSame(`finalist ${place + 1}`, { ...(id !== undefined && { id }), name }, about);
      return { known: before };
    }
    const evaluate = async (): Promise<StructureFinalistEvent> => ({
      kind: 'structure-finalist',
      ...about,
      ...(await evaluateFinalist(pool, plan, evaluation, portable)),
    });
    return { evaluate };
  });
  return settleInOrder(jobs, append);
}
