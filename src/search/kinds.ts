import type { MaskEvent } from './masks/events.ts';
import type { MaskSearchPlan } from './masks/plan.ts';
import type { MetricEvent } from './metrics/events.ts';
import type { MetricSearchPlan } from './metrics/plan.ts';
import type { RateEvent } from './rates/events.ts';
import type { RateSearchPlan } from './rates/plan.ts';

/** The kinds of searches, by what they find. What differs between them stands in total tables over these. */
interface Kinds {
  readonly metrics: { readonly plan: MetricSearchPlan; readonly event: MetricEvent };
  readonly rates: { readonly plan: RateSearchPlan; readonly event: RateEvent };
  readonly masks: { readonly plan: MaskSearchPlan; readonly event: MaskEvent };
}

export type SearchKind = keyof Kinds;
/** What a run is asked. */
export type PlanOf<Kind extends SearchKind> = Kinds[Kind]['plan'];
/** What happens in a run, in the order of its journal. */
export type EventOf<Kind extends SearchKind> = Kinds[Kind]['event'];

/** What is known of the model when a search of this kind is opened. */
export type OpeningOf<Kind extends SearchKind> = Omit<Extract<EventOf<Kind>, { kind: 'opened' }>, 'kind'>;

export type SearchPlan = PlanOf<SearchKind>;
export type SearchEvent = EventOf<SearchKind>;
export type SearchMethod = SearchPlan['search']['method'];

/** Generations or steps that the plan asks for. */
export function plannedLength(plan: SearchPlan): number {
  return plan.kind === 'masks' ? plan.search.steps : plan.search.generations;
}
