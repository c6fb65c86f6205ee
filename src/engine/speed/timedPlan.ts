import { isAboutSpeed } from '../../experiment/costLimit.ts';
import { SPEED_BATCH } from '../../experiment/prediction.ts';
import type { PlanInputs } from '../../experiment/planSchema.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { StepHooks } from '../forward/step.ts';
import { type CostPlaces, modelCosts } from './modelCosts.ts';

/** What a plan asks to remove: a search or recovery its one sparsity, evaluations each their own. */
type Asking = PlanInputs & {
  readonly sparsity?: Sparsity;
  readonly evaluation?: { readonly sparsity: Sparsity };
  readonly evaluations?: readonly { readonly sparsity: Sparsity }[];
};

/** Whether the plan has a budget of speed, and nothing yet that says what speed is. */
export function lacksTimes({ times, sparsity, evaluation, evaluations = [] }: Asking): boolean {
  const asked = [sparsity, evaluation?.sparsity, ...evaluations.map((each) => each.sparsity)];
  return times === undefined && asked.some((each) => each?.kind === 'budget' && isAboutSpeed(each.budget));
}

/**
 * The plan with what the model's blocks take on its device, where a budget is about speed: as the plan says, or as it was measured before, or measured now.
 *
 * @param times `known`: nothing is measured
 * @throws EspalierError as {@link modelCosts}
 */
export async function timedPlan<Plan extends Asking>(
  plan: Plan,
  times: 'known' | 'measured',
  hooks: StepHooks,
  places: CostPlaces,
): Promise<Plan> {
  if (!lacksTimes(plan)) return plan;
  const { device, precision, threads } = plan.settings;
  const settings = { device, precision, threads };
  const costs = await modelCosts({ model: plan.model, batch: SPEED_BATCH, length: 0, settings, times }, hooks, places);
  return { ...plan, ...(costs.times && { times: costs.times }) };
}
