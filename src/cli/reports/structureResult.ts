import type { StructurePlan } from '../../search/kinds.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { StructureFinalistEvent, StructureOpening } from '../../search/rates/events.ts';
import { runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { SearchStatus, StateBase } from '../../search/lifecycle/state.ts';

/** What came of a search for rates or for masks, or has come of it so far, as far as both tell the same. */
export interface StructureResult {
  /** Id of the run. */
  readonly run: string;
  readonly name: string;
  readonly method: string;
  readonly state: SearchStatus;
  readonly sparsity: string;
  readonly densePerplexity: number | null;
  readonly denseTestPerplexity: number | null;
  /** Of work: pauses do not count. */
  readonly seconds: number;
}

export function structureResult(of: RunFolder<StructurePlan>, state: StructureState): StructureResult {
  const { plan } = of.run;
  const { opening, finalists, status, times } = state;
  return {
    run: runName(of),
    name: plan.name,
    method: plan.search.method,
    state: status,
    sparsity: printSparsity(plan.sparsity),
    densePerplexity: opening?.densePerplexity ?? null,
    denseTestPerplexity: finalists.find(({ test }) => test !== undefined)?.test?.densePerplexity ?? null,
    seconds: times.worked / 1000,
  };
}

type StructureState = Pick<StateBase, 'status' | 'times'> & {
  readonly opening: StructureOpening | undefined;
  readonly finalists: readonly StructureFinalistEvent[];
};
