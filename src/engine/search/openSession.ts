import { runKind } from '../../search/kinds.ts';
import type { RunKind, RunPlan, StructurePlan } from '../../search/kinds.ts';
import type { SearchOpening } from '../../search/metrics/events.ts';
import type { SearchPlan } from '../../search/metrics/plan.ts';
import type { StructureOpening } from '../../search/rates/events.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import { MetricSession } from './metricSession.ts';
import type { SearchSession, SessionHooks } from './searchSession.ts';
import { StructureSession } from './structureSession.ts';

/** What a search is told of the dense model, by the kind of its plan. */
export type OpeningOf<Plan extends RunPlan> = Plan extends StructurePlan ? StructureOpening : SearchOpening;

interface Sessions<Plan extends RunPlan> {
  open(plan: Plan, hooks: SessionHooks, state: EngineState): Promise<Opened<Plan>>;
}

type Opened<Plan extends RunPlan> = SearchSession & { readonly opening: OpeningOf<Plan> };
type PlanOf<Kind extends RunKind> = Kind extends 'metrics' ? SearchPlan : Extract<RunPlan, { readonly kind: Kind }>;

/** A new kind of search does not compile without its row. */
const SESSIONS: { readonly [Kind in RunKind]: Sessions<PlanOf<Kind>> } = {
  metrics: MetricSession,
  rates: StructureSession,
  masks: StructureSession,
};

/** @throws EspalierError as an evaluation does */
export async function openSession<Plan extends RunPlan>(
  plan: Plan,
  hooks: SessionHooks,
  state: EngineState,
): Promise<Opened<Plan>>;
export function openSession(plan: RunPlan, hooks: SessionHooks, state: EngineState): Promise<Opened<RunPlan>> {
  const sessions: Sessions<RunPlan> = SESSIONS[runKind(plan)];
  return sessions.open(plan, hooks, state);
}
