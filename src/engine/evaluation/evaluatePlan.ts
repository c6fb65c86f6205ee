import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import { ownDeviations } from '../../experiment/deviations.ts';
import { isStructural, needsCalibration, needsGradient, sampleNeeds, scoreText } from '../../experiment/planned.ts';
import type { EvaluationResult, Provenance } from '../../experiment/resultSchema.ts';
import { fingerprint } from './fingerprint.ts';
import { needGradients } from './gradientsOf.ts';
import type { EvaluationHooks } from './hooks.ts';
import { rowsOfWeights, stepsOf } from './needs.ts';
import { aboutBlocks, type PreparedEvaluation, prepareEvaluation, refusal } from './prepareEvaluation.ts';
import { type EngineState, prepareSweep, type PreparedSweep } from './prepareSweep.ts';
import { fingerprintsOf, type PreparedTasks, prepareTasks } from './prepareTasks.ts';
import type { OpenedTasks } from '../scoring/openTasks.ts';
import { taskDocuments, taskResults } from '../scoring/taskResults.ts';
import { stagedStepper } from './stepper.ts';
import { countSurveySteps, survey, surveyNeeds } from './survey.ts';
import { countSteps, sweep } from './sweep.ts';
import { inGroups, scratchFolderOf } from './sweepGroups.ts';
import { disposePrograms, type SweepInputs, type SweepOutcome } from './sweepInputs.ts';

/** See `Engine.evaluate`. */
export async function evaluatePlan(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  state: EngineState,
): Promise<readonly EvaluationResult[]> {
  const ofText = await prepareSweep(plan, plan.whole ?? sampleNeeds(plan.evaluations), hooks, state);
  let { inputs } = ofText;
  try {
    const prepared = await prepareTasks(plan, inputs, hooks, state);
    inputs = prepared.inputs;
    return await evaluatePrepared(plan, hooks, state, prepared, ofText);
  } finally {
    disposePrograms(inputs);
    await inputs.device.release((key) => !key.startsWith('prune '));
  }
}

