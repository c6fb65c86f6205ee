import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/plan.ts';
import type { EvaluationResult, Provenance } from '../../experiment/result.ts';
import { operandsOf, statisticsOf } from '../../metric/measure.ts';
import { LATER_STATISTICS } from '../../metric/operands.ts';
import { printInfix } from '../../metric/print.ts';
import type { EvaluationHooks } from '../engine.ts';
import { type PrunedLayer, Pruner } from '../pruning/pruner.ts';
import type { Device } from '../runtime/device.ts';
import { fingerprint } from './fingerprint.ts';
import { type EngineState, prepareSweep } from './prepareSweep.ts';
import { stepper } from './stepper.ts';
import { countSteps, sweep, type SweepInputs, type SweepOutcome } from './sweep.ts';
import { inGroups } from './sweepGroups.ts';

/** See `Engine.evaluate`. */
export async function evaluatePlan(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  state: EngineState,
): Promise<readonly EvaluationResult[]> {
  const refusals = plan.evaluations.map(refusalOf);
  const first = refusals.find((refusal) => refusal !== undefined);
  if (first) {
    if (!hooks.onFailure || refusals.every((refusal) => refusal !== undefined)) throw first;
    const supported = plan.evaluations.flatMap((_, index) => (refusals[index] ? [] : [index]));
    for (const [index, refusal] of refusals.entries()) if (refusal) hooks.onFailure(refusal.data, index);
    const evaluations = supported.map((index) => plan.evaluations[index]!);
    return evaluatePlan({ ...plan, evaluations }, renumbered(hooks, supported), state);
  }
  const { inputs, provenance } = await prepareSweep(plan, plan.evaluations.some(needsCalibration), hooks, state);
  try {
    return await evaluatePrepared(plan, hooks, state.dense, inputs, provenance);
  } finally {
    inputs.programs.dispose();
    await inputs.device.release((key) => !key.startsWith('prune '));
  }
}

async function evaluatePrepared(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  denseOutcomes: EngineState['dense'],
  inputs: SweepInputs,
  provenance: Provenance,
): Promise<readonly EvaluationResult[]> {
  const denseKey = fingerprint(undefined, plan, provenance, false);
  const groups = plan.evaluations.length > 0 ? inGroups(plan.evaluations, inputs) : [[]];
  const pruners = groups.map((group) => prunersOf(plan, group, inputs.device, hooks));
  const denseSteps = denseOutcomes.has(denseKey) ? 0 : countSteps(inputs, true, []);
  const step = stepper(
    hooks,
    pruners.reduce((steps, group) => steps + countSteps(inputs, false, group), denseSteps),
  );

  const results: EvaluationResult[] = [];
  const failures: EspalierError[] = [];
  let index = 0;
  for (const group of pruners) {
    const { dense, pruned } = await sweep(inputs, !denseOutcomes.has(denseKey), group, step);
    if (dense) denseOutcomes.set(denseKey, dense);
    for (const outcome of pruned) {
      const evaluation = plan.evaluations[index]!;
      if (outcome instanceof EspalierError) {
        failures.push(outcome);
        hooks.onFailure?.(outcome.data, index);
      } else {
        const result = resultOf(evaluation, plan, provenance, outcome, denseOutcomes.get(denseKey)!);
        results.push(result);
        hooks.onResult?.(result, index);
      }
      index++;
    }
  }
  if (plan.evaluations.length === 0) {
    const outcome = denseOutcomes.get(denseKey)!;
    results.push(resultOf(undefined, plan, provenance, outcome, outcome));
    hooks.onResult?.(results[0]!, 0);
  }
  if (failures.length > 0 && (!hooks.onFailure || results.length === 0)) throw failures[0]!;
  return results;
}

function resultOf(
  evaluation: PlannedEvaluation | undefined,
  plan: EvaluationPlan,
  provenance: Provenance,
  outcome: SweepOutcome,
  dense: SweepOutcome,
): EvaluationResult {
  const calibrated = evaluation !== undefined && needsCalibration(evaluation);
  return {
    metric: evaluation?.metric ?? 'dense',
    expression: evaluation ? printInfix(evaluation.expression) : 'dense',
    ...(evaluation && { sparsity: evaluation.sparsity }),
    calibrate: plan.settings.calibrate,
    perplexity: outcome.perplexity,
    densePerplexity: dense.perplexity,
    actualSparsity: outcome.actualSparsity,
    seconds: outcome.seconds,
    fingerprint: fingerprint(evaluation, plan, provenance, calibrated),
    provenance,
  };
}

function prunersOf(
  plan: EvaluationPlan,
  group: readonly PlannedEvaluation[],
  device: Device,
  { onPruned }: EvaluationHooks,
): Pruner[] {
  return group.map((evaluation) => {
    const observer =
      onPruned &&
      ((layer: PrunedLayer): void => {
        onPruned(layer, plan.evaluations.indexOf(evaluation));
      });
    const { metric, expression, sparsity } = evaluation;
    return new Pruner(device, metric, expression, sparsity, plan.settings.group, observer);
  });
}

function needsCalibration({ expression }: PlannedEvaluation): boolean {
  return statisticsOf(expression).some((statistic) => !LATER_STATISTICS.includes(statistic));
}

/** Why an evaluation cannot be begun, where it cannot. */
function refusalOf({ metric, expression }: PlannedEvaluation): EspalierError | undefined {
  const later = statisticsOf(expression).some((statistic) => LATER_STATISTICS.includes(statistic));
  if (!later) return undefined;
  return new EspalierError({
    code: 'metric/unsupported',
    operation: `evaluating ${metric}`,
    expected: 'operands that this version can compute',
    actual: `${operandsOf(expression).join(', ')}: G needs the model’s gradients`,
    remedy: 'Gradients come with the next version; until then use W, X and the other operands.',
  });
}

/** Hooks for a part of a plan: `indices[i]` is the place of its i-th evaluation in the whole. */
function renumbered(hooks: EvaluationHooks, indices: readonly number[]): EvaluationHooks {
  return {
    ...hooks,
    onResult: (result, index) => hooks.onResult?.(result, indices[index]!),
    onFailure: (failure, index) => hooks.onFailure?.(failure, indices[index]!),
    onPruned: hooks.onPruned && ((layer, index) => hooks.onPruned?.(layer, indices[index]!)),
  };
}
