import type { InputStatistic } from '../models/blockGraph.ts';
import type { BlockLayout } from '../families/family.ts';
import { inputStatisticsFor, type RowOperand } from '../pruning/inputStatistics.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { BlockGrams } from './blockGrams.ts';
import { type BlockStatistics, BlockStatisticsSum } from './blockStatistics.ts';
import { embed } from '../forward/embed.ts';
import type { HiddenStream } from '../forward/hiddenStream.ts';
import type { Step } from '../forward/step.ts';
import type { SweepInputs } from './sweepInputs.ts';

export type CalibrationInputs = Pick<SweepInputs, 'checkpoint' | 'device' | 'calibrationPrograms' | 'calibration'>;

/** The calibration samples on their way through the blocks, and what the linear layers see of them. */
export class CalibrationStream {
  readonly stream: HiddenStream;
  private readonly inputs: CalibrationInputs;
  private readonly statistics: readonly InputStatistic[];

  private constructor(inputs: CalibrationInputs, stream: HiddenStream, statistics: readonly InputStatistic[]) {
    this.inputs = inputs;
    this.stream = stream;
    this.statistics = statistics;
  }

  /**
   * @param operands what the statistics are for
   * @param like one of the same samples that has not moved yet
   */
  static async open(
    inputs: CalibrationInputs,
    operands: readonly RowOperand[],
    like?: CalibrationStream,
  ): Promise<CalibrationStream> {
    const { checkpoint, device, calibrationPrograms: programs, calibration } = inputs;
    const stream = like ? await like.stream.copy() : await embed({ checkpoint, device, programs }, calibration);
    return new CalibrationStream(inputs, stream, inputStatisticsFor(operands));
  }

  /** Program runs that carry the samples through one block. */
  get batches(): number {
    return this.stream.batches.length;
  }

  /**
   * Runs the samples through a block and collects the statistics.
   *
   * @param advance whether the samples move on to the next block; otherwise only their statistics are computed
   * @param grams what the products of the layers' inputs are added to, where they are wanted
   */
  async observe(
    layout: BlockLayout,
    block: Weights,
    advance: boolean,
    step: Step,
    detail: string,
    grams?: BlockGrams,
  ): Promise<BlockStatistics> {
    const { calibrationPrograms: programs } = this.inputs;
    const weights = programs.inputs(layout, block);
    const sum = new BlockStatisticsSum(layout, this.statistics);
    const observesNothing = sum.isEmpty || (this.statistics.length === 0 && !grams?.inputs.length);
    for (const batch of this.stream.batches) {
      if (observesNothing && !advance) {
        await step(detail);
        continue;
      }
      const options = { output: advance, statistics: this.statistics, grams: grams?.inputs };
      const program = await programs.block(layout, batch.batch, options);
      const spare = advance ? this.stream.spare(batch) : undefined;
      const outputs = await program.run(
        { ...weights, ...grams?.sums, x: batch.x },
        { ...grams?.spares, ...(spare && { y: spare }) },
      );
      const tokens = batch.ids[0]!.length;
      sum.add(outputs, batch.batch, tokens);
      grams?.take(outputs, batch.batch * tokens);
      if (advance) this.stream.replace(batch, outputs['y']!);
      await step(detail);
    }
    return sum.total;
  }

  /** Moves the samples on through a block, pruned or not. */
  advance(layout: BlockLayout, block: Weights, step: Step, detail: string): Promise<void> {
    return this.stream.advance(layout, block, step, detail);
  }

  dispose(): void {
    this.stream.dispose();
  }
}
