import { EspalierError } from '../../base/errors.ts';
import { type EvaluationPlan, isStructural, type PlannedEvaluation } from '../../experiment/plan.ts';
import { asWeights, needsCalibration, scoreText } from '../../experiment/planned.ts';
import type { EvaluationResult, Provenance } from '../../experiment/result.ts';
import { operandsOf } from '../../metric/measure.ts';
import type { EvaluationHooks } from '../engine.ts';
import { type PrunedLayer, Pruner } from '../pruning/pruner.ts';
import type { Device } from '../runtime/device.ts';
import { fingerprint } from './fingerprint.ts';
import { needGradients } from './gradientsOf.ts';
import { type EngineState, prepareSweep } from './prepareSweep.ts';
import { stagedStepper } from './stepper.ts';
import { countSteps, sweep, type SweepInputs, type SweepOutcome } from './sweep.ts';
import { inGroups } from './sweepGroups.ts';

/** See `Engine.evaluate`. */
export async function evaluatePlan(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  state: EngineState,
): Promise<readonly EvaluationResult[]> {
  const { inputs, provenance } = await prepareSweep(plan, plan.evaluations.some(needsCalibration), hooks, state);
  try {
    return await evaluatePrepared(plan, hooks, state, inputs, provenance);
  } finally {
    inputs.programs.dispose();
    await inputs.device.release((key) => !key.startsWith('prune '));
  }
}

async function evaluatePrepared(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  { dense: denseOutcomes, gradients: loaded }: Pick<EngineState, 'dense' | 'gradients'>,
  prepared: SweepInputs,
  provenance: Provenance,
): Promise<readonly EvaluationResult[]> {
  const denseKey = fingerprint(undefined, plan, provenance, false);
  const groups = plan.evaluations.length > 0 ? inGroups(plan.evaluations, prepared) : [[]];
  const pruners = groups.map((group) => prunersOf(plan, group, prepared.device, hooks));
  const needed = plan.evaluations.some(needsGradient) ? await needGradients(prepared, provenance, loaded) : undefined;
  const denseSteps = denseOutcomes.has(denseKey) ? 0 : countSteps(prepared, true, []);
  const steps = stagedStepper(
    hooks,
    pruners.reduce((sum, group) => sum + countSteps(prepared, false, group), denseSteps + (needed?.steps ?? 0)),
  );
  const gradients = await needed?.get(steps('gradients'));
  const inputs: SweepInputs = {
    ...prepared,
    ...(gradients && { gradients: gradients.gradients }),
    onFinal: hooks.onFinal,
  };
  const step = steps('evaluating');

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
        const used = needsGradient(evaluation) ? gradients : undefined;
        const result = resultOf(evaluation, plan, provenance, outcome, denseOutcomes.get(denseKey)!, used);
        results.push(result);
        hooks.onResult?.(result, index);
      }
      index++;
    }
  }
  if (plan.evaluations.length === 0) {
    const outcome = denseOutcomes.get(denseKey)!;
    results.push(resultOf(undefined, plan, provenance, outcome, outcome, undefined));
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
  gradients: { readonly seconds: number; readonly source: 'computed' | 'cached' } | undefined,
): EvaluationResult {
  const calibrated = evaluation !== undefined && needsCalibration(evaluation);
  return {
    metric: evaluation?.metric ?? 'dense',
    expression: evaluation ? scoreText(evaluation) : 'dense',
    ...(evaluation && { sparsity: evaluation.sparsity }),
    calibrate: plan.settings.calibrate,
    perplexity: outcome.perplexity,
    densePerplexity: dense.perplexity,
    actualSparsity: outcome.actualSparsity,
    seconds: outcome.seconds + (gradients?.seconds ?? 0),
    ...(gradients && { gradients: gradients.source }),
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
    const { metric, expression, sparsity } = asWeights(evaluation, 'evaluating');
    return new Pruner(device, metric, expression, sparsity, plan.settings.group, observer);
  });
}

function needsGradient(evaluation: PlannedEvaluation): boolean {
  return !isStructural(evaluation) && operandsOf(evaluation.expression).includes('G');
}
