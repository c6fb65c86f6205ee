import { EspalierError } from '../../base/errors.ts';
import { Pruner } from '../pruning/pruner.ts';
import type { Weights } from '../forward/blockWeights.ts';
import { CalibrationStream } from './calibrationStream.ts';
import type { Step } from '../forward/step.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';
import type { LayerSolvers } from './blockSolvers.ts';
import { observeBlock } from './observeBlock.ts';
import { countBatches } from '../scoring/scoredStream.ts';
import { countRefitSteps } from './refitBlock.ts';
import { openTracks } from './openTracks.ts';
import type { SweepInputs, SweepOutcome, Variant } from './sweepInputs.ts';
import type { Track } from './track.ts';

/** The outcomes in the order of the variants; a metric that cannot rank has its error, and the others go on. */
export interface SweepOutcomes {
  readonly dense: SweepOutcome | undefined;
  readonly variants: readonly (SweepOutcome | EspalierError)[];
}

/**
 * Evaluates the dense model and any number of variants of it in one pass over the blocks: each block is read once, its pruned forms
 * live only while it is visited, and the hidden states of all move on. So a checkpoint need never fit into memory.
 *
 * Sequential calibration (Wanda): a variant's statistics, and H for its update, come from the calibration samples as its own pruned and updated
 * blocks have left them. One-shot: all share the statistics of the dense model, H, and what updates compute of that. Whole components were
 * chosen before.
 *
 * @throws EspalierError `evaluation/not-finite` when the dense perplexity is not finite
 */
export async function sweep(
  inputs: SweepInputs,
  dense: boolean,
  variants: readonly Variant[],
  step: Step,
): Promise<SweepOutcomes> {
  const { weights } = inputs;
  const depth = weights.layouts.length;
  const shared = new Stopwatch(inputs.now);
  const tracks: Track[] = [];
  const pruners = variants.filter((variant) => variant instanceof Pruner);
  const useGradients = pruners.some((pruner) => pruner.usesGradient);
  const [arrays, refitArrays] = [new ReusedArrays(), new ReusedArrays()];
  const refits = variants.some((variant) => 'refitter' in variant && variant.refitter) ? inputs.refits : undefined;
  let oneShot: CalibrationStream | undefined;
  try {
    const opened = await openTracks(inputs, dense ? [undefined, ...variants] : variants, tracks);
    const operands = inputs.statistics ? [] : pruners.flatMap((pruner) => pruner.rows);
    const isOneShot = inputs.statistics !== undefined || inputs.calibrate === 'one-shot';
    const updates = !inputs.solvers && pruners.some(({ update }) => update);
    if (isOneShot && (operands.length > 0 || updates)) {
      oneShot = await shared.time(() => CalibrationStream.open(inputs, operands));
    }
    if (refits) await shared.time(() => refits.open(inputs));
    for (const [index, layout] of weights.layouts.entries()) {
      const last = index + 1 === depth;
      const where = `block ${index + 1} of ${depth}`;
      const block = await shared.time(() => weights.block(index));
      let gradients: Weights | undefined;
      let solvers: LayerSolvers | undefined;
      try {
        const visit = { index, layout, block, last, where, arrays, refitArrays };
        const pruning = tracks.flatMap(({ pruner }) => pruner ?? []);
        const observed =
          oneShot && (await shared.time(() => observeBlock(inputs, oneShot!, visit, pruning, !last, step)));
        solvers = inputs.solvers?.block(index) ?? observed?.solvers;
        const statistics = inputs.statistics?.[index] ?? observed?.statistics;
        if (refits) await shared.time(() => refits.reach(inputs, visit, step));
        if (useGradients) gradients = await shared.time(() => inputs.gradients!.block(index));
        await opened.reach(index);
        for (const track of tracks) await track.visit({ ...visit, statistics, solvers, gradients }, step);
      } finally {
        solvers?.dispose();
        refits?.leave();
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
      ? { dense: required(outcomes[0]!), variants: outcomes.slice(1) }
      : { dense: undefined, variants: outcomes };
  } finally {
    await oneShot?.dispose();
    await refits?.close();
    for (const track of tracks) await track.dispose();
  }
}

/** A variant as its steps are counted: whole components are gone before the sweep. */
export type CountedVariant = Pick<Pruner, 'rows' | 'update'> | 'removed' | 'refitted';

/**
 * Program runs of a sweep: the units in which its progress is counted.
 *
 * @param surveyed whether one-shot statistics are there before
 */
export function countSteps(
  inputs: SweepInputs,
  dense: boolean,
  variants: readonly CountedVariant[],
  surveyed = false,
): number {
  const { layouts } = inputs.weights;
  const depth = layouts.length;
  const asked = inputs.asked ? countBatches(inputs.asked) : 0;
  const evaluation = Math.ceil(inputs.evaluation.length / inputs.programs.batch) + asked;
  const calibration = Math.ceil(inputs.calibration.length / inputs.calibrationPrograms.batch);
  const pruned = variants.filter((variant) => typeof variant === 'object');
  const refits = variants.filter((variant) => variant === 'refitted').length * countRefitSteps(inputs);
  const withUpdate = pruned.filter(({ update }) => update);
  const linears = layouts.reduce((sum, { parameters }) => sum + parameters.filter(({ linear }) => linear).length, 0);
  const calibrated = pruned.filter(({ rows, update }) => rows.length > 0 || update).length;
  // H of all blocks is too much to have been kept.
  const oneShot = (calibrated > 0 && !surveyed) || withUpdate.length > 0;
  const calibrations =
    (inputs.calibrate === 'sequential' ? calibrated * (2 * depth - 1) : oneShot ? depth : 0) * calibration;
  const models = variants.length + (dense ? 1 : 0);
  return (
    models * (depth + 1) * evaluation + pruned.length * depth + withUpdate.length * linears + calibrations + refits
  );
}

function required(outcome: SweepOutcome | EspalierError): SweepOutcome {
  if (outcome instanceof EspalierError) throw outcome;
  return outcome;
}
