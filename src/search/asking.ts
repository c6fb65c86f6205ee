import type { RunPlan } from './kinds.ts';
import type { LlmRole } from './llm/roles.ts';
import { isProposing } from './metrics/plan.ts';
import type { ProposingPlan } from './metrics/plan.ts';
import { isSelfPruner } from './rates/selfPruner/plan.ts';
import type { SelfPrunerPlan } from './rates/selfPruner/plan.ts';
import { RATE_ROLES } from './rates/selfPruner/roles.ts';

/** A search that says which language model it may ask, if only that it asks none. */
export type AskingPlan = SelfPrunerPlan | ProposingPlan;

export function mayAsk(plan: RunPlan): plan is AskingPlan {
  return plan.kind === 'metrics' ? isProposing(plan) : plan.kind === 'rates' && isSelfPruner(plan);
}

/** What a language model is asked for in this search; empty where it asks none. */
export function askedRoles(plan: AskingPlan): readonly LlmRole[] {
  if (plan.llm.provider === 'none') return [];
  if (plan.kind === 'metrics') return ['propose'];
  return RATE_ROLES.filter((role) => plan.search[role] === 'llm');
}