async function evaluatePrepared(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  { dense: denseOutcomes, gradients: loaded }: Pick<EngineState, 'dense' | 'gradients'>,
  { inputs: prepared, tasks }: PreparedTasks,
  { provenance: early, modelHash, textCounts }: PreparedSweep,
): Promise<readonly EvaluationResult[]> {
  const keyOf = (hash: string): string =>
    fingerprint(undefined, plan, { ...early, modelHash: hash }, false, tasks && fingerprintsOf(tasks));
  // What the rest of a result is, is read and counted while the device is at work, as far as it lets go of this thread, and behind that.
  const complete = async (): Promise<Provenance> => ({
    ...early,
    modelHash: await modelHash(),
    ...(await textCounts()),
  });
  modelHash().catch(() => undefined);
  const refusals = plan.evaluations.map((evaluation) => refusal(evaluation, prepared));
  const accepted = plan.evaluations.filter((_, index) => !refusals[index]);
  const needs = surveyNeeds(accepted, prepared.calibrate === 'one-shot' ? rowsOfWeights(accepted) : []);
  const needed = accepted.some(needsGradient)
    ? await needGradients(prepared, { ...early, modelHash: await modelHash() }, loaded)
    : undefined;
  let dense = denseOutcomes.size > 0 ? denseOutcomes.get(keyOf(await modelHash())) : undefined;
  const steps = stagedStepper(
    hooks,
    (needed?.steps ?? 0) +
      countSurveySteps(prepared, needs) +
      inGroups(accepted, prepared)
        .map((group) => countSteps(prepared, false, group.map(stepsOf), needs.rows.length > 0))
        .reduce((sum, count) => sum + count, dense ? 0 : countSteps(prepared, true, [])),
  );
  const gradients = await needed?.get(steps('gradients'));
  const withGradients: SweepInputs = {
    ...prepared,
    ...(gradients && { gradients: gradients.gradients }),
    onFinal: hooks.onFinal,
  };
  const found = await survey(withGradients, needs, steps('pruning'));
  const { statistics } = found;
  const inputs = prepared.calibrate === 'one-shot' && statistics ? { ...withGradients, statistics } : withGradients;
  const step = steps('evaluating');

  const hiddenStates = scratchFolderOf(prepared) === undefined ? {} : ({ hiddenStates: 'disk' } as const);
  const results: EvaluationResult[] = [];
  const failures: EspalierError[] = [];
  const fail = (failure: EspalierError, index: number): void => {
    failures.push(failure);
    hooks.onFailure?.(failure.data, index);
  };
  const ready: PreparedEvaluation[] = [];
  for (const index of plan.evaluations.keys()) {
    const evaluation = refusals[index] ?? prepareEvaluation(plan, index, inputs, found, hooks);
    if (evaluation instanceof EspalierError) fail(evaluation, index);
    else ready.push(evaluation);
  }
  for (const group of plan.evaluations.length > 0 ? inGroups(ready, prepared) : [[]]) {
    const carried = group.map(({ variant }) => variant);
    const swept = await sweep(inputs, !dense, carried, step);
    const provenance = await complete();
    const { variants } = swept;
    dense ??= swept.dense!;
    denseOutcomes.set(keyOf(provenance.modelHash), dense);
    for (const [i, outcome] of variants.entries()) {
      const { index } = group[i]!;
      if (outcome instanceof EspalierError) {
        fail(outcome, index);
        continue;
      }
      const evaluation = plan.evaluations[index]!;
      const used = needsGradient(evaluation) ? gradients : undefined;
      const result = {
        ...resultOf(evaluation, plan, provenance, outcome, dense, tasks),
        ...aboutBlocks(group[i]!, evaluation, prepared),
        seconds: outcome.seconds + found.secondsFor(evaluation) + (used?.seconds ?? 0),
        ...(used && { gradients: used.source }),
        ...hiddenStates,
      };
      results.push(result);
      tellDocuments(hooks, tasks, outcome, index);
      hooks.onResult?.(result, index);
    }
    if (plan.evaluations.length === 0) {
      results.push({ ...resultOf(undefined, plan, provenance, dense, dense, tasks), ...hiddenStates });
      tellDocuments(hooks, tasks, dense, 0);
      hooks.onResult?.(results[0]!, 0);
    }
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
  tasks: OpenedTasks | undefined,
): EvaluationResult {
  const calibrated = evaluation !== undefined && needsCalibration(evaluation);
  const asked = tasks && fingerprintsOf(tasks);
  return {
    metric: evaluation?.metric ?? 'dense',
    expression: evaluation ? scoreText(evaluation) : 'dense',
    ...(evaluation && { sparsity: evaluation.sparsity }),
    calibrate: evaluation && isStructural(evaluation) ? 'one-shot' : plan.settings.calibrate,
    ...(plan.text !== undefined && { perplexity: Math.exp(outcome.loss), densePerplexity: Math.exp(dense.loss) }),
    actualSparsity: outcome.actualSparsity,
    seconds: outcome.seconds,
    ...(tasks && { tasks: taskResults(tasks, outcome.tasks!, evaluation && dense.tasks!.scores) }),
    fingerprint: fingerprint(evaluation, plan, provenance, calibrated, asked),
    provenance: { ...provenance, ...underProtocol(evaluation, plan, provenance), modelZeros: dense.actualSparsity },
  };
}

function tellDocuments(
  { onTaskDocument }: EvaluationHooks,
  tasks: OpenedTasks | undefined,
  { tasks: outcome }: SweepOutcome,
  index: number,
): void {
  if (!onTaskDocument || !tasks) return;
  for (const document of taskDocuments(tasks, outcome!)) onTaskDocument(document, index);
}

function underProtocol(
  evaluation: PlannedEvaluation | undefined,
  plan: EvaluationPlan,
  { deviations }: Provenance,
): Pick<Provenance, 'deviations'> {
  if (deviations === undefined || evaluation === undefined) return {};
  return { deviations: [...deviations, ...ownDeviations(plan, evaluation)] };
}
