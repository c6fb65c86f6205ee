import type { Step } from '../forward/step.ts';
import type { Pruner } from '../pruning/pruner.ts';
import { BlockGrams } from './blockGrams.ts';
import { BlockSolvers } from './blockSolvers.ts';
import type { BlockStatistics } from './blockStatistics.ts';
import type { CalibrationStream } from './calibrationStream.ts';
import type { SweepInputs } from './sweepInputs.ts';
import type { BlockVisit } from './blockVisit.ts';

/** What calibration samples tell of a block: statistics of its layers' inputs and, where it is updated, H. */
export interface Observed {
  readonly statistics: BlockStatistics;
  readonly solvers: BlockSolvers | undefined;
}

/**
 * Runs calibration samples through a block for the evaluations that prune it; of H only what their updates need.
 *
 * @param advance see {@link CalibrationStream.observe}
 */
export async function observeBlock(
  { device, now }: SweepInputs,
  calibration: CalibrationStream,
  { index, layout, block, where, arrays }: Pick<BlockVisit, 'index' | 'layout' | 'block' | 'where' | 'arrays'>,
  pruners: readonly Pruner[],
  advance: boolean,
  step: Step,
): Promise<Observed> {
  const layers = pruners.flatMap((pruner) => pruner.updated(index, layout));
  const grams = layers.length > 0 ? await BlockGrams.open(device, layers, arrays) : undefined;
  try {
    const statistics = await calibration.observe(layout, block, advance, step, `calibrating, ${where}`, grams);
    return { statistics, solvers: grams && new BlockSolvers(device, grams, layers, now) };
  } catch (error) {
    grams?.dispose();
    throw error;
  }
}
