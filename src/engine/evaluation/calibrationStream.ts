import type { InputStatistic } from '../models/blockGraph.ts';
import type { BlockLayout } from '../families/family.ts';
import { inputStatisticsFor, type RowOperand } from '../pruning/inputStatistics.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { BlockGrams } from './blockGrams.ts';
import { type BlockStatistics, BlockStatisticsSum } from './blockStatistics.ts';
import { openStates, type StateStream } from '../forward/stateStream.ts';
import type { Step } from '../forward/step.ts';
import type { SweepInputs } from './sweepInputs.ts';

export type CalibrationInputs = Pick<
  SweepInputs,
  'checkpoint' | 'device' | 'calibrationPrograms' | 'calibration' | 'scratchFolder'
>;

/** The calibration samples on their way through the blocks, and what the linear layers see of them. */
export class CalibrationStream {
  readonly stream: StateStream;
  private readonly inputs: CalibrationInputs;
  private readonly statistics: readonly InputStatistic[];

  private constructor(inputs: CalibrationInputs, stream: StateStream, statistics: readonly InputStatistic[]) {
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
    const { checkpoint, device, calibrationPrograms: programs, calibration, scratchFolder } = inputs;
    const forward = { checkpoint, device, programs };
    const stream = await openStates(forward, calibration, scratchFolder, [], like?.stream);
    return new CalibrationStream(inputs, stream, inputStatisticsFor(operands));
  }

  /** Program runs that carry the samples through one block. */
  get batches(): number {
    return this.stream.steps;
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
    if (observesNothing && !advance) {
      for (let left = this.batches; left > 0; left--) await step(detail);
      return sum.total;
    }
    await this.stream.each(async (part) => {
      for (const batch of part.batches) {
        const options = { output: advance, statistics: this.statistics, grams: grams?.inputs };
        const program = await programs.block(layout, batch.batch, options);
        const spare = advance ? part.spare(batch) : undefined;
        const outputs = await program.run(
          { ...weights, ...grams?.sums, x: batch.x },
          { ...grams?.spares, ...(spare && { y: spare }) },
        );
        const tokens = batch.ids[0]!.length;
        sum.add(outputs, batch.batch, tokens);
        grams?.take(outputs, batch.batch * tokens);
        if (advance) part.replace(batch, outputs['y']!);
        await step(detail);
      }
    });
    return sum.total;
  }

  /** Moves the samples on through a block, pruned or not. */
  advance(layout: BlockLayout, block: Weights, step: Step, detail: string): Promise<void> {
    return this.stream.advance(layout, block, step, detail);
  }

  async dispose(): Promise<void> {
    await this.stream.dispose();
  }
}
