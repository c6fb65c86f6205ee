import { idleSettings, NO_RATES } from '../experiment/idleSettings.ts';
import type { PlannedEvaluation } from '../experiment/planSchema.ts';
import type { SettingName } from '../experiment/settings.ts';
import type { Sparsity } from '../experiment/sparsitySchema.ts';
import type { Expression } from '../metric/expression.ts';
import type { OperandName } from '../metric/operands.ts';
import type { SearchPlan } from './kinds.ts';

/** {@link idleSettings} of what a search evaluates. */
export function idleInSearch(plan: SearchPlan): ReadonlyMap<SettingName, string> {
  const { sparsity, settings } = plan;
  if (plan.kind === 'rates') {
    const { target } = plan;
    return idleSettings(
      evaluatedForComponents(target.kind === 'weights' ? target.expression : undefined, sparsity),
      settings,
    );
  }
  if (plan.kind === 'masks')
    return new Map([...idleSettings(evaluatedForComponents(undefined, sparsity), settings), ['roundFor', NO_RATES]]);
  const metrics = [...plan.seeds, ...plan.baselines].map(({ expression }) => expression);
  return idleSettings(evaluatedForMetrics(plan.operands, metrics, sparsity), settings);
}

/** What a search for metrics evaluates: its operands stand for the metrics that it may come to. */
export function evaluatedForMetrics(
  operands: readonly OperandName[],
  metrics: readonly Expression[],
  sparsity: Sparsity,
): readonly PlannedEvaluation[] {
  const leaves = operands.map((name): Expression => ({ kind: 'operand', name }));
  return [...leaves, ...metrics].map((expression) => ({ metric: 'searched', expression, sparsity }));
}

/** What a search for rates or masks evaluates. @param weights the metric of single weights, where the rates are of these */
export function evaluatedForComponents(
  weights: Expression | undefined,
  sparsity: Sparsity,
): readonly PlannedEvaluation[] {
  return [COMPONENTS, ...(weights ? [{ metric: 'searched', expression: weights, sparsity }] : [])];
}

/** Searches for rates and masks always score components, or compare with rates that outliers in the inputs give. */
const COMPONENTS: PlannedEvaluation = {
  metric: 'wanda-sp',
  sparsity: { kind: 'unstructured', share: 0.5 },
  structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
};
