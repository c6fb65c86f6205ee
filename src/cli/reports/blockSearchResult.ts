import { printSparsity } from '../../experiment/sparsity.ts';
import { runName } from '../../runs/runFolder.ts';
import { denseTasks } from './foundFitness.ts';
import type { Objective } from '../../search/lifecycle/objective.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { SearchStatus } from '../../search/lifecycle/state.ts';
import type { RateState } from '../../search/rates/state.ts';
import type { RateSearchPlan } from '../../search/rates/plan.ts';
import type { MaskState } from '../../search/masks/state.ts';
import type { MaskSearchPlan } from '../../search/masks/plan.ts';

/** What came of a search for rates or for masks, or has come of it so far, as far as both tell the same. */
export interface BlockSearchResult {
  /** Id of the run. */
  readonly run: string;
  readonly name: string;
  readonly method: string;
  readonly state: SearchStatus;
  readonly sparsity: string;
  /** What candidates are chosen by, where that is not their perplexity. */
  readonly objective?: Exclude<Objective, 'perplexity'>;
  readonly densePerplexity: number | null;
  /** Where that are tasks: the dense model's mean loss on them, in nats a document, and its mean accuracy. */
  readonly denseTaskLoss?: number;
  readonly denseAccuracy?: number;
  readonly denseTestPerplexity: number | null;
  /** Of work: pauses do not count. */
  readonly seconds: number;
}

export function blockSearchResult(
  of: RunFolder<RateSearchPlan | MaskSearchPlan>,
  state: RateState | MaskState,
): BlockSearchResult {
  const { plan } = of.record;
  const { opening, finalists, status, times } = state;
  return {
    run: runName(of),
    name: plan.name,
    method: plan.search.method,
    state: status,
    sparsity: printSparsity(plan.sparsity),
    ...(opening?.objective && { objective: opening.objective }),
    densePerplexity: opening?.densePerplexity ?? null,
    ...denseTasks(opening),
    denseTestPerplexity: finalists.find(({ test }) => test !== undefined)?.test?.densePerplexity ?? null,
    seconds: times.worked / 1000,
  };
}
