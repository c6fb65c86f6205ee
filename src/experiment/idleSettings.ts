import type { Expression } from '../metric/expression.ts';
import { operandsOf } from '../metric/measure.ts';
import { OPERANDS } from '../metric/operands.ts';
import type { OperandName } from '../metric/operands.ts';
import { isStructural } from './plan.ts';
import type { PlannedEvaluation } from './plan.ts';
import { needsCalibration } from './planned.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { EvaluationSettings, SettingName } from './settings.ts';
import { isMaskSearch, isMetricSearch, isRateSearch } from './runPlan.ts';
import type { Sparsity } from './sparsity.ts';
import type { RunPlan } from './runPlan.ts';

/**
 * Settings that change nothing about these evaluations, whatever they are set to, each with the reason why. What is said all the same
 * was meant to change something.
 */
export function idleSettings(
  evaluations: readonly PlannedEvaluation[],
  settings: Partial<EvaluationSettings>,
): ReadonlyMap<SettingName, string> {
  const idle = new Map<SettingName, string>();
  const { offsets, length } = { ...DEFAULT_SETTINGS, length: undefined, ...settings };
  if (!evaluations.some(needsCalibration)) {
    const why = evaluations.length === 0 ? 'the dense model is not calibrated' : 'nothing needs more than the weights';
    for (const name of ['samples', 'offsets', 'seed', 'calibrate'] as const) idle.set(name, why);
    // Where no other length is said, it is that of evaluation blocks, too.
    if (length !== undefined) idle.set('calibrationLength', why);
  } else {
    if (offsets === 'even') idle.set('seed', 'even offsets are not drawn');
    if (!evaluations.some(looksAtInputs))
      idle.set('calibrate', 'only metrics of single weights with X or its kin take it');
  }
  if (!evaluations.some(comparesGroups)) idle.set('group', 'no percentage of single weights is pruned');
  return idle;
}

/** The same of what a search evaluates. */
export function idleInSearch(plan: RunPlan): ReadonlyMap<SettingName, string> {
  const { sparsity, settings } = plan;
  if (isRateSearch(plan)) {
    const { target } = plan;
    return idleSettings(
      evaluatedForComponents(target.kind === 'weights' ? target.expression : undefined, sparsity),
      settings,
    );
  }
  if (isMaskSearch(plan)) return idleSettings(evaluatedForComponents(undefined, sparsity), settings);
  if (!isMetricSearch(plan)) return new Map();
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

/** Whether it matters which blocks its statistics come from: components are chosen on the dense model, and gradients are its own. */
function looksAtInputs(evaluation: PlannedEvaluation): boolean {
  if (isStructural(evaluation)) return false;
  return operandsOf(evaluation.expression).some((name) => name !== 'G' && OPERANDS[name].needs.length > 0);
}

function comparesGroups(evaluation: PlannedEvaluation): boolean {
  return !isStructural(evaluation) && evaluation.sparsity.kind === 'unstructured';
}
