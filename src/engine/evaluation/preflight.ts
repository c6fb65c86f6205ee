import { budgetForecast } from './budgetForecast.ts';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { EvaluationPlan, PlannedEvaluation, WeightEvaluation } from '../../experiment/planSchema.ts';
import { isStructural, needsGradient, sampleNeeds } from '../../experiment/planned.ts';
import { resultWarnings } from '../../experiment/resultWarnings.ts';
import type { Preflight, PreflightCost } from '../../experiment/preflightSchema.ts';
import { type EvaluationSettings, sampleLength } from '../../experiment/settings.ts';
import { updateText, type WeightUpdate } from '../../experiment/updates.ts';
import { ROOM_SHARE } from '../gradient/collectGradients.ts';
import { gradientBytes, gradientsAreHeld } from '../gradient/gradientOperands.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters } from '../families/families.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import { availableMemory } from '../runtime/memory.ts';
import { fingerprint } from './fingerprint.ts';
import { MeasuredCosts } from './measuredCosts.ts';
import { needGradients } from './gradientsOf.ts';
import { rowsOfWeights, stepsOf } from './needs.ts';
import { sequencesPerBatch } from '../forward/modelPrograms.ts';
import { type EngineState, prepareSweep } from './prepareSweep.ts';
import { stateBytes } from '../forward/stateStream.ts';
import type { StepHooks } from '../forward/step.ts';
import type { OpenedTasks } from '../scoring/openTasks.ts';
import { countSurveySteps, surveyNeeds } from './survey.ts';
import { countSteps } from './sweep.ts';
import { disposePrograms, type SweepInputs } from './sweepInputs.ts';
import { inGroups, trackBytes } from './sweepGroups.ts';
import { fingerprintsOf, prepareTasks } from './prepareTasks.ts';
import { refusal } from './prepareEvaluation.ts';
import { refitMemory, refitWork } from './refitCost.ts';
import { changeWork, factorWork, gramWork, updateMemory, type UpdateMemory } from './updateCost.ts';
import { type Amounts, totalWork, workPerToken } from './work.ts';

/** What a block that tells statistics takes, in blocks that do not. */
const WITH_STATISTICS = 1.15;
/** Rate of what updates compute, in that of blocks. */
const UPDATE_RATE = 0.6;

/**
 * What an evaluation would take: it is prepared as for good (checkpoint, device, texts and gradients on disk are looked at), then only
 * counted.
 *
 * @throws EspalierError what the evaluation itself would be refused with
 */
