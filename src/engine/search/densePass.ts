import { EspalierError } from '../../base/errors.ts';
import type { BlockStatistics } from '../evaluation/blockStatistics.ts';
import { countCalibrationSteps } from '../evaluation/calibrationPass.ts';
import { CalibrationStream } from '../evaluation/calibrationStream.ts';
import type { SweepInputs } from '../evaluation/sweepInputs.ts';
import { embed } from '../forward/embed.ts';
import type { Step } from '../forward/step.ts';
import type { RowOperand } from '../pruning/inputStatistics.ts';

/** One pass of the dense model: the loss of every evaluation block, the statistics of every layer's input, and its states where they are wanted. */
export async function densePass(
  inputs: SweepInputs,
  rows: readonly RowOperand[],
  step: Step,
): Promise<{ losses: number[]; statistics: readonly BlockStatistics[] }> {
  const { weights, programs } = inputs;
  const depth = weights.layouts.length;
  const statistics: BlockStatistics[] = [];
  const stream = await embed(inputs, inputs.evaluation);
  const calibration = rows.length > 0 ? await CalibrationStream.open(inputs, rows) : undefined;
  try {
    for (const [index, layout] of weights.layouts.entries()) {
      const where = `dense, block ${index + 1} of ${depth}`;
      const block = await weights.block(index);
      try {
        if (calibration) statistics.push(await calibration.observe(layout, block, index + 1 < depth, step, where));
        else statistics.push(new Map());
        await stream.advance(layout, block, step, where);
      } finally {
        weights.done(block);
      }
    }
    await inputs.denseStates?.keep(inputs, stream);
    const head = await weights.head();
    try {
      const losses: number[] = [];
      for (const batch of stream.batches) {
        const predictions = batch.ids[0]!.length - 1;
        for (const loss of await programs.losses(batch, head)) losses.push(loss / predictions);
        await step('dense, perplexity');
      }
      requireFinite(losses);
      return { losses, statistics };
    } finally {
      weights.done(head);
    }
  } finally {
    stream.dispose();
    await calibration?.dispose();
  }
}

/** Program runs of {@link densePass}. */
export function countDenseSteps(inputs: SweepInputs, rows: readonly RowOperand[]): number {
  const { weights, programs, evaluation } = inputs;
  return (
    (weights.layouts.length + 1) * Math.ceil(evaluation.length / programs.batch) + countCalibrationSteps(inputs, rows)
  );
}

function requireFinite(losses: readonly number[]): void {
  if (losses.every(Number.isFinite)) return;
  throw new EspalierError({
    code: 'evaluation/not-finite',
    operation: 'evaluating the dense model',
    expected: 'finite losses',
    actual: `${losses.filter((loss) => !Number.isFinite(loss)).length} blocks whose loss is not`,
    remedy: 'Check the checkpoint’s weights; with precision float16 also try float32.',
  });
}
