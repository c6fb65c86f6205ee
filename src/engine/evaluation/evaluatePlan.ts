import { basename } from 'node:path';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/plan.ts';
import type { EvaluationProgress, EvaluationResult, Provenance } from '../../experiment/result.ts';
import { operandsOf, statisticsOf } from '../../metric/measure.ts';
import { LATER_STATISTICS } from '../../metric/operands.ts';
import { printInfix } from '../../metric/print.ts';
import type { EvaluationHooks } from '../engine.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters } from '../models/model.ts';
import { type PrunedLayer, Pruner } from '../pruning/pruner.ts';
import type { Device } from '../runtime/device.ts';
import { availableMemory } from '../runtime/memory.ts';
import { loadOrt } from '../runtime/ort.ts';
import type { OpenDevices } from '../runtime/openDevices.ts';
import { fingerprint } from './fingerprint.ts';
import type { Step } from '../forward/hiddenStream.ts';
import type { LoadedModels } from '../forward/loadedModels.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import { countSteps, sweep, type SweepInputs, type SweepOutcome } from './sweep.ts';
import { calibrationSamples, evaluationBlocks } from '../forward/tokenBlocks.ts';
import type { TokenCache, TokenisedText } from '../forward/tokenCache.ts';

/** What an engine keeps from one evaluation to the next. */
export interface EngineState {
  readonly devices: OpenDevices;
  readonly models: LoadedModels;
  readonly tokenCache: TokenCache;
  /** Dense outcomes by fingerprint. */
  readonly dense: Map<string, SweepOutcome>;
}

/** Share of the available memory for the hidden states of the models that one sweep carries. */
const STREAM_SHARE = 0.4;

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
  const { inputs, provenance } = await prepare(plan, hooks, state);
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

/** Opens the checkpoint, tokenises the texts, starts the device and cuts the blocks. */
async function prepare(
  plan: EvaluationPlan,
  hooks: EvaluationHooks,
  state: EngineState,
): Promise<{ inputs: SweepInputs; provenance: Provenance }> {
  const { settings } = plan;
  const { signal } = hooks;
  const calibrated = plan.evaluations.some(needsCalibration);
  const report = (stage: EvaluationProgress['stage'], detail: string): void => {
    hooks.onProgress?.({ stage, done: 0, total: 0, detail });
    throwIfCancelled(signal, 'evaluating');
  };
  report('device', 'starting the device');
  const device = await state.devices.device(settings);
  report('reading', 'reading the checkpoint');
  const model = await state.models.load(plan.model, device, signal);
  const { vocabulary } = model.checkpoint.config;
  const tokenise = (file: string): Promise<TokenisedText> => {
    const onProgress = (done: number, total: number): void =>
      hooks.onProgress?.({ stage: 'tokenising', done, total, detail: `tokenising ${basename(file)}` });
    return state.tokenCache.tokens(plan.model, vocabulary, file, signal, onProgress);
  };
  const text = await tokenise(plan.text);
  const calibration = calibrated ? await tokenise(calibrationFile(plan)) : undefined;
  const evaluation = evaluationBlocks(text.ids, settings.length, settings.blocks, plan.text);
  const inputs: SweepInputs = {
    checkpoint: model.checkpoint,
    device,
    weights: model.weights,
    programs: await ModelPrograms.create(model.checkpoint.config, device, settings.length),
    evaluation,
    calibration: calibration ? calibrationSamples(calibration.ids, settings, plan.calibration!) : [],
    calibrate: settings.calibrate,
    now: () => performance.now() / 1000,
  };
  const provenance: Provenance = {
    model: plan.model,
    modelHash: model.identity,
    architecture: model.checkpoint.config.architecture,
    parameters: allParameters(model.checkpoint.config).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    text: plan.text,
    textHash: text.textHash,
    textTokens: text.ids.length,
    blocks: evaluation.length,
    length: settings.length,
    ...(calibration && {
      calibration: plan.calibration!,
      calibrationHash: calibration.textHash,
      samples: settings.samples,
      offsets: settings.offsets,
      seed: settings.seed,
    }),
    group: settings.group,
    device: device.name,
    deviceName: describeDevice(device),
    precision: device.precision,
    versions: { espalier: VERSION, onnxruntime: loadOrt().env.versions.node! },
  };
  return { inputs, provenance };
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

/** As many evaluations to a sweep as have room: each carries its own hidden states. */
function inGroups(
  evaluations: readonly PlannedEvaluation[],
  { checkpoint, evaluation, calibration, calibrate }: SweepInputs,
): PlannedEvaluation[][] {
  const tokens = evaluation.length * evaluation[0]!.length;
  const calibrationTokens = calibrate === 'sequential' ? calibration.reduce((sum, { length }) => sum + length, 0) : 0;
  const bytes = 4 * checkpoint.config.hidden * (tokens + calibrationTokens);
  const size = Math.max(1, Math.floor((STREAM_SHARE * availableMemory()) / bytes) - 1);
  return Array.from({ length: Math.ceil(evaluations.length / size) }, (_, i) =>
    evaluations.slice(i * size, (i + 1) * size),
  );
}

/** Reports progress and lets the process look at its messages after every program run: cancellation arrives there. */
function stepper({ signal, onProgress }: EvaluationHooks, total: number): Step {
  let done = 0;
  return async (detail) => {
    done++;
    onProgress?.({ stage: 'evaluating', done: Math.min(done, total), total, detail });
    await new Promise(setImmediate);
    throwIfCancelled(signal, 'evaluating');
  };
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

function calibrationFile(plan: EvaluationPlan): string {
  if (plan.calibration !== undefined) return plan.calibration;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'calibrating',
    expected: 'a calibration text, for a metric that looks at the layers’ inputs',
    actual: 'none',
    remedy: 'Name one: `calibrate:` in an experiment, --calibration on the command line.',
  });
}

function describeDevice(device: Device): string {
  return device.name === 'cpu' ? `cpu, ${device.threads} threads` : device.name;
}