export async function preflight(
  plan: EvaluationPlan,
  hooks: StepHooks,
  state: EngineState,
  cacheFolder: string | undefined,
): Promise<Preflight> {
  const { provenance, modelHash, ...ofText } = await prepareSweep(
    plan,
    plan.whole ?? sampleNeeds(plan.evaluations),
    hooks,
    state,
  );
  let { inputs } = ofText;
  try {
    const prepared = await prepareTasks(plan, inputs, hooks, state);
    inputs = prepared.inputs;
    const { device, checkpoint, weights, evaluation, calibration } = inputs;
    const { length, calibrate } = plan.settings;
    const ofSamples = sampleLength(plan.settings);
    const evaluations = accepted(plan, inputs);
    const needed = evaluations.some(needsGradient)
      ? await needGradients(inputs, { ...provenance, modelHash: await modelHash() }, state.gradients)
      : undefined;
    const compute = (needed?.steps ?? 0) > 0;
    const asked = prepared.tasks && fingerprintsOf(prepared.tasks);
    const keyOf = (hash: string): string =>
      fingerprint(undefined, plan, { ...provenance, modelHash: hash }, false, asked);
    // Of large files the hash takes longer than all else here: only where something is known that may be of this model.
    const dense = state.dense.size === 0 || !state.dense.has(keyOf(await modelHash()));
    const depth = weights.layouts.length;
    const token = workPerToken(checkpoint.config, weights.layouts, length, device.resident);
    const needs = surveyNeeds(evaluations, calibrate === 'one-shot' ? rowsOfWeights(evaluations) : []);
    const surveySteps = countSurveySteps(inputs, needs);
    const surveyed = needs.rows.length > 0;
    const scoresBackwards = [...needs.scorers.values()].some(({ goesBackwards }) => goesBackwards);
    const pruned = evaluations.filter((each): each is WeightEvaluation => !isStructural(each));
    const updates = evaluations.flatMap((each) => (isStructural(each) || !each.update ? [] : [each.update]));
    const withRows = pruned.filter((each) => rowsOfWeights([each]).length > 0 || each.update).length;
    const oneShot = updates.length > 0 || !surveyed ? 1 : 0;
    const refits = evaluations.filter(isRefitted).length;
    const inSequence = (2 * depth - 1) / depth;
    const calibrations =
      refits * inSequence + (calibrate === 'sequential' ? withRows * inSequence : Math.min(oneShot, withRows));
    const models = evaluations.length + Number(dense);
    const ofUpdates = updateWork(inputs, updates) + refits * refitWork(inputs);
    const amounts: Amounts = {
      models,
      evaluationTokens: evaluation.length * length,
      calibrationToken: workPerToken(checkpoint.config, weights.layouts, ofSamples, device.resident),
      calibrationTokens: calibration.length * ofSamples,
      // A survey's step is a program over one batch of one block, as a calibration's is.
      calibrations:
        calibrations +
        surveySteps / (depth * Math.max(1, Math.ceil(calibration.length / inputs.calibrationPrograms.batch))),
      gradientForwards: compute ? gradientForwards(needed!.steps, inputs) : 0,
    };
    const flops = ofUpdates + models * taskWork(inputs) + totalWork(token, amounts);
    const measured = new MeasuredCosts(checkpoint.config, weights.layouts, device);
    const forward = await measured.forward(length);
    const gigaflops = token.blocks / forward / 1e9;
    const ofTasks = models * (await taskSeconds(inputs, measured));
    const ofPruning = await pruningSeconds(pruned, plan.settings.group, token.linear, measured);
    const seconds =
      (await passSeconds(amounts, { length, ofSamples }, inputs, measured)) +
      ofTasks +
      ofPruning +
      ofUpdates / (UPDATE_RATE * gigaflops * 1e9);
    await measured.release();
    const memory = availableMemory();
    const budgets = budgetForecast({ ...plan, evaluations }, checkpoint);
    const costs = [
      ...memoryCosts(evaluations, inputs, { use: needed !== undefined, backwards: compute || scoresBackwards }, memory),
      ...diskCosts(evaluations, inputs),
      ...(compute && (cacheFolder !== undefined || !gradientsAreHeld(weights.layouts))
        ? [{ name: 'gradients', kind: 'disk' as const, bytes: gradientBytes(weights.layouts) }]
        : []),
    ].sort((a, b) => b.bytes - a.bytes);
    const free = { memory, disk: await freeDisk(cacheFolder ?? os.tmpdir()) };
    return {
      deviceName: provenance.deviceName,
      models,
      blocks: evaluation.length,
      length,
      ...(prepared.tasks && { tasks: askedOf(prepared.tasks, inputs, ofTasks) }),
      ...(budgets.length > 0 && { budgets }),
      gradients: !needed ? 'not needed' : compute ? 'to compute' : 'cached',
      steps: countSteps(inputs, dense, evaluations.map(stepsOf), surveyed) + surveySteps + (needed?.steps ?? 0),
      flops,
      gigaflops,
      seconds,
      costs,
      free,
      warnings: [...resultWarnings(provenance), ...gramWarnings(inputs, updates, refits), ...diskWarnings(inputs)],
      problems: (['memory', 'disk'] as const).flatMap((kind) => problemOf(kind, costs, free[kind])),
    };
  } finally {
    disposePrograms(inputs);
  }
}

/** What goes through blocks and head: evaluations, calibrations, gradients. */
async function passSeconds(
  { models, evaluationTokens, calibrationTokens, calibrations, gradientForwards }: Amounts,
  { length, ofSamples }: { readonly length: number; readonly ofSamples: number },
  { gradientSamples }: SweepInputs,
  measured: MeasuredCosts,
): Promise<number> {
  const evaluated =
    evaluationTokens > 0 ? evaluationTokens * ((await measured.forward(length)) + (await measured.head())) : 0;
  const calibrated =
    calibrations > 0 ? calibrations * calibrationTokens * WITH_STATISTICS * (await measured.forward(ofSamples)) : 0;
  if (gradientForwards === 0) return models * evaluated + calibrated;
  const ofSample = gradientSamples[0]!.length;
  const back = (await measured.backward(ofSample)) + (await measured.headBackward());
  const there = calibrationTokens * gradientForwards * (await measured.forward(ofSample));
  return models * evaluated + calibrated + there + gradientSamples.length * ofSample * back;
}

async function taskSeconds({ asked }: SweepInputs, measured: MeasuredCosts): Promise<number> {
  if (!asked) return 0;
  const places = asked.sequences.reduce((sum, { ids, from }) => sum + ids.length - from, 0);
  let seconds = places * (await measured.head());
  for (const { length, batches } of asked.groups) {
    const rows = batches.reduce((sum, batch) => sum + batch.rows.length, 0);
    seconds += rows * length * (await measured.forward(length));
  }
  return seconds;
}

async function pruningSeconds(
  evaluations: readonly WeightEvaluation[],
  group: EvaluationSettings['group'],
  weights: number,
  measured: MeasuredCosts,
): Promise<number> {
  let seconds = 0;
  for (const { expression, sparsity, ...own } of evaluations) {
    if (expression) seconds += weights * (await measured.pruning(expression, sparsity, own.group ?? group));
  }
  return seconds;
}

