import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import type { RateBaseline } from '../../../src/search/rates/events.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { baselineStyle } from '../common/lines.ts';
import type { LineStyle } from '../common/lines.ts';
import type { BlockBarsView } from '../common/blockViews.ts';

type Plan = Pick<RateSearchPlan, 'baselines' | 'sparsity'>;

/** What rates are measured by: the same of every block, and OWL's; whether or not the plan has them among its baselines. */
export function referencesOf({ opening, baselines }: RateState, plan: Plan): BlockBarsView['references'] {
  if (!opening) return [];
  const { sparsity } = plan;
  const measured = (kind: string) => baselines.find((baseline) => kindOf(baseline, plan) === kind)?.rates;
  // Under a budget equal rates are known when they have been measured.
  const uniform = sparsity.kind === 'unstructured' ? opening.components.map(() => sparsity.share) : measured('uniform');
  const owl = measured('owl') ?? opening.owl;
  return [
    ...(uniform ? [{ label: 'uniform', values: uniform, style: 'uniform' } as const] : []),
    ...(owl ? [{ label: 'owl', values: owl, style: 'owl' } as const] : []),
  ];
}

/** Uniform and OWL look the same in every chart, in whatever order the plan names them. */
export function styleOf(baseline: RateBaseline, plan: Plan): LineStyle {
  const kind = kindOf(baseline, plan);
  return baselineStyle(kind === 'uniform' ? 0 : kind === 'owl' ? 1 : 2);
}

/** Baselines have −1, −2, … in the order of the plan. */
function kindOf({ id }: RateBaseline, { baselines }: Plan): string | undefined {
  return baselines[-1 - id]?.rates.kind;
}
