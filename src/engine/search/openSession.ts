import type { OpeningOf, PlanOf, SearchKind } from '../../search/kinds.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { StepHooks } from '../forward/step.ts';
import { MetricSession } from './metricSession.ts';
import type { SearchSession } from './searchSession.ts';
import { BlockSearchSession } from './blockSearchSession.ts';

type Opened<Kind extends SearchKind> = SearchSession & { readonly opening: OpeningOf<Kind> };

interface Sessions<Kind extends SearchKind> {
  open(plan: PlanOf<Kind>, hooks: StepHooks, state: EngineState): Promise<Opened<Kind>>;
}

/** A new kind of search does not compile without its row. */
const SESSIONS: { readonly [Kind in SearchKind]: Sessions<Kind> } = {
  metrics: MetricSession,
  rates: BlockSearchSession,
  masks: BlockSearchSession,
};

/** @throws EspalierError as an evaluation does */
export function openSession<Kind extends SearchKind>(
  plan: PlanOf<Kind> & { readonly kind: Kind },
  hooks: StepHooks,
  state: EngineState,
): Promise<Opened<Kind>> {
  const sessions: Sessions<Kind> = SESSIONS[plan.kind];
  return sessions.open(plan, hooks, state);
}
