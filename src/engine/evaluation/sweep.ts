import { EspalierError } from '../../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { EvaluationHooks } from '../engine.ts';
import { Pruner } from '../pruning/pruner.ts';
import type { Device } from '../runtime/device.ts';
import type { BlockWeights, Weights } from '../forward/blockWeights.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import type { BlockStatistics } from './blockStatistics.ts';
import { CalibrationStream } from './calibrationStream.ts';
import type { Step } from '../forward/hiddenStream.ts';
import type { ModelPrograms } from '../forward/modelPrograms.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import type { RemovedModel } from './removedModel.ts';
import { Track } from './track.ts';

/** What a sweep works on: one model, its programs at the length of its sequences, and these. */
export interface SweepInputs {
  readonly checkpoint: Checkpoint;
  readonly device: Device;
  readonly weights: BlockWeights;
  readonly programs: ModelPrograms;
  /** At the length of calibration samples; the same programs where that is the same. */
  readonly calibrationPrograms: ModelPrograms;
  /** Sequences whose perplexity is wanted. */
  readonly evaluation: readonly Int32Array[];
  /** Calibration samples; empty where no metric needs statistics. */
  readonly calibration: readonly Int32Array[];
  readonly calibrate: 'sequential' | 'one-shot';
  /** Statistics of the dense model's blocks, where they were collected before: then nothing is calibrated. */
  readonly statistics?: readonly BlockStatistics[];
  /** The operand G of the dense model, where a metric uses it. */
  readonly gradients?: GradientOperands;
  /** See `EvaluationHooks.onFinal`. */
  readonly onFinal?: EvaluationHooks['onFinal'];
  /** Seconds, from any start. */
  readonly now: () => number;
}

/** A model that a sweep carries beside the dense one: pruned weight by weight on the way, or without whole components. */
export type SweptModel = Pruner | RemovedModel;

export interface SweepOutcome {
  readonly perplexity: number;
  /** Share of the prunable weights that are zero or gone; of the dense model those that are zero in the checkpoint. */
  readonly actualSparsity: number;
  /** What this evaluation alone takes: reading weights, compiling, its calibration, pruning and evaluation. */
  readonly seconds: number;
}

/** The outcomes in the order of the models; a metric that cannot rank has its error, and the others go on. */
export interface SweepOutcomes {
  readonly dense: SweepOutcome | undefined;
  readonly pruned: readonly (SweepOutcome | EspalierError)[];
}

/**
 * Evaluates the dense model and any number of pruned ones in one pass over the blocks: each block is read once, its pruned forms
 * live only while it is visited, and all models' hidden states move on. So a checkpoint need never fit into memory.
 *
 * Sequential calibration (Wanda): a pruned model's statistics come from the calibration samples as its own pruned blocks have left
 * them. One-shot: all share the statistics of the dense model. Whole components were chosen before.
 *
 * @throws EspalierError `evaluation/not-finite` when the dense perplexity is not finite
 */
export async function sweep(
  inputs: SweepInputs,
  dense: boolean,
  models: readonly SweptModel[],
  step: Step,
): Promise<SweepOutcomes> {
  const { weights } = inputs;
  const depth = weights.layouts.length;
  const shared = new Stopwatch(inputs.now);
  const tracks: Track[] = [];
  const pruners = models.filter((model) => model instanceof Pruner);
  const useGradients = pruners.some((pruner) => pruner.usesGradient);
  let oneShot: CalibrationStream | undefined;
  try {
    for (const model of dense ? [undefined, ...models] : models) tracks.push(await Track.open(inputs, model));
    const operands = pruners.flatMap((pruner) => pruner.rows);
    if (!inputs.statistics && inputs.calibrate === 'one-shot' && operands.length > 0) {
      oneShot = await shared.time(() => CalibrationStream.open(inputs, operands));
    }
    for (const [index, layout] of weights.layouts.entries()) {
      const last = index + 1 === depth;
      const where = `block ${index + 1} of ${depth}`;
      const block = await shared.time(() => weights.block(index));
      let gradients: Weights | undefined;
      try {
        const statistics =
          inputs.statistics?.[index] ??
          (oneShot && (await shared.time(() => oneShot!.observe(layout, block, !last, step, `calibrating, ${where}`))));
        if (useGradients) gradients = await shared.time(() => inputs.gradients!.block(index));
        for (const track of tracks)
          await track.visit({ index, layout, block, last, statistics, gradients, where }, step);
      } finally {
        if (gradients) inputs.gradients!.done(gradients);
        weights.done(block);
      }
    }
    const head = await shared.time(() => weights.head());
    try {
      for (const track of tracks) await track.finish(head, step);
    } finally {
      weights.done(head);
    }
    const outcomes = tracks.map((track) => track.outcome(shared.seconds));
    return dense
      ? { dense: required(outcomes[0]!), pruned: outcomes.slice(1) }
      : { dense: undefined, pruned: outcomes };
  } finally {
    for (const track of tracks) track.dispose();
    oneShot?.dispose();
  }
}

export function disposePrograms({ programs, calibrationPrograms }: SweepInputs): void {
  programs.dispose();
  if (calibrationPrograms !== programs) calibrationPrograms.dispose();
}

/** A model as its steps are counted: whole components are gone before the sweep. */
export type CountedModel = Pick<Pruner, 'rows'> | 'removed';

/**
 * Program runs of a sweep: the units in which its progress is counted.
 *
 * @param surveyed whether one-shot statistics are there before
 */
export function countSteps(
  inputs: SweepInputs,
  dense: boolean,
  models: readonly CountedModel[],
  surveyed = false,
): number {
  const depth = inputs.weights.layouts.length;
  const evaluation = Math.ceil(inputs.evaluation.length / inputs.programs.batch);
  const calibration = Math.ceil(inputs.calibration.length / inputs.calibrationPrograms.batch);
  const pruned = models.filter((model) => model !== 'removed');
  const calibrated = pruned.filter(({ rows }) => rows.length > 0).length;
  const calibrations =
    inputs.calibrate === 'sequential'
      ? calibrated * (2 * depth - 1) * calibration
      : (calibrated > 0 && !surveyed ? depth : 0) * calibration;
  return (models.length + (dense ? 1 : 0)) * (depth + 1) * evaluation + pruned.length * depth + calibrations;
}

function required(outcome: SweepOutcome | EspalierError): SweepOutcome {
  if (outcome instanceof EspalierError) throw outcome;
  return outcome;
}
