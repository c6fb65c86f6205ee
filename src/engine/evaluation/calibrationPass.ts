import type { Step } from '../forward/step.ts';
import type { RowOperand } from '../pruning/inputStatistics.ts';
import type { BlockStatistics } from './blockStatistics.ts';
import { CalibrationStream } from './calibrationStream.ts';
import type { SweepInputs } from './sweepInputs.ts';

/** Statistics of the dense model's linear layers over the calibration samples, block by block. */
export async function calibrationPass(
  inputs: SweepInputs,
  rows: readonly RowOperand[],
  step: Step,
): Promise<readonly BlockStatistics[]> {
  const { weights } = inputs;
  if (rows.length === 0) return weights.layouts.map(() => new Map());
  const depth = weights.layouts.length;
  const statistics: BlockStatistics[] = [];
  const calibration = await CalibrationStream.open(inputs, rows);
  try {
    for (const [index, layout] of weights.layouts.entries()) {
      const where = `calibrating, block ${index + 1} of ${depth}`;
      const block = await weights.block(index);
      try {
        statistics.push(await calibration.observe(layout, block, index + 1 < depth, step, where));
      } finally {
        weights.done(block);
      }
    }
    return statistics;
  } finally {
    await calibration.dispose();
  }
}

/** Program runs of {@link calibrationPass}. */
export function countCalibrationSteps(
  { weights, calibrationPrograms, calibration }: SweepInputs,
  rows: readonly RowOperand[],
): number {
  return rows.length > 0 ? weights.layouts.length * Math.ceil(calibration.length / calibrationPrograms.batch) : 0;
}