/** H, what is computed of it, and the updates; in a one-shot calibration all share H, and equal updates what is computed of it. */
function updateWork(inputs: SweepInputs, updates: readonly WeightUpdate[]): number {
  if (updates.length === 0) return 0;
  const { checkpoint, weights, calibration, calibrate, device } = inputs;
  const { layouts } = weights;
  const tokens = calibration.reduce((sum, { length }) => sum + length, 0);
  const perToken = checkpoint.config.mixture?.perToken ?? 1;
  const expertShare = ({ shape }: BlockLayout): number =>
    device.resident ? 1 : Math.min(1, perToken / (shape.experts ?? 1));
  const isShared = calibrate === 'one-shot';
  const factors = isShared ? new Map(updates.map((update) => [updateText(update), update])).values() : updates;
  return (
    (isShared ? 1 : updates.length) * tokens * gramWork(layouts, expertShare) +
    [...factors].reduce((sum, update) => sum + factorWork(layouts, update), 0) +
    updates.reduce((sum, update) => sum + changeWork(layouts, update), 0)
  );
}

function askedOf(
  { tasks, sequences }: OpenedTasks,
  { asked, checkpoint }: SweepInputs,
  seconds: number,
): NonNullable<Preflight['tasks']> {
  return {
    list: tasks.map(({ planned, asked: { length } }) => ({ task: planned.task, documents: length })),
    requests: sequences.length,
    tokens: asked?.tokens ?? 0,
    seconds,
    bytes: stateBytes(checkpoint.config, asked?.tokens ?? 0),
    kept: asked?.scratchFolder === undefined ? 'memory' : 'disk',
  };
}

/** Blocks for every token of the tasks, and the head where something is asked. */
function taskWork({ asked, checkpoint, weights, device }: SweepInputs): number {
  if (!asked) return 0;
  const places = asked.sequences.reduce((sum, { ids, from }) => sum + ids.length - from, 0);
  const ofRows = asked.groups.map(({ length, batches }) => {
    const { blocks } = workPerToken(checkpoint.config, weights.layouts, length, device.resident);
    return blocks * length * batches.reduce((sum, { rows }) => sum + rows.length, 0);
  });
  const { head } = workPerToken(checkpoint.config, weights.layouts, 1, device.resident);
  return ofRows.reduce((sum, work) => sum + work, 0) + places * head;
}

/** H of an input that is so large is worth a word before it is begun. */
const LARGE_GRAM = 1e9;

function gramWarnings(
  { weights: { layouts } }: SweepInputs,
  updates: readonly WeightUpdate[],
  refits: number,
): readonly string[] {
  const memory = updates.length > 0 ? updateMemory(layouts, false) : refits > 0 ? refitMemory(layouts) : undefined;
  if (!memory || memory.widest.bytes < LARGE_GRAM) return [];
  const { layer, bytes } = memory.widest;
  return [
    `The update adds up H of a whole block in memory, ${gigabytes(memory.bytes)} with what is computed of it: H of ${layer.tensor} alone is ${layer.shape[1]!}² numbers, ${gigabytes(bytes)}.`,
  ];
}

function diskWarnings({ scratchFolder }: SweepInputs): readonly string[] {
  if (scratchFolder === undefined) return [];
  return [
    `Memory has no room for the hidden states of all tokens: they lie in files in ${scratchFolder}, and are read and written once for each block. No number changes by that.`,
  ];
}

function isRefitted(evaluation: PlannedEvaluation): boolean {
  return isStructural(evaluation) && evaluation.update !== undefined;
}

/** Evaluations that will run: what is refused fails alone, but not where nothing else is left. */
function accepted({ evaluations }: EvaluationPlan, inputs: SweepInputs): readonly PlannedEvaluation[] {
  const refusals = evaluations.map((each) => refusal(each, inputs));
  const left = evaluations.filter((_, index) => !refusals[index]);
  if (left.length === 0 && refusals[0]) throw refusals[0];
  return left;
}

/** Runs of the whole depth forward, of the steps that the gradients take: each batch also has its head and the way back. */
function gradientForwards(steps: number, { weights, device, calibration, gradientSamples }: SweepInputs): number {
  const depth = weights.layouts.length;
  const tokens = gradientSamples[0]!.length;
  const runs = (steps / Math.ceil(gradientSamples.length / sequencesPerBatch(device, tokens)) - 1 - depth) / depth;
  // Counted in runs of the calibration samples, which may be others.
  return (runs * gradientSamples.length * tokens) / (calibration.length * calibration[0]!.length);
}

