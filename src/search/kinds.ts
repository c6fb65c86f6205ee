import type { MaskSearchPlan } from './masks/plan.ts';
import type { RateSearchPlan } from './rates/plan.ts';
import type { SearchPlan } from './metrics/plan.ts';
import type { SearchEvent } from './metrics/events.ts';
import type { MaskEvent, RateEvent } from './rates/events.ts';

/** What a run may be asked: a search for metrics (which has no `kind`), for layer-wise rates, or for masks. */
export type RunPlan = SearchPlan | RateSearchPlan | MaskSearchPlan;

/** A search over what whole models lose, as opposed to over formulas. */
export type StructurePlan = RateSearchPlan | MaskSearchPlan;

/** What happens in any run, in the order of its journal. */
export type RunEvent = SearchEvent | RateEvent | MaskEvent;

export type RunKind = 'metrics' | 'rates' | 'masks';
export type RunMethod = RunPlan['search']['method'];

export function runKind(plan: RunPlan): RunKind {
  return 'kind' in plan ? plan.kind : 'metrics';
}

export function isMetricSearch(plan: RunPlan): plan is SearchPlan {
  return runKind(plan) === 'metrics';
}

export function isRateSearch(plan: RunPlan): plan is RateSearchPlan {
  return runKind(plan) === 'rates';
}

export function isMaskSearch(plan: RunPlan): plan is MaskSearchPlan {
  return runKind(plan) === 'masks';
}

/** Generations, iterations or steps that the plan asks for. */
export function plannedLength(plan: RunPlan): number {
  return isMaskSearch(plan) ? plan.search.steps : plan.search.generations;
}

const METRIC_EVENTS: Readonly<Record<SearchEvent['kind'], true>> = {
  opened: true,
  baseline: true,
  probed: true,
  measured: true,
  candidate: true,
  generation: true,
  finalist: true,
  quarantined: true,
  resumed: true,
  paused: true,
  finished: true,
  failed: true,
};

/** Whether a search for metrics says this; `resumed`, `paused`, `failed` and `quarantined` are said by every search. */
export function isMetricEvent(event: RunEvent): event is SearchEvent {
  return Object.hasOwn(METRIC_EVENTS, event.kind);
}
