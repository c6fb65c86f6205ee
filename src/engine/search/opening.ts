import { EspalierError } from '../../base/errors.ts';
import type { Provenance } from '../../experiment/resultSchema.ts';
import type { SearchOpening } from '../../search/lifecycle/events.ts';
import type { Objective } from '../../search/lifecycle/objective.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import { DenseStates } from '../evaluation/denseStates.ts';
import { ownGradients } from '../evaluation/fingerprint.ts';
import type { SweepInputs } from '../evaluation/sweepInputs.ts';
import { blockOrder } from './blockOrder.ts';

/** What the dense model answers. */
export interface DenseTasks {
  /** Weighted loss of each document, in the order of the rungs: their mean is the task loss. */
  readonly losses: readonly number[];
  readonly loss: number;
  /** Mean of the accuracies. */
  readonly accuracy: number;
  /** Of each task, over prompts and tokens. */
  readonly fingerprints: readonly string[];
}

/** Candidates are measured on the blocks in the order of the rungs, by the search's objective, with the statistics of the dense model. */
export function searchInputs(prepared: SweepInputs, objective: Objective): SweepInputs {
  const order = blockOrder(prepared.evaluation.length);
  return {
    ...prepared,
    calibrate: 'one-shot',
    evaluation: order.map((index) => prepared.evaluation[index]!),
    ...(objective === 'kl' && { denseStates: new DenseStates() }),
  };
}

/**
 * What a search is told of the dense model.
 *
 * @param losses cross-entropies of each evaluation block
 * @param about what measurements depend on beside the model, its texts, how they are cut, and the objective
 * @param tasks what the dense model answers, where these are the objective
 */
export function openingOf(
  losses: readonly number[],
  provenance: Provenance,
  objective: Objective,
  about: object,
  tasks?: DenseTasks,
): SearchOpening {
  const own = objective === 'perplexity' ? {} : { objective };
  const denseLosses = tasks?.losses ?? (objective === 'kl' ? losses.map(() => 0) : losses);
  const asked = tasks && { asked: tasks.fingerprints, taskLosses: tasks.losses };
  return {
    blocks: denseLosses.length,
    ...own,
    denseLosses,
    densePerplexity: Math.exp(losses.reduce((sum, loss) => sum + loss, 0) / losses.length),
    ...(tasks && { denseTaskLoss: tasks.loss, denseAccuracy: tasks.accuracy }),
    fingerprint: openingFingerprint(provenance, losses, { ...about, ...own, ...asked }),
    // Without its threads, which a search's workers share: how many there are decides nothing.
    device: provenance.device,
    parameters: provenance.parameters,
    architecture: provenance.architecture,
  };
}

/** Blocks `begin` to `end` − 1, in the order of the rungs. */
export function blockRange({ evaluation }: SweepInputs, begin: number, end: number): readonly Int32Array[] {
  if (0 <= begin && begin < end && end <= evaluation.length) return evaluation.slice(begin, end);
  throw sessionError(`a range of the ${evaluation.length} evaluation blocks`, `${begin} to ${end}`);
}

/** Who asks is a part of Espalier. */
export function sessionError(expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'measuring candidates',
    expected,
    actual,
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}

/** The losses stand for the machine: a run may go on elsewhere as long as they are the same there to the last bit. */
function openingFingerprint(provenance: Provenance, losses: readonly number[], about: object): string {
  const { modelHash, textHash, calibrationHash, samples, calibrationLength, offsets, seed } = provenance;
  const { blocks, length, group, device, precision, versions, rows } = provenance;
  const calibration = calibrationHash !== undefined && { calibrationHash, samples, calibrationLength, offsets, seed };
  const where = { device, precision, versions, losses };
  // Undefined, and so no part of it, where they are as ever.
  const own = { rows, gradients: ownGradients(provenance) };
  return sha256(
    JSON.stringify({ modelHash, textHash, calibration, blocks, length, group, ...about, ...where, ...own }),
  );
}
