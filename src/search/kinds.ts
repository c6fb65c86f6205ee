import type { MaskEvent } from './masks/events.ts';
import type { MaskSearchPlan } from './masks/plan.ts';
import type { MetricEvent } from './metrics/events.ts';
import type { MetricSearchPlan } from './metrics/plan.ts';
import type { RateEvent } from './rates/events.ts';
import type { RateSearchPlan } from './rates/plan.ts';
import type { RecoveryEvent } from './recovery/events.ts';
import type { RecoveryPlan } from './recovery/plan.ts';

/** The kinds of runs: searches by what they find, and recoveries. What differs between them stands in total tables over these. */
interface Kinds {
  readonly metrics: { readonly plan: MetricSearchPlan; readonly event: MetricEvent };
  readonly rates: { readonly plan: RateSearchPlan; readonly event: RateEvent };
  readonly masks: { readonly plan: MaskSearchPlan; readonly event: MaskEvent };
  readonly recovery: { readonly plan: RecoveryPlan; readonly event: RecoveryEvent };
}

export type RunKind = keyof Kinds;
export type SearchKind = Exclude<RunKind, 'recovery'>;
/** What a run is asked. */
export type PlanOf<Kind extends RunKind> = Kinds[Kind]['plan'];
/** What happens in a run, in the order of its journal. */
export type EventOf<Kind extends RunKind> = Kinds[Kind]['event'];

/** What is known of the model when a run of this kind is opened. */
export type OpeningOf<Kind extends RunKind> = Omit<Extract<EventOf<Kind>, { kind: 'opened' }>, 'kind'>;

export type RunPlan = PlanOf<RunKind>;
export type RunEvent = EventOf<RunKind>;
export type SearchPlan = PlanOf<SearchKind>;
export type SearchEvent = EventOf<SearchKind>;
export type SearchMethod = SearchPlan['search']['method'];

/** Generations or steps that the plan asks for. */
export function plannedLength(plan: RunPlan): number {
  switch (plan.kind) {
    case 'metrics':
    case 'rates':
      return plan.search.generations;
    case 'masks':
      return plan.search.steps;
    case 'recovery':
      return plan.recovery.steps;
  }
}

/** Processes that share the work: steps of a recovery follow from each other. */
export function workersOf(plan: RunPlan): number {
  return plan.kind === 'recovery' ? 1 : plan.search.workers;
}