/** What lies in memory at the same time: a sweep carries as many models as have room, and a model without room is read block by block. */
function memoryCosts(
  evaluations: readonly PlannedEvaluation[],
  inputs: SweepInputs,
  gradients: { readonly use: boolean; readonly backwards: boolean },
  free: number,
): readonly PreflightCost[] {
  const { checkpoint, weights, evaluation, calibration, calibrate, programs, calibrationPrograms, device } = inputs;
  const { config } = checkpoint;
  const length = evaluation[0]?.length ?? 0;
  const { asked } = inputs;
  const longestRow = Math.max(0, ...(asked?.groups.map((group) => group.length) ?? []));
  const bytesOf = (parameters: readonly Parameter[]): number =>
    parameters.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  const block = Math.max(...weights.layouts.map(({ parameters }) => bytesOf(parameters)));
  const states = trackBytes(inputs);
  const ofSamples = calibration[0]?.length ?? 0;
  const samples = calibration.length * ofSamples;
  const [group = []] = inGroups(evaluations, inputs);
  // Of whole components there are masks alone.
  const pruned = group.filter((each) => !isStructural(each)).length;
  const updates = group.filter((each) => !isStructural(each) && each.update).length;
  const isShared = calibrate === 'one-shot' && updates > 1;
  // What is refitted has H of its own: solvers of other evaluations may be open beside it.
  const grams: readonly (UpdateMemory | undefined)[] = [
    updates > 0 ? updateMemory(weights.layouts, isShared) : undefined,
    group.some(isRefitted) ? refitMemory(weights.layouts) : undefined,
  ];
  const gram = grams.reduce((sum, each) => sum + (each?.bytes ?? 0), 0);
  const ofTasks = Math.max(0, ...(asked?.groups.map((group) => group.length * group.programs.batch) ?? []));
  const rows = Math.max(programs.batch * length, calibrationPrograms.batch * ofSamples, ofTasks);
  const longest = Math.max(length, ofSamples, longestRow);
  const { layouts } = weights;
  const widest = Math.max(
    ...layouts.map((layout) => 6 * widestChannels(layout) + layout.shape.heads * Math.min(longest, 2048)),
  );
  const working = 4 * rows * (8 * config.hidden + widest);
  const kept = 4 * config.hidden * samples * (layouts.length + 1);
  const held = gradientsAreHeld(layouts) ? gradientBytes(layouts) : gradientBytes(layouts) / layouts.length;
  const heldStates = (group.length + 1) * states.evaluated + group.length * states.calibration;
  return [
    { name: 'weights', kind: 'memory', bytes: weights.keeps ? bytesOf(allParameters(config)) : block },
    ...(pruned > 0 ? [{ name: 'pruned weights', kind: 'memory' as const, bytes: pruned * block }] : []),
    ...(gram > 0 ? [{ name: 'H and its factors', kind: 'memory' as const, bytes: gram }] : []),
    ...(heldStates > 0 ? [{ name: 'hidden states', kind: 'memory' as const, bytes: heldStates }] : []),
    { name: device.resident ? 'programs (on the device)' : 'programs', kind: 'memory', bytes: working },
    ...(gradients.use ? [{ name: 'gradients in memory', kind: 'memory' as const, bytes: held }] : []),
    ...(gradients.backwards
      ? [{ name: 'block inputs on the way back', kind: 'memory' as const, bytes: Math.min(ROOM_SHARE * free, kept) }]
      : []),
  ];
}

/** Hidden states that memory has no room for. */
function diskCosts(evaluations: readonly PlannedEvaluation[], inputs: SweepInputs): readonly PreflightCost[] {
  const { onDisk } = trackBytes(inputs);
  if (onDisk === 0) return [];
  const [group = []] = inGroups(evaluations, inputs);
  return [{ name: 'hidden states', kind: 'disk', bytes: (group.length + 1) * onDisk }];
}

/** Channels of a block's MLP, or of the widest of its experts. */
function widestChannels({ shape, parameters }: BlockLayout): number {
  const experts = parameters.flatMap(({ expert, shape: size }) => (expert === undefined ? [] : [Math.min(...size)]));
  return Math.max(shape.intermediate, ...new Set(experts));
}

function problemOf(kind: PreflightCost['kind'], costs: readonly PreflightCost[], free: number): string[] {
  const bytes = costs.filter((cost) => cost.kind === kind).reduce((sum, cost) => sum + cost.bytes, 0);
  if (bytes <= free) return [];
  const remedy =
    kind === 'memory'
      ? 'Use fewer or shorter samples and blocks, or close other programs.'
      : 'Free some space, or choose another cache folder.';
  return [`Too little ${kind}: it takes ${gigabytes(bytes)}, and ${gigabytes(free)} are free. ${remedy}`];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}

/** Bytes free where a folder is, or will be. */
async function freeDisk(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    const parent = path.dirname(folder);
    return parent === folder ? 0 : freeDisk(parent);
  }
}
