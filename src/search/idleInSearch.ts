import { idleSettings, NO_RATES } from '../experiment/idleSettings.ts';
import type { PlannedEvaluation } from '../experiment/planSchema.ts';
import type { SettingName } from '../experiment/settings.ts';
import { DEFAULT_SPARSITY } from '../experiment/sparsity.ts';
import type { WeightSparsity } from '../experiment/sparsitySchema.ts';
import type { Expression } from '../metric/expression.ts';
import type { OperandName } from '../metric/operands.ts';
import type { SearchPlan } from './kinds.ts';

/** {@link idleSettings} of what a search evaluates. */
export function idleInSearch(plan: SearchPlan): ReadonlyMap<SettingName, string> {
  const { settings } = plan;
  if (plan.kind === 'rates') {
    const { target } = plan;
    return idleSettings(evaluatedForComponents(target.kind === 'weights' ? target.expression : undefined), settings);
  }
  if (plan.kind === 'masks')
    return new Map([...idleSettings(evaluatedForComponents(undefined), settings), ['roundFor', NO_RATES]]);
  const metrics = [...plan.seeds, ...plan.baselines].map(({ expression }) => expression);
  return idleSettings(evaluatedForMetrics(plan.operands, metrics, plan.sparsity), settings);
}

/** What a search for metrics evaluates: its operands stand for the metrics that it may come to. */
export function evaluatedForMetrics(
  operands: readonly OperandName[],
  metrics: readonly Expression[],
  sparsity: WeightSparsity,
): readonly PlannedEvaluation[] {
  const leaves = operands.map((name): Expression => ({ kind: 'operand', name }));
  return [...leaves, ...metrics].map((expression) => ({ metric: 'searched', expression, sparsity }));
}

/** What a search for rates or masks evaluates. @param weights the metric of single weights, where the rates are of these */
export function evaluatedForComponents(weights: Expression | undefined): readonly PlannedEvaluation[] {
  return [COMPONENTS, ...(weights ? [{ metric: 'searched', expression: weights, sparsity: DEFAULT_SPARSITY }] : [])];
}

/** Searches for rates and masks always score components, or compare with rates that outliers in the inputs give. */
const COMPONENTS: PlannedEvaluation = {
  metric: 'wanda-sp',
  sparsity: DEFAULT_SPARSITY,
  structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
};
